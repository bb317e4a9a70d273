package engine_test

import (
	"strings"
	"testing"
)

const everyType = `CREATE TABLE t AS SELECT 1 AS i, 'a' AS s, DATE '2025-01-01' AS d, TIMESTAMP '2025-01-02 03:04:05' AS ts,
	CAST(1.5 AS decimal(10,2)) AS dc, 2.5e0 AS f, true AS b, ARRAY[1, 2] AS arr`

// What DuckDB would convert in silence, Trino refuses, with the place of the operator or argument.
func TestTypesThatDoNotMatch(t *testing.T) {
	b := newBench(t, false)
	b.must(everyType)
	for q, want := range map[string]string{
		"SELECT i = s FROM t":                                      "TYPE_MISMATCH: line 1:10: Cannot apply operator: integer = varchar",
		"SELECT * FROM t\nWHERE i = '1'":                           "TYPE_MISMATCH: line 2:9: Cannot apply operator: integer = varchar(1)",
		"SELECT * FROM t AS x WHERE x.s <> 1":                      "TYPE_MISMATCH: line 1:32: Cannot apply operator: varchar <> integer",
		"SELECT * FROM t WHERE d = '2025-01-01'":                   "TYPE_MISMATCH: line 1:25: Cannot apply operator: date = varchar(10)",
		"SELECT * FROM t WHERE ts > '2025-01-01'":                  "TYPE_MISMATCH: line 1:26: Cannot apply operator: timestamp(3) > varchar(10)",
		"SELECT * FROM t WHERE b = 1":                              "TYPE_MISMATCH: line 1:25: Cannot apply operator: boolean = integer",
		"SELECT * FROM t WHERE count(*) > 'a'":                     "TYPE_MISMATCH: line 1:32: Cannot apply operator: bigint > varchar(1)",
		"SELECT i IN (1, 'a') FROM t":                              "TYPE_MISMATCH: line 1:17: IN value and list items must be the same type",
		"SELECT i BETWEEN 'a' AND 'b' FROM t":                      "TYPE_MISMATCH: line 1:10: Cannot check if integer is BETWEEN varchar(1) and varchar(1)",
		"SELECT s || i FROM t":                                     "FUNCTION_NOT_FOUND: line 1:10: Unexpected parameters (varchar, integer) for function concat",
		"SELECT concat('a', i) FROM t":                             "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (varchar(1), integer) for function concat",
		"SELECT IF(i = 1, 'x', 2) FROM t":                          "TYPE_MISMATCH: line 1:23: ",
		"SELECT COALESCE(i, 'x') FROM t":                           "TYPE_MISMATCH: line 1:20: All COALESCE operands must be the same type",
		"SELECT CASE WHEN b THEN 'a' ELSE 2 END FROM t":            "TYPE_MISMATCH: line 1:34: All CASE results must be the same type",
		"SELECT CASE i WHEN 'a' THEN 1 END FROM t":                 "TYPE_MISMATCH: line 1:20: Cannot apply operator: integer = varchar(1)",
		"SELECT i AS a FROM t WHERE a = 1":                         "COLUMN_NOT_FOUND: line 1:28: Column 'a' cannot be resolved or requester is not authorized to access requested resources",
		"SELECT i AS a FROM t GROUP BY a":                          "COLUMN_NOT_FOUND: line 1:31: Column 'a' cannot be resolved",
		"SELECT ts AT TIME ZONE 'Europe/Berlin' FROM t":            "NOT_SUPPORTED: line 1:11: AT TIME ZONE",
		"SELECT cast(1 AS decimal(3,1)) / cast(0 AS decimal(3,1))": "DIVISION_BY_ZERO",
	} {
		if _, err := b.run(q); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", q, err, want)
		}
	}
}

