package schema_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"engage/internal/schema"
)

func TestTablesAreValid(t *testing.T) {
	for _, table := range schema.Tables {
		if err := table.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// sound is a valid table for a test to spoil: columns 0 an id, 1 a number, 2 a category.
func sound() *schema.Table {
	return &schema.Table{Name: "t", Description: "A table.", Columns: []schema.Column{
		{Name: "id", Type: schema.String, Pattern: "^[0-9]+$", Role: schema.ID, Classification: schema.Internal, Display: "Id", Description: "An id."},
		{Name: "n", Type: schema.Double, Unit: "m", Range: &schema.Range{Min: 0, Max: 1}, Decimals: 2, Nullable: true, NullWhen: "unknown",
			Role: schema.Feature, Classification: schema.Internal, Display: "N", Description: "A length.", Synonyms: []string{"length"}},
		{Name: "c", Type: schema.String, Enum: []string{"a", "b"}, Role: schema.Feature, Display: "C", Description: "A category."},
	}}
}

func TestSoundTableIsValid(t *testing.T) {
	if err := sound().Validate(); err != nil {
		t.Error(err)
	}
}

func TestValidateFinds(t *testing.T) {
	type columns = []schema.Column
	for name, test := range map[string]struct {
		spoil func(*schema.Table, columns)
		want  string // the whole error
	}{
		"table name":        {func(t *schema.Table, _ columns) { t.Name = "T" }, `table T: bad name "T": use lower-case letters, digits and underscores`},
		"table description": {func(t *schema.Table, _ columns) { t.Description = "" }, "table t: missing description"},
		"no columns":        {func(t *schema.Table, _ columns) { t.Columns = nil }, "table t: no columns"},
		"duplicate name":    {func(_ *schema.Table, c columns) { c[2].Name = "id" }, "column id: duplicate name"},
		"name":              {func(_ *schema.Table, c columns) { c[1].Name = "1n" }, `bad name "1n"`},
		"display":           {func(_ *schema.Table, c columns) { c[1].Display = "" }, "missing display name"},
		"description":       {func(_ *schema.Table, c columns) { c[0].Description = "" }, "missing description"},
		"two lines":         {func(_ *schema.Table, c columns) { c[0].Description = "a\nb" }, "description has more than one line"},
		"long description": {func(_ *schema.Table, c columns) { c[0].Description = strings.Repeat("é", 128) },
			"description and unit take 256 bytes, the catalog's limit is 255"},
		"type":              {func(_ *schema.Table, c columns) { c[0].Type, c[0].Pattern = 17, "" }, "unknown type 17"},
		"unit missing":      {func(_ *schema.Table, c columns) { c[1].Unit = "" }, `unit "": numbers have a unit`},
		"unit on string":    {func(_ *schema.Table, c columns) { c[2].Unit = "m" }, `unit "m": numbers have a unit`},
		"range on string":   {func(_ *schema.Table, c columns) { c[2].Range = &schema.Range{} }, "range on type string, which is not numeric"},
		"range reversed":    {func(_ *schema.Table, c columns) { c[1].Range = &schema.Range{Min: 2, Max: 1} }, "bad range [2, 1]"},
		"range of NaN":      {func(_ *schema.Table, c columns) { c[1].Range = &schema.Range{Min: math.NaN()} }, "bad range [NaN, 0]"},
		"range without end": {func(_ *schema.Table, c columns) { c[1].Range = &schema.Range{Max: math.Inf(1)} }, "bad range [0, +Inf]"},
		"fraction in int": {func(_ *schema.Table, c columns) {
			c[1].Type, c[1].Decimals, c[1].Range = schema.BigInt, 0, &schema.Range{Max: 0.5}
		}, "range [0, 0.5] of whole numbers has a fraction"},
		"int too large": {func(_ *schema.Table, c columns) {
			c[1].Type, c[1].Decimals, c[1].Range = schema.Int, 0, &schema.Range{Max: 1e10}
		}, "range [0, 1e+10] does not fit 32 bits"},
		"decimals on int": {func(_ *schema.Table, c columns) { c[1].Type = schema.Int }, "decimals on type int, only double has them"},
		"decimals":        {func(_ *schema.Table, c columns) { c[1].Decimals = 16 }, "16 decimals, a double holds 0 to 15"},
		"enum on double":  {func(_ *schema.Table, c columns) { c[1].Enum = []string{"a"} }, "enum on type double, only string has one"},
		"pattern on double": {func(_ *schema.Table, c columns) { c[1].Pattern = "a" },
			"pattern on type double, only string has one"},
		"enum and pattern":    {func(_ *schema.Table, c columns) { c[2].Pattern = "a" }, "both enum and pattern, use one"},
		"bad pattern":         {func(_ *schema.Table, c columns) { c[0].Pattern = "(" }, "bad pattern: error parsing regexp"},
		"enum empty":          {func(_ *schema.Table, c columns) { c[2].Enum = []string{} }, "enum without values"},
		"enum value empty":    {func(_ *schema.Table, c columns) { c[2].Enum[0] = "" }, `enum value "" is empty or needs quotes in CSV`},
		"enum value comma":    {func(_ *schema.Table, c columns) { c[2].Enum[0] = "x,y" }, `enum value "x,y" is empty or needs quotes in CSV`},
		"enum value twice":    {func(_ *schema.Table, c columns) { c[2].Enum[1] = "a" }, `duplicate enum value "a"`},
		"null without when":   {func(_ *schema.Table, c columns) { c[1].NullWhen = "" }, "nullable without saying when it is missing"},
		"when without null":   {func(_ *schema.Table, c columns) { c[2].NullWhen = "x" }, "says when it is missing but is not nullable"},
		"nullable id":         {func(_ *schema.Table, c columns) { c[0].Nullable, c[0].NullWhen = true, "x" }, "an id is nullable"},
		"role":                {func(_ *schema.Table, c columns) { c[2].Role = -1 }, "unknown role -1"},
		"classification":      {func(_ *schema.Table, c columns) { c[2].Classification = 4 }, "unknown classification 4"},
		"personal unguarded":  {func(_ *schema.Table, c columns) { c[2].Role = schema.Personal }, "role personal is public: personal columns, and only they, are restricted"},
		"protected unmasked":  {func(_ *schema.Table, c columns) { c[2].Role = schema.Protected }, "role protected is public, use confidential"},
		"synonym case":        {func(_ *schema.Table, c columns) { c[1].Synonyms[0] = "Length" }, `synonym "Length" is not in lower case`},
		"synonym space":       {func(_ *schema.Table, c columns) { c[1].Synonyms[0] = " x" }, `synonym " x" is empty or has space around it`},
		"synonym twice":       {func(_ *schema.Table, c columns) { c[1].Synonyms = []string{"a", "a"} }, `duplicate synonym "a"`},
		"restricted in table": {restrictThird, "table t: restricted columns stand beside n: move them to a table of restricted and id columns"},
	} {
		t.Run(name, func(t *testing.T) {
			table := sound()
			test.spoil(table, table.Columns)
			err := table.Validate()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error is %v, want one with %q", err, test.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("one fault should give one violation, got\n%v", err)
			}
			var v *schema.Violation
			if !errors.As(err, &v) || v.Reason == "" {
				t.Errorf("%v is not a Violation", err)
			}
		})
	}
}

func restrictThird(_ *schema.Table, c []schema.Column) {
	c[2].Role, c[2].Classification = schema.Personal, schema.Restricted
}

func TestValidateReportsEveryViolation(t *testing.T) {
	table := sound()
	table.Columns[0].Description = ""
	table.Columns[1].NullWhen = ""
	table.Columns[2].Display = ""
	err := table.Validate()
	if err == nil || len(strings.Split(err.Error(), "\n")) != 3 {
		t.Errorf("want three violations, got %v", err)
	}
}

// TestSynonymsMayBeShared: one word can stand for two columns of a table.
func TestSynonymsMayBeShared(t *testing.T) {
	table := sound()
	table.Columns[2].Synonyms = []string{"length"}
	if err := table.Validate(); err != nil {
		t.Error(err)
	}
}
