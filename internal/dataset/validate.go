package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"engage/internal/csvfile"
	"engage/internal/frame"
	"engage/internal/parquetfile"
	"engage/internal/schema"
)

// ValidateOptions says how to validate. The zero value is usable.
type ValidateOptions struct {
	// MaxSamples is the number of violations listed for each rule. The default is DefaultMaxSamples.
	MaxSamples int
	// Progress is told after each batch how many rows of the file were checked. The default is nobody.
	Progress func(file string, rows int64)
}

// Validate checks a data set directory, or one CSV or Parquet file of a table,
// which is recognised by its columns. What the data does wrong is in the
// report. Errors are for what cannot be read at all: *NotDatasetError,
// *ManifestError, *FileError (a file is missing), *ForeignError, the
// FormatError of the codecs, those of the file system, and the end of ctx.
func Validate(ctx context.Context, path string, o ValidateOptions) (Report, error) {
	v := &validator{ctx: ctx, options: o, rec: newRecorder(o.MaxSamples), report: Report{Path: path}}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return Report{}, fmt.Errorf("validate: %w", err)
	case info.IsDir():
		err = v.directory(path)
	default:
		err = v.single(path)
	}
	if err != nil {
		return Report{}, fmt.Errorf("validate: %w", err)
	}
	v.rec.finish(&v.report)
	return v.report, nil
}

type validator struct {
	ctx       context.Context
	options   ValidateOptions
	rec       *recorder
	report    Report
	ledger    *ledger // in a directory, once a customers file was read
	customers string  // the file that filled the ledger
	counted   bool    // whether a connections file was counted into the ledger
}

func (v *validator) single(path string) error {
	format, t, err := recognise(path)
	if err != nil {
		return err
	}
	_, err = v.table(path, filepath.Base(path), format, t, v.alone(filepath.Base(path), t))
	return err
}

// alone checks what one file can break by itself.
func (v *validator) alone(file string, t *schema.Table) batchCheck {
	if t.Name == schema.Connections.Name {
		return &edges{file: file, rec: v.rec}
	}
	return &customerIDs{file: file, rec: v.rec}
}

// directory checks every file that the manifest lists, in the order of
// DataFiles, so that customers are known before those who refer to them.
func (v *validator) directory(dir string) error {
	d, err := openManifest(dir)
	if err != nil {
		return err
	}
	for _, name := range DataFiles {
		entry, ok := d.Manifest.file(name)
		if !ok {
			continue
		}
		if err := v.member(d, entry); err != nil {
			return err
		}
	}
	if v.counted {
		checkDegrees(v.ledger, v.customers, v.rec)
	}
	return nil
}

func (v *validator) member(d *Dataset, entry File) error {
	if err := v.bytes(d, entry); err != nil {
		return err
	}
	rows, checked, err := v.rows(d, entry)
	if err != nil {
		return err
	}
	want := d.Manifest.Rows
	if entry.Table == schema.Connections.Name {
		want = d.Manifest.Edges
	}
	if checked && (rows != entry.Rows || rows != want) {
		v.rec.add(Violation{File: entry.Name, Rule: RuleRowCount, Value: fmt.Sprint(rows),
			Message: fmt.Sprintf("%s says %d rows for the file and %d for the table", ManifestFile, entry.Rows, want)})
	}
	return nil
}

// rows checks the rows of a file. checked is false if its columns are wrong.
func (v *validator) rows(d *Dataset, entry File) (rows int64, checked bool, err error) {
	path := d.Path(entry.Name)
	t := describedTable(entry.Table)
	if t == nil {
		rows, err = v.truth(path, entry)
		return rows, true, err
	}
	broken := v.count(RuleColumns)
	rows, err = v.table(path, entry.Name, formatOf(entry.Name), t, v.related(entry.Name, t))
	checked = v.count(RuleColumns) == broken
	if !checked && v.customers == entry.Name {
		v.ledger, v.customers = nil, "" // nothing is known of the customers
	}
	return rows, checked, err
}

func (v *validator) count(rule Rule) int64 {
	if c := v.rec.counts[rule]; c != nil {
		return c.Count
	}
	return 0
}

// truth opens the file whose columns belong to the generator.
func (v *validator) truth(path string, entry File) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	found, err := parquetfile.Inspect(f, info.Size())
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	v.report.Files = append(v.report.Files, FileReport{Name: entry.Name, Table: entry.Table, Rows: found.Rows})
	return found.Rows, nil
}

// related checks a file together with those before it.
func (v *validator) related(file string, t *schema.Table) batchCheck {
	if t.Name == schema.Connections.Name {
		first := v.ledger != nil && !v.counted
		v.counted = v.counted || first
		return &edges{file: file, rec: v.rec, known: v.ledger, count: first}
	}
	ids := &customerIDs{file: file, rec: v.rec}
	switch {
	case t.Name != schema.Customers.Name:
		ids.known = v.ledger
	case v.ledger == nil:
		v.ledger, v.customers = new(ledger), file
		ids.fill = v.ledger
	}
	return ids
}

// table checks the rows of one file. Wrong columns are a violation, after
// which nothing more can be said of the file.
func (v *validator) table(path, file, format string, t *schema.Table, more batchCheck) (int64, error) {
	cells, err := newCellChecker(file, t, v.rec)
	if err != nil {
		return 0, err
	}
	r, err := openTable(path, format, t, cells.problem(t))
	if v.wrongColumns(file, err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer r.Close()
	rows, err := drain(r, func(b *frame.Batch, before int64) error {
		cells.batch(b, before)
		more.batch(b, before)
		if v.options.Progress != nil {
			v.options.Progress(file, before+int64(b.Rows))
		}
		return v.ctx.Err()
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	more.finish()
	v.report.Rows += rows
	v.report.Files = append(v.report.Files, FileReport{Name: file, Table: t.Name, Rows: rows})
	return rows, nil
}

func (v *validator) wrongColumns(file string, err error) bool {
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
	v.rec.add(Violation{File: file, Rule: RuleColumns, Message: message})
	return true
}

// bytes compares a file's size and SHA-256 with the manifest.
func (v *validator) bytes(d *Dataset, entry File) error {
	f, err := os.Open(d.Path(entry.Name))
	if errors.Is(err, os.ErrNotExist) {
		return &FileError{Dir: d.Dir, Name: entry.Name, Reason: "is missing"}
	}
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.CopyBuffer(sum, cancellable{v.ctx, f}, make([]byte, 1<<20))
	if err != nil {
		return fmt.Errorf("%s: %w", d.Path(entry.Name), err)
	}
	if size != entry.Bytes {
		v.rec.add(Violation{File: entry.Name, Rule: RuleFile, Value: fmt.Sprint(size), Message: fmt.Sprintf("%s says %d bytes", ManifestFile, entry.Bytes)})
	} else if got := hex.EncodeToString(sum.Sum(nil)); got != entry.SHA256 {
		v.rec.add(Violation{File: entry.Name, Rule: RuleFile, Value: got, Message: fmt.Sprintf("%s says SHA-256 %s", ManifestFile, entry.SHA256)})
	}
	return nil
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
