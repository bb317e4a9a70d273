package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/spf13/cobra"

	"engage/internal/dataset"
	"engage/internal/generate"
	"engage/internal/localaws/daemon"
	"engage/internal/pipeline"
	"engage/internal/resource"
	"engage/internal/runs"
	"engage/internal/schema"
)

// errRunFailed makes the exit code 1; how the run ended has been told by then.
var errRunFailed = errors.New("the run failed")

// poll is how often a run is looked at.
const poll = 500 * time.Millisecond

func newPipeline(s streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "pipeline",
		Short: "Run the pipeline of a stack, from data to explained predictions in tables",
		Long: `Run the pipeline of a stack and follow it: on the embedded endpoint if one runs here
or AWS_ENDPOINT_URL names one, else on AWS with the credentials of the environment.`,
		Example: `  engage pipeline run --rows 100000 --watch
  engage pipeline history
  engage pipeline status RUN
  engage pipeline stop RUN`,
		Args: cobra.ArbitraryArgs, RunE: needsCommand, SuggestionsMinimumDistance: 2,
	}
	c.AddCommand(newRun(s), newRunStatus(s), newHistory(s), newStop(s))
	return c
}

// place is where a stack is and how to reach it.
type place struct {
	aws         aws.Config
	environment resource.Environment
}

// find tells where the stack is that commands work on.
func find(ctx context.Context) (place, error) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if info, err := daemon.Find(filepath.Join(home(), "local")); endpoint == "" && err == nil {
		endpoint = info.URL
	}
	options := []func(*config.LoadOptions) error{}
	if endpoint != "" {
		options = append(options, config.WithBaseEndpoint(endpoint))
		if os.Getenv("AWS_ACCESS_KEY_ID") == "" {
			options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")), config.WithRegion("us-east-1"))
		}
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return place{}, fmt.Errorf("find AWS: %w", err)
	}
	if cfg.Region == "" {
		return place{}, errors.New("no endpoint is running and AWS_REGION is not set: start one with \"engage local up\", or name the region of your stack")
	}
	caller, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return place{}, fmt.Errorf("ask who calls: %w", err)
	}
	kind := resource.AWS
	if endpoint != "" {
		kind = resource.Local
	}
	return place{aws: cfg, environment: resource.Environment{Kind: kind, Account: aws.ToString(caller.Account), Region: cfg.Region}}, nil
}

func (p place) runs() runs.Client {
	return runs.Client{Machine: sfn.NewFromConfig(p.aws), Environment: p.environment, Wait: wait}
}

func wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(poll):
		return nil
	}
}

// runOptions are the flags of "pipeline run".
type runOptions struct {
	rows    int
	data    string
	dataset string
	name    string
	mode    string
	version string
	seed    uint64
	watch   bool
	asJSON  bool
}

func newRun(s streams) *cobra.Command {
	o := runOptions{}
	c := &cobra.Command{
		Use:   "run",
		Short: "Start a run, with data made here, from a directory, or already uploaded",
		Long: `Start a run. Without --data or --dataset a population is generated and uploaded
first. With --watch the states are shown as they come and go.

Exit codes: 0 started, or with --watch succeeded; 1 failed; 2 could not be started.`,
		Example: `  engage pipeline run --rows 5000 --watch
  engage pipeline run --data DIR
  engage pipeline run --mode score-only --dataset weekly-2026-48/`,
		Args: takes(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context(), s) },
	}
	f := c.Flags()
	f.IntVar(&o.rows, "rows", 100_000, "customers to generate, where no data is named")
	f.StringVar(&o.data, "data", "", "directory that \"engage data generate\" wrote")
	f.StringVar(&o.dataset, "dataset", "", "data set that is uploaded already, as a prefix under "+resource.Landing.Prefix)
	f.StringVar(&o.name, "run", "", "name of the run; made of the time if it is not given")
	f.StringVar(&o.mode, "mode", string(pipeline.TrainAndScore), "train-and-score or score-only")
	f.StringVar(&o.version, "model-version", resource.FirstVersion.Short(), "version to train or to score with")
	f.Uint64Var(&o.seed, "seed", 42, "seed of everything random, the generated data too")
	f.BoolVar(&o.watch, "watch", false, "follow the run until it has ended")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	c.MarkFlagsMutuallyExclusive("data", "dataset", "rows")
	_ = c.MarkFlagDirname("data")
	return c
}

