package csvfile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"engage/internal/frame"
	"engage/internal/schema"
)

const (
	// DefaultBatchRows is the number of rows in a batch unless an option says otherwise.
	DefaultBatchRows = 32768
	// MaxRecord is the most bytes that one record may take, line ends inside quotes included.
	MaxRecord = 1 << 20
)

// The rules that a Problem can name.
const (
	RuleRecord = "record" // the row is not a record of RFC 4180, or has another number of fields
	RuleType   = "type"   // the text is not a value of the column's type
)

// Problem is a row or a cell that could not be read.
type Problem struct {
	Row    int64       // 1 for the first row after the header
	Column schema.Name // empty when the whole row is at fault
	Value  string      // the text of the cell; empty when the whole row is at fault
	Rule   string      // RuleRecord or RuleType
	Detail string      // what was expected
}

// HeaderError says that the first line is not the table's header.
type HeaderError struct {
	Table    string
	Position int    // 1 for the first column
	Want     string // empty: the file has a column too many
	Got      string // empty: the file has a column too few
}

func (e *HeaderError) Error() string {
	switch {
	case e.Want == "":
		return fmt.Sprintf("not a file of table %s: column %d, %.60q, is one too many", e.Table, e.Position, e.Got)
	case e.Got == "":
		return fmt.Sprintf("not a file of table %s: column %d, %s, is missing from the header", e.Table, e.Position, e.Want)
	}
	return fmt.Sprintf("not a file of table %s: column %d of the header is %.60q, not %s", e.Table, e.Position, e.Got, e.Want)
}

// FormatError says that a file cannot be read on as CSV.
type FormatError struct {
	Row int64 // the row that could not be read, 1 for the first after the header, 0 for the header
	Err error
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("not a CSV file: row %d: %v; write the file again or name another", e.Row, e.Err)
}

func (e *FormatError) Unwrap() error { return e.Err }

// errRecordTooLong is inside the FormatError of a record over MaxRecord.
var errRecordTooLong = fmt.Errorf("the record is longer than %d bytes", MaxRecord)

// ReadOptions says how to read. The zero value is usable.
type ReadOptions struct {
	// BatchRows is the largest number of rows in a batch. The default is DefaultBatchRows.
	BatchRows int
	// Problem is told each row and cell that cannot be read; such a cell, or
	// every cell of such a row, is missing from the batch. Without it the first
	// one ends the reading with a *FormatError.
	Problem func(Problem)
}

// Reader yields the rows of a CSV file in order, in memory that does not depend
// on the length of the file. It implements frame.Reader.
type Reader struct {
	table   *schema.Table
	options ReadOptions
	csv     *csv.Reader
	limit   *limiter
	known   []map[string]string // canonical strings of the categories, by column
	row     int64               // rows read
}

// NewReader reads the header of r and checks it against the table. r is not
// closed. Errors: *HeaderError, *FormatError, those of r.
func NewReader(r io.Reader, t *schema.Table, o ReadOptions) (*Reader, error) {
	if o.BatchRows <= 0 {
		o.BatchRows = DefaultBatchRows
	}
	limit := &limiter{r: r}
	reader := &Reader{table: t, options: o, limit: limit, csv: newCSV(limit), known: make([]map[string]string, len(t.Columns))}
	for i, c := range t.Columns {
		reader.known[i] = make(map[string]string, len(c.Enum))
		for _, v := range c.Enum {
			reader.known[i][v] = v
		}
	}
	names, err := readHeader(reader.csv)
	if err != nil {
		return nil, err
	}
	limit.used = 0
	if err := sameHeader(names, t); err != nil {
		return nil, err
	}
	return reader, nil
}

// Columns reads the header of a CSV file, to tell which table it holds. Errors:
// *FormatError, those of r.
func Columns(r io.Reader) ([]string, error) { return readHeader(newCSV(&limiter{r: r})) }

func newCSV(r io.Reader) *csv.Reader {
	buffered := bufio.NewReaderSize(r, 256<<10)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		buffered.Discard(3) // a byte order mark, as spreadsheets write
	}
	c := csv.NewReader(buffered)
	c.ReuseRecord, c.FieldsPerRecord = true, -1
	return c
}

func readHeader(c *csv.Reader) ([]string, error) {
	names, err := c.Read()
	var malformed *csv.ParseError
	switch {
	case err == io.EOF:
		return nil, &FormatError{Err: errors.New("the file is empty, not even a header")}
	case errors.As(err, &malformed), errors.Is(err, errRecordTooLong):
		return nil, &FormatError{Err: err}
	case err != nil:
		return nil, fmt.Errorf("read the header: %w", err)
	}
	return names, nil
}

func sameHeader(names []string, t *schema.Table) error {
	for i := range max(len(names), len(t.Columns)) {
		e := &HeaderError{Table: t.Name, Position: i + 1}
		if i < len(names) {
			e.Got = names[i]
		}
		if i < len(t.Columns) {
			e.Want = string(t.Columns[i].Name)
		}
		if e.Got != e.Want {
			return e
		}
	}
	return nil
}

