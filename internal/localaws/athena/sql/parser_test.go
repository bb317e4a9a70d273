package sql_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"engage/internal/localaws/athena/sql"
)

func TestParseKeepsWhatIsWritten(t *testing.T) {
	for _, tc := range []struct {
		src   string
		check func(sql.Statement) bool
	}{
		{"DROP TABLE IF EXISTS a.b;", func(s sql.Statement) bool {
			d := s.(*sql.Drop)
			return d.What == "TABLE" && d.IfExists && d.Name.Database == "a" && d.Name.Table == "b"
		}},
		{`CREATE EXTERNAL TABLE x.t (a STRING COMMENT "it's", b array<struct<c:int,d:decimal(10,2)>>)
			PARTITIONED BY (dt string) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' ESCAPED BY '\\'
			NULL DEFINED AS '' LOCATION 's3://b/p/' TBLPROPERTIES ('skip.header.line.count'='1')`, func(s sql.Statement) bool {
			c := s.(*sql.CreateExternal)
			return c.Format.Fields == "\t" && c.Format.Escape == `\` && c.Format.HasNull && c.Columns[0].Comment == "it's" &&
				c.Columns[1].Type == "array<struct<c:int,d:decimal(10,2)>>" && c.Partitioned[0].Name == "dt" && c.Properties[0].Value == "1"
		}},
		{"CREATE TABLE t WITH (format='PARQUET', partitioned_by = ARRAY['a','b']) AS SELECT 1 AS a WITH NO DATA", func(s sql.Statement) bool {
			c := s.(*sql.CreateAs)
			return len(c.With[1].List) == 2 && !c.WithData
		}},
		{"CREATE OR REPLACE VIEW v AS SELECT 1 -- one\n ;", func(s sql.Statement) bool {
			v := s.(*sql.CreateView)
			return v.Replace && v.Text == "SELECT 1"
		}},
		{"SHOW TABLES IN db 'cust*|x'", func(s sql.Statement) bool {
			sh := s.(*sql.Show)
			return sh.Name.Database == "db" && sh.Pattern == "cust*|x"
		}},
		{"ALTER TABLE t ADD IF NOT EXISTS PARTITION (dt='a', h=3) LOCATION 's3://x/' PARTITION (dt='b', h=4)", func(s sql.Statement) bool {
			a := s.(*sql.AddPartitions)
			return len(a.Partitions) == 2 && a.Partitions[0].Values[1].Value == "3" && a.Partitions[0].Location == "s3://x/"
		}},
		{"PREPARE p FROM SELECT * FROM t WHERE a = ?", func(s sql.Statement) bool {
			return s.(*sql.Prepare).Text == "SELECT * FROM t WHERE a = ?"
		}},
		{"EXECUTE p USING 1, 'x'", func(s sql.Statement) bool { return len(s.(*sql.Execute).Args) == 2 }},
		{"(SELECT 1) UNION ALL (SELECT 2) ORDER BY 1 LIMIT 1", func(s sql.Statement) bool { return s.Kind() == "DML" }},
	} {
		st, err := sql.Parse(tc.src)
		if err != nil {
			t.Errorf("%s: %v", tc.src, err)
		} else if !tc.check(st) {
			t.Errorf("%s: read as %+v", tc.src, st)
		}
	}
}

// Queries that the grammar of Trino has and that must be read.
var queries = []string{
	"SELECT",
	`SELECT *, t.*, "T".x FROM a.b.c AS t (x, y) CROSS JOIN UNNEST(t.x, ARRAY[1,2]) WITH ORDINALITY AS u (p, q, n)`,
	"SELECT count(*) FILTER (WHERE a > 1), sum(DISTINCT b) OVER (PARTITION BY c ORDER BY d DESC NULLS FIRST ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) FROM t",
	"SELECT lag(x, 1) IGNORE NULLS OVER w FROM t WINDOW w AS (PARTITION BY a)",
	"WITH RECURSIVE t(n) AS (VALUES 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t",
	"SELECT a FROM t WHERE a NOT IN (SELECT b FROM u) AND NOT EXISTS (SELECT 1) AND a = ALL (SELECT 1) OR a IS NOT DISTINCT FROM 3",
	"SELECT a, b, grouping(a) FROM t GROUP BY GROUPING SETS ((a, b), a, ()), ROLLUP (a, (b, c)), CUBE (a)",
	"SELECT CASE a WHEN 1 THEN 'x' END, CASE WHEN a THEN b ELSE c END, CAST(a AS decimal(10,2)), TRY_CAST(b AS row(x integer, y array(varchar)))",
	"SELECT filter(a, x -> x > 1), reduce(a, 0, (s, x) -> s + x, s -> s), DATE '2020-01-01' + INTERVAL '1' DAY, TIMESTAMP '2020-01-01 00:00:00' AT TIME ZONE 'UTC'",
	"SELECT extract(year FROM d), substring(s FROM 2 FOR 3), trim(BOTH 'x' FROM s), position('a' IN s), m['k'], a[1].b, -1e3, .5, X'CAFE'",
	"SELECT * FROM (a JOIN b ON a.x = b.x) LEFT JOIN LATERAL (SELECT 1) l ON true NATURAL JOIN c JOIN d USING (x, y)",
	"SELECT * FROM ((SELECT 1) x CROSS JOIN y)",
	"SELECT listagg(a, ',') WITHIN GROUP (ORDER BY a), array_agg(a ORDER BY b) FROM t TABLESAMPLE BERNOULLI (10) OFFSET 2 ROWS FETCH FIRST 3 ROWS ONLY",
	"VALUES (1, 'a'), (2, 'b')", "TABLE t", "SELECT (1, 2), ROW(1, 2), (SELECT 1), ?", "SELECT year, date, count FROM t",
	"SELECT a x, b AS \"y z\" FROM t -- c\n /* d */ LIMIT ALL",
}

func TestParseReadsTrinosGrammar(t *testing.T) {
	for _, q := range queries[1:] {
		if _, err := sql.Parse(q); err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
}

func TestErrorsNameLineAndColumn(t *testing.T) {
	for src, want := range map[string]string{
		"SELCT 1":                            "line 1:1: mismatched input 'SELCT'. Expecting",
		"SELECT a\nFROM\n  t WHERE":          "line 3:10: mismatched input '<EOF>'. Expecting: <expression>",
		"SELECT 'abc":                        "line 1:8: the quoted text that begins here has no end",
		"SELECT `a` FROM t":                  "line 1:8: backquoted identifiers are not supported",
		"SELECT * FROM read_csv('/etc/x')":   "line 1:23: mismatched input '('. Expecting: a table name",
		"UPDATE t SET a = 1":                 "NOT_SUPPORTED: line 1:1: UPDATE",
		"CREATE EXTERNAL TABLE t (a int)":    "No location specified",
		"SELECT 1; SELECT 2":                 "line 1:11: mismatched input 'SELECT'. Expecting: <EOF>",
		"":                                   "line 1:1: the statement is empty",
		"ALTER TABLE t RENAME TO x":          "NOT_SUPPORTED: line 1:15: ALTER TABLE RENAME TO is not supported",
		"SELECT é, ¤":                        "line 1:11: unexpected character",
		"SELECT " + strings.Repeat("(", 999): "nested more than 200 levels deep",
	} {
		_, err := sql.Parse(src)
		var e *sql.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", src, err, want)
		}
	}
}

func TestTypesAreSpelledInEachDialect(t *testing.T) {
	for _, tc := range []struct{ src, hive, trino, duck string }{
		{"string", "string", "varchar", "VARCHAR"},
		{"INT", "int", "integer", "INTEGER"},
		{"array<map<string,double>>", "array<map<string,double>>", "array(map(varchar, double))", "MAP(VARCHAR, DOUBLE)[]"},
		{"struct<a:int,b:decimal(3,2)>", "struct<a:int,b:decimal(3,2)>", "row(a integer, b decimal(3,2))", `STRUCT("a" INTEGER, "b" DECIMAL(3,2))`},
		{"timestamp(3) with time zone", "timestamp with time zone", "timestamp(3) with time zone", "TIMESTAMPTZ"},
		{"varchar(10)", "varchar(10)", "varchar(10)", "VARCHAR"},
	} {
		ty, err := sql.ParseType(tc.src)
		if err != nil {
			t.Fatal(err)
		}
		duck, err := ty.DuckDB()
		if err != nil || ty.Hive() != tc.hive || ty.Trino() != tc.trino || duck != tc.duck {
			t.Errorf("%s: %q %q %q %v", tc.src, ty.Hive(), ty.Trino(), duck, err)
		}
	}
	ty, _ := sql.ParseType("geometry")
	if _, err := ty.DuckDB(); err == nil {
		t.Error("an unknown type was taken")
	}
}

func FuzzParse(f *testing.F) {
	for _, q := range queries {
		f.Add(q)
	}
	f.Add("CREATE EXTERNAL TABLE t (a int) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\001' LOCATION 's3://b/'")
	f.Add("SELECT ((((((((SELECT 1 FROM ((((((SELECT 2")
	f.Add("SELECT * FROM ((((((((((((((((((((SELECT 1 x y z")
	f.Fuzz(func(t *testing.T, src string) {
		start := time.Now()
		_, err := sql.Parse(src)
		var e *sql.Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("an error that is no *sql.Error: %T", err)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Fatalf("took %v", d)
		}
	})
}
