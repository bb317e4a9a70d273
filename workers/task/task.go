// Package task is what the workers' mains have in common: what the environment
// tells them, clients of AWS, a log, and how they end.
package task

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"engage/internal/resource"
	"engage/internal/store"
	"engage/internal/store/s3"
)

// Settings are what the environment tells a task.
type Settings struct {
	RunID     resource.RunID
	Model     resource.Model
	Version   resource.Version
	Dataset   string // prefix of the run's data set
	Seed      uint64
	BatchRows int // 0 where nothing is said
	Buckets   store.Names
}

// Read reads the settings, and reports all that is wrong with them.
func Read(getenv func(string) string) (Settings, error) {
	get := func(v resource.EnvVar) string { return getenv(string(v)) }
	s := Settings{Model: resource.EngagementModel, Dataset: get(resource.DatasetVar)}
	var errs []error
	note := func(v resource.EnvVar, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("environment variable %s: %w", v, err))
		}
	}
	var err error
	s.RunID, err = resource.ParseRunID(get(resource.RunIDVar))
	note(resource.RunIDVar, err)
	s.Version, err = resource.ParseVersion(get(resource.ModelVersionVar))
	note(resource.ModelVersionVar, err)
	if name := get(resource.ModelNameVar); name != "" {
		s.Model, err = resource.ParseModel(name)
		note(resource.ModelNameVar, err)
	}
	if s.Seed, err = strconv.ParseUint(get(resource.SeedVar), 10, 64); err != nil {
		note(resource.SeedVar, fmt.Errorf("%q: want a whole number from 0", get(resource.SeedVar)))
	}
	if text := get(resource.BatchSizeVar); text != "" {
		if s.BatchRows, err = strconv.Atoi(text); err != nil || s.BatchRows < 1 {
			note(resource.BatchSizeVar, fmt.Errorf("%q: want a number of rows", text))
		}
	}
	if s.Buckets, err = store.NamesFrom(getenv); err != nil {
		errs = append(errs, err)
	}
	return s, errors.Join(errs...)
}

// Setup is what a task works with.
type Setup struct {
	Settings
	AWS    aws.Config
	Client *awss3.Client
	Store  *s3.Store
	Log    *slog.Logger
}

// The exit codes.
const (
	exitFailed  = 1
	exitStopped = 143 // by SIGTERM, as shells have it
)

// Main runs a task until it ends or ECS stops it, and returns the exit code. The
// last line of the log has the result, or what went wrong.
func Main[R any](name resource.TaskDefinition, run func(context.Context, Setup) (R, error)) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	log := newLog(os.Stdout, os.Getenv(string(resource.LogLevelVar))).With("task", string(name))
	setup, err := open(ctx, log)
	if err != nil {
		log.Error("the task cannot start", "error", err.Error())
		return exitFailed
	}
	// Most of the memory holds numbers, so that collecting more often costs little.
	debug.SetGCPercent(50)
	log = log.With("run_id", string(setup.RunID), "model", string(setup.Model), "model_version", setup.Version.Short())
	setup.Log = log
	log.Info("started", "dataset", setup.Dataset, "seed", setup.Seed)
	result, err := run(ctx, setup)
	switch {
	case err == nil:
		log.Info("done", "result", result)
		return 0
	case ctx.Err() != nil:
		log.Warn("stopped", "error", err.Error())
		return exitStopped
	}
	log.Error("failed", "error", err.Error())
	return exitFailed
}

func open(ctx context.Context, log *slog.Logger) (Setup, error) {
	settings, err := Read(os.Getenv)
	if err != nil {
		return Setup{}, err
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return Setup{}, fmt.Errorf("read the AWS configuration: %w", err)
	}
	client := awss3.NewFromConfig(cfg)
	return Setup{Settings: settings, AWS: cfg, Client: client, Store: s3.New(client, settings.Buckets), Log: log}, nil
}

// newLog returns a log of one JSON object a line; an unknown level is info.
func newLog(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l}))
}

// Progress logs how far a stage is, at each tenth of a known total.
func Progress(log *slog.Logger) func(stage string, done, total int) {
	last, tenth := "", 0
	return func(stage string, done, total int) {
		now := 0
		if total > 0 {
			now = done * 10 / total
		}
		if stage != last || now > tenth {
			log.Info("progress", "stage", stage, "done", done, "total", total)
			last, tenth = stage, now
		}
	}
}
