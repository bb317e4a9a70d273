// Command rotate is a Lambda function that rotates a secret, as Secrets
// Manager asks it to: the new value is the old one with another letter.
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

type step struct{ Step, SecretId, ClientRequestToken string }

func handle(ctx context.Context, in step) error {
	fmt.Println("step", in.Step)
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	secrets := secretsmanager.NewFromConfig(c)
	old, err := secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &in.SecretId})
	if err != nil {
		return err
	}
	switch in.Step {
	case "createSecret":
		_, err = secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &in.SecretId, ClientRequestToken: &in.ClientRequestToken,
			SecretString: aws.String(*old.SecretString + "x"), VersionStages: []string{"AWSPENDING"}})
	case "finishSecret":
		_, err = secrets.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{SecretId: &in.SecretId,
			VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: &in.ClientRequestToken, RemoveFromVersionId: old.VersionId})
	}
	return err
}

func main() { lambda.Start(handle) }
