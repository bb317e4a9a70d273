package parquetfile

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"engage/internal/frame"
	"engage/internal/schema"
)

// readChunk is the number of values decoded at a time.
const readChunk = 1024

// columnReader reads one column, page after page of row group after row group.
type columnReader struct {
	table  string
	column *schema.Column
	leaf   int          // position among the file's leaf columns
	kind   parquet.Kind // physical type in the file
	known  map[string]string
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buffer []parquet.Value
	arena  []byte
	ends   []int

	problem func(Problem) // may be nil
	before  int64         // rows of the file before the batch
}

func newColumnReader(file *parquet.File, table string, c *schema.Column) (*columnReader, error) {
	found := file.Root().Column(string(c.Name))
	if found == nil {
		return nil, &ColumnError{Table: table, Column: c.Name, Reason: "is missing"}
	}
	if !found.Leaf() || found.Repeated() {
		return nil, &ColumnError{Table: table, Column: c.Name, Reason: "is nested or repeated"}
	}
	if !accepts(c.Type, found.Type()) {
		return nil, &ColumnError{Table: table, Column: c.Name,
			Reason: fmt.Sprintf("has type %s, which does not hold %s without loss", found.Type(), typeNames[c.Type])}
	}
	r := &columnReader{table: table, column: c, leaf: found.Index(), kind: found.Type().Kind(), buffer: make([]parquet.Value, readChunk)}
	r.known = make(map[string]string, len(c.Enum))
	for _, v := range c.Enum {
		r.known[v] = v
	}
	return r, nil
}

var typeNames = map[schema.Type]string{
	schema.String: "text", schema.Int: "integers", schema.BigInt: "64-bit integers",
	schema.Double: "doubles", schema.Boolean: "booleans", schema.Timestamp: "timestamps in milliseconds",
}

// accepts reports whether the file's type can hold the column's values and no
// value of it would be lost: the same type, one that widens, or for integers one
// that other tools write by default. pandas has 64-bit integers, and doubles
// where an integer may be missing; a double that is not whole is refused when
// it is met.
func accepts(want schema.Type, have parquet.Type) bool {
	kind := have.Kind()
	bits, integer := integerBits(have)
	switch want {
	case schema.String:
		return kind == parquet.ByteArray && textual(have)
	case schema.Int:
		return integer && bits <= 64 || kind == parquet.Double
	case schema.BigInt:
		return integer && bits <= 64
	case schema.Double:
		return kind == parquet.Double || kind == parquet.Float && have.LogicalType() == nil || integer && bits <= 32
	case schema.Boolean:
		return kind == parquet.Boolean
	case schema.Timestamp:
		stamp, ok := logicalType(have).(*format.TimestampType)
		if !ok {
			return false
		}
		_, millis := stamp.Unit.Value.(*format.MilliSeconds)
		return kind == parquet.Int64 && millis
	}
	return false
}

// logicalType is the annotation of a type, or nil.
func logicalType(t parquet.Type) format.LogicalTypeValue {
	if l := t.LogicalType(); l != nil {
		return l.Value
	}
	return nil
}

// textual reports whether a byte array holds text: annotated so, or, as older
// writers leave it, not annotated at all.
func textual(t parquet.Type) bool {
	switch logicalType(t).(type) {
	case nil, *format.StringType, *format.EnumType:
		return true
	}
	return false
}

// integerBits is the number of signed bits that hold every value of an integer type.
func integerBits(t parquet.Type) (bits int, ok bool) {
	switch kind := t.Kind(); kind {
	case parquet.Int32:
		bits = 32
	case parquet.Int64:
		bits = 64
	default:
		return 0, false
	}
	switch l := logicalType(t).(type) {
	case nil:
		return bits, true
	case *format.IntType:
		if l.IsSigned {
			return int(l.BitWidth), true
		}
		return int(l.BitWidth) + 1, true
	}
	return 0, false // a date, a time, a decimal
}

// enter turns to the pages of a column chunk.
func (r *columnReader) enter(chunk parquet.ColumnChunk) error {
	r.leave()
	r.pages = chunk.Pages()
	return nil
}

// leave frees the current page and its row group.
func (r *columnReader) leave() {
	if r.page != nil {
		parquet.Release(r.page)
	}
	if r.pages != nil {
		r.pages.Close()
	}
	r.pages, r.page, r.values = nil, nil, nil
}

