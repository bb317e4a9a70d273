package parquetfile

import (
	"fmt"
	"io"
	"math"
	"sync"
	"unsafe"

	"github.com/parquet-go/parquet-go"

	"engage/internal/frame"
	"engage/internal/schema"
)

// createdBy is the file's created_by field, in the form
// "application version x.y.z (build hash)" that readers parse.
const createdBy = "engage version 1.0.0 (build 1)"

// chunk is the number of values handed to the codec at a time, which bounds
// the size of a page and of the scratch values.
const chunk = 8192

// Writer writes batches of one table, a row group each. It implements frame.Encoder.
type Writer struct {
	table  *schema.Table
	file   *parquet.GenericWriter[any]
	groups sync.Pool // of *block
	values sync.Pool // of *[]parquet.Value, chunk long
}

// NewWriter returns a writer of the table to w, which it does not close.
func NewWriter(w io.Writer, t *schema.Table) *Writer {
	config := parquet.DefaultWriterConfig()
	config.Schema = parquetSchema(t)
	config.CreatedBy = createdBy
	config.Compression = &parquet.Snappy
	config.ColumnIndexSizeLimit = func([]string) int { return 64 }
	return &Writer{table: t, file: parquet.NewGenericWriter[any](w, config)}
}

type block struct {
	group *parquet.ConcurrentRowGroupWriter
	rows  int
}

func (b *block) Rows() int { return b.rows }

// Encode turns a batch into a row group in memory.
func (w *Writer) Encode(b *frame.Batch) (frame.Block, error) {
	if b.Table.Name != w.table.Name || len(b.Columns) != len(w.table.Columns) {
		return nil, fmt.Errorf("write %s as Parquet: the batch is of table %s", w.table.Name, b.Table.Name)
	}
	out, _ := w.groups.Get().(*block)
	if out == nil {
		out = &block{group: w.file.BeginRowGroup()}
	}
	out.rows = b.Rows
	for i, column := range out.group.ColumnWriters() {
		if err := w.encodeColumn(column, &w.table.Columns[i], &b.Columns[i], b.Rows); err != nil {
			return nil, fmt.Errorf("write %s as Parquet: column %s: %w", w.table.Name, w.table.Columns[i].Name, err)
		}
	}
	if err := out.group.Flush(); err != nil {
		return nil, fmt.Errorf("write %s as Parquet: %w", w.table.Name, err)
	}
	return out, nil
}

func (w *Writer) encodeColumn(to *parquet.ColumnWriter, c *schema.Column, col *frame.Column, rows int) error {
	scratch, _ := w.values.Get().(*[]parquet.Value)
	if scratch == nil {
		values := make([]parquet.Value, chunk)
		scratch = &values
	}
	defer w.values.Put(scratch)
	for from := 0; from < rows; from += chunk {
		values := (*scratch)[:min(chunk, rows-from)]
		if err := fill(values, c, col, from); err != nil {
			return err
		}
		if _, err := to.WriteRowValues(values); err != nil {
			return err
		}
	}
	return nil
}

// fill sets values to the rows of col that start at from.
func fill(values []parquet.Value, c *schema.Column, col *frame.Column, from int) error {
	switch c.Type {
	case schema.String:
		for i, s := range col.Strings[from : from+len(values)] {
			values[i] = text(s)
		}
	case schema.Int:
		for i, n := range col.Ints[from : from+len(values)] {
			if n != int64(int32(n)) {
				return fmt.Errorf("row %d of the batch: %d is outside %d to %d", from+i+1, n, math.MinInt32, math.MaxInt32)
			}
			values[i] = parquet.Int32Value(int32(n)).Level(0, 1, 0)
		}
	case schema.BigInt, schema.Timestamp:
		for i, n := range col.Ints[from : from+len(values)] {
			values[i] = parquet.Int64Value(n).Level(0, 1, 0)
		}
	case schema.Double:
		for i, v := range col.Floats[from : from+len(values)] {
			values[i] = parquet.DoubleValue(v).Level(0, 1, 0)
		}
	case schema.Boolean:
		for i, v := range col.Bools[from : from+len(values)] {
			values[i] = parquet.BooleanValue(v).Level(0, 1, 0)
		}
	}
	for i := range values {
		if !col.Present(from + i) {
			values[i] = parquet.Value{}
		}
	}
	return nil
}

// text is s as a value that shares its bytes, which the codec only reads.
func text(s string) parquet.Value {
	return parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(s), len(s))).Level(0, 1, 0)
}

// Append writes a row group to the file.
func (w *Writer) Append(b frame.Block) error {
	group, ok := b.(*block)
	if !ok {
		return fmt.Errorf("write %s as Parquet: the block was encoded by another writer (%T)", w.table.Name, b)
	}
	if _, err := group.group.Commit(); err != nil {
		return fmt.Errorf("write %s as Parquet: %w", w.table.Name, err)
	}
	w.groups.Put(group)
	return nil
}

// Close writes the footer, without which the file cannot be read.
func (w *Writer) Close() error {
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("write the footer of %s as Parquet: %w", w.table.Name, err)
	}
	return nil
}
