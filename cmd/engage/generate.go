package main

import (
	"cmp"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"engage/datagen"
	"engage/internal/dataset"
	"engage/internal/generate"
)

func newGenerate(s streams) *cobra.Command {
	var o generate.Options
	var asJSON bool
	c := &cobra.Command{
		Use:   "generate --out DIR",
		Short: "Generate a population of customers whose truth is known",
		Long: `Generate a population of customers: what they did (customers), whom they know
(connections), who they are (personal, apart from all else) and what their
targets were drawn from (truth, for evaluation alone). The ceiling of each
target, the best that any model can reach, is in dataset.json.

The same rows, seed and formats give the same bytes.`,
		Example: `  engage data generate --out data
  engage data generate --rows 1000000 --seed 7 --out data --format parquet
  engage data generate --rows 5000 --out faulty --defects --json`,
		Args: takes(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if o.Dir == "" {
				return errors.New("name the directory to write to with --out DIR")
			}
			if o.Rows > largeRows {
				debug.SetGCPercent(largeGCPercent)
			}
			progress := newProgress(s)
			o.Progress = func(stage datagen.Stage, done, total int) { progress.show(string(stage), done, total) }
			start := time.Now()
			m, err := generate.Run(c.Context(), o)
			progress.finish()
			if err != nil {
				return fmt.Errorf("generate: %w", err)
			}
			s.say("wrote %s customers to %s in %.1f s", grouped(m.Rows), o.Dir, time.Since(start).Seconds())
			if asJSON {
				return s.json(m)
			}
			return printManifest(s, m)
		},
	}
	flags := c.Flags()
	flags.IntVar(&o.Rows, "rows", 100_000, "number of customers")
	flags.Uint64Var(&o.Seed, "seed", 1, "seed of the population")
	flags.StringVar(&o.Dir, "out", "", "directory to write to; made if it is not there")
	flags.StringSliceVar(&o.Formats, "format", generate.Formats, "file formats: csv, parquet")
	flags.BoolVar(&o.Defects, "defects", false, "plant counted data-quality faults for a validation to find")
	flags.BoolVar(&o.Force, "force", false, "replace the data set in a directory that is not empty")
	flags.IntVar(&o.Workers, "workers", 0, "goroutines; 0: one a core")
	flags.BoolVar(&asJSON, "json", false, "print the manifest as JSON")
	_ = c.MarkFlagDirname("out")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(generate.Formats, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// Of a large population the graph is most of the memory and has no pointers in
// it, so that collecting garbage more often costs little and saves much.
const (
	largeRows      = 2_000_000
	largeGCPercent = 40
)

// printManifest tells a person what was generated.
func printManifest(s streams, m dataset.Manifest) error {
	t := newTable(s)
	t.row("FILE", "ROWS", "BYTES", "SHA-256")
	for _, f := range m.Files {
		t.row(f.Name, grouped(f.Rows), grouped(f.Bytes), f.SHA256[:12])
	}
	if err := t.flush(); err != nil {
		return err
	}
	if len(m.Ceilings) > 0 {
		fmt.Fprintln(s.Out)
		t = newTable(s)
		t.row("TARGET", "METRIC", "BEST POSSIBLE", "STANDARD ERROR")
		for _, target := range sortedKeys(m.Ceilings) {
			for _, c := range m.Ceilings[target] {
				t.row(target, c.Metric, fmt.Sprintf("%.5g", c.Value), fmt.Sprintf("%.2g", c.StandardError))
			}
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	if len(m.Ceilings) == 0 {
		fmt.Fprintf(s.Out, "\nno ceilings: they need at least %s customers\n", grouped(datagen.MinCeilingRows))
	}
	if len(m.Defects) > 0 {
		var planted []string
		for _, kind := range sortedKeys(m.Defects) {
			planted = append(planted, fmt.Sprintf("%s %d", kind, m.Defects[kind]))
		}
		_, err := fmt.Fprintf(s.Out, "\nplanted: %s\n", strings.Join(planted, ", "))
		return err
	}
	return nil
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
