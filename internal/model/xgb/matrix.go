package xgb

// #include "shim.h"
import "C"

import (
	"fmt"
	"math"
	"runtime"
	"slices"
)

// A Kind is what the values of a feature are.
type Kind string

// The kinds of XGBoost. A category is a whole number from 0 on.
const (
	Quantity Kind = "q"
	Integer  Kind = "int"
	Floating Kind = "float"
	Binary   Kind = "i"
	Category Kind = "c"
)

// A Batch is rows to train on or to score. NaN is a missing value.
type Batch struct {
	Data        []float32 // Rows times Cols numbers
	Rows, Cols  int
	ColumnMajor bool      // column after column, else row after row
	Labels      []float32 // one a row, or nil
	Weights     []float32 // one a row, or nil for 1
	BaseMargin  []float32 // where each row's margin begins, or nil for the base score
}

// check fails with a *DataError if the sizes do not fit or a value cannot be used.
func (b *Batch) check() error {
	if b.Rows <= 0 || b.Cols <= 0 {
		return &DataError{"data", fmt.Sprintf("%d rows of %d columns: there must be one of each at least", b.Rows, b.Cols)}
	}
	if len(b.Data) != b.Rows*b.Cols {
		return &DataError{"data", fmt.Sprintf("%d values for %d rows of %d columns", len(b.Data), b.Rows, b.Cols)}
	}
	for _, c := range b.info() {
		if c.values == nil {
			continue
		}
		if len(c.values) != b.Rows && (c.field != "base_margin" || len(c.values)%b.Rows != 0 || len(c.values) == 0) {
			return &DataError{c.name, fmt.Sprintf("%d for %d rows", len(c.values), b.Rows)}
		}
		if i := slices.IndexFunc(c.values, func(v float32) bool { return notFinite(v) || c.field == "weight" && v < 0 }); i >= 0 {
			return &DataError{c.name, fmt.Sprintf("row %d has %v", i, c.values[i])}
		}
	}
	for i, v := range b.Data {
		if math.IsInf(float64(v), 0) {
			row, col := i/b.Cols, i%b.Cols
			if b.ColumnMajor {
				row, col = i%b.Rows, i/b.Rows
			}
			return &DataError{"data", fmt.Sprintf("row %d, column %d has %v: use NaN for a missing value", row, col, v)}
		}
	}
	return nil
}

func notFinite(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }

// column is one number a row beside the features.
type column struct {
	name, field string
	values      []float32
}

func (b *Batch) info() []column {
	return []column{{"labels", "label", b.Labels}, {"weights", "weight", b.Weights}, {"base margins", "base_margin", b.BaseMargin}}
}

// Features names the columns and says what they hold. Either may be nil.
type Features struct {
	Names []string
	Kinds []Kind
}

func (f Features) check(cols int) error {
	if f.Names != nil && len(f.Names) != cols {
		return &DataError{"feature names", fmt.Sprintf("%d for %d columns", len(f.Names), cols)}
	}
	if f.Kinds != nil && len(f.Kinds) != cols {
		return &DataError{"feature kinds", fmt.Sprintf("%d for %d columns", len(f.Kinds), cols)}
	}
	return nil
}

func (f Features) kinds() []string {
	kinds := make([]string, len(f.Kinds))
	for i, k := range f.Kinds {
		kinds[i] = string(k)
	}
	return kinds
}

// A Matrix is data in the library's own form.
type Matrix struct {
	library  *Library
	handle   *handle
	rows     int
	cols     int
	labels   []float32
	features Features
}

// NewMatrix copies a batch, which takes about eight bytes a value.
func (l *Library) NewMatrix(b Batch, f Features, threads int) (*Matrix, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	if err := f.check(b.Cols); err != nil {
		return nil, err
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&b.Data[0])
	var c C.handle
	err := l.call("copy data", func() C.int {
		config := fmt.Sprintf(`{"missing":NaN,"nthread":%d}`, threads)
		return cString(floats(b.Data, b.ColumnMajor, b.Rows, b.Cols), func(data *C.char) C.int {
			return cString(config, func(config *C.char) C.int { return C.matrix_dense(l.api, data, config, &c) })
		})
	})
	if err != nil {
		return nil, err
	}
	m := l.newMatrix(c, &b, f)
	if err := l.describe(c, &b, f); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// newMatrix owns a matrix of the rows of b, of which the labels are kept.
func (l *Library) newMatrix(c C.handle, b *Batch, f Features) *Matrix {
	free := func(c C.handle) { C.matrix_free(l.api, c) }
	return &Matrix{library: l, handle: own(l, c, free), rows: b.Rows, cols: b.Cols, labels: slices.Clone(b.Labels), features: f}
}

// describe sets what goes with the features of a matrix or of a proxy for one.
func (l *Library) describe(c C.handle, b *Batch, f Features) error {
	for _, column := range b.info() {
		if column.values == nil {
			continue
		}
		var pin runtime.Pinner
		pin.Pin(&column.values[0])
		array := floats(column.values, false, b.Rows, len(column.values)/b.Rows)
		if len(column.values) == b.Rows {
			array = floats(column.values, false, b.Rows)
		}
		err := l.call("set "+column.name, func() C.int {
			return cString(column.field, func(field *C.char) C.int {
				return cString(array, func(array *C.char) C.int { return C.matrix_info(l.api, c, field, array) })
			})
		})
		pin.Unpin()
		if err != nil {
			return err
		}
	}
	if err := l.setFeatures(c, "feature_name", f.Names); err != nil {
		return err
	}
	return l.setFeatures(c, "feature_type", f.kinds())
}

func (l *Library) setFeatures(c C.handle, field string, list []string) error {
	if len(list) == 0 {
		return nil
	}
	return l.call("set features", func() (answer C.int) {
		cStrings(list, func(array **C.char) {
			answer = cString(field, func(field *C.char) C.int {
				return C.matrix_features(l.api, c, field, array, C.ulong64(len(list)))
			})
		})
		return answer
	})
}

// Rows is the number of rows.
func (m *Matrix) Rows() int { return m.rows }

// Cols is the number of columns.
func (m *Matrix) Cols() int { return m.cols }

// Labels are those that the matrix was made with.
func (m *Matrix) Labels() []float32 { return m.labels }

// Close frees the matrix.
func (m *Matrix) Close() { m.handle.release() }
