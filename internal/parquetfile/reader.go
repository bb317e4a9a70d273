package parquetfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"engage/internal/frame"
	"engage/internal/schema"
)

// DefaultBatchRows is the number of rows in a batch unless an option says otherwise.
const DefaultBatchRows = 32768

// magic begins and ends every Parquet file whose footer is not encrypted.
const magic = "PAR1"

// ReadOptions says what a Reader yields. The zero value reads every column.
type ReadOptions struct {
	// Columns are the columns to read, in that order; the file may then hold
	// others, which are not touched. The default is every column of the table,
	// in its order, and the file must hold no other.
	Columns []schema.Name
	// BatchRows is the largest number of rows in a batch, which with the page
	// size of the file sets the memory used. The default is DefaultBatchRows.
	BatchRows int
	// Problem is told each value that is not of its column's type, such as a
	// fraction among integers; such a cell is missing from the batch. Without it
	// the first one ends the reading with a *ColumnError.
	Problem func(Problem)
}

// Reader yields the rows of a file in order. It implements frame.Reader.
type Reader struct {
	table   *schema.Table // what is read, a projection where one was asked for
	file    *parquet.File
	columns []*columnReader
	batch   int
	groups  []parquet.RowGroup
	left    int64 // rows not yet read of the current row group
	row     int64 // rows read
	reused  *frame.Batch
	owned   io.Closer
}

// Open opens the named file of the table. Close closes the file too. Errors:
// those of the file system, *FormatError, *ColumnError.
func Open(path string, t *schema.Table, o ReadOptions) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	r, err := NewReader(f, info.Size(), t, o)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r.owned = f
	return r, nil
}

// NewReader reads size bytes of r as a file of the table. It checks that the
// columns are there with the right types. Errors: *FormatError, *ColumnError.
func NewReader(r io.ReaderAt, size int64, t *schema.Table, o ReadOptions) (*Reader, error) {
	file, err := openFile(r, size)
	if err != nil {
		return nil, err
	}
	table, err := project(t, o.Columns)
	if err != nil {
		return nil, err
	}
	if o.Columns == nil {
		if err := sameNames(file, t); err != nil {
			return nil, err
		}
	}
	reader := &Reader{table: table, file: file, batch: o.BatchRows, groups: file.RowGroups()}
	if reader.batch <= 0 {
		reader.batch = DefaultBatchRows
	}
	for i := range table.Columns {
		column, err := newColumnReader(file, table.Name, &table.Columns[i])
		if err != nil {
			return nil, err
		}
		column.problem = o.Problem
		reader.columns = append(reader.columns, column)
	}
	return reader, nil
}

func openFile(r io.ReaderAt, size int64) (file *parquet.File, err error) {
	err = guard(func() error {
		if err := checkEnds(r, size); err != nil {
			return err
		}
		file, err = parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
		if err != nil {
			return err
		}
		if err := checkCodecs(file); err != nil {
			return err
		}
		return checkRows(file)
	})
	return file, err
}

// checkEnds checks the first and last bytes of the file: the magic numbers and
// the footer's length. A length larger than the file would be allocated otherwise.
func checkEnds(r io.ReaderAt, size int64) error {
	var head [len(magic)]byte
	var tail [8]byte
	if n, err := r.ReadAt(head[:], 0); err != nil && err != io.EOF {
		return err
	} else if string(head[:n]) == magic && size < int64(len(magic)+len(tail)) {
		return fault(Truncated, "it has only %d bytes", size)
	}
	if size < int64(len(magic)+len(tail)) {
		return fault(Foreign, "it has only %d bytes", size)
	}
	if _, err := r.ReadAt(tail[:], size-int64(len(tail))); err != nil {
		return err
	}
	begins, ends := string(head[:]) == magic, string(tail[4:]) == magic
	footer := int64(binary.LittleEndian.Uint32(tail[:]))
	switch {
	case !begins && !ends:
		return fault(Foreign, "it neither begins nor ends with %s", magic)
	case !ends:
		return fault(Truncated, "it does not end with %s", magic)
	case !begins:
		return fault(Damaged, "it does not begin with %s", magic)
	case footer > size-int64(len(magic)+len(tail)):
		return fault(Damaged, "its footer claims %d bytes of %d", footer, size)
	}
	return nil
}

// codecs are the compressions that are read.
var codecs = []format.CompressionCodec{format.Uncompressed, format.Snappy, format.Gzip, format.Brotli, format.Zstd, format.Lz4Raw}

