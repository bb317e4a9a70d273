// Command handler is a Lambda function that does what its event says, with the
// permissions of its role: answers with it, writes an object, or takes a step in
// giving a secret a new value.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

// event is what to do: where to write, which step of a rotation, or nothing.
type event struct {
	Bucket, Key                        string
	Step, SecretId, ClientRequestToken string
}

func main() {
	if err := serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve speaks Lambda's runtime API.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func serve(ctx context.Context) error {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		next, err := http.Get(base + "next")
		if err != nil {
			return err
		}
		body, err := io.ReadAll(next.Body)
		if err != nil {
			return errors.Join(err, next.Body.Close())
		}
		answer, err := http.Post(base+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "application/json", bytes.NewReader(handle(ctx, body)))
		if err != nil {
			return err
		}
		if err := errors.Join(next.Body.Close(), answer.Body.Close()); err != nil {
			return err
		}
	}
}

func handle(ctx context.Context, body []byte) []byte {
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return body
	}
	config := aws.Config{
		Region: os.Getenv("AWS_REGION"), BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL")),
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")),
	}
	var err error
	switch {
	case e.Bucket != "":
		api := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
		_, err = api.PutObject(ctx, &s3.PutObjectInput{Bucket: &e.Bucket, Key: &e.Key, Body: strings.NewReader("written")})
	case e.Step != "":
		err = rotate(ctx, secretsmanager.NewFromConfig(config), e)
	default:
		return body
	}
	text, _ := json.Marshal(map[string]string{"code": code(err)}) // strings are always JSON
	return text
}

// rotate takes a step; there is nobody to tell the new value.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
func rotate(ctx context.Context, api *secretsmanager.Client, e event) error {
	switch e.Step {
	case "createSecret":
		_, err := api.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
			SecretId: &e.SecretId, ClientRequestToken: &e.ClientRequestToken, SecretString: aws.String("new"), VersionStages: []string{"AWSPENDING"},
		})
		return err
	case "finishSecret":
		about, err := api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &e.SecretId})
		if err != nil {
			return err
		}
		move := &secretsmanager.UpdateSecretVersionStageInput{SecretId: &e.SecretId, VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: &e.ClientRequestToken}
		for version, stages := range about.VersionIdsToStages {
			if slices.Contains(stages, "AWSCURRENT") {
				move.RemoveFromVersionId = &version
			}
		}
		_, err = api.UpdateSecretVersionStage(ctx, move)
		return err
	}
	return nil
}

// code returns the code by which a service refused, "" for none.
func code(err error) string {
	var refused smithy.APIError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return refused.ErrorCode()
	}
	return err.Error()
}
