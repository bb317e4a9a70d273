// A well-behaved function over the official Go runtime library, for tests.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type request struct {
	Op    string
	Value string
}

var invocations int

func handle(ctx context.Context, in request) (any, error) {
	invocations++
	switch in.Op {
	case "error":
		return nil, errors.New(in.Value)
	case "panic":
		panic(in.Value)
	case "env":
		return os.Environ(), nil
	case "print":
		fmt.Println(in.Value)
	case "sleep":
		time.Sleep(200 * time.Millisecond)
	case "context":
		lc, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return map[string]any{"arn": lc.InvokedFunctionArn, "id": lc.AwsRequestID, "left": time.Until(deadline).Seconds(), "trace": os.Getenv("_X_AMZN_TRACE_ID")}, nil
	case "temp":
		f, err := os.CreateTemp("", "x")
		if err != nil {
			return nil, err
		}
		return f.Name(), f.Close()
	}
	return map[string]any{"value": in.Value, "n": invocations, "pid": os.Getpid()}, nil
}

func main() { lambda.Start(handle) }