// checkCodecs names a compression that cannot be read before a page of it is met.
func checkCodecs(file *parquet.File) error {
	for _, group := range file.Metadata().RowGroups {
		for _, chunk := range group.Columns {
			if codec := chunk.MetaData.Codec; !slices.Contains(codecs, codec) {
				return fault(Unsupported, "column %s is compressed with %s, use Snappy or Zstandard", strings.Join(chunk.MetaData.PathInSchema, "."), codec)
			}
		}
	}
	return nil
}

// checkRows refuses a footer whose counts contradict each other.
func checkRows(file *parquet.File) error {
	var sum int64
	for _, g := range file.RowGroups() {
		if g.NumRows() < 0 {
			return fmt.Errorf("a row group claims %d rows", g.NumRows())
		}
		sum += g.NumRows()
	}
	if sum != file.NumRows() {
		return fmt.Errorf("the footer claims %d rows, its row groups %d", file.NumRows(), sum)
	}
	return nil
}

// project is the table with only the named columns, or all of them.
func project(t *schema.Table, names []schema.Name) (*schema.Table, error) {
	if names == nil {
		return t, nil
	}
	narrow := &schema.Table{Name: t.Name, Description: t.Description}
	for _, name := range names {
		c, ok := t.Column(name)
		if !ok {
			return nil, &ColumnError{Table: t.Name, Column: name, Reason: "is not described in the schema"}
		}
		narrow.Columns = append(narrow.Columns, c)
	}
	return narrow, nil
}

// sameNames checks that the file holds the columns of the table, in its order.
func sameNames(file *parquet.File, t *schema.Table) error {
	found := file.Root().Columns()
	for i, c := range t.Columns {
		switch {
		case i >= len(found):
			return &ColumnError{Table: t.Name, Column: c.Name, Reason: "is missing"}
		case found[i].Name() != string(c.Name):
			return &ColumnError{Table: t.Name, Column: c.Name,
				Reason: fmt.Sprintf("is expected at position %d, where the file has %.60q", i+1, found[i].Name())}
		}
	}
	if len(found) > len(t.Columns) {
		extra := found[len(t.Columns)].Name()
		return &ColumnError{Table: t.Name, Column: schema.Name(extra), Reason: "is not a column of the table"}
	}
	return nil
}

// Table describes the columns that are read, in the order of the batches.
func (r *Reader) Table() *schema.Table { return r.table }

// Rows is the number of rows in the file.
func (r *Reader) Rows() int64 { return r.file.NumRows() }

// Next returns the next rows, of one row group. Errors: *FormatError, io.EOF.
func (r *Reader) Next() (*frame.Batch, error) {
	for r.left == 0 {
		if len(r.groups) == 0 {
			return nil, io.EOF
		}
		group := r.groups[0]
		r.groups, r.left = r.groups[1:], group.NumRows()
		if err := guard(func() error { return r.enter(group) }); err != nil {
			return nil, err
		}
	}
	n := int(min(int64(r.batch), r.left))
	b := r.blank(n)
	for i, c := range r.columns {
		if err := guard(func() error { return c.read(&b.Columns[i], n, r.row) }); err != nil {
			return nil, fmt.Errorf("read column %s of %s: %w", c.column.Name, r.table.Name, err)
		}
	}
	r.left -= int64(n)
	r.row += int64(n)
	return b, nil
}

// enter turns every column to the pages of a row group.
func (r *Reader) enter(group parquet.RowGroup) error {
	chunks := group.ColumnChunks()
	for _, c := range r.columns {
		if c.leaf >= len(chunks) {
			return fmt.Errorf("a row group has %d columns", len(chunks))
		}
		if err := c.enter(chunks[c.leaf]); err != nil {
			return err
		}
	}
	return nil
}

// blank is the batch of n rows to fill, the last one again where it has the size.
func (r *Reader) blank(n int) *frame.Batch {
	if r.reused == nil || r.reused.Rows != n {
		r.reused = frame.New(r.table, n)
	}
	for i := range r.reused.Columns {
		r.reused.Columns[i].Valid = nil
	}
	return r.reused
}

// Close frees what the reader holds, the file too where Open opened it.
func (r *Reader) Close() error {
	for _, c := range r.columns {
		c.leave()
	}
	r.groups, r.left = nil, 0
	if r.owned == nil {
		return nil
	}
	owned := r.owned
	r.owned = nil
	return owned.Close()
}

// Info describes a file without reading its rows.
type Info struct {
	Columns []string // top-level columns, in file order
	Rows    int64
}

// Inspect reads the footer of a file. Errors: *FormatError.
func Inspect(r io.ReaderAt, size int64) (Info, error) {
	file, err := openFile(r, size)
	if err != nil {
		return Info{}, err
	}
	info := Info{Rows: file.NumRows()}
	for _, c := range file.Root().Columns() {
		info.Columns = append(info.Columns, c.Name())
	}
	return info, nil
}
