package lambda_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"engage/internal/localaws/lambda"
	"engage/internal/localaws/wire"
)

// A caller that goes gets no answer, and need not wait for the function, which works on.
func TestCallerGoes(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	in := function("f", "hang", bad)
	in.Timeout = aws.Int32(900)
	e.create(t, in)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := e.service.Invoke(ctx, wire.Caller{Account: "000000000000", Region: "eu-west-1"}, &lambda.InvokeInput{FunctionName: "f"})
		done <- err
	}()
	for len(done) == 0 { // until it hangs
		if files, err := os.ReadDir(filepath.Join(e.dir, "lambda", "tmp")); err == nil && len(files) > 0 {
			break
		}
		runtime.Gosched()
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if files, err := os.ReadDir(filepath.Join(e.dir, "lambda", "tmp")); err != nil || len(files) == 0 {
		t.Errorf("the function is gone too: %v", err)
	}
}
