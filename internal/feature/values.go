package feature

import (
	"fmt"
	"math"
	"strconv"

	"engage/internal/schema"
)

// Values are the cells of one column for a run of rows. Exactly one of the first
// four slices is in use, the one of the column's type. It has the form of
// frame.Column, which converts to it.
type Values struct {
	Strings []string  // categories
	Ints    []int64   // whole numbers
	Floats  []float64 // numbers
	Bools   []bool    // flags
	Valid   []bool    // false where the value is missing; nil: none is
}

func (v *Values) present(i int) bool { return v.Valid == nil || v.Valid[i] }

// number is the value of row i; a flag is 0 or 1.
func (v *Values) number(i int) float64 {
	switch {
	case v.Floats != nil:
		return v.Floats[i]
	case v.Ints != nil:
		return float64(v.Ints[i])
	case v.Bools[i]:
		return 1
	}
	return 0
}

// text is the value of row i for people.
func (v *Values) text(i int) string {
	if v.Strings != nil {
		return v.Strings[i]
	}
	return strconv.FormatFloat(v.number(i), 'g', -1, 64)
}

// fits reports whether the values are n of the column's type.
func (v *Values) fits(c schema.Column, n int) bool {
	if v.Valid != nil && len(v.Valid) != n {
		return false
	}
	switch c.Type {
	case schema.String:
		return len(v.Strings) == n
	case schema.Double:
		return len(v.Floats) == n
	case schema.Boolean:
		return len(v.Bools) == n
	}
	return len(v.Ints) == n
}

// CellError refuses a cell that no number can be made of.
type CellError struct {
	File   string // where the row was read; empty until the reader fills it in
	Row    int64  // from 1; within the run of rows until the reader fills it in
	Column schema.Name
	Value  string
	Reason string // what is wrong and what to do
}

// Error is one line that names the file, the row and the column.
func (e *CellError) Error() string {
	place := fmt.Sprintf("row %d, column %s", e.Row, e.Column)
	if e.File != "" {
		place = e.File + ", " + place
	}
	if e.Value == "" {
		return fmt.Sprintf("%s: %s", place, e.Reason)
	}
	return fmt.Sprintf("%s: %.60q %s", place, e.Value, e.Reason)
}

// finite refuses NaN, the infinities, and what is one as a 32-bit number.
func (v *Values) finite(column schema.Name, i int) (float64, error) {
	x := v.number(i)
	if math.IsNaN(x) || math.Abs(x) > math.MaxFloat32 {
		return 0, &CellError{Row: int64(i) + 1, Column: column, Value: v.text(i), Reason: "is no number that a model can read; leave the cell empty where the value is missing"}
	}
	return x, nil
}
