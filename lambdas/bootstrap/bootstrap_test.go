package bootstrap_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"engage/internal/pipeline"
	"engage/internal/store"
	"engage/lambdas/bootstrap"
)

type named struct{ error }

func (named) ErrorName() string { return "Own" }

// The machine decides by the names of errors.
func TestErrorsHaveNames(t *testing.T) {
	for want, err := range map[string]error{
		pipeline.InvalidInput: fmt.Errorf("step: %w", &pipeline.InputError{Problems: []string{"x"}}),
		pipeline.AccessDenied: fmt.Errorf("step: %w", store.ErrDenied),
		"Own":                 fmt.Errorf("step: %w", named{store.ErrDenied}),
		"DeadlineExceeded":    fmt.Errorf("step: %w", context.DeadlineExceeded),
		"Error":               errors.New("x"),
	} {
		var log bytes.Buffer
		handle := bootstrap.Wrap(bootstrap.NewLog(&log, "info"), func(context.Context, pipeline.Run) (int, error) { return 0, err })
		_, got := handle(t.Context(), pipeline.Run{RunID: "r-1"})
		var told messages.InvokeResponse_Error
		if !errors.As(got, &told) || told.Type != want || told.Message != err.Error() {
			t.Errorf("%v became %#v, want %s", err, got, want)
		}
		if !strings.Contains(log.String(), `"error_name":"`+want+`"`) {
			t.Errorf("the log does not name the error:\n%s", &log)
		}
	}
}

func TestLogIsJSONForLambda(t *testing.T) {
	var log bytes.Buffer
	handle := bootstrap.Wrap(bootstrap.NewLog(&log, "nonsense"), func(context.Context, pipeline.Run) (map[string]int, error) { return map[string]int{"rows": 2}, nil })
	if _, err := handle(t.Context(), pipeline.Run{RunID: "r-1", Mode: pipeline.ScoreOnly, ModelVersion: "v1"}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines, want one of the start and one of the end:\n%s", len(lines), &log)
	}
	for _, line := range lines {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"timestamp", "level", "message", "run_id", "mode", "model_version"} {
			if entry[key] == nil {
				t.Errorf("%s has no %s", line, key)
			}
		}
	}
}

func TestLevel(t *testing.T) {
	var log bytes.Buffer
	bootstrap.NewLog(&log, "error").Info("x")
	if log.Len() > 0 {
		t.Errorf("level error writes %s", &log)
	}
}
