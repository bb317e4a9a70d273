package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"engage/internal/golden"
	"engage/internal/schema"
)

func TestAthenaDDLGolden(t *testing.T) {
	for _, table := range schema.Tables {
		for _, f := range []schema.Format{schema.CSV, schema.Parquet} {
			ddl, err := schema.AthenaDDL(table, schema.DDLOptions{
				Database: "engagement_raw", Location: "s3://engagement-data/raw/" + table.Name + "/", Format: f,
			})
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, fmt.Sprintf("testdata/%s.%s.sql", table.Name, f), []byte(ddl+"\n"))
		}
	}
}

func ExampleAthenaDDL() {
	people := schema.Table{Name: "people", Description: "Who's who.", Columns: []schema.Column{
		{Name: "user", Type: schema.String, Description: "The person's name."},
		{Name: "age", Type: schema.Int, Unit: "years", Description: "Age."},
	}}
	ddl, err := schema.AthenaDDL(&people, schema.DDLOptions{
		Database: "raw", Table: "people_by_day", Location: "s3://bucket/people/",
		Format: schema.Parquet, Compression: "ZSTD",
		PartitionedBy: []schema.PartitionColumn{{Name: "day", Type: schema.String}},
	})
	fmt.Println(ddl, err)
	// Output:
	// CREATE EXTERNAL TABLE IF NOT EXISTS `raw`.`people_by_day` (
	//   `user` STRING COMMENT 'The person\'s name.',
	//   `age` INT COMMENT 'Age. Unit: years.'
	// )
	// COMMENT 'Who\'s who.'
	// PARTITIONED BY (
	//   `day` STRING
	// )
	// STORED AS PARQUET
	// LOCATION 's3://bucket/people/'
	// TBLPROPERTIES ('classification'='parquet', 'parquet.compression'='ZSTD') <nil>
}

func TestAthenaDDLEscapesText(t *testing.T) {
	table := schema.Table{Name: "t", Description: "a\\b'\n", Columns: []schema.Column{{Name: "c", Description: "x"}}}
	ddl, err := schema.AthenaDDL(&table, schema.DDLOptions{Database: "d", Location: "s3://bucket/"})
	if err != nil {
		t.Fatal(err)
	}
	if want := "COMMENT 'a\\\\b\\'\\n'\n"; !strings.Contains(ddl, want) {
		t.Errorf("got\n%s\nwant it to contain\n%s", ddl, want)
	}
}

