package feature

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
)

// Scaling says how numbers are scaled before a model reads them.
type Scaling string

// The scalings.
const (
	Unscaled     Scaling = "none"     // as they are: trees need no other
	Standardized Scaling = "standard" // less the mean, by the standard deviation, of the training rows
)

// FittedVersion is the version of the form of a Fitted.
const FittedVersion = 1

// Fitted is what was learned of the features from the training rows. It is saved
// with the model, and what the model scores must be made with it.
//
// A category that no training row had is unknown to the model, as is one that
// the schema does not list: see MissUnknown.
type Fitted struct {
	Version  int             `json:"version"`
	Model    string          `json:"model"`
	Target   string          `json:"target"`
	Set      string          `json:"feature_set"` // Set.Hash
	Scaling  Scaling         `json:"scaling"`
	Rows     int64           `json:"rows"` // that it was fitted on
	Features []FittedFeature `json:"features"`
}

// FittedFeature is what was learned of one feature. Mean to Max are of the
// values that are there, before scaling; they are 0 if there is none.
type FittedFeature struct {
	Name     string   `json:"name"`
	Encoding Encoding `json:"encoding"`
	Columns  []string `json:"columns"`
	Levels   []string `json:"levels,omitempty"` // code i stands for Levels[i]
	Seen     []int64  `json:"seen,omitempty"`   // rows of each level
	Missing  int64    `json:"missing"`          // rows without a value
	Mean     float64  `json:"mean"`
	SD       float64  `json:"sd"` // of the population: over n
	Min      float64  `json:"min"`
	Max      float64  `json:"max"`
}

// Fitter learns of training rows that an Encoder made, run after run.
type Fitter struct {
	fitted  Fitted
	counts  []float64
	squares []float64
}

// NewFitter starts to fit a set.
func NewFitter(s Set, scaling Scaling) *Fitter {
	f := &Fitter{
		fitted: Fitted{Version: FittedVersion, Model: s.Model(), Target: string(s.Target()), Set: s.Hash(), Scaling: scaling},
		counts: make([]float64, s.Len()), squares: make([]float64, s.Len()),
	}
	for _, x := range s.features {
		ff := FittedFeature{Name: x.Name, Encoding: x.Encoding, Levels: slices.Clone(x.Levels), Min: math.Inf(1), Max: math.Inf(-1)}
		for _, c := range x.Columns {
			ff.Columns = append(ff.Columns, string(c))
		}
		if len(ff.Levels) > 0 {
			ff.Seen = make([]int64, len(ff.Levels))
		}
		f.fitted.Features = append(f.fitted.Features, ff)
	}
	return f
}

// Add learns of rows that the set's Encoder made, none of them scaled.
func (f *Fitter) Add(rows []float32) {
	width := len(f.counts)
	for at := 0; at < len(rows); at += width {
		f.fitted.Rows++
		for k, v := range rows[at : at+width] {
			f.add(k, float64(v))
		}
	}
}

// add updates mean and sum of squares: B. Welford, "Note on a method for
// calculating corrected sums of squares and products", Technometrics 4, 1962.
func (f *Fitter) add(k int, v float64) {
	ff := &f.fitted.Features[k]
	if math.IsNaN(v) {
		ff.Missing++
		return
	}
	if ff.Seen != nil {
		ff.Seen[int(v)]++
	}
	f.counts[k]++
	delta := v - ff.Mean
	ff.Mean += delta / f.counts[k]
	f.squares[k] += delta * (v - ff.Mean)
	ff.Min, ff.Max = min(ff.Min, v), max(ff.Max, v)
}

// Fitted returns what was learned.
func (f *Fitter) Fitted() Fitted {
	out := f.fitted
	out.Features = slices.Clone(out.Features)
	for k := range out.Features {
		ff := &out.Features[k]
		ff.Seen = slices.Clone(ff.Seen)
		if f.counts[k] == 0 {
			ff.Min, ff.Max = 0, 0
			continue
		}
		ff.SD = math.Sqrt(f.squares[k] / f.counts[k])
	}
	return out
}

// MismatchError tells of a model that was fitted on other features than this
// program makes.
type MismatchError struct {
	Model  string
	Reason string
}

// Error is one line that says what differs and what to do.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("model %s was trained on other features: %s; train it again with this version", e.Model, e.Reason)
}

// Encoder makes an encoder of what the model was fitted on, with the rule for
// unknown categories. Errors: *MismatchError.
func (f Fitted) Encoder(s Set, u Unknown) (*Encoder, error) {
	if err := f.check(s); err != nil {
		return nil, err
	}
	e := s.Encoder(u)
	for k := range e.makers {
		m, ff := &e.makers[k], &f.Features[k]
		for i, seen := range ff.Seen {
			if seen == 0 {
				delete(m.codes, ff.Levels[i])
			}
		}
		if f.Scaling == Standardized && ff.scaled() {
			m.mean, m.scale = ff.Mean, 0 // a constant becomes 0
			if ff.SD > 0 {
				m.scale = 1 / ff.SD
			}
		}
	}
	return e, nil
}

// scaled reports whether the feature is a quantity.
func (ff *FittedFeature) scaled() bool {
	switch ff.Encoding {
	case Numeric, Ordinal, Cyclic, Interaction:
		return true
	}
	return false
}

// check compares the features with those of a set.
func (f Fitted) check(s Set) error {
	wrong := func(format string, args ...any) error {
		return &MismatchError{Model: f.Model, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case f.Version != FittedVersion:
		return wrong("their form has version %d, want %d", f.Version, FittedVersion)
	case f.Model != s.Model():
		return wrong("they are those of model %q, want %q", f.Model, s.Model())
	case f.Scaling != Unscaled && f.Scaling != Standardized:
		return wrong("scaling %q is unknown", f.Scaling)
	case len(f.Features) != s.Len():
		return wrong("there are %d of them, want %d", len(f.Features), s.Len())
	}
	for i, x := range s.features {
		ff := f.Features[i]
		if ff.Name != x.Name || ff.Encoding != x.Encoding || !slices.Equal(ff.Levels, x.Levels) || len(ff.Seen) != len(ff.Levels) {
			return wrong("at position %d is %s (%s), want %s (%s)", i+1, ff.Name, ff.Encoding, x.Name, x.Encoding)
		}
	}
	if f.Set != s.Hash() {
		return wrong("their set has hash %.12s, want %.12s", f.Set, s.Hash())
	}
	return nil
}

// Encode is the saved form, JSON that ends in a line end; Hash is its SHA-256
// in hexadecimal.
func (f Fitted) Encode() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(f); err != nil {
		panic("feature: encode what was fitted: " + err.Error())
	}
	return b.Bytes()
}

// Hash is the SHA-256, in hexadecimal, of the saved form.
func (f Fitted) Hash() string {
	sum := sha256.Sum256(f.Encode())
	return hex.EncodeToString(sum[:])
}

// DecodeFitted reads the saved form. Whether it fits the features is found by
// Encoder.
func DecodeFitted(r io.Reader) (Fitted, error) {
	d := json.NewDecoder(io.LimitReader(r, 16<<20))
	d.DisallowUnknownFields()
	var f Fitted
	if err := d.Decode(&f); err != nil {
		return Fitted{}, fmt.Errorf("read fitted features: %w", err)
	}
	return f, nil
}

// UnmarshalText reads a declared encoding's name.
func (e *Encoding) UnmarshalText(text []byte) error {
	i := slices.Index(encodingNames, string(text))
	if i < 0 {
		return fmt.Errorf("feature: unknown encoding %q", text)
	}
	*e = Encoding(i)
	return nil
}
