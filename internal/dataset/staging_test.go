package dataset_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"engage/internal/dataset"
)

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestCommitPutsEverythingInPlaceAndOpenReadsIt(t *testing.T) {
	w := newWorld(12)
	dir := w.store(t)
	names := list(t, dir)
	if len(names) != 7 || slices.ContainsFunc(names, func(s string) bool { return strings.HasPrefix(s, ".") }) {
		t.Errorf("the directory holds %v", names)
	}
	d, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d.Manifest.Rows != 12 || len(d.Manifest.Files) != 6 || d.Manifest.Files[0].Name != dataset.CustomersCSV || !d.Has(dataset.PersonalCSV) || d.Has(dataset.TruthParquet) {
		t.Errorf("got %+v", d.Manifest)
	}
	first, _ := os.ReadFile(filepath.Join(dir, dataset.ManifestFile))
	second, _ := os.ReadFile(filepath.Join(w.store(t), dataset.ManifestFile))
	if !bytes.Equal(first, second) {
		t.Error("two manifests of the same data differ")
	}
}

func TestCreateRefusesADirectoryThatHoldsSomething(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "notes.txt")
	os.WriteFile(mine, []byte("keep"), 0o644)
	_, err := dataset.Create(dir, false)
	var notEmpty *dataset.NotEmptyError
	if !errors.As(err, &notEmpty) || !strings.Contains(err.Error(), "--force") {
		t.Fatalf("got %v", err)
	}
	os.WriteFile(filepath.Join(dir, dataset.TruthParquet), []byte("old"), 0o644)
	os.WriteFile(filepath.Join(dir, dataset.ManifestFile), []byte("old"), 0o644)
	s, err := dataset.Create(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.File(dataset.CustomersCSV)
	if err != nil {
		t.Fatal(err)
	}
	f.Write([]byte("x\n"))
	if err := s.Commit(dataset.Manifest{}); err != nil {
		t.Fatal(err)
	}
	if got, want := list(t, dir), []string{dataset.CustomersCSV, dataset.ManifestFile, "notes.txt"}; !reflect.DeepEqual(got, want) {
		t.Errorf("the directory holds %v, want %v", got, want)
	}
	if _, err := dataset.Open(dir); err != nil {
		t.Error(err)
	}
	if err := s.Commit(dataset.Manifest{}); err == nil {
		t.Error("a second commit was accepted")
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	root := t.TempDir()
	s, err := dataset.Create(filepath.Join(root, "a", "b"), false)
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.File(dataset.CustomersCSV)
	if err != nil {
		t.Fatal(err)
	}
	f.Write(make([]byte, 3<<20))
	if err := s.Abort(); err != nil {
		t.Fatal(err)
	}
	if got := list(t, root); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
	old := newWorld(5).store(t)
	before := list(t, old)
	s, err = dataset.Create(old, true)
	if err != nil {
		t.Fatal(err)
	}
	newWorld(9).stage(t, s)
	if err := s.Abort(); err != nil {
		t.Fatal(err)
	}
	if got := list(t, old); !reflect.DeepEqual(got, before) {
		t.Errorf("the directory holds %v, before %v", got, before)
	}
	if r := validate(t, old); !r.OK() {
		t.Errorf("the old data set was changed: %+v", r)
	}
}

func TestAFailedCommitLeavesTheOldDataSet(t *testing.T) {
	dir := newWorld(5).store(t)
	s, err := dataset.Create(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	newWorld(9).stage(t, s)
	m := newWorld(9).manifest()
	m.Graph.Modularity = math.NaN()
	if err := s.Commit(m); err == nil {
		t.Fatal("a manifest with NaN was written")
	}
	if err := s.Abort(); err != nil {
		t.Fatal(err)
	}
	if r := validate(t, dir); !r.OK() || r.Files[0].Rows != 5 {
		t.Errorf("the old data set was changed: %+v", r)
	}
}

func TestADirectoryThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o644)
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		_, err := dataset.Create(dir, false)
		var directory *dataset.DirectoryError
		if !errors.As(err, &directory) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v", filepath.Base(dir), err)
		}
	}
}

func TestOnlyFilesOfADataSetAreStaged(t *testing.T) {
	s, err := dataset.Create(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Abort()
	for _, name := range []string{"../x", "other.csv", dataset.ManifestFile} {
		if _, err := s.File(name); err == nil {
			t.Errorf("%s was staged", name)
		}
	}
}

func TestOpenFindsMissingAndChangedFiles(t *testing.T) {
	for reason, spoil := range map[string]func(path string) error{
		"is missing": os.Remove,
		"bytes":      func(path string) error { return os.Truncate(path, 10) },
	} {
		dir := newWorld(5).store(t)
		if err := spoil(filepath.Join(dir, dataset.CustomersParquet)); err != nil {
			t.Fatal(err)
		}
		_, err := dataset.Open(dir)
		var file *dataset.FileError
		if !errors.As(err, &file) || file.Name != dataset.CustomersParquet || !strings.Contains(file.Reason, reason) {
			t.Errorf("%s: got %v", reason, err)
		}
	}
}

func TestManifestsThatAreRefused(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join(newWorld(5).store(t), dataset.ManifestFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"unknown field": {`"seed"`, `"extra": 1, "seed"`}, "version": {`"format_version": 1`, `"format_version": 2`},
		"path": {`"name": "customers.csv"`, `"name": "../customers.csv"`}, "negative": {`"rows": 5`, `"rows": -5`},
		"twice": {`"name": "customers.parquet"`, `"name": "customers.csv"`},
	} {
		var manifest *dataset.ManifestError
		_, err := dataset.DecodeManifest(strings.NewReader(strings.Replace(string(whole), change[0], change[1], 1)))
		if !errors.As(err, &manifest) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := dataset.DecodeManifest(strings.NewReader(string(whole) + "{}")); err == nil {
		t.Error("something after the end was accepted")
	}
}

// FuzzDecodeManifest: what decodes encodes to something that decodes to the same bytes.
func FuzzDecodeManifest(f *testing.F) {
	text, err := newWorld(3).manifest().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(bytes.Replace(text, []byte(`"format_version": 0`), []byte(`"format_version": 1`), 1))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := dataset.DecodeManifest(bytes.NewReader(text))
		if err != nil {
			return
		}
		once, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := dataset.DecodeManifest(bytes.NewReader(once))
		if err != nil {
			t.Fatal(err)
		}
		if twice, _ := again.Encode(); !bytes.Equal(once, twice) {
			t.Fatalf("%s\nbecame\n%s", once, twice)
		}
	})
}
