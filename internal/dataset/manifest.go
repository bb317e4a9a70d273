package dataset

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// FormatVersion is the version of the manifest and the file layout.
const FormatVersion = 1

// maxManifest bounds what is read as a manifest.
const maxManifest = 16 << 20

// Manifest describes a data set (dataset.json). It holds no wall-clock time:
// the same seed gives the same bytes.
type Manifest struct {
	FormatVersion int                  `json:"format_version"`
	Generator     string               `json:"generator"` // name and version of what made the data
	Seed          uint64               `json:"seed"`
	Rows          int64                `json:"rows"`  // customers
	Edges         int64                `json:"edges"` // connections
	Formats       []string             `json:"formats"`
	Files         []File               `json:"files"`
	Schema        map[string]string    `json:"schema"`               // fingerprint by table
	Ceilings      map[string][]Ceiling `json:"ceilings,omitempty"`   // by target
	Missing       map[string]float64   `json:"missing,omitempty"`    // share of missing values, by column
	Defects       map[string]int64     `json:"defects,omitempty"`    // planted faults, by kind
	Graph         Graph                `json:"graph"`                // of the connections
	Parameters    json.RawMessage      `json:"parameters,omitempty"` // the generator's own, an object in its order
}

// File describes one file of the data set.
type File struct {
	Name   string `json:"name"`
	Table  string `json:"table"`
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hexadecimal
}

// Ceiling is the best value of a metric that any model can reach for a target
// given what it may see.
type Ceiling struct {
	Metric         string  `json:"metric"`
	Value          float64 `json:"value"`
	StandardError  float64 `json:"standard_error"`
	HigherIsBetter bool    `json:"higher_is_better"`
}

// Graph summarises the social graph.
type Graph struct {
	Nodes        int64   `json:"nodes"`
	Edges        int64   `json:"edges"`
	Isolated     int64   `json:"isolated"`
	MeanDegree   float64 `json:"mean_degree"`
	MaxDegree    int64   `json:"max_degree"`
	TailExponent float64 `json:"tail_exponent"` // of the degree distribution
	Clustering   float64 `json:"clustering"`    // mean local coefficient
	Communities  int64   `json:"communities"`   // planted
	Modularity   float64 `json:"modularity"`    // of the planted communities
}

// ManifestError says that dataset.json is not a manifest that can be used.
type ManifestError struct{ Err error }

func (e *ManifestError) Error() string {
	return fmt.Sprintf("%s is not a usable manifest: %v; generate the data set again", ManifestFile, e.Err)
}

func (e *ManifestError) Unwrap() error { return e.Err }

// Encode is the manifest as it is written, indented and ending in a line end.
// It fails on what JSON cannot hold, such as a ceiling that is not a number.
func (m Manifest) Encode() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", ManifestFile, err)
	}
	return append(text, '\n'), nil
}

// DecodeManifest reads a manifest, at most 16 MiB of it. Unknown fields are
// refused, as are formats that there are not and files other than each table in
// each format and the truth. Errors: *ManifestError.
func DecodeManifest(r io.Reader) (Manifest, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err != nil {
		return Manifest{}, &ManifestError{Err: err}
	}
	if len(text) > maxManifest {
		return Manifest{}, &ManifestError{Err: fmt.Errorf("it is longer than %d bytes", maxManifest)}
	}
	var m Manifest
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return Manifest{}, &ManifestError{Err: err}
	}
	if _, err := decoder.Token(); err != io.EOF {
		return Manifest{}, &ManifestError{Err: errors.New("something follows its end")}
	}
	if err := m.check(); err != nil {
		return Manifest{}, &ManifestError{Err: err}
	}
	return m, nil
}

// check holds a manifest against what every data set satisfies.
func (m *Manifest) check() error {
	if m.FormatVersion != FormatVersion {
		return fmt.Errorf("its format version is %d, this program reads %d", m.FormatVersion, FormatVersion)
	}
	if m.Rows < 0 || m.Edges < 0 {
		return fmt.Errorf("it claims %d rows and %d edges", m.Rows, m.Edges)
	}
	if err := m.checkFormats(); err != nil {
		return err
	}
	if err := m.checkEntries(); err != nil {
		return err
	}
	for _, name := range DataFiles {
		_, listed := m.file(name)
		if wanted := name == TruthParquet || slices.Contains(m.Formats, formatOf(name)); wanted != listed {
			return fmt.Errorf("its files do not fit its formats %s: %s is %s", strings.Join(m.Formats, " and "), name,
				map[bool]string{true: "missing", false: "one too many"}[wanted])
		}
	}
	return nil
}

func (m *Manifest) checkFormats() error {
	if len(m.Formats) == 0 {
		return errors.New("it names no format")
	}
	for i, f := range m.Formats {
		if f != CSV && f != Parquet {
			return fmt.Errorf("its format %.80q is neither %s nor %s", f, CSV, Parquet)
		}
		if slices.Contains(m.Formats[:i], f) {
			return fmt.Errorf("it names the format %s twice", f)
		}
	}
	return nil
}

// checkEntries checks each file's entry by itself.
func (m *Manifest) checkEntries() error {
	seen := map[string]bool{}
	for _, f := range m.Files {
		if !isDataFile(f.Name) || f.Table != tableOf(f.Name) {
			return fmt.Errorf("no data set has a file %.80q of table %.80q", f.Name, f.Table)
		}
		if seen[f.Name] {
			return fmt.Errorf("it lists %s twice", f.Name)
		}
		seen[f.Name] = true
		if sum, err := hex.DecodeString(f.SHA256); err != nil || len(sum) != 32 || f.Rows < 0 || f.Bytes < 0 {
			return fmt.Errorf("its entry for %s has no valid size, row count or SHA-256", f.Name)
		}
	}
	return nil
}

// file is the entry of the named file.
func (m *Manifest) file(name string) (File, bool) {
	for _, f := range m.Files {
		if f.Name == name {
			return f, true
		}
	}
	return File{}, false
}
