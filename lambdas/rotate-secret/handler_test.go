package rotatesecret_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"engage/internal/store"
	rotatesecret "engage/lambdas/rotate-secret"
)

// secret is one secret in memory. The service has made a version of it pending.
type secret struct {
	rotates bool
	stages  map[string][]string
	values  map[string]string
	puts    int
	deny    bool
}

func newSecret() *secret {
	return &secret{rotates: true, stages: map[string][]string{"old": {"AWSCURRENT"}, "new": {"AWSPENDING"}}, values: map[string]string{"old": "x"}}
}

func (s *secret) DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error) {
	if s.deny {
		return nil, &types.InvalidRequestException{ErrorCodeOverride: aws.String("AccessDeniedException"), Message: aws.String("not authorized to perform: secretsmanager:DescribeSecret")}
	}
	return &secretsmanager.DescribeSecretOutput{RotationEnabled: &s.rotates, VersionIdsToStages: s.stages}, nil
}

func (s *secret) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	v, ok := s.values[*in.VersionId]
	if !ok || !slices.Contains(s.stages[*in.VersionId], *in.VersionStage) {
		return nil, &types.ResourceNotFoundException{Message: aws.String("no such version")}
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: &v}, nil
}

func (s *secret) PutSecretValue(_ context.Context, in *secretsmanager.PutSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error) {
	s.puts++
	s.values[*in.ClientRequestToken] = *in.SecretString
	return &secretsmanager.PutSecretValueOutput{}, nil
}

func (s *secret) UpdateSecretVersionStage(_ context.Context, in *secretsmanager.UpdateSecretVersionStageInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	s.stages[*in.RemoveFromVersionId] = []string{"AWSPREVIOUS"}
	s.stages[*in.MoveToVersionId] = append(s.stages[*in.MoveToVersionId], *in.VersionStage)
	return &secretsmanager.UpdateSecretVersionStageOutput{}, nil
}

func rotate(t *testing.T, s *secret, step string) error {
	t.Helper()
	h := rotatesecret.Handler{Secrets: s, Random: bytes.NewReader(bytes.Repeat([]byte{7}, rotatesecret.KeyBytes))}
	_, err := h.Handle(t.Context(), rotatesecret.Event{Step: step, SecretID: "s", ClientRequestToken: "new"})
	return err
}

// Each step may come twice, and all of them again after the last.
func TestRotation(t *testing.T) {
	s := newSecret()
	steps := []string{"createSecret", "createSecret", "setSecret", "setSecret", "testSecret", "testSecret", "finishSecret", "finishSecret", "createSecret", "testSecret"}
	for _, step := range steps {
		if err := rotate(t, s, step); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
	want := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, rotatesecret.KeyBytes))
	if s.values["new"] != want || s.puts != 1 || !slices.Contains(s.stages["new"], "AWSCURRENT") || s.stages["old"][0] != "AWSPREVIOUS" {
		t.Errorf("%+v", s)
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		step   string
		change func(*secret)
		want   string
	}{
		"unknown step":         {"dropSecret", func(*secret) {}, `step "dropSecret"`},
		"rotation is off":      {"createSecret", func(s *secret) { s.rotates = false }, "not enabled"},
		"unknown version":      {"createSecret", func(s *secret) { delete(s.stages, "new") }, "has no version new"},
		"a previous version":   {"createSecret", func(s *secret) { s.stages["new"] = []string{"AWSPREVIOUS"} }, "is not pending"},
		"nothing to test":      {"testSecret", func(*secret) {}, "read the pending value"},
		"another's value":      {"finishSecret", func(s *secret) { s.values["new"] = "password" }, "is not 32 bytes in base64"},
		"who may not describe": {"createSecret", func(s *secret) { s.deny = true }, "secretsmanager:DescribeSecret"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSecret()
			c.change(s)
			err := rotate(t, s, c.step)
			if err == nil || !strings.Contains(err.Error(), c.want) || slices.Contains(s.stages["new"], "AWSCURRENT") {
				t.Errorf("%v, want %q", err, c.want)
			}
			if s.deny && !errors.Is(err, store.ErrDenied) {
				t.Errorf("%v is not denied", err)
			}
		})
	}
}
