package engine_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/athena/engine"
	"engage/internal/localaws/athena/sql"
)

// bench is an engine over a directory and a catalog in memory.
type bench struct {
	t       testing.TB
	engine  *engine.Engine
	catalog *catalog.Memory
	objects catalog.Dir
	n       int
}

var testTime = time.Date(2025, 10, 21, 10, 30, 0, 0, time.UTC)

func newBench(t testing.TB, strict bool) *bench {
	b := &bench{t: t, catalog: &catalog.Memory{}, objects: catalog.Dir(t.TempDir())}
	var err error
	b.engine, err = engine.New(engine.Config{Catalog: b.catalog, Objects: b.objects, Dir: t.TempDir(), Strict: strict, Now: func() time.Time { return testTime }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.engine.Close(); err != nil {
			t.Error(err)
		}
	})
	b.must("CREATE DATABASE IF NOT EXISTS default")
	return b
}

func (b *bench) put(uri, content string) {
	b.t.Helper()
	if err := b.objects.Put(context.Background(), uri, strings.NewReader(content)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) run(statement string, args ...string) (*engine.Result, error) {
	b.n++
	return b.engine.Run(context.Background(), engine.Request{ID: fmt.Sprintf("q%d", b.n), Statement: statement, Args: args, Output: "s3://results/out/"})
}

func (b *bench) must(statement string, args ...string) *engine.Result {
	b.t.Helper()
	res, err := b.run(statement, args...)
	if err != nil {
		b.t.Fatalf("%s: %v", statement, err)
	}
	return res
}

func (b *bench) read(uri string) string {
	b.t.Helper()
	f, err := b.objects.Open(context.Background(), uri)
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	body, err := io.ReadAll(f)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(body)
}

// rows runs a query and returns its rows, values between bars.
func (b *bench) rows(statement string, args ...string) string {
	b.t.Helper()
	res := b.must(statement, args...)
	records, err := csv.NewReader(strings.NewReader(b.read(res.Output))).ReadAll()
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, r := range records[1:] {
		out = append(out, strings.Join(r, "|"))
	}
	return strings.Join(out, "\n")
}

func TestFunctionsMeanWhatTrinoMeans(t *testing.T) {
	b := newBench(t, false)
	for expr, want := range map[string]string{
		"7 / 2":                            "3",
		"-7 / 2":                           "-3",
		"7 / 2.0":                          "3.5",
		"7e0 / 2":                          "3.5",
		"5 % 3":                            "2",
		"1e10":                             "1.0E10",
		"1e-5":                             "1.0E-5",
		"0.823":                            "0.823",
		"cast(2.5 as int)":                 "3",
		"cast(2.5e0 as bigint)":            "3",
		"try_cast('1.7' as int)":           "",
		"try_cast('17' as int)":            "17",
		"try(1 / 0)":                       "",
		"concat('a', null)":                "",
		"concat('a', 'b', 'c')":            "abc",
		"greatest(1, null)":                "",
		"least(3, 1, 2)":                   "1",
		"split_part('a-b', '-', 2)":        "b",
		"split_part('a-b', '-', 3)":        "",
		"split('a,b', ',')":                "[a, b]",
		"regexp_like('abc', 'b.')":         "true",
		"regexp_extract('ab12', '[0-9]+')": "12",
		"coalesce(regexp_extract('ab', '[0-9]'), 'x')":                                        "x",
		"regexp_replace('ab12', '([a-z])', '<$1>')":                                           "<a><b>12",
		"date_format(timestamp '2025-10-21 13:05:09', '%Y-%m-%d %H:%i:%s %M %e')":             "2025-10-21 13:05:09 October 21",
		"date_parse('21/10/2025', '%d/%m/%Y')":                                                "2025-10-21 00:00:00.000",
		"date_trunc('month', date '2025-10-21')":                                              "2025-10-01",
		"date_add('day', 3, date '2025-10-30')":                                               "2025-11-02",
		"date_diff('hour', timestamp '2025-01-01 00:30:00', timestamp '2025-01-01 02:00:00')": "1",
		"date '2025-01-31' + interval '1' day":                                                "2025-02-01",
		"from_unixtime(0)":                                                                    "1970-01-01 00:00:00.000 UTC",
		"to_unixtime(timestamp '1970-01-02 00:00:00')":                                        "86400.0",
		"current_timestamp":                                                                   "2025-10-21 10:30:00.000 UTC",
		"current_date":                                                                        "2025-10-21",
		"element_at(ARRAY[1,2,3], -1)":                                                        "3",
		"element_at(map(ARRAY['a'], ARRAY[1]), 'a')":                                          "1",
		"element_at(map(ARRAY['a'], ARRAY[1]), 'b')":                                          "",
		"cardinality(ARRAY[1,2])":                                                             "2",
		"cardinality(map(ARRAY['a'], ARRAY[1]))":                                              "1",
		"transform(ARRAY[1,2], x -> x * 2)":                                                   "[2, 4]",
		"filter(ARRAY[1,2,3], x -> x > 1)":                                                    "[2, 3]",
		"reduce(ARRAY[1,2,3], 0, (s, x) -> s + x, s -> s * 10)":                               "60",
		"slice(ARRAY[1,2,3,4], 2, 2)":                                                         "[2, 3]",
		"array_join(ARRAY['a','b'], '-')":                                                     "a-b",
		"map(ARRAY['a','b'], ARRAY[1,2])":                                                     "{a=1, b=2}",
		"row(1, 'x')":                                                                         "{field0=1, field1=x}",
		"json_extract_scalar('{\"a\":{\"b\":5}}', '$.a.b')":                                   "5",
		"width_bucket(3.5, 0, 10, 5)":                                                         "2",
		"strpos('hello', 'l')":                                                                "3",
		"substr('hello', -3)":                                                                 "llo",
		"if(1 > 2, 'a', 'b')":                                                                 "b",
		"cast(timestamp '2025-01-01 00:00:00' as varchar)":                                    "2025-01-01 00:00:00.000",
		"length('añb')":                                                                       "3",
		"to_utf8('hi')":                                                                       "68 69",
		"cast(null as integer)":                                                               "",
		"mod(7, 3)":                                                                           "1",
		"timestamp '2025-01-01 00:00:00' + interval '90' minute":                              "2025-01-01 01:30:00.000",
		"year(date '2025-03-04') * 100 + month(date '2025-03-04')":                            "202503",
		"reverse('abc')":                                                                      "cba",
		"day_of_week(date '2025-10-19')":                                                      "7",
	} {
		if got := b.rows("SELECT " + expr); got != want {
			t.Errorf("%s = %q, want %q", expr, got, want)
		}
	}
}

func TestAggregatesMeanWhatTrinoMeans(t *testing.T) {
	b := newBench(t, false)
	from := " FROM (VALUES (1, 'a', 1.5e0), (2, 'b', 2.5e0), (3, 'a', null)) AS t(i, s, d)"
	for expr, want := range map[string]string{
		"sum(i), sum(d), avg(i)": "6|4.0|2.0",
		"sum(i) / count(*), avg(d) / 2, max(d) * 2 / 4, cast(max(d) as varchar)": "2|1.0|1.25|2.5",
		"sum(i) / count(i)": "2",
		"sum(DISTINCT i), sum(i) FILTER (WHERE s = 'a')": "6|4",
		"count_if(i > 1)":                           "2",
		"max_by(s, i), min_by(s, i)":                "a|a",
		"approx_percentile(d, 0.5)":                 "2.0",
		"approx_percentile(d, ARRAY[0.0, 1.0])":     "[1.5, 2.5]",
		"approx_percentile(d, ARRAY[0e0, 1e0])":     "[1.5, 2.5]",
		"approx_percentile(d, 5e-1)":                "2.0",
		"approx_distinct(s)":                        "2",
		"array_agg(i ORDER BY i DESC)":              "[3, 2, 1]",
		"corr(i, i), stddev(i)":                     "1.0|1.0",
		"map_agg(i, s)":                             "{1=a, 2=b, 3=a}",
		"listagg(s, '-') WITHIN GROUP (ORDER BY i)": "a-b-a",
		"sum(CASE WHEN s = 'a' THEN 1 ELSE 0 END)":  "2",
	} {
		if got := b.rows("SELECT " + expr + from); got != want {
			t.Errorf("%s = %q, want %q", expr, got, want)
		}
	}
	if got := b.rows("SELECT i, sum(i) OVER (ORDER BY i), lag(i) OVER (ORDER BY i), rank() OVER w" + from + " WINDOW w AS (ORDER BY i DESC) ORDER BY i"); got != "1|1||3\n2|3|1|2\n3|6|2|1" {
		t.Error(got)
	}
	if got := b.rows("SELECT d, i" + from + " ORDER BY d DESC"); got != "2.5|2\n1.5|1\n|3" {
		t.Errorf("nulls are not last: %q", got)
	}
}

func TestErrorsAreAthenasOwn(t *testing.T) {
	b := newBench(t, false)
	b.must("CREATE EXTERNAL TABLE t (a int, b string, d date) LOCATION 's3://data/t/'")
	for q, want := range map[string]string{
		"SELECT a,\n  nosuch FROM t":                                      "COLUMN_NOT_FOUND: line 2:3: Column 'nosuch' cannot be resolved or requester is not authorized to access requested resources",
		"SELECT x.nosuch FROM t x":                                        "COLUMN_NOT_FOUND: line 1:8: Column 'nosuch' cannot be resolved",
		"SELECT * FROM nosuch":                                            "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.default.nosuch' does not exist",
		"SELECT * FROM nodb.t":                                            "SCHEMA_NOT_FOUND: line 1:15: Schema 'nodb' does not exist",
		"SELECT nosuch(1)":                                                "FUNCTION_NOT_FOUND: line 1:8: Function 'nosuch' not registered",
		"SELECT read_text('/etc/passwd')":                                 "FUNCTION_NOT_FOUND: line 1:8: Function 'read_text' not registered",
		"SELECT getenv('HOME')":                                           "FUNCTION_NOT_FOUND",
		"SELECT * FROM read_csv('/etc/passwd')":                           "line 1:23: mismatched input '('",
		"SELECT * FROM \"/etc/passwd\"":                                   "TABLE_NOT_FOUND",
		"SELECT a, count(*) FROM t":                                       "EXPRESSION_NOT_AGGREGATE: line 1:8: 'a' must be an aggregate expression or appear in GROUP BY clause",
		"SELECT 1 / 0":                                                    "DIVISION_BY_ZERO",
		"SELECT cast('x' as int)":                                         "INVALID_CAST_ARGUMENT: Cannot cast 'x' to INT",
		"SELECT cast('1.7' as int)":                                       "INVALID_CAST_ARGUMENT: Cannot cast '1.7' to INT",
		"SELECT abs('x')":                                                 "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (varchar) for function abs",
		"SELECT b + 1 FROM t":                                             "TYPE_MISMATCH",
		"SELECT * FROM t WHERE d > '2020-01-01'":                          "TYPE_MISMATCH",
		"SELECT a FROM t x JOIN t y ON true":                              "AMBIGUOUS_NAME: line 1:8",
		"SELECT (SELECT * FROM (VALUES 1, 2))":                            "SUBQUERY_MULTIPLE_ROWS",
		"SELECT rank()":                                                   "SYNTAX_ERROR: line 1:8",
		"DROP TABLE nosuch":                                               "FAILED: SemanticException [Error 10001]: Table not found default.nosuch",
		"CREATE EXTERNAL TABLE t (a int) LOCATION 's3://data/t/'":         "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. AlreadyExistsException(message:Table t already exists.)",
		"CREATE TABLE t AS SELECT 1 AS a":                                 "TABLE_ALREADY_EXISTS: line 1:14",
		"CREATE TABLE u AS SELECT 1":                                      "MISSING_COLUMN_NAME: line 1:26",
		"CREATE TABLE u WITH (bucketed_by = ARRAY['a']) AS SELECT 1 AS a": "NOT_SUPPORTED: line 1:22: table property bucketed_by is not supported",
		"CREATE TABLE u WITH (format = 'ORC') AS SELECT 1 AS a":           "NOT_SUPPORTED: format ORC",
		"SELECT ?": "INVALID_PARAMETER_USAGE",
	} {
		_, err := b.run(q)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", q, err, want)
		}
		var e *sql.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %T is no *sql.Error", q, err)
		}
	}
}

