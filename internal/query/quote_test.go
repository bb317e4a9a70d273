package query

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"engage/internal/localaws/athena/sql"
	"engage/internal/resource"
	"engage/internal/schema"
)

// Whatever a text holds, a parser of Trino's SQL reads it back as one literal
// or one identifier.
func FuzzQuotes(f *testing.F) {
	for _, s := range []string{"", "a", "it's", `"`, "'; DROP TABLE x; --", "a\nb", `\'`, "日本", "' || '"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Skip()
		}
		x, err := sql.ParseExpr(Text(s).String())
		if got, ok := x.(*sql.String); err != nil || !ok || got.Value != s {
			t.Errorf("text %q became %#v, %v", s, x, err)
		}
		if s == "" {
			return // no identifier
		}
		x, err = sql.ParseExpr(Ident(s).String())
		if got, ok := x.(*sql.Ident); err != nil || !ok || len(got.Parts) != 1 || got.Parts[0].Text != s {
			t.Errorf("identifier %q became %#v, %v", s, x, err)
		}
	})
}

func TestLiterals(t *testing.T) {
	for want, got := range map[string]string{
		`"engagement_raw"."customers"`:           TableOf(resource.CustomersTable).String(),
		`"engagement_analytics"."final_results"`: TableOf(resource.ResultsTable).String(),
		"3e-01":                                  Double(0.3).String(),
		"-1e+00":                                 Double(-1).String(),
		"-7":                                     Int(-7).String(),
		"TIMESTAMP '2026-11-23 11:30:00.250'":    Instant(time.Date(2026, 11, 23, 12, 30, 0, 250_900_000, time.FixedZone("", 3600))).String(),
		"'a', 'b''c'":                            Texts{"a", "b'c"}.String(),
		"\"customer_id\",\n  \"age\"":            Columns{schema.CustomerID, schema.Age}.String(),
		`"x" = 'y'`:                              frag("%s = %s", Ident("x"), Text("y")).String(),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if _, err := sql.ParseExpr(Double(math.MaxFloat64).String()); err != nil {
		t.Error(err)
	}
}

// A template takes nothing that does not quote itself.
func TestRenderRefusesPlainText(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a plain string was rendered")
		}
	}()
	render("model_performance", struct{ View, Table string }{"v", "t"})
}

func TestRow(t *testing.T) {
	r := Row{"n": "12", "x": "1.5E-4", "list": "[1.0, 2.5, 1.0E10]", "bad": "x", "empty": "[]"}
	if n, err := r.Int("n"); n != 12 || err != nil {
		t.Error(n, err)
	}
	if x, ok, err := r.Float("x"); x != 1.5e-4 || !ok || err != nil {
		t.Error(x, ok, err)
	}
	if _, ok, err := r.Float("null"); ok || err != nil {
		t.Error("NULL is no number, and no error")
	}
	if list, err := r.Floats("list"); err != nil || len(list) != 3 || list[2] != 1e10 {
		t.Error(list, err)
	}
	for _, name := range []string{"empty", "null"} {
		if list, err := r.Floats(name); list != nil || err != nil {
			t.Error(name, list, err)
		}
	}
	_, a := r.Int("bad")
	_, b := r.Int("null")
	_, _, c := r.Float("bad")
	_, d := r.Floats("bad")
	for i, err := range []error{a, b, c, d} {
		if err == nil {
			t.Errorf("case %d is no error", i)
		}
	}
}
