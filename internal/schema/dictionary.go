package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// Dictionary is the data dictionary of the tables, a Markdown document: what
// each column means, which values it takes, when it is missing, what it may be
// used for and how carefully it is handled.
func Dictionary(tables []*Table) []byte {
	var b strings.Builder
	b.WriteString(dictionaryHead)
	writeSummary(&b, tables)
	b.WriteString(dictionaryRoles)
	writeBarred(&b, tables)
	for _, t := range tables {
		writeTable(&b, t)
	}
	return []byte(b.String())
}

const dictionaryHead = `# Data dictionary

Written from the table descriptions in ` + "`internal/schema`" + ` by ` + "`task generate`" + `: change it there.

`

const dictionaryRoles = `
| Role | A column of this role |
|---|---|
| id | identifies a row and joins tables |
| feature | may be a model input |
| target | is what a model predicts |
| protected | is a protected characteristic: fairness audits read it, models do not |
| personal | identifies a person: kept apart, joined only by id |
| derived | is written by the pipeline |

| Classification | Values of this classification |
|---|---|
| public | may be published |
| internal | stay inside the company |
| confidential | are masked in views |
| restricted | are kept in a file of their own, joined only by id |

## What never reaches a model

Only columns of role feature can be selected as model inputs; any other selection is an error that names the column.

| Why | Columns |
|---|---|
`

// barred says why the columns of a role never reach a model.
var barred = []struct {
	role Role
	why  string
}{
	{ID, "It identifies a row. A model that read it would learn rows by heart, and nothing that holds for the next customer."},
	{Target, "It is what models predict, or comes to be at the same time: known in training only."},
	{Protected, "It is a protected characteristic. Decisions must not rest on it; it is kept so that fairness can be audited."},
	{Personal, "It identifies a person. It is in a table of its own that no model, log or analytics table reads."},
	{Derived, "The pipeline wrote it, from the outputs of models or from inputs that they have already."},
}

func writeSummary(b *strings.Builder, tables []*Table) {
	b.WriteString("| Table | Columns |")
	for _, r := range Roles {
		fmt.Fprintf(b, " %s |", r)
	}
	b.WriteString("\n|---|---:|" + strings.Repeat("---:|", len(Roles)) + "\n")
	for _, t := range tables {
		fmt.Fprintf(b, "| [%s](#%s) | %d |", t.Name, t.Name, len(t.Columns))
		for _, r := range Roles {
			fmt.Fprintf(b, " %d |", len(t.WithRole(r)))
		}
		b.WriteString("\n")
	}
}

func writeBarred(b *strings.Builder, tables []*Table) {
	for _, x := range barred {
		if names := namesWithRole(tables, x.role); len(names) > 0 {
			fmt.Fprintf(b, "| %s: %s | %s |\n", x.role, x.why, strings.Join(names, ", "))
		}
	}
}

// namesWithRole lists each name once, in the order in which the tables have them.
func namesWithRole(tables []*Table, r Role) []string {
	var names []string
	seen := map[Name]bool{}
	for _, t := range tables {
		for _, name := range t.WithRole(r) {
			if !seen[name] {
				names = append(names, "`"+string(name)+"`")
			}
			seen[name] = true
		}
	}
	return names
}

func writeTable(b *strings.Builder, t *Table) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", t.Name, t.Description)
	b.WriteString("| Column | Name | Type | Unit | Values | Missing | Role | Classification | Description | Synonyms |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|\n")
	for _, c := range t.Columns {
		cells := []string{
			"`" + string(c.Name) + "`", c.Display, c.Type.String(), c.Unit, values(c), missing(c),
			c.Role.String(), c.Classification.String(), c.Description, strings.Join(c.Synonyms, ", "),
		}
		for i, cell := range cells {
			cells[i] = strings.ReplaceAll(cell, "|", `\|`)
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
}

// values tells which values a column takes, and how many decimals of them are kept.
func values(c Column) string {
	switch {
	case c.Categorical():
		return strings.Join(c.Enum, ", ")
	case c.Pattern != "":
		return "matches `" + c.Pattern + "`"
	case c.Range == nil:
		return "any"
	case c.Type == Double:
		return fmt.Sprintf("%s to %s, %d decimals", number(c.Range.Min), number(c.Range.Max), c.Decimals)
	}
	return number(c.Range.Min) + " to " + number(c.Range.Max)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func missing(c Column) string {
	if !c.Nullable {
		return "never"
	}
	return c.NullWhen
}