func (o runOptions) run(ctx context.Context, s streams) error {
	p, err := find(ctx)
	if err != nil {
		return err
	}
	run := resource.RunID(o.name)
	if run == "" {
		run = resource.RunID("run-" + time.Now().UTC().Format("20060102-150405"))
	}
	if o.dataset == "" {
		if o.dataset, err = o.upload(ctx, s, p); err != nil {
			return err
		}
	}
	client := p.runs()
	in := pipeline.Input{Mode: pipeline.Mode(o.mode), Dataset: o.dataset, ModelVersion: o.version, Seed: o.seed}
	if err := client.Start(ctx, run, in); err != nil {
		return err
	}
	s.say("started run %s", run)
	if !o.watch {
		if o.asJSON {
			return s.json(map[string]any{"run": run, "input": in})
		}
		_, err := fmt.Fprintln(s.Out, run)
		return err
	}
	return follow(ctx, s, client, run, o.asJSON)
}

// upload puts the data set that the flags name, or one made now, where runs
// look for it.
func (o runOptions) upload(ctx context.Context, s streams, p place) (string, error) {
	dir := o.data
	if dir == "" {
		temporary, err := os.MkdirTemp("", "engage-data-")
		if err != nil {
			return "", err
		}
		defer os.RemoveAll(temporary)
		dir = filepath.Join(temporary, "data")
		s.say("generating %s customers", grouped(int64(o.rows)))
		if _, err := generate.Run(ctx, generate.Options{Dir: dir, Rows: o.rows, Seed: o.seed, Formats: []string{dataset.Parquet}}); err != nil {
			return "", err
		}
	}
	files, name, err := uploaded(dir)
	if err != nil {
		return "", err
	}
	to := transfermanager.New(s3.NewFromConfig(p.aws, func(o *s3.Options) { o.UsePathStyle = p.environment.Kind == resource.Local }))
	return p.runs().Upload(ctx, to, dir, name, files, func(file string) { s.say("uploading %s", file) })
}

// runTables are the tables of a data set that a run takes: not who the customers
// are, and not what their targets were drawn from.
var runTables = []string{schema.Customers.Name, schema.Connections.Name}

// uploaded names the files of a data set that a run needs, and the data set by
// the hash of what describes it.
func uploaded(dir string) (files []string, name string, err error) {
	set, err := dataset.Open(dir)
	if err != nil {
		return nil, "", err
	}
	text, err := set.Manifest.Encode()
	if err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(text)
	for _, format := range []string{dataset.Parquet, dataset.CSV} {
		for _, f := range set.Manifest.Files {
			if slices.Contains(runTables, f.Table) && filepath.Ext(f.Name) == "."+format {
				files = append(files, f.Name)
			}
		}
		if len(files) > 0 {
			break
		}
	}
	if len(files) == 0 {
		return nil, "", fmt.Errorf("%s has no customers", dir)
	}
	slices.Sort(files)
	return files, "set-" + hex.EncodeToString(sum[:6]), nil
}

// follow tells each stage when it is entered, tried again and left.
func follow(ctx context.Context, s streams, client runs.Client, run resource.RunID, asJSON bool) error {
	t := &timeline{s: s, open: map[int]int{}}
	status, err := client.Follow(ctx, run, t.tell)
	if err != nil {
		return err
	}
	return ended(s, status, asJSON)
}

// ended tells how a run ended.
func ended(s streams, status runs.Status, asJSON bool) error {
	if asJSON {
		if err := s.json(status); err != nil {
			return err
		}
	}
	if status.Succeeded() {
		s.say("run %s succeeded in %s", status.Run, status.Stopped.Sub(status.Started).Round(time.Millisecond))
		return nil
	}
	return fmt.Errorf("%w: %s %s: %s: %s", errRunFailed, status.Run, status.Status, status.Error, status.Cause)
}

// timeline tells what changed since it was last told.
type timeline struct {
	s    streams
	told int         // stages that have been told
	open map[int]int // stages that have not been left, and how often they had failed
}

