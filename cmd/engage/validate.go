package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"engage/datagen"
	"engage/internal/dataset"
)

func newValidate(s streams) *cobra.Command {
	var asJSON bool
	var o dataset.ValidateOptions
	c := &cobra.Command{
		Use:   "validate PATH",
		Short: "List everything that is wrong with a data set or one of its files",
		Long: `Check a data set directory, or one CSV or Parquet file of a table, against the
schema: types, ranges, categories, missing and duplicate values, references and
rules between columns; of a directory also sizes and hashes. At most --samples
violations of each rule are listed, and all are counted.

Exit codes: 0 valid; 1 violations; 2 it cannot be read.`,
		Example: `  engage data validate .engage/data/seed-1
  engage data validate customers.csv --json | jq '.rules[].count'`,
		Args: takes(1, 1, "one path"),
		RunE: func(c *cobra.Command, args []string) error {
			if o.MaxSamples < 1 {
				return fmt.Errorf("--samples %d: want at least 1", o.MaxSamples)
			}
			rows := newProgress(s)
			if s.terminal() { // elsewhere it says nothing but the report
				o.Progress = func(file string, done int64) { rows.show("check "+file, int(done), 0) }
			}
			o.Truth = &datagen.Truth
			report, err := dataset.Validate(c.Context(), args[0], o)
			rows.finish()
			if err != nil {
				return err
			}
			if asJSON {
				err = s.json(report)
			} else {
				err = printReport(s, &report)
			}
			if err == nil && !report.OK() {
				err = errViolations
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	c.Flags().IntVar(&o.MaxSamples, "samples", dataset.DefaultMaxSamples, "violations listed for each rule")
	return c
}

// printReport tells a person what is wrong.
func printReport(s streams, r *dataset.Report) error {
	if r.OK() {
		_, err := fmt.Fprintf(s.Out, "%s: valid; %s rows in %d files checked\n", r.Path, grouped(r.Rows), len(r.Files))
		return err
	}
	for _, rule := range r.Rules {
		fmt.Fprintf(s.Out, "%s: %s violations\n", rule.Rule, grouped(rule.Count))
		for _, v := range rule.Samples {
			fmt.Fprintf(s.Out, "  %s\n", violationLine(v))
		}
		if more := rule.Count - int64(len(rule.Samples)); more > 0 {
			fmt.Fprintf(s.Out, "  and %s more\n", grouped(more))
		}
	}
	_, err := fmt.Fprintf(s.Out, "%s: %s violations of %d rules in %s rows\n",
		r.Path, grouped(r.Violations), len(r.Rules), grouped(r.Rows))
	return err
}

func violationLine(v dataset.Violation) string {
	line := v.File
	if v.Line > 0 {
		line += fmt.Sprintf(":%d", v.Line) // as editors have it
	}
	if v.Row > 0 {
		line += fmt.Sprintf(" row %d", v.Row)
	}
	if v.Column != "" {
		line += " " + string(v.Column)
	}
	if v.Value != "" {
		line += fmt.Sprintf(" = %q", v.Value)
	}
	return line + ": " + v.Message
}
