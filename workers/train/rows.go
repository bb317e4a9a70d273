package train

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"

	"engage/internal/feature"
	"engage/internal/model/gbdt"
	"engage/internal/model/xgb"
	"engage/internal/query"
	"engage/internal/schema"
	"engage/workers/source"
)

// runRows is how many rows are kept together.
const runRows = 16384

// rows are features and labels, in runs that do not move when more are added.
type rows struct {
	width  int
	runs   [][]float32
	labels []float32
}

func (r *rows) len() int { return len(r.labels) }

func (r *rows) add(features []float32, label float32) {
	if r.len()%runRows == 0 {
		r.runs = append(r.runs, make([]float32, 0, runRows*r.width))
	}
	last := &r.runs[len(r.runs)-1]
	*last = append(*last, features...)
	r.labels = append(r.labels, label)
}

// matrix is run i.
func (r *rows) matrix(i int) gbdt.Matrix {
	return gbdt.Matrix{Data: r.runs[i], Rows: len(r.runs[i]) / r.width, Cols: r.width}
}

// head is the first n rows, at most, as one matrix.
func (r *rows) head(n int) gbdt.Matrix {
	n = min(n, r.len())
	m := gbdt.Matrix{Rows: n, Cols: r.width}
	for i := 0; len(m.Data) < n*r.width; i++ {
		m.Data = append(m.Data, r.runs[i][:min(len(r.runs[i]), n*r.width-len(m.Data))]...)
	}
	return m
}

// first is the first n rows without copying them.
func (r *rows) first(n int) *rows {
	out := &rows{width: r.width, labels: r.labels[:n]}
	for i := 0; i*runRows < n; i++ {
		out.runs = append(out.runs, r.runs[i][:min(runRows, n-i*runRows)*r.width])
	}
	return out
}

// stream hands the rows to the library. It implements xgb.Source.
type stream struct {
	*rows
	next int
}

func (s *stream) Reset() error { s.next = 0; return nil }

func (s *stream) Next() (xgb.Batch, error) {
	if s.next == len(s.runs) {
		return xgb.Batch{}, io.EOF
	}
	m := s.matrix(s.next)
	from := s.next * runRows
	s.next++
	return xgb.Batch{Data: m.Data, Rows: m.Rows, Cols: m.Cols, Labels: s.labels[from : from+m.Rows]}, nil
}

// segmentColumns are those whose values errors are told by. The protected ones
// are for that alone: the model does not read them.
var segmentColumns = []schema.Name{
	schema.AccountType, schema.DeviceType, schema.TimeOfDayActive, schema.SocialInfluenceTier, schema.ContentCategoryPrimary,
	schema.Gender, schema.Age, schema.Location,
}

// data is everything that a training reads.
type data struct {
	set                   feature.Set
	train, validate, test *rows
	segments              map[schema.Name][]string // of the test rows
	fitted                feature.Fitted
	tally                 feature.Tally
}

// reader sorts rows into a data.
type reader struct {
	*data
	encoder    *feature.Encoder
	fitter     *feature.Fitter
	columns    []schema.Name
	validation float64
	features   []float32
	labels     []float32
	progress   func(rows int64)
}

// part says what a customer is for.
type part int

const (
	forTraining part = iota
	forValidation
	forTest
)

// read reads the training and the test files; without test files, the training
// files are divided as the pipeline divides its tables.
func read(ctx context.Context, set feature.Set, training, test source.Files, validation float64, progress func(int64)) (*data, error) {
	d := &data{set: set, segments: map[schema.Name][]string{}}
	for _, r := range []**rows{&d.train, &d.validate, &d.test} {
		*r = &rows{width: set.Len()}
	}
	r := &reader{data: d, encoder: set.Encoder(feature.RefuseUnknown), fitter: feature.NewFitter(set, feature.Unscaled), validation: validation, progress: progress}
	r.columns = append(set.Columns(), set.Target(), schema.CustomerID)
	for _, c := range segmentColumns {
		if !contains(r.columns, c) {
			r.columns = append(r.columns, c)
		}
	}
	divide := func(id string) part {
		if len(test.List) == 0 && !query.InTraining(id) {
			return forTest
		}
		return r.validates(id)
	}
	if err := training.Read(ctx, r.columns, func(run source.Run) error { return r.take(run, divide) }); err != nil {
		return nil, err
	}
	if len(test.List) > 0 {
		if err := test.Read(ctx, r.columns, func(run source.Run) error { return r.take(run, func(string) part { return forTest }) }); err != nil {
			return nil, err
		}
	}
	d.fitted, d.tally = r.fitter.Fitted(), r.encoder.Tally()
	return d, nil
}