// read fills col with the next n values of the row group, which come after
// before rows of the file.
func (r *columnReader) read(col *frame.Column, n int, before int64) error {
	r.arena, r.ends, r.before = r.arena[:0], r.ends[:0], before
	for done := 0; done < n; {
		if r.values == nil {
			if err := r.turn(); err != nil {
				return err
			}
		}
		got, err := r.values.ReadValues(r.buffer[:min(readChunk, n-done)])
		if convErr := r.convert(col, r.buffer[:got], done, n); convErr != nil {
			return convErr
		}
		done += got
		switch {
		case errors.Is(err, io.EOF):
			parquet.Release(r.page)
			r.page, r.values = nil, nil
		case err != nil:
			return err
		case got == 0:
			return errors.New("a page yields no values")
		}
	}
	if r.column.Type == schema.String {
		r.finishStrings(col)
	}
	return nil
}

// turn opens the next page.
func (r *columnReader) turn() error {
	page, err := r.pages.ReadPage()
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	r.page, r.values = page, page.Values()
	return nil
}

// convert stores values as the rows of col that start at from, of n.
func (r *columnReader) convert(col *frame.Column, values []parquet.Value, from, n int) error {
	for i, v := range values {
		if v.IsNull() {
			r.missing(col, from+i, n)
			continue
		}
		if v.Kind() != r.kind {
			return fmt.Errorf("a value is %s where %s was declared", v.Kind(), r.kind)
		}
		switch r.column.Type {
		case schema.String:
			r.string(col, v.ByteArray(), from+i)
		case schema.Int, schema.BigInt, schema.Timestamp:
			whole, wrong := r.integer(v)
			if wrong != "" {
				r.missing(col, from+i, n)
				if err := r.refuse(from+i, v, wrong); err != nil {
					return err
				}
				continue
			}
			col.Ints[from+i] = whole
		case schema.Double:
			col.Floats[from+i] = r.double(v)
		case schema.Boolean:
			col.Bools[from+i] = v.Boolean()
		}
	}
	return nil
}

// missing marks row i and puts a zero there, since batches are reused.
func (r *columnReader) missing(col *frame.Column, i, n int) {
	col.SetNull(i, n)
	switch {
	case col.Strings != nil:
		col.Strings[i] = ""
	case col.Ints != nil:
		col.Ints[i] = 0
	case col.Floats != nil:
		col.Floats[i] = 0
	default:
		col.Bools[i] = false
	}
}

// refuse hands on a value that is not of the column's type.
func (r *columnReader) refuse(i int, v parquet.Value, want string) error {
	if r.problem == nil {
		return &ColumnError{Table: r.table, Column: r.column.Name, Reason: fmt.Sprintf("holds %s, which is not %s", v, want)}
	}
	r.problem(Problem{Row: r.before + int64(i) + 1, Column: r.column.Name, Value: v.String(), Rule: RuleType, Detail: want})
	return nil
}

// integer is the whole number that v is, or says what it should have been.
func (r *columnReader) integer(v parquet.Value) (whole int64, wrong string) {
	switch r.kind {
	case parquet.Int32:
		return int64(v.Int32()), ""
	case parquet.Double:
		d := v.Double()
		if !(math.Abs(d) <= maxExact) || d != math.Trunc(d) {
			return 0, "a whole number"
		}
		whole = int64(d)
	default:
		whole = v.Int64()
	}
	if r.column.Type == schema.Int && whole != int64(int32(whole)) {
		return 0, "a 32-bit integer"
	}
	return whole, ""
}

// maxExact is the largest double below which all integers are exact.
const maxExact = 1 << 53

func (r *columnReader) double(v parquet.Value) float64 {
	switch r.kind {
	case parquet.Float:
		return float64(v.Float())
	case parquet.Int32:
		return float64(v.Int32())
	}
	return v.Double()
}

// string stores a category at once. Other text is gathered, and becomes one
// allocation for the whole batch in finishStrings.
func (r *columnReader) string(col *frame.Column, text []byte, row int) {
	if s, ok := r.known[string(text)]; ok {
		col.Strings[row] = s
		return
	}
	r.arena = append(r.arena, text...)
	r.ends = append(r.ends, row, len(r.arena))
}

func (r *columnReader) finishStrings(col *frame.Column) {
	all, start := string(r.arena), 0
	for i := 0; i < len(r.ends); i += 2 {
		row, end := r.ends[i], r.ends[i+1]
		col.Strings[row], start = all[start:end], end
	}
}