// Next returns the next rows. Errors: *FormatError, those of the underlying reader, io.EOF.
func (r *Reader) Next() (*frame.Batch, error) {
	b := frame.New(r.table, r.options.BatchRows)
	n := 0
	for n < b.Rows {
		record, err := r.csv.Read()
		if err == io.EOF {
			break
		}
		r.row++
		r.limit.used = 0
		if err := r.store(b, n, record, err); err != nil {
			return nil, err
		}
		n++
	}
	if n == 0 {
		return nil, io.EOF
	}
	return cut(b, n), nil
}

// store puts a record into row i of the batch.
func (r *Reader) store(b *frame.Batch, i int, record []string, err error) error {
	var malformed *csv.ParseError
	switch {
	case errors.As(err, &malformed):
		return r.spoil(b, i, malformed.Err.Error())
	case errors.Is(err, errRecordTooLong):
		return &FormatError{Row: r.row, Err: errRecordTooLong}
	case err != nil:
		return fmt.Errorf("read row %d of %s: %w", r.row, r.table.Name, err)
	case len(record) != len(b.Columns):
		return r.spoil(b, i, fmt.Sprintf("the row has %d fields, the header %d", len(record), len(b.Columns)))
	}
	for c := range b.Columns {
		if record[c] == "" {
			b.Columns[c].SetNull(i, b.Rows)
		} else if want := r.parse(&b.Columns[c], c, i, record[c]); want != "" {
			b.Columns[c].SetNull(i, b.Rows)
			p := Problem{Row: r.row, Column: r.table.Columns[c].Name, Value: strings.Clone(record[c]), Rule: RuleType, Detail: want}
			if err := r.problem(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// spoil marks a whole row as missing.
func (r *Reader) spoil(b *frame.Batch, i int, detail string) error {
	for c := range b.Columns {
		b.Columns[c].SetNull(i, b.Rows)
	}
	return r.problem(Problem{Row: r.row, Rule: RuleRecord, Detail: detail})
}

func (r *Reader) problem(p Problem) error {
	if r.options.Problem == nil {
		if p.Column == "" {
			return &FormatError{Row: p.Row, Err: errors.New(p.Detail)}
		}
		return &FormatError{Row: p.Row, Err: fmt.Errorf("column %s is not %s", p.Column, p.Detail)}
	}
	r.options.Problem(p)
	return nil
}

// parse stores the value of a cell, or says what its text should have been.
func (r *Reader) parse(col *frame.Column, c, row int, text string) (want string) {
	var err error
	switch r.table.Columns[c].Type {
	case schema.String:
		if s, ok := r.known[c][text]; ok {
			text = s // the record's memory is not kept for it
		}
		col.Strings[row] = text
	case schema.Int:
		col.Ints[row], err = strconv.ParseInt(text, 10, 32)
		want = "a 32-bit integer"
	case schema.BigInt:
		col.Ints[row], err = strconv.ParseInt(text, 10, 64)
		want = "a 64-bit integer"
	case schema.Double:
		col.Floats[row], err = parseDouble(text)
		want = "a number"
	case schema.Boolean:
		want = "true or false"
		if col.Bools[row] = text == "true"; !col.Bools[row] && text != "false" {
			return want
		}
	case schema.Timestamp:
		var at time.Time
		at, err = time.Parse(timestampLayout, text)
		col.Ints[row] = at.UnixMilli()
		want = "a time like " + timestampLayout
	}
	if err != nil {
		clearCell(col, row)
		return want
	}
	return ""
}

// parseDouble reads decimal numbers, NaN and infinities, but no hexadecimal ones.
func parseDouble(text string) (float64, error) {
	if strings.ContainsAny(text, "xX_") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

// clearCell keeps the zero that a missing value has.
func clearCell(col *frame.Column, row int) {
	if col.Ints != nil {
		col.Ints[row] = 0
	}
	if col.Floats != nil {
		col.Floats[row] = 0
	}
}

// cut keeps the first n rows of a batch.
func cut(b *frame.Batch, n int) *frame.Batch {
	b.Rows = n
	for i := range b.Columns {
		c := &b.Columns[i]
		c.Strings, c.Ints, c.Floats, c.Bools = c.Strings[:min(n, len(c.Strings))], c.Ints[:min(n, len(c.Ints))], c.Floats[:min(n, len(c.Floats))], c.Bools[:min(n, len(c.Bools))]
		c.Valid = c.Valid[:min(n, len(c.Valid))]
	}
	return b
}

// Close does nothing: the underlying reader belongs to the caller.
func (r *Reader) Close() error { return nil }

// limiter fails when a record takes more than MaxRecord bytes, so that a file
// without line ends or with an open quote does not fill the memory. What the
// buffer above reads ahead counts too, which makes the bound approximate from above.
type limiter struct {
	r    io.Reader
	used int // bytes handed out since the last whole record
}

func (l *limiter) Read(p []byte) (int, error) {
	if l.used > MaxRecord {
		return 0, errRecordTooLong
	}
	n, err := l.r.Read(p)
	l.used += n
	return n, err
}
