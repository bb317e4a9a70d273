package secretsmanager_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/kms"
	"engage/internal/localaws/secretsmanager"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type world struct {
	*sdk.Client
	service *secretsmanager.Service
	now     time.Time
	steps   []string
}

// Run is a rotation function that does its work over the wire.
func (w *world) Run(ctx context.Context, _ wire.Caller, _ string, payload []byte) error {
	var in struct{ Step, SecretId, ClientRequestToken string }
	if err := json.Unmarshal(payload, &in); err != nil {
		return err
	}
	w.steps = append(w.steps, in.Step)
	switch in.Step {
	case "createSecret":
		_, err := w.PutSecretValue(ctx, &sdk.PutSecretValueInput{SecretId: &in.SecretId, ClientRequestToken: &in.ClientRequestToken,
			SecretString: aws.String("rotated"), VersionStages: []string{"AWSPENDING"}})
		return err
	case "finishSecret":
		old, err := w.GetSecretValue(ctx, &sdk.GetSecretValueInput{SecretId: &in.SecretId})
		if err != nil {
			return err
		}
		_, err = w.UpdateSecretVersionStage(ctx, &sdk.UpdateSecretVersionStageInput{SecretId: &in.SecretId, VersionStage: aws.String("AWSCURRENT"),
			MoveToVersionId: &in.ClientRequestToken, RemoveFromVersionId: old.VersionId})
		return err
	}
	return nil
}

func boot(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := kms.New(kms.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	svc := secretsmanager.New(secretsmanager.Config{Store: store, Keys: kms.Client{Invoker: srv, Via: "secretsmanager"}, Functions: w, Clock: func() time.Time { return w.now }})
	w.service = svc
	srv.Register(keys.API(), svc.API())
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(srv.Shutdown(context.Background()), store.Close()); err != nil {
			t.Error(err)
		}
	})
	w.Client = sdk.New(sdk.Options{Region: "eu-west-1", BaseEndpoint: aws.String(srv.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	return w
}

var name = aws.String("app/db")

func (w *world) create(t *testing.T) string {
	t.Helper()
	out, err := w.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: name, SecretString: aws.String("one")})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ARN
}

func (w *world) value(t *testing.T, id, stage string) string {
	t.Helper()
	in := &sdk.GetSecretValueInput{SecretId: &id}
	if stage != "" {
		in.VersionStage = &stage
	}
	out, err := w.GetSecretValue(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.SecretString
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestVersionsAndStages(t *testing.T) {
	w := boot(t)
	arn := w.create(t)
	if _, err := w.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{SecretId: name, SecretString: aws.String("two")}); err != nil {
		t.Fatal(err)
	}
	for stage, want := range map[string]string{"": "two", "AWSCURRENT": "two", "AWSPREVIOUS": "one"} {
		for _, id := range []string{*name, arn, arn[:len(arn)-7]} {
			if got := w.value(t, id, stage); got != want {
				t.Errorf("%s %s: got %q, want %q", id, stage, got, want)
			}
		}
	}
	listed, err := w.ListSecretVersionIds(t.Context(), &sdk.ListSecretVersionIdsInput{SecretId: name})
	if err != nil || len(listed.Versions) != 2 {
		t.Errorf("got %+v %v", listed, err)
	}
	_, err = w.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: name, SecretString: aws.String("x")})
	wantCode(t, err, "ResourceExistsException")
	_, err = w.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: aws.String("none")})
	wantCode(t, err, "ResourceNotFoundException")
	_, err = w.PutResourcePolicy(t.Context(), &sdk.PutResourcePolicyInput{SecretId: name, ResourcePolicy: aws.String("{")})
	wantCode(t, err, "MalformedPolicyDocumentException")
}

func TestDeletionAndRestoration(t *testing.T) {
	w := boot(t)
	w.create(t)
	remove := func(in sdk.DeleteSecretInput) {
		in.SecretId = name
		if _, err := w.DeleteSecret(t.Context(), &in); err != nil {
			t.Fatal(err)
		}
	}
	get := func() error {
		_, err := w.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: name})
		return err
	}
	remove(sdk.DeleteSecretInput{RecoveryWindowInDays: aws.Int64(7)})
	wantCode(t, get(), "InvalidRequestException")
	if _, err := w.RestoreSecret(t.Context(), &sdk.RestoreSecretInput{SecretId: name}); err != nil || get() != nil {
		t.Fatal(err, get())
	}
	remove(sdk.DeleteSecretInput{})
	w.now = w.now.AddDate(0, 0, 31)
	wantCode(t, get(), "ResourceNotFoundException")
	w.create(t)
	remove(sdk.DeleteSecretInput{ForceDeleteWithoutRecovery: aws.Bool(true)})
	wantCode(t, get(), "ResourceNotFoundException")
	w.create(t)
	if out, err := w.ListSecrets(t.Context(), &sdk.ListSecretsInput{}); err != nil || len(out.SecretList) != 1 {
		t.Errorf("got %+v %v", out, err)
	}
}

