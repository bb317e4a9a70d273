package schema_test

import (
	"bytes"
	"fmt"
	"testing"

	"engage/internal/golden"
	"engage/internal/schema"
)

func TestFingerprintGolden(t *testing.T) {
	var b bytes.Buffer
	for _, table := range schema.Tables {
		fmt.Fprintf(&b, "%s  %s\n", schema.Fingerprint(table), table.Name)
	}
	golden.Check(t, "testdata/fingerprints.txt", b.Bytes())
}

func TestFingerprintChangesWithWhatMatters(t *testing.T) {
	before := schema.Fingerprint(sound())
	seen := map[string]string{before: "the table itself"}
	for name, change := range map[string]func(t *schema.Table, c []schema.Column){
		"table name":     func(t *schema.Table, _ []schema.Column) { t.Name = "u" },
		"column name":    func(_ *schema.Table, c []schema.Column) { c[1].Name = "m" },
		"type":           func(_ *schema.Table, c []schema.Column) { c[1].Type = schema.Int },
		"unit":           func(_ *schema.Table, c []schema.Column) { c[1].Unit = "km" },
		"range":          func(_ *schema.Table, c []schema.Column) { c[1].Range = &schema.Range{Max: 2} },
		"no range":       func(_ *schema.Table, c []schema.Column) { c[1].Range = nil },
		"enum":           func(_ *schema.Table, c []schema.Column) { c[2].Enum = []string{"b", "a"} },
		"pattern":        func(_ *schema.Table, c []schema.Column) { c[0].Pattern = "" },
		"decimals":       func(_ *schema.Table, c []schema.Column) { c[1].Decimals = 3 },
		"nullability":    func(_ *schema.Table, c []schema.Column) { c[1].Nullable = false },
		"role":           func(_ *schema.Table, c []schema.Column) { c[1].Role = schema.Target },
		"classification": func(_ *schema.Table, c []schema.Column) { c[1].Classification = schema.Confidential },
		"order":          func(_ *schema.Table, c []schema.Column) { c[0], c[1] = c[1], c[0] },
		"fewer columns":  func(t *schema.Table, c []schema.Column) { t.Columns = c[:2] },
	} {
		table := sound()
		change(table, table.Columns)
		f := schema.Fingerprint(table)
		if other, ok := seen[f]; ok {
			t.Errorf("a change of %s has the fingerprint of %s", name, other)
		}
		seen[f] = name
	}
}

func TestFingerprintIgnoresWords(t *testing.T) {
	table := sound()
	table.Description = "Other words."
	for i := range table.Columns {
		c := &table.Columns[i]
		c.Display, c.Description, c.Synonyms = "X", "Other words.", []string{"other"}
	}
	table.Columns[1].NullWhen = "nobody measured"
	if schema.Fingerprint(table) != schema.Fingerprint(sound()) {
		t.Error("words for people changed the fingerprint")
	}
}
