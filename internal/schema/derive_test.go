package schema_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"engage/internal/golden"
	"engage/internal/schema"
)

func TestCSVHeaderGolden(t *testing.T) {
	for _, table := range schema.Tables {
		golden.Check(t, "testdata/"+table.Name+".csv", []byte(schema.CSVHeader(table)+"\n"))
	}
}

func TestPlainCSV(t *testing.T) {
	for value, want := range map[string]bool{
		"evening": true, "Ada Lovelace": true, "": false, "a,b": false, `"a"`: false, "a\nb": false, "a\r": false,
	} {
		if got := schema.PlainCSV(value); got != want {
			t.Errorf("PlainCSV(%q) = %v, want %v", value, got, want)
		}
	}
}

func TestJSONSchemaGolden(t *testing.T) {
	for _, table := range schema.Tables {
		text, err := schema.JSONSchema(table)
		if err != nil {
			t.Fatal(err)
		}
		golden.Check(t, "testdata/"+table.Name+".schema.json", text)
	}
}

// TestJSONSchemaSays reads the schema back as a validator would.
func TestJSONSchemaSays(t *testing.T) {
	table := schema.Table{Name: "t", Columns: []schema.Column{
		{Name: "n", Type: schema.Int},
		{Name: "e", Type: schema.String, Enum: []string{"a"}, Nullable: true, NullWhen: "never asked"},
		{Name: "w", Type: schema.Timestamp},
		{Name: "s", Type: schema.String},
	}}
	text, err := schema.JSONSchema(&table)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Required             []string
		AdditionalProperties *bool
		Properties           map[string]map[string]any
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if strings.Join(got.Required, " ") != "n w s" {
		t.Errorf("required is %v, want the columns that are not nullable", got.Required)
	}
	if got.AdditionalProperties == nil || *got.AdditionalProperties {
		t.Error("additionalProperties should be false")
	}
	for path, want := range map[[2]string]string{
		{"n", "minimum"}: "-2.147483648e+09", {"n", "maximum"}: "2.147483647e+09",
		{"e", "type"}: "[string null]", {"e", "enum"}: "[a <nil>]",
		{"w", "type"}: "string", {"w", "format"}: "date-time", {"s", "minLength"}: "1",
	} {
		if got := fmt.Sprint(got.Properties[path[0]][path[1]]); got != want {
			t.Errorf("%s.%s is %s, want %s", path[0], path[1], got, want)
		}
	}
}

func TestJSONSchemaRefusesUnknownRole(t *testing.T) {
	table := schema.Table{Name: "t", Columns: []schema.Column{{Name: "c", Role: 42}}}
	if _, err := schema.JSONSchema(&table); err == nil {
		t.Error("an undeclared role should be an error")
	}
}

func TestDictionaryGolden(t *testing.T) {
	golden.Check(t, "../../docs/data_dictionary.md", schema.Dictionary(schema.Tables))
}

func TestDictionaryNamesEveryColumn(t *testing.T) {
	text := string(schema.Dictionary(schema.Tables))
	for _, table := range schema.Tables {
		for _, c := range table.Columns {
			if !strings.Contains(text, fmt.Sprintf("\n| `%s` | %s |", c.Name, c.Display)) {
				t.Errorf("the dictionary has no row for %s.%s", table.Name, c.Name)
			}
		}
	}
}

func TestDictionaryEscapesPipes(t *testing.T) {
	table := schema.Table{Name: "t", Columns: []schema.Column{{Name: "c", Pattern: "a|b"}}}
	if text := string(schema.Dictionary([]*schema.Table{&table})); !strings.Contains(text, "`a\\|b`") {
		t.Errorf("a pipe in a cell should be escaped, got\n%s", text)
	}
}
