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
	next    int64               // the line after the last record
	lines   []int64             // where the rows of the last batch begin
	stopped bool                // nothing after an open quote is read
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
	limit.whole()
	_, reader.next = reader.span(names)
	if err := sameHeader(names, t); err != nil {
		return nil, err
	}
	return reader, nil
}

// Columns reads the header of a CSV file, to tell which table it holds. Errors:
// *FormatError, those of r.
func Columns(r io.Reader) ([]string, error) { return readHeader(newCSV(&limiter{r: r})) }

func newCSV(l *limiter) *csv.Reader {
	buffered := bufio.NewReaderSize(l, 256<<10)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		buffered.Discard(len(mark)) // a byte order mark, as spreadsheets write
		l.total -= int64(len(mark))
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
	case errors.As(err, &malformed), errors.Is(err, errRecordTooLong), errors.Is(err, errOpenQuote):
		return nil, &FormatError{Line: 1, Err: err}
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
	r.lines = r.lines[:0]
	for n < b.Rows && !r.stopped {
		record, err := r.csv.Read()
		if err == io.EOF {
			break
		}
		r.row++
		if err := r.store(b, n, record, err); err != nil {
			return nil, err
		}
		r.limit.whole()
		n++
	}
	if n == 0 {
		return nil, io.EOF
	}
	return cut(b, n), nil
}

// Line is the line of the file, 1 for the first, on which a row of the last
// batch begins: rows count from 1 over the whole file. It is 0 for other rows.
func (r *Reader) Line(row int64) int64 {
	i := row - (r.row - int64(len(r.lines))) - 1
	if i < 0 || i >= int64(len(r.lines)) {
		return 0
	}
	return r.lines[i]
}

// span is the line on which the last record begins, and the one after its end.
func (r *Reader) span(record []string) (first, next int64) {
	last := len(record) - 1
	from, _ := r.csv.FieldPos(0)
	to, _ := r.csv.FieldPos(last)
	return int64(from), int64(to + strings.Count(record[last], "\n") + 1)
}

// store puts a record into row i of the batch.
func (r *Reader) store(b *frame.Batch, i int, record []string, err error) error {
	var malformed *csv.ParseError
	var first, next int64
	switch {
	case errors.As(err, &malformed):
		first, next = int64(malformed.StartLine), int64(malformed.Line)+1
	case err != nil:
		first = r.next
	default:
		first, next = r.span(record)
	}
	r.lines = append(r.lines, first)
	if err := r.blank(first); err != nil {
		return err
	}
	r.next = next
	switch {
	case malformed != nil:
		return r.spoil(b, i, r.malformed(malformed))
	case errors.Is(err, errOpenQuote):
		r.stopped = true
		return r.spoil(b, i, errOpenQuote.Error())
	case errors.Is(err, errRecordTooLong):
		return &FormatError{Row: r.row, Line: first, Err: errRecordTooLong}
	case err != nil:
		return fmt.Errorf("read row %d of %s: %w", r.row, r.table.Name, err)
	case len(record) != len(b.Columns):
		return r.spoil(b, i, fmt.Sprintf("the row has %d fields, the header %d", len(record), len(b.Columns)))
	}
	return r.cells(b, i, record)
}

// blank reports the lines between the last record and the one that begins on
// line first, which the parser skips.
func (r *Reader) blank(first int64) error {
	if first <= r.next {
		return nil
	}
	detail := "a blank line stands before the row"
	if n := first - r.next; n > 1 {
		detail = fmt.Sprintf("%d blank lines stand before the row", n)
	}
	return r.problem(Problem{Row: r.row, Line: r.next, Rule: RuleBlank, Detail: detail})
}

// malformed says what is wrong with a record. One with an open quote goes on to
// the end of the file.
func (r *Reader) malformed(e *csv.ParseError) string {
	if errors.Is(e.Err, csv.ErrQuote) && e.Line > e.StartLine && r.limit.ended && r.csv.InputOffset() >= r.limit.total {
		return fmt.Sprintf("a quote that opens in this row is never closed: the rest of the file, to line %d, was not read", e.Line)
	}
	return e.Error()
}

// cells stores the values of a record in row i of the batch.
func (r *Reader) cells(b *frame.Batch, i int, record []string) error {
	for c := range b.Columns {
		if record[c] == "" {
			b.Columns[c].SetNull(i, b.Rows)
		} else if want := r.parse(&b.Columns[c], c, i, record[c]); want != "" {
			b.Columns[c].SetNull(i, b.Rows)
			p := Problem{Row: r.row, Line: r.lines[i], Column: r.table.Columns[c].Name, Value: strings.Clone(record[c]), Rule: RuleType, Detail: want}
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
	return r.problem(Problem{Row: r.row, Line: r.lines[i], Rule: RuleRecord, Detail: detail})
}

func (r *Reader) problem(p Problem) error {
	if r.options.Problem == nil {
		if p.Column == "" {
			return &FormatError{Row: p.Row, Line: p.Line, Err: errors.New(p.Detail)}
		}
		return &FormatError{Row: p.Row, Line: p.Line, Err: fmt.Errorf("column %s is not %s", p.Column, p.Detail)}
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
