package dataset_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"engage/internal/dataset"
	"engage/internal/schema"
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
	if len(names) != 8 || slices.ContainsFunc(names, func(s string) bool { return strings.HasPrefix(s, ".") }) {
		t.Errorf("the directory holds %v", names)
	}
	d, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d.Manifest.Rows != 12 || len(d.Manifest.Files) != 7 || d.Manifest.Files[0].Name != dataset.CustomersCSV || !d.Has(dataset.PersonalCSV) || !d.Has(dataset.TruthParquet) {
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
	old, err := dataset.Create(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	newWorld(5).commit(t, old, "parquet")
	s, err := dataset.Create(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	newWorld(6).commit(t, s, "csv")
	want := []string{dataset.ConnectionsCSV, dataset.CustomersCSV, dataset.ManifestFile, "notes.txt", dataset.PersonalCSV, dataset.TruthParquet}
	if got := list(t, dir); !reflect.DeepEqual(got, want) {
		t.Errorf("the directory holds %v, want %v", got, want)
	}
	if r := validate(t, dir); !r.OK() || r.Files[0].Rows != 6 {
		t.Errorf("got %+v", r)
	}
	if err := s.Commit(dataset.Manifest{}); err == nil {
		t.Error("a second commit was accepted")
	}
}

// Force replaces data sets, and nothing that only has a name of theirs.
func TestForceReplacesNothingElse(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, dataset.CustomersCSV)
	os.WriteFile(mine, []byte("my customers"), 0o644)
	_, err := dataset.Create(dir, true)
	var foreign *dataset.ForeignFilesError
	if !errors.As(err, &foreign) || !reflect.DeepEqual(foreign.Names, []string{dataset.CustomersCSV}) || !strings.Contains(err.Error(), "no data set of engage: customers.csv") {
		t.Errorf("foreign files: %v", err)
	}
	if text, _ := os.ReadFile(mine); string(text) != "my customers" {
		t.Error("the file was changed")
	}
	set := newWorld(5).store(t)
	s, err := dataset.Create(set, true)
	if err != nil {
		t.Fatal(err)
	}
	newWorld(6).stage(t, s)
	os.Remove(filepath.Join(set, dataset.PersonalCSV))
	os.MkdirAll(filepath.Join(set, dataset.PersonalCSV, "below"), 0o755)
	before := list(t, set)
	var target *dataset.TargetError
	if err := s.Commit(newWorld(6).manifest()); !errors.As(err, &target) || target.Name != dataset.PersonalCSV {
		t.Errorf("commit over a directory: %v", err)
	}
	if got := list(t, set); !reflect.DeepEqual(got, before) {
		t.Errorf("the directory holds %v, before %v", got, before)
	}
	s.Abort()
	if _, err := dataset.Create(set, true); !errors.As(err, &target) {
		t.Errorf("create over a directory: %v", err)
	}
	if m, err := os.ReadFile(filepath.Join(set, dataset.ManifestFile)); err != nil || !strings.Contains(string(m), `"rows": 5`) {
		t.Errorf("the old manifest is gone: %v", err)
	}
}

func TestPrivateFilesAreTheOwnersAlone(t *testing.T) {
	dir := newWorld(3).store(t)
	for _, name := range dataset.DataFiles {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		private := strings.HasPrefix(name, "personal") || name == dataset.TruthParquet
		if mode := info.Mode().Perm(); private != (mode == 0o600) || mode&0o600 != 0o600 {
			t.Errorf("%s has mode %o", name, mode)
		}
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
		"twice": {`"name": "customers.parquet"`, `"name": "customers.csv"`}, "unknown format": {`"parquet"`, `"orc"`},
		"repeated format": {`"parquet"`, `"csv"`}, "a format too few": {",\n    \"parquet\"", ""},
		"no formats": {"\"csv\",\n    \"parquet\"", ""}, "table and file": {`"table": "personal"`, `"table": "customers"`},
	} {
		var manifest *dataset.ManifestError
		changed := strings.Replace(string(whole), change[0], change[1], 1)
		if changed == string(whole) {
			t.Errorf("%s: nothing was changed", name)
		}
		_, err := dataset.DecodeManifest(strings.NewReader(changed))
		if !errors.As(err, &manifest) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := dataset.DecodeManifest(strings.NewReader(string(whole) + "{}")); err == nil {
		t.Error("something after the end was accepted")
	}
}

// Every table is there in every format, and the truth: none can be left out.
func TestFilesAreTheTablesInTheFormats(t *testing.T) {
	want := []string{dataset.TruthParquet}
	for _, table := range schema.Tables {
		want = append(want, table.Name+".csv", table.Name+".parquet")
	}
	got := slices.Clone(dataset.DataFiles)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	m := newWorld(3).manifest()
	for i := range want {
		var files []string
		for k, name := range want {
			if k != i {
				files = append(files, fmt.Sprintf(`{"name":%q,"table":%q,"rows":3,"bytes":1,"sha256":%q}`, name, strings.Split(name, ".")[0], strings.Repeat("0", 64)))
			}
		}
		m.FormatVersion = dataset.FormatVersion
		text, _ := m.Encode()
		changed := strings.Replace(string(text), `"files": null`, `"files": [`+strings.Join(files, ",")+`]`, 1)
		if _, err := dataset.DecodeManifest(strings.NewReader(changed)); err == nil || !strings.Contains(err.Error(), want[i]+" is missing") {
			t.Errorf("without %s: %v", want[i], err)
		}
	}
}

func TestAnotherSchemaIsRefused(t *testing.T) {
	for _, table := range []string{"customers", "connections", "truth"} {
		dir := newWorld(5).store(t)
		old := fingerprints()[table]
		edit(t, filepath.Join(dir, dataset.ManifestFile), func(s string) string { return strings.Replace(s, old, strings.Repeat("0", 64), 1) })
		var other *dataset.SchemaError
		if _, err := dataset.Validate(t.Context(), dir, dataset.ValidateOptions{Truth: truth}); !errors.As(err, &other) || other.Table != table {
			t.Errorf("%s: validate: %v", table, err)
		}
		if _, err := dataset.Open(dir); (table != "truth") != errors.As(err, &other) {
			t.Errorf("%s: open: %v", table, err)
		}
	}
}

func TestPathsThatAreNoDataSet(t *testing.T) {
	file := filepath.Join(newWorld(3).store(t), dataset.CustomersCSV)
	for path, want := range map[string]string{filepath.Join(t.TempDir(), "none"): "does not exist; ", file: "is a file; "} {
		_, err := dataset.Open(path)
		var place *dataset.PathError
		if !errors.As(err, &place) || !strings.HasPrefix(err.Error(), path+" "+want) {
			t.Errorf("got %v", err)
		}
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
