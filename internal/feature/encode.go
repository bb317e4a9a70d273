package feature

import (
	"fmt"
	"math"

	"engage/internal/schema"
)

// Unknown says what becomes of a category that a model was not trained on.
type Unknown int

// The rules for unknown categories.
const (
	// RefuseUnknown makes it a *CellError: the rule of training, where it tells
	// of bad data.
	RefuseUnknown Unknown = iota
	// MissUnknown makes it a missing value, and counts it: the rule of scoring,
	// where a new category must not stop everything. It sends the row the way
	// that each split learned for missing values.
	MissUnknown
)

// Tally counts what an Encoder met, by feature.
type Tally struct {
	Rows    int64
	Missing []int64 // missing values; not those of unknown categories
	Unknown []int64 // unknown categories
}

// Add adds the counts of another tally of the same features.
func (t *Tally) Add(other Tally) {
	t.Rows += other.Rows
	for i := range other.Missing {
		t.Missing[i] += other.Missing[i]
		t.Unknown[i] += other.Unknown[i]
	}
}

// Encoder makes rows of a set's features from columns. It keeps no rows and may
// be used by one goroutine at a time.
type Encoder struct {
	set     Set
	columns []schema.Column // as Set.Columns has them
	makers  []maker
	unknown Unknown
	tally   Tally
}

// maker makes one feature.
type maker struct {
	feature     Feature
	first, with int                // positions among the columns; with is -1 but for interactions
	codes       map[string]float32 // of categories
	period      float64
	cosine      bool
	mean, scale float64 // (x - mean) * scale
}

// Encoder makes an encoder of values as they are, for training.
func (s Set) Encoder(u Unknown) *Encoder {
	e := &Encoder{set: s, unknown: u, tally: newTally(s.Len())}
	position := map[schema.Name]int{}
	for i, name := range s.Columns() {
		column, _ := schema.Customers.Column(name)
		e.columns = append(e.columns, column)
		position[name] = i
	}
	for i, f := range s.features {
		m := maker{feature: f, first: position[f.Columns[0]], with: -1, period: s.inputs[f.Input].Period, scale: 1}
		if f.Encoding == Interaction {
			m.with = position[f.Columns[1]]
		}
		// A cycle is a sine and then a cosine of the same input.
		m.cosine = f.Encoding == Cyclic && i > 0 && s.features[i-1].Input == f.Input
		m.codes = codesOf(f, e.columns[m.first])
		e.makers = append(e.makers, m)
	}
	return e
}

func newTally(n int) Tally { return Tally{Missing: make([]int64, n), Unknown: make([]int64, n)} }

// codesOf gives each category of a column its number.
func codesOf(f Feature, c schema.Column) map[string]float32 {
	switch f.Encoding {
	case Ordinal, Categorical, OneHot:
	default:
		return nil
	}
	codes := map[string]float32{}
	for i, level := range c.Enum {
		switch {
		case f.Encoding != OneHot:
			codes[level] = float32(i)
		case level == f.Level:
			codes[level] = 1
		default:
			codes[level] = 0
		}
	}
	return codes
}

// Columns lists the columns that Encode wants, in its order.
func (e *Encoder) Columns() []schema.Name { return e.set.Columns() }

// Width is the number of features.
func (e *Encoder) Width() int { return len(e.makers) }

// Tally is what was met so far.
func (e *Encoder) Tally() Tally {
	t := newTally(e.Width())
	t.Add(e.tally)
	return t
}

// Encode writes n rows of Width features into out, row after row. The columns
// are those of Columns, in that order; values that are missing become NaN.
// Errors: *CellError, whose row counts from 1 within these rows. It panics if
// the columns are not those, or out has another size.
func (e *Encoder) Encode(columns []Values, n int, out []float32) error {
	if len(columns) != len(e.columns) || len(out) != n*e.Width() {
		panic(fmt.Sprintf("feature: %d columns and room for %d numbers: want %d and %d", len(columns), len(out), len(e.columns), n*e.Width()))
	}
	for i, c := range e.columns {
		if !columns[i].fits(c, n) {
			panic(fmt.Sprintf("feature: column %s is not %d values of type %s", c.Name, n, c.Type))
		}
	}
	for k := range e.makers {
		if err := e.fill(k, columns, n, out[k:]); err != nil {
			return err
		}
	}
	e.tally.Rows += int64(n)
	return nil
}

// fill writes feature k of every row into every Width-th place of out.
func (e *Encoder) fill(k int, columns []Values, n int, out []float32) error {
	m, width := &e.makers[k], e.Width()
	for i := range n {
		v, err := e.value(k, m, columns, i)
		if err != nil {
			return err
		}
		if m.feature.Encoding != Indicator && !math.IsNaN(v) {
			v = (v - m.mean) * m.scale
		}
		if math.Abs(v) > math.MaxFloat32 {
			return &CellError{Row: int64(i) + 1, Column: m.feature.Columns[0], Value: columns[m.first].text(i),
				Reason: fmt.Sprintf("makes feature %s too large for a 32-bit number", m.feature.Name)}
		}
		out[i*width] = float32(v)
	}
	return nil
}

// value is feature k of row i, not yet scaled; NaN is missing.
func (e *Encoder) value(k int, m *maker, columns []Values, i int) (float64, error) {
	first := &columns[m.first]
	switch present := first.present(i); {
	case m.feature.Encoding == Indicator && present:
		return 0, nil
	case m.feature.Encoding == Indicator:
		return 1, nil
	case !present:
		e.tally.Missing[k]++
		return math.NaN(), nil
	case m.codes != nil:
		return e.code(k, m, first, i)
	}
	x, err := first.finite(m.feature.Columns[0], i)
	switch {
	case err != nil:
		return 0, err
	case m.with >= 0:
		return e.product(k, m, x, &columns[m.with], i)
	case m.feature.Encoding != Cyclic:
		return x, nil
	case m.cosine:
		return math.Cos(2 * math.Pi * x / m.period), nil
	}
	return math.Sin(2 * math.Pi * x / m.period), nil
}

func (e *Encoder) product(k int, m *maker, x float64, with *Values, i int) (float64, error) {
	if !with.present(i) {
		e.tally.Missing[k]++
		return math.NaN(), nil
	}
	y, err := with.finite(m.feature.Columns[1], i)
	return x * y, err
}

// code is the number of a category.
func (e *Encoder) code(k int, m *maker, v *Values, i int) (float64, error) {
	if code, ok := m.codes[v.Strings[i]]; ok {
		return float64(code), nil
	}
	if e.unknown == RefuseUnknown {
		return 0, &CellError{Row: int64(i) + 1, Column: m.feature.Columns[0], Value: v.Strings[i],
			Reason: fmt.Sprintf("is none of its %d categories; correct the data", len(m.codes))}
	}
	e.tally.Unknown[k]++
	return math.NaN(), nil
}

// Labels writes what the model predicts of n rows into out: a number, 0 or 1 for
// a flag. Errors: *CellError, a missing value among them. It panics if the target
// is a category or the sizes do not fit.
func (s Set) Labels(v Values, n int, out []float32) error {
	column, _ := schema.Customers.Column(s.target)
	if column.Type == schema.String || !v.fits(column, n) || len(out) != n {
		panic(fmt.Sprintf("feature: the labels are not %d numbers of %s", n, s.target))
	}
	for i := range out {
		if !v.present(i) {
			return &CellError{Row: int64(i) + 1, Column: s.target, Reason: "is missing, and the model cannot learn without it; leave the row out"}
		}
		x, err := v.finite(s.target, i)
		if err != nil {
			return err
		}
		out[i] = float32(x)
	}
	return nil
}