func contains(list []schema.Name, name schema.Name) bool {
	for _, n := range list {
		if n == name {
			return true
		}
	}
	return false
}

// validates picks a share of the training customers by a hash of the id that has
// nothing to do with the one that divides training and test.
func (r *reader) validates(id string) part {
	sum := sha256.Sum256([]byte("validation " + id))
	if float64(binary.BigEndian.Uint32(sum[:])) < r.validation*(1<<32) {
		return forValidation
	}
	return forTraining
}

func (r *reader) take(run source.Run, divide func(string) part) error {
	n, width := run.Rows, r.set.Len()
	r.features, r.labels = resize(r.features, n*width), resize(r.labels, n)
	if err := r.encoder.Encode(run.Values(r.set.Columns()), n, r.features); err != nil {
		return err
	}
	if err := r.set.Labels(run.Values([]schema.Name{r.set.Target()})[0], n, r.labels); err != nil {
		return err
	}
	ids := run.Column(schema.CustomerID)
	for i := range n {
		if !ids.Present(i) {
			return &feature.CellError{Row: int64(i) + 1, Column: schema.CustomerID, Reason: "is missing; every customer has one"}
		}
		features := r.features[i*width : (i+1)*width]
		switch divide(ids.Strings[i]) {
		case forTest:
			r.test.add(features, r.labels[i])
			r.note(run, i)
		case forValidation:
			r.validate.add(features, r.labels[i])
		default:
			r.train.add(features, r.labels[i])
			r.fitter.Add(features)
		}
	}
	r.progress(run.First + int64(n))
	return nil
}

func resize(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// note keeps which segments a test row is in.
func (r *reader) note(run source.Run, i int) {
	for _, name := range segmentColumns {
		c, value := run.Column(name), ""
		switch {
		case !c.Present(i):
			value = "(missing)"
		case name == schema.Age:
			value = ageBand(c.Ints[i])
		default:
			value = c.Strings[i]
		}
		r.segments[name] = append(r.segments[name], value)
	}
}

// ageBand is the band that audits use.
func ageBand(age int64) string {
	bounds := []int64{18, 25, 35, 45, 55}
	for i := len(bounds) - 1; i >= 0; i-- {
		if age < bounds[i] {
			continue
		}
		if i == len(bounds)-1 {
			return fmt.Sprintf("%d+", bounds[i])
		}
		return fmt.Sprintf("%d-%d", bounds[i], bounds[i+1]-1)
	}
	return "under " + strconv.FormatInt(bounds[0], 10)
}

// RowsError tells of data that nothing can be learned from.
type RowsError struct {
	Place  string
	Column schema.Name // empty: the rows themselves
	Reason string
}

// Error is one line that says what is wrong and what to do.
func (e *RowsError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("nothing can be learned from %s: %s", e.Place, e.Reason)
	}
	return fmt.Sprintf("nothing can be learned from %s: column %s %s", e.Place, e.Column, e.Reason)
}

// check refuses parts without rows and targets without difference.
func (d *data) check(place string, g goal, validation bool) error {
	for _, p := range []struct {
		name string
		rows *rows
		need bool
	}{{"to train on", d.train, true}, {"to stop the training by", d.validate, validation}, {"to test on", d.test, true}} {
		if p.need && p.rows.len() == 0 {
			return &RowsError{Place: place, Reason: fmt.Sprintf("of %d rows none is %s; use more rows", d.train.len()+d.validate.len()+d.test.len(), p.name)}
		}
	}
	for _, y := range d.train.labels {
		if y != d.train.labels[0] {
			return nil
		}
	}
	if g.flag {
		return &RowsError{place, d.set.Target(), fmt.Sprintf("has one class only, %t, in all %d training rows; use data with both", d.train.labels[0] == 1, d.train.len())}
	}
	return &RowsError{place, d.set.Target(), fmt.Sprintf("is %g in all %d training rows; use data in which it differs", d.train.labels[0], d.train.len())}
}
