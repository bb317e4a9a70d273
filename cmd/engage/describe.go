package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"engage/internal/dataset"
	"engage/internal/schema"
)

func newDescribe(s streams) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "describe [DIR]",
		Short: "Describe the columns, or the data set in a directory",
		Long: `Without a directory, list the columns of every table with type, unit, values,
role and classification. With one, tell what the data set holds: files, ceilings
of the targets, the social graph, and a summary of each column. Personal columns
are never read.`,
		Example: `  engage data describe
  engage data describe .engage/data/seed-1 --json | jq .manifest.ceilings`,
		Args: takes(0, 1, "at most one directory"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return describeSchema(s, asJSON)
			}
			d, err := dataset.Describe(c.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return s.json(d)
			}
			return printDescription(s, d)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// columnView is a column as it is shown.
type columnView struct {
	Table          string                `json:"table"`
	Column         schema.Name           `json:"column"`
	Type           schema.Type           `json:"type"`
	Unit           string                `json:"unit,omitempty"`
	Values         string                `json:"values,omitempty"`
	Nullable       bool                  `json:"nullable"`
	Role           schema.Role           `json:"role"`
	Classification schema.Classification `json:"classification"`
	Description    string                `json:"description"`
}

func describeSchema(s streams, asJSON bool) error {
	var views []columnView
	for _, t := range schema.Tables {
		for _, c := range t.Columns {
			views = append(views, columnView{t.Name, c.Name, c.Type, c.Unit, values(c), c.Nullable, c.Role, c.Classification, c.Description})
		}
	}
	if asJSON {
		return s.json(views)
	}
	out := newTable(s)
	out.row("TABLE", "COLUMN", "TYPE", "UNIT", "VALUES", "MISSING", "ROLE", "CLASS")
	for _, v := range views {
		out.row(v.Table, string(v.Column), v.Type.String(), v.Unit, v.Values, when(v.Nullable, "possible"), v.Role.String(), v.Classification.String())
	}
	return out.flush()
}

// shownValues is how many categories a line has room for.
const shownValues = 6

// values tells which values a column may have.
func values(c schema.Column) string {
	switch {
	case len(c.Enum) > shownValues:
		return fmt.Sprintf("%s ... (%d)", strings.Join(c.Enum[:shownValues], " "), len(c.Enum))
	case len(c.Enum) > 0:
		return strings.Join(c.Enum, " ")
	case c.Range != nil:
		return fmt.Sprintf("%g to %g", c.Range.Min, c.Range.Max)
	default:
		return ""
	}
}

func when(condition bool, text string) string {
	if condition {
		return text
	}
	return ""
}

func printDescription(s streams, d dataset.Description) error {
	m := d.Manifest
	fmt.Fprintf(s.Out, "%s customers, seed %d, by %s\n", grouped(m.Rows), m.Seed, m.Generator)
	fmt.Fprintf(s.Out, "%s connections: mean %.1f, largest %s, tail exponent %.2f, clustering %.3f, modularity of %s communities %.2f\n\n",
		grouped(m.Graph.Edges), m.Graph.MeanDegree, grouped(m.Graph.MaxDegree), m.Graph.TailExponent, m.Graph.Clustering,
		grouped(m.Graph.Communities), m.Graph.Modularity)
	if err := printManifest(s, m); err != nil {
		return err
	}
	fmt.Fprintln(s.Out)
	return printSummaries(s, d.Columns)
}

func printSummaries(s streams, columns []dataset.Summary) error {
	out := newTable(s)
	out.row("COLUMN", "UNIT", "MISSING", "MEAN", "SD", "MIN", "QUARTILES", "MAX")
	for _, c := range columns {
		share := float64(c.Missing) / float64(max(c.Count+c.Missing, 1))
		cells := []string{string(c.Column), c.Unit, when(c.Missing > 0, fmt.Sprintf("%.1f %%", 100*share))}
		switch n := c.Numbers; {
		case n != nil:
			cells = append(cells, number(n.Mean), number(n.SD), number(n.Min),
				fmt.Sprintf("%s %s %s", number(n.LowerQuarter), number(n.Median), number(n.UpperQuarter)), number(n.Max))
		case c.Share != nil:
			cells = append(cells, fmt.Sprintf("%.1f %% true", 100**c.Share))
		case len(c.Categories) > 0:
			cells = append(cells, mostFrequent(c.Categories))
		}
		out.row(cells...)
	}
	return out.flush()
}

func number(v float64) string { return fmt.Sprintf("%.4g", v) }

func mostFrequent(categories []dataset.Category) string {
	var shown []string
	for _, c := range categories[:min(len(categories), 4)] {
		shown = append(shown, fmt.Sprintf("%s %.1f %%", c.Value, 100*c.Share))
	}
	if len(categories) > len(shown) {
		shown = append(shown, "...")
	}
	return strings.Join(shown, ", ")
}
