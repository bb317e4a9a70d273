package score_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"engage/internal/dataset"
	"engage/internal/feature"
	"engage/internal/frame"
	"engage/internal/model/gbdt"
	"engage/internal/parquetfile"
	"engage/internal/resource"
	"engage/internal/schema"
	"engage/internal/store"
	"engage/workers/registry"
	"engage/workers/score"
	"engage/workers/sink"
	"engage/workers/source"
)

// spoilt is a file of a data set's customers with one row changed.
func spoilt(t *testing.T, data string, spoil func(b *frame.Batch, row int)) source.Files {
	t.Helper()
	r, err := parquetfile.Open(filepath.Join(data, dataset.CustomersParquet), &schema.Customers, parquetfile.ReadOptions{BatchRows: 500})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := filepath.Join(t.TempDir(), "spoilt.parquet")
	var out bytes.Buffer
	w := parquetfile.NewWriter(&out, &schema.Customers)
	for i := 0; ; i++ {
		b, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			spoil(b, 41) // row 542 of the file
		}
		block, err := w.Encode(b)
		if err == nil {
			err = w.Append(block)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), os.WriteFile(path, out.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return source.Files{Place: path, List: []source.File{{Name: path, Open: func(_ context.Context, c []schema.Name) (frame.Reader, error) {
		return parquetfile.Open(path, &schema.Customers, parquetfile.ReadOptions{Columns: c})
	}}}}
}

const spoiltRow = 542

func deps(shelf registry.Shelf, input source.Files, out string) score.Deps {
	return score.Deps{Shelf: shelf, Input: input, Output: sink.File{Path: out}, Now: time.Now, Log: silent}
}

// nothing fails if there is anything in the directory of a file.
func nothing(t *testing.T, path string) {
	t.Helper()
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestBadCellsStopScoring(t *testing.T) {
	data := customers(t, 1200)
	shelf := trainedIn(t, data)
	for name, c := range map[string]struct {
		column schema.Name
		spoil  func(b *frame.Batch, row int)
	}{
		"NaN":      {schema.TrustScore, func(b *frame.Batch, row int) { b.Column(schema.TrustScore).Floats[row] = math.NaN() }},
		"infinity": {schema.AvgDailyLogins, func(b *frame.Batch, row int) { b.Column(schema.AvgDailyLogins).Floats[row] = math.Inf(1) }},
		"no id":    {schema.CustomerID, func(b *frame.Batch, row int) { b.Column(schema.CustomerID).SetNull(row, b.Rows) }},
	} {
		input, out := spoilt(t, data, c.spoil), filepath.Join(t.TempDir(), "scores.parquet")
		_, err := score.Run(t.Context(), score.Config{Contributions: score.Top5}, deps(shelf, input, out))
		var cell *feature.CellError
		if !errors.As(err, &cell) || cell.Row != spoiltRow || cell.Column != c.column || cell.File != input.Place {
			t.Errorf("%s: %v", name, err)
		}
		nothing(t, out)
	}
}

func TestUnknownCategoriesAreCounted(t *testing.T) {
	data := customers(t, 1200)
	shelf := trainedIn(t, data)
	input := spoilt(t, data, func(b *frame.Batch, row int) { b.Column(schema.DeviceType).Strings[row] = "watch" })
	r, err := score.Run(t.Context(), score.Config{Contributions: score.All}, deps(shelf, input, filepath.Join(t.TempDir(), "x")))
	if err != nil || len(r.Unknown) != 1 || r.Unknown["device_type"] != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// A model that is missing, cut short, foreign, or of another training or other
// features is refused by the name of the document.
func TestBadModelsAreRefused(t *testing.T) {
	data := customers(t, 1200)
	good := trainedIn(t, data)
	input, _, err := source.Directory(data)
	if err != nil {
		t.Fatal(err)
	}
	var format *gbdt.FormatError
	var mismatch *feature.MismatchError
	for name, c := range map[string]struct {
		artifact resource.Artifact
		spoil    func(d registry.Documents, m *registry.Metadata)
		cause    any
	}{
		"missing":     {resource.ModelFile, func(d registry.Documents, _ *registry.Metadata) { delete(d, resource.ModelFile) }, nil},
		"no metadata": {resource.MetadataFile, nil, nil},
		"cut short":   {resource.ModelFile, func(d registry.Documents, _ *registry.Metadata) { cut(d, resource.ModelFile) }, nil},
		"of another": {resource.FeaturesFile, func(d registry.Documents, _ *registry.Metadata) {
			d[resource.FeaturesFile] = append(d[resource.FeaturesFile], ' ')
		}, nil},
		"cut, rehashed": {resource.ModelFile, func(d registry.Documents, m *registry.Metadata) { cut(d, resource.ModelFile); rehash(d, m) }, &format},
		"foreign": {resource.ModelFile, func(d registry.Documents, m *registry.Metadata) {
			d[resource.ModelFile] = []byte("\x80\x04pickle")
			rehash(d, m)
		}, &format},
		"other features": {resource.ModelFile, func(d registry.Documents, m *registry.Metadata) { rename(d); rehash(d, m) }, &mismatch},
		"other fitted":   {resource.FeaturesFile, func(d registry.Documents, m *registry.Metadata) { refit(t, d); rehash(d, m) }, &mismatch},
		"other model":    {resource.FeaturesFile, func(_ registry.Documents, m *registry.Metadata) { m.Model = "churn" }, &mismatch},
		"no such rounds": {resource.ModelFile, func(_ registry.Documents, m *registry.Metadata) { m.Rounds = 9999 }, nil},
		"form to come":   {resource.MetadataFile, func(_ registry.Documents, m *registry.Metadata) { m.FormatVersion++ }, nil},
	} {
		docs, meta := documents(t, good)
		if c.spoil != nil {
			c.spoil(docs, &meta)
			docs[resource.MetadataFile], _ = json.Marshal(meta)
		} else {
			delete(docs, resource.MetadataFile)
		}
		bad := registry.Directory{Path: filepath.Join(t.TempDir(), "bad")}
		if err := bad.Write(t.Context(), docs); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "scores.parquet")
		_, err := score.Run(t.Context(), score.Config{Contributions: score.Top5}, deps(bad, input, out))
		var artifact *registry.ArtifactError
		if !errors.As(err, &artifact) || artifact.Artifact != c.artifact || c.cause != nil && !errors.As(err, c.cause) {
			t.Errorf("%s: %v", name, err)
		}
		nothing(t, out)
	}
}

func documents(t *testing.T, s registry.Shelf) (registry.Documents, registry.Metadata) {
	t.Helper()
	d := registry.Documents{}
	for _, a := range resource.Artifacts() {
		text, err := s.Read(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		d[a] = text
	}
	var m registry.Metadata
	if err := json.Unmarshal(d[resource.MetadataFile], &m); err != nil {
		t.Fatal(err)
	}
	return d, m
}

func cut(d registry.Documents, a resource.Artifact) { d[a] = d[a][:len(d[a])/2] }

func rehash(d registry.Documents, m *registry.Metadata) {
	for a := range m.Hashes {
		m.Hashes[a] = registry.Hash(d[a])
	}
}

func rename(d registry.Documents) {
	d[resource.ModelFile] = bytes.ReplaceAll(d[resource.ModelFile], []byte(`"trust_score"`), []byte(`"trust_scope"`))
}

func refit(t *testing.T, d registry.Documents) {
	t.Helper()
	f, err := feature.DecodeFitted(bytes.NewReader(d[resource.FeaturesFile]))
	if err != nil {
		t.Fatal(err)
	}
	f.Features[0], f.Features[1] = f.Features[1], f.Features[0]
	d[resource.FeaturesFile] = f.Encode()
}

// A model is there as a whole or not at all, and is not replaced unasked.
func TestDirectoryOfAModel(t *testing.T) {
	d := registry.Directory{Path: filepath.Join(t.TempDir(), "a", "model")}
	docs := registry.Documents{resource.ModelFile: []byte("m"), resource.MetadataFile: []byte("{}")}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Write(ctx, docs); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(d.Path); len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
	if err := errors.Join(d.Free(), d.Write(t.Context(), docs)); err != nil {
		t.Fatal(err)
	}
	var exists *sink.ExistsError
	if err := d.Write(t.Context(), docs); !errors.As(err, &exists) || !errors.As(d.Free(), &exists) {
		t.Error(err)
	}
	d.Replace = true
	docs[resource.ModelFile] = []byte("n")
	if err := d.Write(t.Context(), docs); err != nil {
		t.Error(err)
	}
	if text, err := d.Read(t.Context(), resource.ModelFile); err != nil || string(text) != "n" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := d.Read(t.Context(), resource.FeaturesFile); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

func TestEmptyAndForeignInput(t *testing.T) {
	data := customers(t, 1200)
	shelf := trainedIn(t, data)
	path := filepath.Join(t.TempDir(), "empty.parquet")
	var out bytes.Buffer
	if err := errors.Join(parquetfile.NewWriter(&out, &schema.Customers).Close(), os.WriteFile(path, out.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	open := func(path string) source.Files {
		return source.Files{Place: path, List: []source.File{{Name: path, Open: func(_ context.Context, c []schema.Name) (frame.Reader, error) {
			return parquetfile.Open(path, &schema.Customers, parquetfile.ReadOptions{Columns: c})
		}}}}
	}
	target := filepath.Join(t.TempDir(), "scores.parquet")
	var empty *source.EmptyError
	if _, err := score.Run(t.Context(), score.Config{Contributions: score.Top5}, deps(shelf, open(path), target)); !errors.As(err, &empty) {
		t.Error(err)
	}
	whole, err := os.ReadFile(filepath.Join(data, dataset.CustomersParquet))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"cut": whole[:len(whole)*2/3], "foreign": []byte("customer_id,age\n")} {
		path := filepath.Join(t.TempDir(), fmt.Sprintf("%s.parquet", name))
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var format *parquetfile.FormatError
		if _, err := score.Run(t.Context(), score.Config{Contributions: score.Top5}, deps(shelf, open(path), target)); !errors.As(err, &format) {
			t.Errorf("%s: %v", name, err)
		}
	}
	nothing(t, target)
}
