package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"engage/internal/localaws/athena/sql"
)

// Behind the parser, which has no table functions, DuckDB itself refuses every file but the query's own.
func TestLockedInstanceReadsNoOtherFile(t *testing.T) {
	in, err := open(Config{MemoryMB: 100}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	ctx := context.Background()
	for _, q := range []string{"SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_text('/etc/hostname')", "COPY (SELECT 1) TO '/tmp/engage-x'",
		"ATTACH '/tmp/engage-x.db'", "INSTALL httpfs", "LOAD httpfs", "SET enable_external_access = true", "SET memory_limit = '9GB'", "SELECT * FROM glob('/*')"} {
		rows, err := in.query(ctx, q)
		if err == nil {
			rows.Close()
			t.Errorf("%s was allowed", q)
		}
	}
}

func TestChainsOfDivisionsStaySmall(t *testing.T) {
	st, err := sql.Parse("SELECT a" + strings.Repeat(" / a", 150) + " FROM (VALUES 1) AS t(a)")
	if err != nil {
		t.Fatal(err)
	}
	tr := &translator{now: time.Unix(0, 0)}
	out, err := tr.translate(st.(*sql.QueryStatement).Query)
	if err != nil || len(out.text) > 20000 {
		t.Errorf("%d bytes, %v", len(out.text), err)
	}
}

func TestDeepDivisorsAreRefused(t *testing.T) {
	for _, q := range []string{strings.Repeat("1 / (a + ", 20) + "a" + strings.Repeat(")", 20), strings.Repeat("greatest(a, ", 20) + "a" + strings.Repeat(")", 20)} {
		st, err := sql.Parse("SELECT " + q)
		if err != nil {
			t.Fatal(err)
		}
		var e *sql.Error
		if _, err := (&translator{}).translate(st.(*sql.QueryStatement).Query); !errors.As(err, &e) || e.Type != sql.NotSupported {
			t.Errorf("%s: %v", q, err)
		}
	}
}

func FuzzTranslate(f *testing.F) {
	f.Add("SELECT date_add('day', 1, d), sum(x) OVER (PARTITION BY y), regexp_replace(a, 'b', '$1') FROM t CROSS JOIN UNNEST(m) AS u(k, v)")
	f.Add("SELECT concat_ws('a', b), INTERVAL '1-2' YEAR TO MONTH, 1 / x / y, map_agg(a, b) FILTER (WHERE c)")
	f.Add("VALUES (1, ARRAY[?]), (2, NULL)")
	f.Fuzz(func(t *testing.T, src string) {
		st, err := sql.Parse(src)
		q, ok := st.(*sql.QueryStatement)
		if err != nil || !ok {
			return
		}
		tr := &translator{now: time.Unix(0, 0), table: func(*sql.Table) (string, error) { return "t", nil }, isMap: func(string) bool { return false }}
		_, err = tr.translate(q.Query)
		var e *sql.Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("%T: %v", err, err)
		}
	})
}