func TestResultFileIsAthenas(t *testing.T) {
	b := newBench(t, false)
	res := b.must(`SELECT 1 AS a, 'x"y' AS "B c", NULL AS n, '' AS e, *, 2 FROM (VALUES (true, 1.50)) AS t(f, d)`)
	want := "\"a\",\"B c\",\"n\",\"e\",\"f\",\"d\",\"_col6\"\n\"1\",\"x\"\"y\",,\"\",\"true\",\"1.50\",\"2\"\n"
	if got := b.read(res.Output); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	types := ""
	for _, c := range res.Columns {
		types += c.Type + " "
	}
	if types != "integer varchar unknown varchar boolean decimal integer " {
		t.Error(types)
	}
	if meta := b.read(res.Output + ".metadata"); !bytes.Contains([]byte(meta), []byte("B c")) {
		t.Error("the .metadata does not name the columns")
	}
	if res.Output != "s3://results/out/q2.csv" {
		t.Error(res.Output)
	}
}

func TestTextTables(t *testing.T) {
	b := newBench(t, false)
	b.put("s3://data/c/1.csv", "id,score,name,ok\n1,2.5,\"a b\",true\n2,x,\\N,FALSE,extra\n3.7\n")
	b.put("s3://data/c/_hidden", "9,9,9,true\n")
	b.must(`CREATE EXTERNAL TABLE c (id int, score double, name string, ok boolean) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://data/c/' TBLPROPERTIES ('skip.header.line.count'='1')`)
	if got := b.rows("SELECT * FROM c"); got != "1|2.5|\"a b\"|true\n2|||false\n|||" {
		t.Errorf("%q", got)
	}
	b.put("s3://data/q/1.csv", "\"1\",\"a,b\"\n")
	b.must(`CREATE EXTERNAL TABLE q (id int, s string) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' LOCATION 's3://data/q'`)
	if got := b.rows("SELECT * FROM q"); got != "1|a,b" {
		t.Errorf("%q", got)
	}
	b.must(`CREATE EXTERNAL TABLE empty (a int, b array<string>) STORED AS PARQUET LOCATION 's3://data/none/'`)
	if got := b.rows("SELECT * FROM empty"); got != "" {
		t.Errorf("%q", got)
	}
}
