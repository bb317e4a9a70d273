package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"engage/internal/csvfile"
	"engage/internal/dataset"
	"engage/internal/frame"
	"engage/internal/parquetfile"
	"engage/internal/schema"
)

// Directory is a data set on disk. Errors: those of dataset.Open.
func Directory(dir string) (Files, Origin, error) {
	d, err := dataset.Open(dir)
	if err != nil {
		return Files{}, Origin{}, err
	}
	text, err := os.ReadFile(d.Path(dataset.ManifestFile))
	if err != nil {
		return Files{}, Origin{}, fmt.Errorf("read the manifest: %w", err)
	}
	files := Files{Place: dir, Rows: d.Manifest.Rows}
	if d.Has(dataset.CustomersParquet) {
		files.List = []File{parquetFile(d.Path(dataset.CustomersParquet))}
	} else {
		files.List = []File{csvFile(d.Path(dataset.CustomersCSV))}
	}
	return files, originOf(filepath.Base(filepath.Clean(dir)), text, d.Manifest), nil
}

func parquetFile(path string) File {
	return File{Name: path, Open: func(_ context.Context, columns []schema.Name) (frame.Reader, error) {
		return parquetfile.Open(path, &schema.Customers, parquetfile.ReadOptions{Columns: columns})
	}}
}

// csvReader closes its file.
type csvReader struct {
	*csvfile.Reader
	file *os.File
}

func (r csvReader) Close() error { return r.file.Close() }

func csvFile(path string) File {
	return File{Name: path, Open: func(context.Context, []schema.Name) (frame.Reader, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		r, err := csvfile.NewReader(f, &schema.Customers, csvfile.ReadOptions{})
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return csvReader{r, f}, nil
	}}
}

// Origin says which data set rows are of, and what is known of it.
type Origin struct {
	Name     string                       `json:"dataset"`
	Hash     string                       `json:"hash"`   // SHA-256 of the manifest, hexadecimal
	Schema   string                       `json:"schema"` // fingerprint of the customers
	Seed     uint64                       `json:"seed"`   // of the generator
	Rows     int64                        `json:"rows"`
	Ceilings map[string][]dataset.Ceiling `json:"-"` // by target
}

func originOf(name string, manifest []byte, m dataset.Manifest) Origin {
	sum := sha256.Sum256(manifest)
	return Origin{Name: name, Hash: hex.EncodeToString(sum[:]), Schema: m.Schema[schema.Customers.Name], Seed: m.Seed, Rows: m.Rows, Ceilings: m.Ceilings}
}
