// Package csvfile writes and reads tables as comma-separated values (RFC 4180,
// https://www.rfc-editor.org/rfc/rfc4180), in the form that Athena's delimited
// tables read too: a header line, LF line ends, no quotes, a missing value as
// an empty field, doubles with the column's number of decimals, true and false,
// timestamps as "2006-01-02 15:04:05.000" in UTC.
package csvfile

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"engage/internal/frame"
	"engage/internal/schema"
)

// timestampLayout is the text form of a timestamp that Athena and DuckDB read.
const timestampLayout = "2006-01-02 15:04:05.000"

// ValueError says that a value cannot be written as CSV.
type ValueError struct {
	Table  string
	Column schema.Name
	Row    int // 1 for the first row of the batch
	Reason string
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("write %s as CSV: column %s, row %d of the batch: %s", e.Table, e.Column, e.Row, e.Reason)
}

// Writer writes batches of one table. It implements frame.Encoder.
type Writer struct {
	w       io.Writer
	table   *schema.Table
	started bool
	buffers sync.Pool // of *block
}

// NewWriter returns a writer of the table to w, which it neither buffers nor
// closes: each block is one call of w.Write.
func NewWriter(w io.Writer, t *schema.Table) *Writer { return &Writer{w: w, table: t} }

type block struct {
	text []byte
	rows int
}

func (b *block) Rows() int { return b.rows }

// Encode turns a batch into lines. A string that would need quotes, or that is
// empty and so could not be told from a missing one, is a *ValueError.
func (w *Writer) Encode(b *frame.Batch) (frame.Block, error) {
	if b.Table.Name != w.table.Name || len(b.Columns) != len(w.table.Columns) {
		return nil, fmt.Errorf("write %s as CSV: the batch is of table %s", w.table.Name, b.Table.Name)
	}
	out, _ := w.buffers.Get().(*block)
	if out == nil {
		out = &block{}
	}
	text := out.text[:0]
	for row := range b.Rows {
		for i := range b.Columns {
			if i > 0 {
				text = append(text, ',')
			}
			var reason string
			if text, reason = appendValue(text, &w.table.Columns[i], &b.Columns[i], row); reason != "" {
				return nil, &ValueError{Table: w.table.Name, Column: w.table.Columns[i].Name, Row: row + 1, Reason: reason}
			}
		}
		text = append(text, '\n')
	}
	out.text, out.rows = text, b.Rows
	return out, nil
}

// appendValue appends the value of one cell; reason is set when it cannot.
func appendValue(dst []byte, c *schema.Column, col *frame.Column, row int) (_ []byte, reason string) {
	if col.Valid != nil && !col.Valid[row] {
		return dst, ""
	}
	switch c.Type {
	case schema.Double:
		return appendDouble(dst, col.Floats[row], c.Decimals), ""
	case schema.Int, schema.BigInt:
		return strconv.AppendInt(dst, col.Ints[row], 10), ""
	case schema.Boolean:
		return strconv.AppendBool(dst, col.Bools[row]), ""
	case schema.Timestamp:
		return time.UnixMilli(col.Ints[row]).UTC().AppendFormat(dst, timestampLayout), ""
	default:
		s := col.Strings[row]
		return append(dst, s...), unquotable(s)
	}
}

// unquotable says why a string cannot stand in a field without quotes.
func unquotable(s string) string {
	if s == "" {
		return "an empty string cannot be told from a missing value; mark it missing"
	}
	for i := range len(s) {
		switch s[i] {
		case ',', '"', '\n', '\r':
			return fmt.Sprintf("the value holds %q, which needs quotes that delimited tables cannot read", s[i])
		}
	}
	return ""
}

// Append writes the lines of a block, the header first.
func (w *Writer) Append(b frame.Block) error {
	lines, ok := b.(*block)
	if !ok {
		return fmt.Errorf("write %s as CSV: the block was encoded by another writer (%T)", w.table.Name, b)
	}
	if err := w.header(); err != nil {
		return err
	}
	if _, err := w.w.Write(lines.text); err != nil {
		return fmt.Errorf("write %s as CSV: %w", w.table.Name, err)
	}
	w.buffers.Put(lines)
	return nil
}

// Close writes the header if no block did, so that an empty table has one.
func (w *Writer) Close() error { return w.header() }

func (w *Writer) header() error {
	if w.started {
		return nil
	}
	w.started = true
	if _, err := io.WriteString(w.w, Header(w.table)+"\n"); err != nil {
		return fmt.Errorf("write the header of %s as CSV: %w", w.table.Name, err)
	}
	return nil
}

// Header is the first line of the table's CSV file, without its line end.
func Header(t *schema.Table) string {
	var text []byte
	for i, c := range t.Columns {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, c.Name...)
	}
	return string(text)
}
