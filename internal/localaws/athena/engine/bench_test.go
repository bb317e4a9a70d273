package engine_test

import (
	"context"
	"database/sql"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
)

const benchRows = "CREATE TABLE t WITH (parquet_compression = 'SNAPPY', external_location = 's3://d/t/') AS SELECT x AS id, x % 50 AS g, sqrt(x) AS v, cast(x AS varchar) AS s FROM UNNEST(sequence(1, 100000)) AS u(x)"

// BenchmarkQuery is a query over 100,000 rows through the engine: parse, catalog, an instance of its own, result files.
func BenchmarkQuery(b *testing.B) {
	e := newBench(b, false)
	e.must(benchRows)
	for b.Loop() {
		e.must("SELECT g, count(*), avg(v), max(s) FROM t WHERE id > 100 GROUP BY g ORDER BY g")
	}
}

// BenchmarkDuckDB is the same query on the same file by DuckDB alone, open already.
func BenchmarkDuckDB(b *testing.B) {
	e := newBench(b, false)
	e.must(benchRows)
	files, err := e.objects.List(context.Background(), "s3://d/t/")
	if err != nil || len(files) != 1 {
		b.Fatal(files, err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for b.Loop() {
		rows, err := db.Query("SELECT g, count(*), avg(v), max(s) FROM read_parquet('" + files[0].Path + "') WHERE id > 100 GROUP BY g ORDER BY g")
		if err != nil {
			b.Fatal(err)
		}
		for rows.Next() {
		}
		rows.Close()
	}
}
