package main

import (
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"engage/workers/registry"
	"engage/workers/score"
	"engage/workers/sink"
	"engage/workers/source"
)

// modelOptions are the flags of the commands that use a model.
type modelOptions struct {
	model, data, out string
	threads          int
	force, asJSON    bool
}

// flags declares them; what names the file that --out is.
func (o *modelOptions) flags(c *cobra.Command, what string) {
	f := c.Flags()
	f.StringVar(&o.model, "model", "", "directory of a model")
	f.StringVar(&o.data, "data", "", "directory of a data set")
	f.BoolVar(&o.asJSON, "json", false, "print the result as JSON")
	_ = c.MarkFlagDirname("model")
	_ = c.MarkFlagDirname("data")
	if what != "" {
		f.StringVar(&o.out, "out", "", what)
		f.BoolVar(&o.force, "force", false, "replace the file")
		_ = c.MarkFlagFilename("out", "parquet")
	}
}

// deps opens what the flags name.
func (o *modelOptions) deps(p *progress) (score.Deps, error) {
	input, _, err := source.Directory(o.data)
	return score.Deps{
		Shelf: registry.Directory{Path: o.model}, Input: input, Output: sink.File{Path: o.out, Replace: o.force},
		Now: time.Now, Log: quiet(), Progress: p.show,
	}, err
}

// streamGCPercent keeps a stream's memory near what it holds.
const streamGCPercent = 40

func newScore(s streams) *cobra.Command {
	var o modelOptions
	var contributions string
	c := &cobra.Command{
		Use:   "score --model DIR --data DIR --out FILE",
		Short: "Score every customer and tell what each score came of",
		Long: `Score the customers of a data set into a Parquet file: id, score, time, version of
the model, and the five features that add most to the score or take most away,
with their SHAP values. --contributions all writes the contribution of every
feature, the bias, and the margin that they add up to.

A category that the model was not trained on counts as a missing value; how many
there were is told. Memory does not grow with the number of customers.`,
		Example: `  engage score --model .engage/models/engagement/v1.0 --data .engage/data/seed-1 --out scores.parquet
  engage score --model model --data data --out all.parquet --contributions all --threads 2 --json`,
		Args: takes(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := needs(map[string]string{"model": o.model, "data": o.data, "out": o.out}); err != nil {
				return err
			}
			if o.threads < 0 {
				return fmt.Errorf("--threads %d: want 0 or more", o.threads)
			}
			debug.SetGCPercent(streamGCPercent)
			p := newProgress(s)
			deps, err := o.deps(p)
			if err != nil {
				return err
			}
			start := time.Now()
			r, err := score.Run(c.Context(), score.Config{Contributions: score.Contributions(contributions), Threads: o.threads}, deps)
			p.finish()
			if err != nil {
				return err
			}
			s.say("scored %s customers into %s in %.1f s", grouped(r.Rows), o.out, time.Since(start).Seconds())
			if o.asJSON {
				return s.json(r)
			}
			return printScored(s, r)
		},
	}
	o.flags(c, "file to write the scores to")
	c.Flags().IntVar(&o.threads, "threads", 0, "threads; 0: one a core")
	c.Flags().StringVar(&contributions, "contributions", string(score.Top5), "what to write of each score's origin: top5, all")
	_ = c.RegisterFlagCompletionFunc("contributions", cobra.FixedCompletions([]string{string(score.Top5), string(score.All)}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func printScored(s streams, r score.Result) error {
	t := newTable(s)
	for _, x := range []struct {
		name string
		v    float64
	}{{"lowest", r.Range.Min}, {"median", r.Range.Median}, {"mean", r.Range.Mean}, {"highest", r.Range.Max}} {
		t.row(x.name, fmt.Sprintf("%.4f", x.v))
	}
	for _, name := range sortedKeys(r.Unknown) {
		t.row("unknown "+name, grouped(r.Unknown[name]))
	}
	return t.flush()
}

func newFeatures(s streams) *cobra.Command {
	var o modelOptions
	c := &cobra.Command{
		Use:   "features --model DIR --data DIR --out FILE",
		Short: "Write the matrix that a model sees, to check it with any other tool",
		Long: `Write what the model sees of each customer as a Parquet file: one column a feature
and one row a customer, in the order of the model and of the data. Categories are
their codes, and a missing value is null.`,
		Example: `  engage features --model model --data data --out matrix.parquet
  python3 -c 'import pandas, xgboost
  b = xgboost.Booster(model_file="model/model.json"); x = pandas.read_parquet("matrix.parquet")
  print(b.predict(xgboost.DMatrix(x.values, feature_names=b.feature_names, feature_types=b.feature_types)))'`,
		Args: takes(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := needs(map[string]string{"model": o.model, "data": o.data, "out": o.out}); err != nil {
				return err
			}
			debug.SetGCPercent(streamGCPercent)
			p := newProgress(s)
			deps, err := o.deps(p)
			if err != nil {
				return err
			}
			rows, err := score.Features(c.Context(), deps)
			p.finish()
			if err != nil {
				return err
			}
			s.say("wrote what the model sees of %s customers to %s", grouped(rows), o.out)
			if o.asJSON {
				return s.json(map[string]any{"rows": rows, "path": o.out})
			}
			return nil
		},
	}
	o.flags(c, "file to write the matrix to")
	return c
}

func newExplain(s streams) *cobra.Command {
	var o modelOptions
	var customer string
	c := &cobra.Command{
		Use:   "explain --model DIR --data DIR --customer ID",
		Short: "Tell what one customer's score came of",
		Long: `Score one customer and tell what every feature adds to the score or takes away from
it: exact SHAP values, which add up, with the bias, to the margin.`,
		Example: `  engage explain --model model --data data --customer CUST_00000042
  engage explain --model model --data data --customer CUST_00000042 --json | jq .contributions[0]`,
		Args: takes(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := needs(map[string]string{"model": o.model, "data": o.data, "customer": customer}); err != nil {
				return err
			}
			deps, err := o.deps(newProgress(s))
			if err != nil {
				return err
			}
			e, err := score.Explain(c.Context(), deps.Shelf, deps.Input, customer)
			if err != nil {
				return err
			}
			if o.asJSON {
				return s.json(e)
			}
			return printExplanation(s, e)
		},
	}
	o.flags(c, "")
	c.Flags().StringVar(&customer, "customer", "", "id of the customer")
	return c
}

func printExplanation(s streams, e score.Explanation) error {
	fmt.Fprintf(s.Out, "%s: %s %.4f (model %s %s)\n\n", e.Customer, strings.ReplaceAll(e.Target, "_", " "), e.Score, e.Model, e.Version)
	t := newTable(s)
	t.row("FEATURE", "VALUE", "CONTRIBUTION")
	t.row("(bias)", "", fmt.Sprintf("%+.5f", e.Bias))
	for _, f := range e.Contributions {
		value := f.Value
		if value == "" {
			value = "(missing)"
		}
		t.row(f.Feature, value, fmt.Sprintf("%+.5f", f.Contribution))
	}
	t.row("margin", "", fmt.Sprintf("%+.5f", e.Margin))
	return t.flush()
}