func TestRotation(t *testing.T) {
	w := boot(t)
	w.create(t)
	_, err := w.RotateSecret(t.Context(), &sdk.RotateSecretInput{SecretId: name})
	wantCode(t, err, "InvalidRequestException")
	if _, err := w.RotateSecret(t.Context(), &sdk.RotateSecretInput{SecretId: name, RotationLambdaARN: aws.String("arn:aws:lambda:eu-west-1:000000000000:function:r")}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.steps, " "); got != "createSecret setSecret testSecret finishSecret" {
		t.Errorf("steps %q", got)
	}
	if w.value(t, *name, "") != "rotated" || w.value(t, *name, "AWSPREVIOUS") != "one" {
		t.Error("the value was not rotated")
	}
	described, err := w.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: name})
	if err != nil || !*described.RotationEnabled || len(described.VersionIdsToStages) != 2 {
		t.Errorf("got %+v %v", described, err)
	}
}

func TestPasswords(t *testing.T) {
	w := boot(t)
	out, err := w.GetRandomPassword(t.Context(), &sdk.GetRandomPasswordInput{PasswordLength: aws.Int64(40), ExcludePunctuation: aws.Bool(true), ExcludeCharacters: aws.String("abc")})
	if err != nil || len(*out.RandomPassword) != 40 || strings.ContainsAny(*out.RandomPassword, "abc!#") || !strings.ContainsAny(*out.RandomPassword, "0123456789") {
		t.Errorf("got %v %v", out, err)
	}
}

// A secret rotates when its rules say, and no earlier.
func TestRotationIsScheduled(t *testing.T) {
	for name, tc := range map[string]struct {
		rules types.RotationRulesType
		early time.Duration
		due   time.Duration
	}{
		"days":       {types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(10)}, 239 * time.Hour, 240 * time.Hour},
		"expression": {types.RotationRulesType{ScheduleExpression: aws.String("cron(0 8 1 * ? *)")}, 7 * time.Hour, 8 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := boot(t)
			arn := w.create(t)
			start := w.now
			if _, err := w.RotateSecret(t.Context(), &sdk.RotateSecretInput{SecretId: &arn, RotationLambdaARN: aws.String("arn:aws:lambda:eu-west-1:000000000000:function:f"),
				RotationRules: &tc.rules, RotateImmediately: aws.Bool(false)}); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(w.steps, " "); got != "testSecret" {
				t.Errorf("a rotation that is not yet due ran %q", got)
			}
			w.steps = nil
			for _, at := range []struct {
				after time.Duration
				steps int
			}{{tc.early, 0}, {tc.due, 4}} {
				w.now = start.Add(at.after)
				if err := w.service.Tick(t.Context(), w.now); err != nil {
					t.Fatal(err)
				}
				if len(w.steps) != at.steps {
					t.Errorf("after %v it ran %v", at.after, w.steps)
				}
			}
			if got := w.value(t, arn, ""); got != "rotated" {
				t.Errorf("the value is %q", got)
			}
			out, err := w.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: &arn})
			if err != nil || out.LastRotatedDate == nil || !out.NextRotationDate.After(w.now) {
				t.Errorf("described %+v, %v", out, err)
			}
		})
	}
}

func TestSecretIsPurged(t *testing.T) {
	w := boot(t)
	w.create(t)
	if _, err := w.DeleteSecret(t.Context(), &sdk.DeleteSecretInput{SecretId: name, RecoveryWindowInDays: aws.Int64(7)}); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.AddDate(0, 0, 7)
	if err := w.service.Tick(t.Context(), w.now); err != nil {
		t.Fatal(err)
	}
	_, err := w.RestoreSecret(t.Context(), &sdk.RestoreSecretInput{SecretId: name})
	wantCode(t, err, "ResourceNotFoundException")
}

func TestBatchGetSecretValue(t *testing.T) {
	w := boot(t)
	arn := w.create(t)
	out, err := w.BatchGetSecretValue(t.Context(), &sdk.BatchGetSecretValueInput{SecretIdList: []string{arn, "absent"}})
	if err != nil || len(out.SecretValues) != 1 || *out.SecretValues[0].SecretString != "one" || len(out.Errors) != 1 || *out.Errors[0].ErrorCode != "ResourceNotFoundException" {
		t.Errorf("got %+v, %v", out, err)
	}
	out, err = w.BatchGetSecretValue(t.Context(), &sdk.BatchGetSecretValueInput{Filters: []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{"app"}}}})
	if err != nil || len(out.SecretValues) != 1 {
		t.Errorf("by filter got %+v, %v", out, err)
	}
}

func TestPoliciesAreValidated(t *testing.T) {
	w := boot(t)
	for text, want := range map[string]bool{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`: true,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`:                                      false,
	} {
		out, err := w.ValidateResourcePolicy(t.Context(), &sdk.ValidateResourcePolicyInput{ResourcePolicy: &text})
		if err != nil || out.PolicyValidationPassed != want {
			t.Errorf("%s: got %+v, %v", text, out, err)
		}
	}
	_, err := w.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: aws.String("Inv Name")})
	wantCode(t, err, "ValidationException")
}
