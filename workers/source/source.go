// Package source reads customers from files, wherever they are: the data set of
// a directory, or what a query left under a location of a store.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"

	"engage/internal/feature"
	"engage/internal/frame"
	"engage/internal/schema"
)

// File is a file of customers.
type File struct {
	Name string // for people
	// Open reads the named columns, and may read others. The caller closes the
	// reader, which must not be used after the context has ended.
	Open func(ctx context.Context, columns []schema.Name) (frame.Reader, error)
}

// Files are read one after the other.
type Files struct {
	Place string // for people: where the files are
	List  []File
	Rows  int64 // in all of them; 0 is unknown
}

// EmptyError tells of files without any row.
type EmptyError struct{ Place string }

// Error is one line that says where there should be rows.
func (e *EmptyError) Error() string {
	return fmt.Sprintf("%s holds no customers; generate or prepare the data first", e.Place)
}

// Run is rows of a file that belong together for as long as Read's callback runs.
type Run struct {
	File  string
	First int64 // rows of the file before these
	*frame.Batch
}

// Values are the named columns, as features are made of them.
func (r Run) Values(names []schema.Name) []feature.Values {
	out := make([]feature.Values, len(names))
	for i, name := range names {
		out[i] = feature.Values(*r.Column(name))
	}
	return out
}

// Locate says of an error of a cell of the run which file and row it is in.
func (r Run) Locate(err error) error {
	var cell *feature.CellError
	if errors.As(err, &cell) && cell.File == "" {
		cell.File, cell.Row = r.File, cell.Row+r.First
	}
	return err
}

// Read hands over all rows, in order. Errors: *EmptyError if there is none,
// those of the files, those of each, located, and the end of the context.
func (f Files) Read(ctx context.Context, columns []schema.Name, each func(Run) error) error {
	rows := int64(0)
	for _, file := range f.List {
		n, err := file.read(ctx, columns, each)
		if err != nil {
			return err
		}
		rows += n
	}
	if rows == 0 {
		return &EmptyError{f.Place}
	}
	return nil
}

func (f File) read(ctx context.Context, columns []schema.Name, each func(Run) error) (rows int64, err error) {
	reader, err := f.Open(ctx, columns)
	if err != nil {
		return 0, fmt.Errorf("read customers: %w", err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	for {
		if err := ctx.Err(); err != nil {
			return rows, err
		}
		b, err := reader.Next()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, fmt.Errorf("read customers: %s after row %d: %w", f.Name, rows, err)
		}
		run := Run{f.Name, rows, b}
		if err := each(run); err != nil {
			return rows, run.Locate(err)
		}
		rows += int64(b.Rows)
	}
}