func TestTypesThatMatch(t *testing.T) {
	b := newBench(t, false)
	b.must(everyType)
	for q, want := range map[string]string{
		"SELECT i FROM t WHERE i = 1.0 AND f > i AND dc < 2 AND d < ts":                                          "1",
		"SELECT x.v FROM (SELECT s AS v FROM t) AS x WHERE v = 'a'":                                              "a",
		"WITH w AS (SELECT i AS a FROM t) SELECT a FROM w WHERE a = 1":                                           "1",
		"SELECT i FROM t WHERE EXISTS (SELECT 1 FROM (VALUES 1) AS v(i2) WHERE i2 = i)":                          "1",
		"SELECT filter(arr, i -> i > 1) FROM t":                                                                  "[2]",
		"SELECT i AS a FROM t ORDER BY a":                                                                        "1",
		"SELECT i + 1 AS a FROM t GROUP BY 1":                                                                    "2",
		"SELECT a FROM t CROSS JOIN UNNEST(arr) AS u(a) WHERE a = 2":                                             "2",
		"SELECT NULL = i, i IN (1, NULL) FROM t":                                                                 "|true",
		"SELECT date_format(TIMESTAMP '2025-07-01 12:00:00 UTC' AT TIME ZONE 'America/New_York', '%H:%i')":       "08:00",
		"SELECT CAST(TIMESTAMP '2025-01-01 01:00:00 UTC' AT TIME ZONE 'America/New_York' AS date)":               "2024-12-31",
		"SELECT EXTRACT(hour FROM ts AT TIME ZONE 'Asia/Tokyo') FROM t":                                          "12",
		"SELECT k, v, n FROM UNNEST(MAP(ARRAY['a', 'b'], ARRAY[1, 2])) WITH ORDINALITY AS u(k, v, n) ORDER BY n": "a|1|1\nb|2|2",
		"SELECT a, c, n FROM UNNEST(ARRAY[1, 2], ARRAY['x']) WITH ORDINALITY AS u(a, c, n) ORDER BY n":           "1|x|1\n2||2",
		"SELECT CAST(ROW(1, 'b') AS ROW(a bigint, b varchar))":                                                   "{a=1, b=b}",
		"SELECT sequence(DATE '2025-01-31', DATE '2025-02-01')":                                                  "[2025-01-31, 2025-02-01]",
		"SELECT json_extract_scalar('{\"a\":[1]}', '$.a'), json_size('{\"a\":[1,2]}', '$.a')":                    "|2",
		"SELECT typeof(i), typeof('ab'), typeof(dc / 3), typeof(NULL) FROM t":                                    "integer|varchar(2)|decimal(10,2)|unknown",
		"SELECT to_iso8601(d), to_iso8601(ts) FROM t":                                                            "2025-01-01|2025-01-02T03:04:05.000",
		"SELECT array_join(ARRAY[1, NULL], ',', '?'), url_extract_host('https://u@a.b:1/c?d')":                   "1,?|a.b",
	} {
		if got := b.rows(q); got != want {
			t.Errorf("%s:\n got %s\nwant %s", q, got, want)
		}
	}
}

// Digits and rounding are those of https://trino.io/docs/current/functions/decimal.html.
func TestDecimalArithmetic(t *testing.T) {
	b := newBench(t, false)
	for expr, want := range map[string]string{
		"1.0 / 3":      "0.3",
		"7 / 2.0":      "3.5",
		"0.3 / 2":      "0.2", // half up, and exactly
		"-0.3 / 2":     "-0.2",
		"1.00 / 0.3":   "3.33",
		"2 / 0.125":    "16.000",
		"1.25 * 0.5":   "0.625",
		"10.0 / 4 / 2": "1.3", // 2.5, then 1.25
		"CAST(12345678901234567890.12 AS decimal(22,2)) / 1.0": "12345678901234567890.12",
		"CAST(5 AS decimal(10,2)) * CAST(2 AS decimal(10,2))":  "10.0000",
	} {
		if got := b.rows("SELECT " + expr); got != want {
			t.Errorf("%s: got %s, want %s", expr, got, want)
		}
	}
	if c := b.must("SELECT CAST(5 AS decimal(10,2)) * CAST(2 AS decimal(10,2))").Columns[0]; c.Precision != 20 || c.Scale != 4 {
		t.Errorf("a product is decimal(%d,%d)", c.Precision, c.Scale)
	}
}
