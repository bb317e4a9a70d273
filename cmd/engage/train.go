package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"engage/internal/feature"
	"engage/internal/model/xgb"
	"engage/internal/resource"
	"engage/internal/schema"
	"engage/workers/registry"
	"engage/workers/source"
	"engage/workers/train"
)

// trainOptions are the flags of train.
type trainOptions struct {
	data, out, target, params, version string
	seed                               uint64
	threads                            int
	curve                              []string
	force, asJSON                      bool
}

// libraryVar names another file of XGBoost's library than the installed one.
const libraryVar = "ENGAGE_LIBXGBOOST"

func newTrain(s streams) *cobra.Command {
	var o trainOptions
	c := &cobra.Command{
		Use:   "train --data DIR --out DIR",
		Short: "Train a model that predicts a target of the customers",
		Long: `Train XGBoost on the customers of a data set: four fifths of them, by a hash of
the id; the others test it. A twentieth of the training customers stops the
training when it no longer helps. DIR then holds the model (model.json, as XGBoost saves
it), what was fitted of the features, how good it is on the test customers, which
features matter, and metadata with the hashes of all that.

--params names a JSON object with any of: max_depth, learning_rate, n_estimators,
early_stopping_rounds, validation_fraction, subsample, colsample_bytree,
min_child_weight, reg_lambda, reg_alpha, gamma, max_bin.

It needs XGBoost's library, such as Debian's libxgboost0; ENGAGE_LIBXGBOOST names
another file of it.`,
		Example: `  engage train --data .engage/data/seed-1 --out .engage/models/engagement/v1.0
  engage train --data data --out churn --target churn_30_day --threads 2
  echo '{"max_depth": 6, "learning_rate": 0.1}' > params.json
  engage train --data data --out model --params params.json --learning-curve 0.25,0.5,1 --json`,
		Args: takes(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c, s) },
	}
	flags := c.Flags()
	flags.StringVar(&o.data, "data", "", "directory of a data set")
	flags.StringVar(&o.out, "out", "", "directory to write the model to; made if it is not there")
	flags.StringVar(&o.target, "target", string(schema.EngagementScore), "column to predict: "+strings.Join(targets(), ", "))
	flags.StringVar(&o.params, "params", "", "file of parameters")
	flags.StringVar(&o.version, "model-version", resource.FirstVersion.String(), "version to give the model, such as v1.2")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of all random choices")
	flags.IntVar(&o.threads, "threads", 0, "threads; 0: one a core")
	flags.StringSliceVar(&o.curve, "learning-curve", nil, "shares of the training customers to train on once more each")
	flags.BoolVar(&o.force, "force", false, "replace the model in a directory that has one")
	flags.BoolVar(&o.asJSON, "json", false, "print the result as JSON")
	_ = c.MarkFlagDirname("data")
	_ = c.MarkFlagDirname("out")
	_ = c.RegisterFlagCompletionFunc("target", cobra.FixedCompletions(targets(), cobra.ShellCompDirectiveNoFileComp))
	return c
}

// targets are the columns that a model of the registry predicts.
func targets() []string {
	var out []string
	for _, m := range []resource.Model{resource.EngagementModel, resource.ChurnModel, resource.LTVModel} {
		set, _ := feature.ByModel(string(m))
		out = append(out, string(set.Target()))
	}
	return out
}

func (o *trainOptions) run(c *cobra.Command, s streams) error {
	config, deps, err := o.prepare(s)
	if err != nil {
		return err
	}
	progress := newProgress(s)
	deps.Progress = progress.show
	start := time.Now()
	r, err := train.Run(c.Context(), config, deps)
	progress.finish()
	if err != nil {
		return err
	}
	s.say("trained on %s customers and wrote the model to %s in %.1f s", grouped(int64(r.Training)), o.out, time.Since(start).Seconds())
	if o.asJSON {
		return s.json(r)
	}
	return printTrained(s, r)
}

func (o *trainOptions) prepare(s streams) (c train.Config, d train.Deps, err error) {
	if err := needs(map[string]string{"data": o.data, "out": o.out}); err != nil {
		return c, d, err
	}
	if o.threads < 0 {
		return c, d, fmt.Errorf("--threads %d: want 0 or more", o.threads)
	}
	c = train.Config{Seed: o.seed, Threads: o.threads}
	if c.Model, err = modelOf(o.target); err != nil {
		return c, d, err
	}
	if c.Version, err = resource.ParseVersion(o.version); err != nil {
		return c, d, err
	}
	if c.Params, err = readParams(o.params); err != nil {
		return c, d, err
	}
	if c.Curve, err = shares(o.curve); err != nil {
		return c, d, err
	}
	d = train.Deps{
		Library: func() (*xgb.Library, error) { return xgb.Open(os.Getenv(libraryVar)) },
		Shelf:   registry.Directory{Path: o.out, Replace: o.force}, Now: time.Now, Log: quiet(),
	}
	d.Training, d.Origin, err = source.Directory(o.data)
	return c, d, err
}

// quiet is a log for commands, which talk to people instead.
func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// needs refuses flags without a value, the first by name.
func needs(flags map[string]string) error {
	for _, name := range sortedKeys(flags) {
		if flags[name] == "" {
			return fmt.Errorf("name the %s with --%s", nouns[name], name)
		}
	}
	return nil
}

// nouns tell what a flag names.
var nouns = map[string]string{"data": "data set's directory", "out": "place to write to", "model": "model's directory", "customer": "customer's id"}

// modelOf is the model that predicts a column.
func modelOf(target string) (resource.Model, error) {
	for i, name := range targets() {
		if name == target {
			return []resource.Model{resource.EngagementModel, resource.ChurnModel, resource.LTVModel}[i], nil
		}
	}
	return "", fmt.Errorf("--target %q: want one of %s", target, strings.Join(targets(), ", "))
}

func readParams(path string) (train.Params, error) {
	if path == "" {
		return train.DefaultParams(), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return train.Params{}, fmt.Errorf("open the parameters: %w", err)
	}
	defer f.Close()
	p, err := train.ReadParams(f)
	if err != nil {
		return p, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

func shares(list []string) ([]float64, error) {
	var out []float64
	for _, text := range list {
		var v float64
		if n, err := fmt.Sscanf(text+"\n", "%g\n", &v); n != 1 || err != nil || !(v > 0 && v <= 1) {
			return nil, fmt.Errorf("--learning-curve %q: want numbers more than 0 and at most 1, such as 0.25,0.5,1", text)
		}
		out = append(out, v)
	}
	return out, nil
}

// printTrained tells a person how good the model is.
func printTrained(s streams, r train.Result) error {
	t := newTable(s)
	line := func(name string, v *float64) {
		if v != nil {
			t.row(name, fmt.Sprintf("%.5g", *v))
		}
	}
	line("test RMSE", r.TestRMSE)
	line("test R2", r.TestR2)
	line("test AUC", r.TestAUC)
	for _, metric := range sortedKeys(r.Share) {
		t.row("share of the best possible "+metric, fmt.Sprintf("%.4f", r.Share[metric]))
	}
	t.row("rounds", fmt.Sprint(r.Rounds))
	t.row("growing the trees", fmt.Sprintf("%.1f s", r.Seconds))
	t.row("top features", strings.Join(r.TopFeatures, ", "))
	return errors.Join(t.flush())
}
