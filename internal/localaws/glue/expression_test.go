package glue

import (
	"testing"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/wire"
)

var testKeys = []catalog.Column{{Name: "year", Type: "int"}, {Name: "dt", Type: "date"}, {Name: "kind", Type: "string"}}

func TestExpressions(t *testing.T) {
	row := []string{"2025", "2025-03-04", "a_b"}
	for text, want := range map[string]bool{
		"":                              true,
		"year = 2025":                   true,
		"year = '2025'":                 true,
		"year > 900":                    true, // as numbers, not as text
		"YEAR <> 2025":                  false,
		"year != 2024 AND kind = 'a_b'": true,
		"year < 2025 OR kind LIKE 'a%'": true,
		"kind LIKE 'a__'":               true,
		"kind LIKE 'A%'":                false,
		"kind NOT LIKE '%b'":            false,
		"NOT (year = 2025)":             false,
		"year IN (1, 2025)":             true,
		"year NOT IN (1, 2)":            true,
		"kind IN ('x', 'y')":            false,
		"dt BETWEEN '2025-03-01' AND '2025-04-01'": true,
		"dt >= DATE '2025-03-05'":                  false,
		"year NOT BETWEEN 1 AND 2":                 true,
		"kind IS NULL":                             false,
		"kind IS NOT NULL":                         true,
		"2025 = year":                              true,
		"year > -1":                                true,
		"kind = NULL":                              false,
		"NOT (kind = NULL)":                        false, // neither
	} {
		f, err := parseExpression(testKeys, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := f(row); err != nil || got != want {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	f, err := parseExpression(testKeys, "kind IS NULL")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := f([]string{"1", "2025-01-01", nullPartition}); !got {
		t.Error("Hive's default partition is not null")
	}
}

func TestExpressionsThatAreRefused(t *testing.T) {
	for _, text := range []string{"nothing = 1", "year =", "year + 1 = 2", "count(*) > 1", "year = (SELECT 1)", "year", "year = 1; DROP TABLE t", "kind LIKE kind", "year = 1) OR (1 = 1"} {
		if _, err := parseExpression(testKeys, text); !wire.IsCode(err, "InvalidInputException") {
			t.Errorf("%s: %v", text, err)
		}
	}
	f, err := parseExpression(testKeys, "year = 'abc'")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f([]string{"2025", "", ""}); !wire.IsCode(err, "InvalidInputException") {
		t.Errorf("a number compared with a text that is none: %v", err)
	}
}

func FuzzExpression(f *testing.F) {
	f.Add("year = 2025 AND (dt BETWEEN '2025-01-01' AND '2026-01-01' OR kind LIKE '%x_')")
	f.Add("NOT kind IN ('a', NULL) AND year IS NOT NULL")
	f.Fuzz(func(t *testing.T, text string) {
		fits, err := parseExpression(testKeys, text)
		if err == nil {
			_, err = fits([]string{"2025", "2025-01-01", "a"})
		}
		if err != nil && !wire.IsCode(err, "InvalidInputException") {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
