package generate_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"engage/datagen"
	"engage/internal/dataset"
	"engage/internal/generate"
)

// write makes a data set in a directory of its own.
func write(t *testing.T, o generate.Options) (string, dataset.Manifest) {
	t.Helper()
	o.Dir = filepath.Join(t.TempDir(), "data")
	m, err := generate.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return o.Dir, m
}

// The bytes of every file depend on the seed, not on the number of workers.
func TestBytesDoNotDependOnWorkers(t *testing.T) {
	const rows = 25_001 // two chunks, the last of one customer
	_, one := write(t, generate.Options{Rows: rows, Seed: 5, Workers: 1})
	_, many := write(t, generate.Options{Rows: rows, Seed: 5, Workers: 7})
	if len(one.Files) != 7 {
		t.Errorf("wrote %d files, want 7: three tables in two formats, and the truth", len(one.Files))
	}
	for i, f := range one.Files {
		if many.Files[i] != f {
			t.Errorf("with 1 worker %+v, with 7 %+v", f, many.Files[i])
		}
	}
	_, other := write(t, generate.Options{Rows: 2000, Seed: 5})
	_, another := write(t, generate.Options{Rows: 2000, Seed: 6})
	for i, f := range other.Files {
		if another.Files[i].SHA256 == f.SHA256 {
			t.Errorf("%s is the same with another seed", f.Name)
		}
	}
}

// What is generated is valid, in every size down to one customer.
func TestGeneratedDataIsValid(t *testing.T) {
	for _, rows := range []int{1, 2, 3, 29, 100, 5000} {
		dir, m := write(t, generate.Options{Rows: rows, Seed: 1})
		report, err := dataset.Validate(t.Context(), dir, dataset.ValidateOptions{})
		if err != nil {
			t.Fatalf("%d rows: %v", rows, err)
		}
		if !report.OK() {
			t.Errorf("%d rows: %d violations: %+v", rows, report.Violations, report.Rules)
		}
		if m.Rows != int64(rows) {
			t.Errorf("manifest says %d rows, want %d", m.Rows, rows)
		}
		if got, want := len(m.Ceilings) > 0, rows >= datagen.MinCeilingRows; got != want {
			t.Errorf("%d rows: ceilings %t, want %t", rows, got, want)
		}
	}
}

// A validation finds exactly the faults that were planted, each under its rule.
func TestPlantedFaultsAreFound(t *testing.T) {
	const rows, each = 10_000, 5 // one of each kind in 2000
	dir, m := write(t, generate.Options{Rows: rows, Seed: 3, Defects: true, Formats: []string{"csv"}})
	for _, kind := range datagen.Defects {
		if m.Defects[string(kind)] != each {
			t.Errorf("manifest says %d faults of kind %s, want %d", m.Defects[string(kind)], kind, each)
		}
	}
	report, err := dataset.Validate(t.Context(), dir, dataset.ValidateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[dataset.Rule]int64{}
	for _, rule := range report.Rules {
		counts[rule.Rule] = rule.Count
	}
	for kind, rule := range map[datagen.Defect]dataset.Rule{
		datagen.MissingRequired: dataset.RuleRequired, datagen.OutOfRange: dataset.RuleRange,
		datagen.UnknownCategory: dataset.RuleEnum, datagen.DuplicateID: dataset.RuleUnique,
		datagen.MalformedID: dataset.RulePattern, datagen.Inconsistent: dataset.RuleFreePlan,
	} {
		if counts[rule] != each {
			t.Errorf("%s: %d violations of %s, want %d", kind, counts[rule], rule, each)
		}
	}
	// Orphans: persons and edges of nobody, and of the ids that were lost (a person and about 13 edges each).
	if got := counts[dataset.RuleReference]; got < 4*each {
		t.Errorf("%d violations of %s, want at least %d", got, dataset.RuleReference, 4*each)
	}
	sound, _ := write(t, generate.Options{Rows: rows, Seed: 3, Formats: []string{"csv"}})
	if report, err = dataset.Validate(t.Context(), sound, dataset.ValidateOptions{}); err != nil || !report.OK() {
		t.Errorf("without planted faults: %d violations, error %v", report.Violations, err)
	}
}

func TestFormats(t *testing.T) {
	dir, _ := write(t, generate.Options{Rows: 10, Formats: []string{"csv"}})
	for name, want := range map[string]bool{"customers.csv": true, "customers.parquet": false, "truth.parquet": true} {
		_, err := os.Stat(filepath.Join(dir, name))
		if got := err == nil; got != want {
			t.Errorf("%s there: %t, want %t", name, got, want)
		}
	}
}

// Existing data is kept unless force is given, and other files of the directory always are.
func TestForce(t *testing.T) {
	o := generate.Options{Rows: 10, Dir: t.TempDir()}
	notes := filepath.Join(o.Dir, "notes.txt")
	if err := os.WriteFile(notes, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	var notEmpty *dataset.NotEmptyError
	if _, err := generate.Run(t.Context(), o); !errors.As(err, &notEmpty) {
		t.Errorf("into a directory that is not empty: %v, want NotEmptyError", err)
	}
	o.Force = true
	for range 2 {
		if _, err := generate.Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(notes); err != nil || string(text) != "mine" {
		t.Errorf("another file of the directory is %q, %v", text, err)
	}
}

func TestBadOptions(t *testing.T) {
	for name, tt := range map[string]struct {
		options generate.Options
		want    error
	}{
		"no rows":        {generate.Options{Rows: 0, Dir: "x"}, datagen.ErrRows},
		"negative rows":  {generate.Options{Rows: -5, Dir: "x"}, datagen.ErrRows},
		"too many rows":  {generate.Options{Rows: datagen.MaxRows + 1, Dir: "x"}, datagen.ErrRows},
		"unknown format": {generate.Options{Rows: 1, Dir: "x", Formats: []string{"csv", "xls"}}, generate.ErrUsage},
		"no directory":   {generate.Options{Rows: 1}, generate.ErrUsage},
	} {
		if tt.options.Dir != "" {
			tt.options.Dir = filepath.Join(t.TempDir(), tt.options.Dir)
		}
		if _, err := generate.Run(t.Context(), tt.options); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", name, err, tt.want)
		}
		if _, err := os.Stat(tt.options.Dir); tt.options.Dir != "" && err == nil {
			t.Errorf("%s: the directory was made all the same", name)
		}
	}
}

// A run that is interrupted leaves no file, whatever it was doing.
func TestInterruptedRunLeavesNothing(t *testing.T) {
	for _, stage := range []datagen.Stage{datagen.Connecting, datagen.Ranking, generate.Writing} {
		ctx, cancel := context.WithCancel(t.Context())
		dir := filepath.Join(t.TempDir(), "data")
		_, err := generate.Run(ctx, generate.Options{Rows: 30_000, Dir: dir, Progress: func(s datagen.Stage, done, total int) {
			if s == stage {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted at %q: error %v, want context.Canceled", stage, err)
		}
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			t.Errorf("interrupted at %q: %v is left", stage, entries)
		}
	}
}
