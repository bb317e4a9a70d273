package dataset_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"engage/internal/csvfile"
	"engage/internal/dataset"
	"engage/internal/parquetfile"
	"engage/internal/schema"
)

func validate(t testing.TB, path string) dataset.Report {
	t.Helper()
	r, err := dataset.Validate(t.Context(), path, dataset.ValidateOptions{Truth: truth})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// counts is the number of violations by rule.
func counts(r dataset.Report) map[dataset.Rule]int64 {
	out := map[dataset.Rule]int64{}
	for _, c := range r.Rules {
		out[c.Rule] = c.Count
	}
	return out
}

func TestAWholeDataSetIsValid(t *testing.T) {
	dir := newWorld(60).store(t)
	r := validate(t, dir)
	if !r.OK() || len(r.Files) != 7 || r.Rows != 2*(60+60+117)+60 {
		t.Errorf("got %+v", r)
	}
	for _, name := range []string{dataset.CustomersCSV, dataset.PersonalParquet, dataset.ConnectionsCSV, dataset.TruthParquet} {
		if r := validate(t, filepath.Join(dir, name)); !r.OK() || len(r.Files) != 1 || r.Rows == 0 {
			t.Errorf("%s alone: %+v", name, r)
		}
	}
}

// TestEachRuleFindsItsFault breaks one thing at a time, in both formats, and
// expects exactly the violations of that rule, each twice.
func TestEachRuleFindsItsFault(t *testing.T) {
	const n = 40
	cases := map[dataset.Rule]func(w world){
		dataset.RuleRequired: func(w world) { w.customers.Column(schema.TrustScore).SetNull(3, n) },
		dataset.RuleFinite:   func(w world) { w.customers.Column(schema.TrustScore).Floats[3] = math.NaN() },
		dataset.RuleRange:    func(w world) { w.customers.Column(schema.Age).Ints[3] = 12 },
		dataset.RuleEncoding: func(w world) { w.personal.Column(schema.FullName).Strings[3] = "Ad\xe4" },
		dataset.RuleEnum:     func(w world) { w.customers.Column(schema.DeviceType).Strings[3] = "toaster" },
		dataset.RulePattern:  func(w world) { w.personal.Column(schema.Email).Strings[3] = "nobody" },
		dataset.RuleUnique:   func(w world) { w.personal.Column(schema.CustomerID).Strings[3] = id(3) },
		dataset.RuleReference: func(w world) {
			w.personal.Column(schema.CustomerID).Strings[3] = id(n + 7)
		},
		dataset.RuleDegree: func(w world) { w.customers.Column(schema.TotalConnections).Ints[3]++ },
		dataset.RuleFreePlan: func(w world) {
			w.customers.Column(schema.AccountType).Strings[3], w.customers.Column(schema.PremiumFeatureUsageRate).Floats[3] = "free", 0.5
		},
		dataset.RulePosts:   func(w world) { w.customers.Column(schema.ContentPostsPerWeek).Ints[4] = 2 },
		dataset.RuleDating:  func(w world) { w.customers.Column(schema.SwipeLikeRatio).SetNull(3, n) },
		dataset.RuleRating:  func(w world) { w.customers.Column(schema.AvgJobCompletionRating).SetNull(3, n) },
		dataset.RuleRevenue: func(w world) { w.customers.Column(schema.TransactionRevenueMonth).Floats[5] = 1 },
		dataset.RuleFirstDeal: func(w world) {
			w.customers.Column(schema.Age).Ints[3], w.customers.Column(schema.TimeSinceFirstTransactionDays).Ints[3] = 18, schema.DaysPerYear+1
		},
		dataset.RuleWindow: func(w world) { w.customers.Column(schema.NumEventsJoinedMonth).Ints[8] = 1 },
		dataset.RuleTrend:  func(w world) { w.customers.Column(schema.Last7DayEngagementTrend).Floats[8] = -0.5 },
		dataset.RulePremiumUse: func(w world) {
			w.customers.Column(schema.AccountType).Strings[3] = "premium"
			w.customers.Column(schema.PremiumFeatureUsageRate).Floats[3], w.customers.Column(schema.PremiumFeaturesUsedCount).Ints[3] = 0.5, 0
		},
		dataset.RuleResponse:  func(w world) { w.customers.Column(schema.ResponseTimeAvgHours).SetNull(3, n) },
		dataset.RuleSentiment: func(w world) { w.customers.Column(schema.AvgSentimentScore).SetNull(3, n) },
		dataset.RuleTies: func(w world) {
			w.customers.Column(schema.NumNewConnectionsMonth).Ints[3] = w.customers.Column(schema.TotalConnections).Ints[3] + 1
		},
		dataset.RuleDay: func(w world) {
			w.customers.Column(schema.AvgDailyLogins).Floats[3], w.customers.Column(schema.AvgSessionDurationMin).Floats[3] = 31, 31.01
		},
		dataset.RuleTier: func(w world) { swapText(w.customers.Column(schema.SocialInfluenceTier).Strings, 3, "micro", "mega") },
		dataset.RuleTimeOfDay: func(w world) {
			swapText(w.customers.Column(schema.TimeOfDayActive).Strings, 3, "night", "morning")
		},
		dataset.RuleEdgeOrder: func(w world) {
			c := w.connections.Columns
			c[0].Strings[5], c[1].Strings[5] = c[1].Strings[5], c[0].Strings[5]
		},
		dataset.RuleEdgeUnique: func(w world) {
			// The edge after the last customer's is written over by one that exists;
			// the two customers who lose it have one connection less.
			c, last := w.connections.Columns, w.connections.Rows-1
			c[0].Strings[last], c[1].Strings[last] = c[0].Strings[0], c[1].Strings[0]
			degrees := w.customers.Column(schema.TotalConnections).Ints
			degrees[n-1]--
			degrees[n-2]--
			fresh := w.customers.Column(schema.NumNewConnectionsMonth).Ints
			fresh[n-1], fresh[n-2] = 0, 0
		},
	}
	for rule, spoil := range cases {
		w := newWorld(n)
		spoil(w)
		if got, want := counts(validate(t, w.store(t))), (map[dataset.Rule]int64{rule: 2}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v", rule, got)
		}
	}
}

func swapText(values []string, i int, a, b string) {
	if values[i] == a {
		values[i] = b
	} else {
		values[i] = a
	}
}

func TestSamplesAreLimitedAndCountsAreNot(t *testing.T) {
	w := newWorld(300)
	for i := range 300 {
		w.customers.Column(schema.Age).Ints[i] = 200
	}
	path := filepath.Join(w.store(t), dataset.CustomersCSV)
	r := validate(t, path)
	if len(r.Rules) != 1 || r.Rules[0].Count != 300 || len(r.Rules[0].Samples) != dataset.DefaultMaxSamples {
		t.Fatalf("got %d violations in %d rules", r.Violations, len(r.Rules))
	}
	for i, v := range r.Rules[0].Samples {
		if v.Row != int64(i+1) || v.Column != schema.Age || v.Value != "200" || v.File != dataset.CustomersCSV {
			t.Fatalf("sample %d is %+v", i, v)
		}
	}
	first, _ := json.Marshal(r)
	second, _ := json.Marshal(validate(t, path))
	if string(first) != string(second) {
		t.Error("two reports of the same data differ")
	}
}

// sample is the first violation of a rule.
func sample(t *testing.T, r dataset.Report, rule dataset.Rule) dataset.Violation {
	t.Helper()
	for _, c := range r.Rules {
		if c.Rule == rule {
			return c.Samples[0]
		}
	}
	t.Fatalf("no violation of %s in %+v", rule, r.Rules)
	return dataset.Violation{}
}

func TestPersonalValuesAreMasked(t *testing.T) {
	w := newWorld(10)
	w.personal.Column(schema.Phone).Strings[2] = "secret-number"
	w.personal.Column(schema.Email).Strings[3] = "secret-address"
	r := validate(t, w.store(t))
	if r.Violations != 4 {
		t.Fatalf("got %+v", r)
	}
	if out, _ := json.Marshal(r); strings.Contains(string(out), "secret") {
		t.Errorf("the report tells a personal value: %s", out)
	}
}

// edit changes the text of a file.
func edit(t *testing.T, path string, change func(string) string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(change(string(text))), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCSVProblemsAreViolationsOnce(t *testing.T) {
	path := filepath.Join(newWorld(10).store(t), dataset.CustomersCSV)
	edit(t, path, func(s string) string {
		lines := strings.Split(s, "\n")
		fields := strings.Split(lines[3], ",")
		fields[1], fields[5] = "old", "many"
		lines[3] = strings.Join(fields, ",")
		lines[5] += ",one more"
		lines[7] = `"` + lines[7]
		return strings.Join(lines, "\n")
	})
	r := validate(t, path)
	got := counts(r)
	if got[dataset.RuleType] != 2 || got[dataset.RuleRecord] != 2 || len(got) != 2 {
		t.Errorf("got %+v", r.Rules)
	}
	if v := sample(t, r, dataset.RuleType); v.Row != 3 || v.Line != 4 {
		t.Errorf("got %+v", v)
	}
	for _, c := range r.Rules {
		if last := c.Samples[len(c.Samples)-1]; c.Rule == dataset.RuleRecord && (last.Row != 7 || last.Line != 8 || !strings.Contains(last.Message, "was not read")) {
			t.Errorf("an open quote: %+v", last)
		}
	}
}

func TestBlankLinesAreViolationsAndLinesCountThem(t *testing.T) {
	path := filepath.Join(newWorld(10).store(t), dataset.CustomersCSV)
	edit(t, path, func(s string) string {
		lines := strings.Split(s, "\n")
		lines[4] = "\n" + strings.Replace(lines[4], id(4), id(3), 1)
		return strings.Join(lines, "\n")
	})
	r := validate(t, path)
	if v := sample(t, r, dataset.RuleRecord); v.Row != 4 || v.Line != 5 {
		t.Errorf("got %+v", v)
	}
	if v := sample(t, r, dataset.RuleUnique); r.Violations != 2 || v.Row != 4 || v.Line != 6 {
		t.Errorf("got %+v", r.Rules)
	}
}

func TestWrongColumnsAreAViolation(t *testing.T) {
	dir := newWorld(10).store(t)
	edit(t, filepath.Join(dir, dataset.CustomersCSV), func(s string) string { return strings.Replace(s, "age", "eon", 1) })
	got := counts(validate(t, dir))
	if want := (map[dataset.Rule]int64{dataset.RuleFile: 1, dataset.RuleColumns: 1}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestAFileThatLostRowsIsFound(t *testing.T) {
	dir := newWorld(10).store(t)
	edit(t, filepath.Join(dir, dataset.PersonalCSV), func(s string) string { return s[:strings.LastIndex(s[:len(s)-1], "\n")+1] })
	got := counts(validate(t, dir))
	if want := (map[dataset.Rule]int64{dataset.RuleFile: 1, dataset.RuleRowCount: 1, dataset.RuleFormats: 1}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	dir := newWorld(10).store(t)
	foreign := filepath.Join(t.TempDir(), "foreign.csv")
	os.WriteFile(foreign, []byte("a,b\n1,2\n"), 0o644)
	cut := filepath.Join(t.TempDir(), "cut.parquet")
	whole, _ := os.ReadFile(filepath.Join(dir, dataset.CustomersParquet))
	os.WriteFile(cut, whole[:len(whole)/2], 0o644)
	empty := filepath.Join(t.TempDir(), "empty.csv")
	os.WriteFile(empty, nil, 0o644)
	broken := newWorld(10).store(t)
	os.WriteFile(filepath.Join(broken, dataset.ManifestFile), []byte("{"), 0o644)
	gone := newWorld(10).store(t)
	os.Remove(filepath.Join(gone, dataset.ConnectionsCSV))
	cases := map[string]any{
		foreign: new(*dataset.ForeignError), cut: new(*parquetfile.FormatError), empty: new(*csvfile.FormatError),
		t.TempDir(): new(*dataset.NotDatasetError), broken: new(*dataset.ManifestError), gone: new(*dataset.FileError),
	}
	for path, target := range cases {
		_, err := dataset.Validate(t.Context(), path, dataset.ValidateOptions{})
		if err == nil || !errors.As(err, target) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%T: got %v", target, err)
		}
	}
	_, err := dataset.Validate(t.Context(), filepath.Join(dir, "none"), dataset.ValidateOptions{})
	if !errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), "stat ") || !strings.Contains(err.Error(), "name another path") {
		t.Errorf("a missing path: %v", err)
	}
	if _, err := dataset.Validate(t.Context(), foreign, dataset.ValidateOptions{}); !strings.Contains(err.Error(), `its columns are "a", "b"`) {
		t.Errorf("a foreign file: %v", err)
	}
}

func TestValidationStopsWithItsContext(t *testing.T) {
	dir := newWorld(20).store(t)
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := dataset.Validate(ctx, dir, dataset.ValidateOptions{Progress: func(string, int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := dataset.Describe(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("describe: got %v", err)
	}
	if now := runtime.NumGoroutine(); now > before {
		t.Errorf("%d goroutines, %d before", now, before)
	}
}

func BenchmarkValidate(b *testing.B) {
	const n = 100_000
	dir := newWorld(n).store(b)
	for b.Loop() {
		if r := validate(b, dir); !r.OK() {
			b.Fatal(r.Rules)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "customers/s")
}
