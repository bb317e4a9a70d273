package dataset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"engage/internal/csvfile"
	"engage/internal/frame"
	"engage/internal/parquetfile"
	"engage/internal/schema"
)

// ForeignError says that a file holds none of the tables.
type ForeignError struct {
	Path    string
	Columns []string // the names of the file's columns
}

// shownColumns and shownBytes bound what an error repeats of a foreign file.
const (
	shownColumns = 4
	shownBytes   = 30
)

func (e *ForeignError) Error() string {
	var shown []string
	for _, name := range e.Columns[:min(shownColumns, len(e.Columns))] {
		shown = append(shown, strconv.QuoteToASCII(cutText(name, shownBytes)))
	}
	if len(e.Columns) > len(shown) {
		shown = append(shown, "...")
	}
	return fmt.Sprintf("%s holds none of the tables customers, personal and connections: its columns are %s; name a file of a data set",
		e.Path, strings.Join(shown, ", "))
}

// batchRows is the number of rows checked at a time.
const batchRows = 8192

// csvSource is a CSV reader that closes its file.
type csvSource struct {
	*csvfile.Reader
	file *os.File
}

func (s csvSource) Close() error { return s.file.Close() }

// openTable opens a file of a table. What cannot be read of it goes to problem.
// Errors: those of the file system and of the codecs, with the path.
func openTable(path, format string, t *schema.Table, problem func(csvfile.Problem)) (frame.Reader, error) {
	if format == Parquet {
		o := parquetfile.ReadOptions{BatchRows: batchRows, Problem: func(p parquetfile.Problem) {
			problem(csvfile.Problem{Row: p.Row, Column: p.Column, Value: p.Value, Rule: csvfile.RuleType, Detail: p.Detail})
		}}
		r, err := parquetfile.Open(path, t, o)
		var system *fs.PathError
		if errors.As(err, &system) {
			return nil, pathError(path, err)
		}
		if err != nil {
			return nil, err
		}
		return r, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, pathError(path, err)
	}
	r, err := csvfile.NewReader(f, t, csvfile.ReadOptions{Problem: problem, BatchRows: batchRows})
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return csvSource{r, f}, nil
}

// recognise tells the format and which of the tables a file holds from its content.
func recognise(path string, tables []*schema.Table) (format string, t *schema.Table, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", nil, pathError(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", nil, pathError(path, err)
	}
	format, names, err := columnsOf(f, info.Size(), path)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", path, err)
	}
	if t = closest(names, tables); t == nil {
		return "", nil, &ForeignError{Path: path, Columns: slices.Clone(names)}
	}
	return format, t, nil
}

func columnsOf(f *os.File, size int64, path string) (format string, names []string, err error) {
	magic := make([]byte, 4)
	n, _ := f.ReadAt(magic, 0)
	if string(magic[:n]) == "PAR1" || filepath.Ext(path) == ".parquet" {
		info, err := parquetfile.Inspect(f, size)
		return Parquet, info.Columns, err
	}
	names, err = csvfile.Columns(f)
	return CSV, names, err
}

// closest is the table that shares at least half of its columns with names, or nil.
func closest(names []string, tables []*schema.Table) *schema.Table {
	var best *schema.Table
	most := 0.5
	for _, t := range tables {
		shared := 0
		for _, c := range t.Columns {
			if slices.Contains(names, string(c.Name)) {
				shared++
			}
		}
		if share := float64(shared) / float64(max(len(t.Columns), len(names))); share >= most {
			best, most = t, share
		}
	}
	return best
}

// drain calls each for every batch of a reader, with the number of rows before it.
func drain(r frame.Reader, each func(b *frame.Batch, before int64) error) (rows int64, err error) {
	for {
		b, err := r.Next()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		if err := each(b, rows); err != nil {
			return rows, err
		}
		rows += int64(b.Rows)
	}
}
