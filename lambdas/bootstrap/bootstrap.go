// Package bootstrap is what the functions' mains have in common: clients of AWS,
// a log, and the names by which the state machine knows errors.
package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"engage/internal/pipeline"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/store"
	"engage/internal/store/s3"
)

// Setup is what a main makes its handler of.
type Setup struct {
	AWS aws.Config
	Log *slog.Logger
}

// Handler handles one event.
type Handler[In, Out any] func(context.Context, In) (Out, error)

// Main runs a function under Lambda's runtime interface, until Lambda ends it. What
// is missing in its environment ends it at once, with one line that says so.
func Main[In, Out any](name resource.Function, open func(Setup) (Handler[In, Out], error)) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	log := NewLog(os.Stdout, os.Getenv(string(resource.LogLevelVar))).With("function", string(name))
	handle, err := build(ctx, log, open)
	if err != nil {
		log.Error("the function cannot start", "error", err.Error())
		stop()
		os.Exit(1)
	}
	lambda.StartWithOptions(Wrap(log, handle), lambda.WithContext(ctx))
}

func build[In, Out any](ctx context.Context, log *slog.Logger, open func(Setup) (Handler[In, Out], error)) (Handler[In, Out], error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %w", err)
	}
	return open(Setup{AWS: cfg, Log: log})
}

// Store returns the objects in the buckets that the environment names.
func (s Setup) Store() (*s3.Store, error) {
	names, err := store.NamesFrom(os.Getenv)
	if err != nil {
		return nil, err
	}
	return s3.New(awss3.NewFromConfig(s.AWS), names), nil
}

// SQL runs statements in the workgroup that the environment names, and logs each.
func (s Setup) SQL() (*query.Runner, error) {
	workgroup := os.Getenv(string(resource.WorkgroupVar))
	if workgroup == "" {
		return nil, fmt.Errorf("workgroup: set the environment variable %s", resource.WorkgroupVar)
	}
	return &query.Runner{Athena: athena.NewFromConfig(s.AWS), Workgroup: workgroup, Done: func(d query.Done) {
		s.Log.Info("statement ended", "statement", d.Statement, "query_id", d.ID, "state", d.State, "scanned_bytes", d.Scanned, "milliseconds", d.Took.Milliseconds())
	}}, nil
}

// Catalog is the account's Glue catalog.
func (s Setup) Catalog() query.Catalog { return query.Catalog{Glue: glue.NewFromConfig(s.AWS)} }

// Wrap logs what a handler is asked and how it ends, and names its error.
func Wrap[In, Out any](log *slog.Logger, handle Handler[In, Out]) Handler[In, Out] {
	return func(ctx context.Context, in In) (Out, error) {
		log := log
		if lc, ok := lambdacontext.FromContext(ctx); ok {
			log = log.With("request_id", lc.AwsRequestID)
		}
		if run, ok := any(in).(pipeline.Run); ok {
			log = log.With("run_id", run.RunID, "mode", string(run.Mode), "model_version", run.ModelVersion)
		}
		start := time.Now()
		log.Info("started")
		out, err := handle(ctx, in)
		log = log.With("milliseconds", time.Since(start).Milliseconds())
		if err != nil {
			err = name(err)
			log.Error("failed", "error_name", err.(messages.InvokeResponse_Error).Type, "error", err.(messages.InvokeResponse_Error).Message)
			return out, err
		}
		log.Info("done", "result", out)
		return out, nil
	}
}

// name gives an error the name by which the state machine knows it. Lambda
// itself would name the Go type.
func name(err error) error {
	var named interface{ ErrorName() string }
	kind := "Error"
	switch {
	case errors.As(err, &named):
		kind = named.ErrorName()
	case errors.Is(err, store.ErrDenied):
		kind = pipeline.AccessDenied
	case errors.Is(err, context.DeadlineExceeded):
		kind = "DeadlineExceeded"
	}
	return messages.InvokeResponse_Error{Type: kind, Message: err.Error()}
}