func (t *timeline) tell(status runs.Status) {
	for i, stage := range status.Stages {
		failed, open := t.open[i]
		if i >= t.told {
			t.s.say("%s  %-30s started", stage.Entered.Local().Format(time.TimeOnly), stage.Name)
			t.told, t.open[i], open = i+1, 0, true
		}
		if open && stage.Retries > failed {
			t.s.say("%s  %-30s failed: %s", time.Now().Format(time.TimeOnly), stage.Name, stage.Problem)
			t.open[i] = stage.Retries
		}
		if open && stage.Left != nil {
			t.s.say("%s  %-30s done in %s", stage.Left.Local().Format(time.TimeOnly), stage.Name, stage.Took(*stage.Left).Round(time.Millisecond))
			delete(t.open, i)
		}
	}
}

func newRunStatus(s streams) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "status [RUN]", Short: "Tell how a run stands, the latest if none is named", Args: takes(0, 1, "at most one run"),
		Long: "Tell how a run stands, the latest if none is named.\n\nExit codes: 0 it runs or succeeded; 1 it failed; 2 there is none.",
		RunE: func(c *cobra.Command, args []string) error {
			client, run, err := chosen(c.Context(), args)
			if err != nil {
				return err
			}
			status, err := client.Status(c.Context(), run)
			if err != nil {
				return err
			}
			if err := printStatus(s, status, asJSON); err != nil || !status.Ended() || status.Succeeded() {
				return err
			}
			return fmt.Errorf("%w: %s: %s", errRunFailed, status.Error, status.Cause)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// chosen returns the run that arguments name, or the latest.
func chosen(ctx context.Context, args []string) (runs.Client, resource.RunID, error) {
	p, err := find(ctx)
	if err != nil {
		return runs.Client{}, "", err
	}
	client := p.runs()
	if len(args) == 1 {
		run, err := resource.ParseRunID(args[0])
		return client, run, err
	}
	list, err := client.List(ctx, "", 1)
	if err != nil {
		return client, "", err
	}
	if len(list) == 0 {
		return client, "", errors.New("there is no run yet; start one with \"engage pipeline run\"")
	}
	return client, list[0].Run, nil
}

func printStatus(s streams, status runs.Status, asJSON bool) error {
	if asJSON {
		return s.json(status)
	}
	fmt.Fprintf(s.Out, "run %s: %s, started %s\n", status.Run, status.Status, status.Started.Local().Format(time.DateTime))
	out := newTable(s)
	out.row("STAGE", "STARTED", "TOOK", "FAILED TRIES", "PROBLEM")
	for _, stage := range status.Stages {
		out.row(stage.Name, stage.Entered.Local().Format(time.TimeOnly), stage.Took(time.Now()).Round(time.Millisecond).String(),
			fmt.Sprint(stage.Retries), stage.Problem)
	}
	return out.flush()
}

func newHistory(s streams) *cobra.Command {
	var asJSON bool
	var limit int32
	c := &cobra.Command{
		Use: "history", Short: "List the latest runs", Args: takes(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			p, err := find(c.Context())
			if err != nil {
				return err
			}
			list, err := p.runs().List(c.Context(), "", limit)
			if err != nil {
				return err
			}
			if asJSON {
				return s.json(list)
			}
			out := newTable(s)
			out.row("RUN", "STATUS", "STARTED", "TOOK")
			for _, r := range list {
				took := "-"
				if r.Stopped != nil {
					took = r.Stopped.Sub(r.Started).Round(time.Millisecond).String()
				}
				out.row(string(r.Run), r.Status, r.Started.Local().Format(time.DateTime), took)
			}
			return out.flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().Int32Var(&limit, "limit", 20, "at most so many runs")
	return c
}

func newStop(s streams) *cobra.Command {
	var why string
	c := &cobra.Command{
		Use: "stop [RUN]", Short: "Stop a run and what it started, the latest if none is named", Args: takes(0, 1, "at most one run"),
		RunE: func(c *cobra.Command, args []string) error {
			client, run, err := chosen(c.Context(), args)
			if err != nil {
				return err
			}
			if err := client.Stop(c.Context(), run, why); err != nil {
				return err
			}
			s.say("stopped run %s", run)
			return nil
		},
	}
	c.Flags().StringVar(&why, "reason", "stopped from the command line", "why, for the run's history")
	return c
}