func TestAthenaDDLRefuses(t *testing.T) {
	good := schema.DDLOptions{Database: "d", Location: "s3://bucket/a/"}
	for name, test := range map[string]struct {
		change func(*schema.DDLOptions)
		want   string
	}{
		"no database":       {func(o *schema.DDLOptions) { o.Database = "" }, `database ""`},
		"bad database":      {func(o *schema.DDLOptions) { o.Database = "a-b" }, `database "a-b"`},
		"bad table":         {func(o *schema.DDLOptions) { o.Table = "a`b" }, "table \"a`b\""},
		"no location":       {func(o *schema.DDLOptions) { o.Location = "" }, `location ""`},
		"no slash":          {func(o *schema.DDLOptions) { o.Location = "s3://bucket/a" }, `location "s3://bucket/a"`},
		"no bucket":         {func(o *schema.DDLOptions) { o.Location = "s3:///a/" }, `location "s3:///a/"`},
		"other scheme":      {func(o *schema.DDLOptions) { o.Location = "https://bucket/a/" }, `location "https://bucket/a/"`},
		"quote in location": {func(o *schema.DDLOptions) { o.Location = "s3://bucket/a'/" }, `location "s3://bucket/a'/"`},
		"format":            {func(o *schema.DDLOptions) { o.Format = 7 }, "format Format(7)"},
		"csv codec":         {func(o *schema.DDLOptions) { o.Compression = "GZIP" }, `compression "GZIP"`},
		"codec": {func(o *schema.DDLOptions) { o.Format, o.Compression = schema.Parquet, "lzma" },
			`compression "lzma": use one of SNAPPY`},
		"partition that is a column": {func(o *schema.DDLOptions) {
			o.PartitionedBy = []schema.PartitionColumn{{Name: schema.Age, Type: schema.Int}}
		}, "partition column age"},
		"partition twice": {func(o *schema.DDLOptions) {
			o.PartitionedBy = []schema.PartitionColumn{{Name: "day"}, {Name: "day"}}
		}, "partition column day"},
		"partition of doubles": {func(o *schema.DDLOptions) {
			o.PartitionedBy = []schema.PartitionColumn{{Name: "p", Type: schema.Double}}
		}, "type double cannot stand in an object key"},
		"partition name": {func(o *schema.DDLOptions) {
			o.PartitionedBy = []schema.PartitionColumn{{Name: "P!"}}
		}, `partition column "P!"`},
		"partition comment": {func(o *schema.DDLOptions) {
			o.PartitionedBy = []schema.PartitionColumn{{Name: "p", Comment: strings.Repeat("x", 256)}}
		}, "comment of 256 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			test.change(&o)
			ddl, err := schema.AthenaDDL(&schema.Customers, o)
			if err == nil || ddl != "" || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestAthenaDDLReportsEveryFault(t *testing.T) {
	_, err := schema.AthenaDDL(&schema.Customers, schema.DDLOptions{Database: "D", Table: "T", Location: "x", Format: 9})
	for _, want := range []string{"database", "table", "location", "format"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name the %s", err, want)
		}
	}
}

func TestGlueGolden(t *testing.T) {
	for _, table := range schema.Tables {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetIndent("", "  ")
		if err := e.Encode(schema.GlueColumns(table)); err != nil {
			t.Fatal(err)
		}
		golden.Check(t, "testdata/"+table.Name+".glue.json", b.Bytes())
	}
}

func TestGlueStorageGolden(t *testing.T) {
	for _, f := range []schema.Format{schema.CSV, schema.Parquet} {
		s, err := schema.GlueStorageOf(f, "")
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden.Check(t, "testdata/storage."+f.String()+".json", append(text, '\n'))
	}
}

func TestGlueStorageRefuses(t *testing.T) {
	if _, err := schema.GlueStorageOf(schema.CSV, "ZSTD"); err == nil {
		t.Error("compressed CSV should be refused")
	}
	if _, err := schema.GlueStorageOf(schema.Format(-1), ""); err == nil {
		t.Error("an unknown format should be refused")
	}
}

// TestGlueAndDDLAgree keeps the two ways into the catalog from drifting apart.
func TestGlueAndDDLAgree(t *testing.T) {
	for _, f := range []schema.Format{schema.CSV, schema.Parquet} {
		ddl, err := schema.AthenaDDL(&schema.Customers, schema.DDLOptions{Database: "d", Location: "s3://bucket/", Format: f})
		if err != nil {
			t.Fatal(err)
		}
		s, err := schema.GlueStorageOf(f, "")
		if err != nil {
			t.Fatal(err)
		}
		_, properties, _ := strings.Cut(ddl, "TBLPROPERTIES (")
		for _, p := range strings.Split(strings.TrimSuffix(properties, ")"), ", ") {
			key, value, _ := strings.Cut(strings.ReplaceAll(p, "'", ""), "=")
			if got, ok := s.Parameters[key]; !ok || got != value {
				t.Errorf("%s: the DDL sets %s to %q, Glue to %q", f, key, value, got)
			}
		}
	}
}

func TestParseFormat(t *testing.T) {
	for _, f := range []schema.Format{schema.CSV, schema.Parquet} {
		if got, err := schema.ParseFormat(f.String()); err != nil || got != f {
			t.Errorf("ParseFormat(%q) = %v, %v", f, got, err)
		}
	}
	if _, err := schema.ParseFormat("orc"); err == nil || !strings.Contains(err.Error(), "csv, parquet") {
		t.Errorf("an unknown format should list the known ones, got %v", err)
	}
}
