package dataset

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"engage/internal/csvfile"
	"engage/internal/frame"
	"engage/internal/parquetfile"
	"engage/internal/schema"
)

// ValidateOptions says how to validate. The zero value is usable.
type ValidateOptions struct {
	// MaxSamples is the number of violations listed for each rule. The default is DefaultMaxSamples.
	MaxSamples int
	// Truth describes the truth, whose columns belong to the generator. The
	// default is nil: of the truth only size, hash and row count are checked.
	Truth *schema.Table
	// Progress is told after each batch how many rows of the file were checked.
	// Files are checked at the same time, but it is called by one goroutine at a
	// time. The default is nobody.
	Progress func(file string, rows int64)
}

// Validate checks a data set directory, or one CSV or Parquet file of a table,
// which is recognised by its columns. What the data does wrong is in the
// report, and so is, of a directory, a file that is damaged. Errors are for what
// cannot be read at all: *PathError, *NotDatasetError, *ManifestError,
// *SchemaError, *FileError (a file is missing), *ForeignError, for a file by
// itself the FormatError of the codecs, those of the file system, and the end of ctx.
func Validate(ctx context.Context, path string, o ValidateOptions) (Report, error) {
	v := &validator{ctx: ctx, options: o, seed: maphash.MakeSeed(), report: Report{Path: path}}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		err = pathError(path, err)
	case info.IsDir():
		err = v.directory(path)
	default:
		err = v.single(path)
	}
	if err != nil {
		return Report{}, fmt.Errorf("validate: %w", err)
	}
	return v.report, nil
}

type validator struct {
	ctx      context.Context
	options  ValidateOptions
	seed     maphash.Seed // of the digests
	report   Report
	progress sync.Mutex

	// Of a directory:
	outcomes map[string]*outcome // by file
	running  sync.WaitGroup
	slots    chan struct{} // one for each job that runs
}

// outcome is what came of one file. Only the job of the file writes to it, but
// for bytes, which belongs to the job that hashes it.
type outcome struct {
	entry  File
	rec    *recorder // of its content
	bytes  *recorder // of its size and hash
	rows   int64
	read   bool // to its end
	digest *digest
	err    error
	hashed error
}

// tables are those that a file can hold.
func (v *validator) tables() []*schema.Table {
	if v.options.Truth == nil {
		return schema.Tables
	}
	return append(slices.Clone(schema.Tables), v.options.Truth)
}

func (v *validator) single(path string) error {
	format, t, err := recognise(path, v.tables())
	if err != nil {
		return err
	}
	o := &outcome{entry: File{Name: filepath.Base(path), Table: t.Name}, rec: newRecorder(v.options.MaxSamples)}
	var more batchCheck = &customerIDs{file: o.entry.Name, rec: o.rec}
	if t.Name == schema.Connections.Name {
		more = &edges{file: o.entry.Name, rec: o.rec}
	}
	if err := v.table(path, format, t, o, more); err != nil {
		return err
	}
	v.summarise([]*outcome{o}, o.rec)
	return nil
}

// summarise fills the report.
func (v *validator) summarise(outcomes []*outcome, rec *recorder) {
	for _, o := range outcomes {
		if o.read {
			v.report.Rows += o.rows
			v.report.Files = append(v.report.Files, FileReport{Name: o.entry.Name, Table: o.entry.Table, Rows: o.rows})
		}
	}
	rec.finish(&v.report)
}

// table checks the rows of one file. Wrong columns are a violation, after
// which nothing more can be said of the file.
func (v *validator) table(path, format string, t *schema.Table, o *outcome, more ...batchCheck) error {
	cells, err := newCellChecker(o.entry.Name, t, o.rec)
	if err != nil {
		return err
	}
	r, err := openTable(path, format, t, cells.problem)
	if wrongColumns(o, err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer r.Close()
	if lines, ok := r.(interface{ Line(row int64) int64 }); ok {
		o.rec.line = lines.Line
		defer func() { o.rec.line = nil }()
	}
	o.rows, err = drain(r, func(b *frame.Batch, before int64) error {
		cells.batch(b, before)
		for _, m := range more {
			m.batch(b, before)
		}
		v.tell(o.entry.Name, before+int64(b.Rows))
		return v.ctx.Err()
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, m := range more {
		m.finish()
	}
	o.read = true
	return nil
}

func (v *validator) tell(file string, rows int64) {
	if v.options.Progress == nil {
		return
	}
	v.progress.Lock()
	defer v.progress.Unlock()
	v.options.Progress(file, rows)
}

func wrongColumns(o *outcome, err error) bool {
	var header *csvfile.HeaderError
	var column *parquetfile.ColumnError
	var message string
	switch {
	case errors.As(err, &header):
		message = header.Error()
	case errors.As(err, &column):
		message = column.Error()
	default:
		return false
	}
	o.rec.add(Violation{File: o.entry.Name, Rule: RuleColumns, Message: message})
	return true
}

// unreadable says why a codec cannot read a file, or nothing for other errors.
func unreadable(err error) string {
	var text *csvfile.FormatError
	var binary *parquetfile.FormatError
	switch {
	case errors.As(err, &text):
		return fmt.Sprintf("the file cannot be read: row %d: %v", text.Row, text.Err)
	case errors.As(err, &binary):
		return fmt.Sprintf("the file cannot be read, it is %s: %v", binary.Fault, binary.Err)
	}
	return ""
}

// cancellable is a reader that fails when a context ends.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

func (c cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
