// Package rotatesecret gives a secret a new random value, in the four steps in
// which Secrets Manager asks for it.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
package rotatesecret

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"engage/internal/pipeline"
	"engage/internal/store"
	"engage/internal/store/awserr"
)

// Secrets is what a Handler calls of Secrets Manager.
type Secrets interface {
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
	UpdateSecretVersionStage(context.Context, *secretsmanager.UpdateSecretVersionStageInput, ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error)
}

// Event is what Secrets Manager sends: one step for one new version.
type Event struct {
	Step               string `json:"Step"`
	SecretID           string `json:"SecretId"`
	ClientRequestToken string `json:"ClientRequestToken"` // the id of the new version
}

// Result says that a step is done.
type Result struct {
	Step string `json:"step"`
}

// Handler rotates secrets.
type Handler struct {
	Secrets Secrets
	Random  io.Reader
}

// The steps, and the labels that a version goes through.
const (
	createSecret = "createSecret"
	setSecret    = "setSecret"
	testSecret   = "testSecret"
	finishSecret = "finishSecret"

	current = "AWSCURRENT"
	pending = "AWSPENDING"
)

// KeyBytes is the length of a key, in bytes; the secret is its base64.
const KeyBytes = 32

// InputError is a step that cannot be done.
type InputError struct{ Reason string }

func (e *InputError) Error() string { return "rotate secret: " + e.Reason }

// ErrorName is the name by which callers know the error.
func (e *InputError) ErrorName() string { return pipeline.InvalidInput }

// Handle does one step. Each may be asked for again. Errors: *InputError,
// store.ErrDenied.
func (h Handler) Handle(ctx context.Context, e Event) (Result, error) {
	do, ok := map[string]func(context.Context, Event) error{
		createSecret: h.create,
		// The key protects nothing that would have to be told of it: who signs
		// and who checks both read it here. What can be tried is its form.
		setSecret: h.check, testSecret: h.check,
		finishSecret: h.finish,
	}[e.Step]
	if !ok {
		return Result{}, &InputError{fmt.Sprintf("step %q: want %s, %s, %s or %s", e.Step, createSecret, setSecret, testSecret, finishSecret)}
	}
	stages, err := h.stages(ctx, e)
	if err != nil {
		return Result{}, err
	}
	if slices.Contains(stages, current) { // an earlier try finished
		return Result{e.Step}, nil
	}
	if !slices.Contains(stages, pending) {
		return Result{}, &InputError{fmt.Sprintf("version %s of %s is not pending", e.ClientRequestToken, e.SecretID)}
	}
	return Result{e.Step}, do(ctx, e)
}

// stages are the labels of the version that the event is about.
func (h Handler) stages(ctx context.Context, e Event) ([]string, error) {
	out, err := h.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &e.SecretID})
	if err != nil {
		return nil, fmt.Errorf("describe the secret: %w", awserr.Of(err))
	}
	if !aws.ToBool(out.RotationEnabled) {
		return nil, &InputError{fmt.Sprintf("rotation of %s is not enabled", e.SecretID)}
	}
	stages, ok := out.VersionIdsToStages[e.ClientRequestToken]
	if !ok {
		return nil, &InputError{fmt.Sprintf("%s has no version %s", e.SecretID, e.ClientRequestToken)}
	}
	return stages, nil
}

// create gives the pending version a value, unless an earlier try did.
func (h Handler) create(ctx context.Context, e Event) error {
	if _, err := h.value(ctx, e); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	key := make([]byte, KeyBytes)
	if _, err := io.ReadFull(h.Random, key); err != nil {
		return fmt.Errorf("draw a key: %w", err)
	}
	_, err := h.Secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: &e.SecretID, ClientRequestToken: &e.ClientRequestToken, SecretString: aws.String(base64.StdEncoding.EncodeToString(key)), VersionStages: []string{pending},
	})
	if err != nil {
		return fmt.Errorf("put the new value: %w", awserr.Of(err))
	}
	return nil
}

// value returns the value of the pending version. Errors: store.ErrNotFound.
func (h Handler) value(ctx context.Context, e Event) (string, error) {
	out, err := h.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &e.SecretID, VersionId: &e.ClientRequestToken, VersionStage: aws.String(pending)})
	if err != nil {
		return "", fmt.Errorf("read the pending value: %w", awserr.Of(err))
	}
	return aws.ToString(out.SecretString), nil
}

// check fails unless the pending value is a key of the right length.
func (h Handler) check(ctx context.Context, e Event) error {
	text, err := h.value(ctx, e)
	if err != nil {
		return err
	}
	if key, err := base64.StdEncoding.DecodeString(text); err != nil || len(key) != KeyBytes {
		return &InputError{fmt.Sprintf("the pending value of %s is not %d bytes in base64", e.SecretID, KeyBytes)}
	}
	return nil
}

// finish makes the pending version the current one, if it is sound.
func (h Handler) finish(ctx context.Context, e Event) error {
	if err := h.check(ctx, e); err != nil {
		return err
	}
	out, err := h.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &e.SecretID})
	if err != nil {
		return fmt.Errorf("describe the secret: %w", awserr.Of(err))
	}
	var old *string
	for id, stages := range out.VersionIdsToStages {
		if slices.Contains(stages, current) {
			old = &id
		}
	}
	_, err = h.Secrets.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: &e.SecretID, VersionStage: aws.String(current), MoveToVersionId: &e.ClientRequestToken, RemoveFromVersionId: old,
	})
	if err != nil {
		return fmt.Errorf("make the new value current: %w", awserr.Of(err))
	}
	return nil
}
