package parquetfile

import (
	"errors"
	"fmt"

	"engage/internal/schema"
)

// FormatError says that a file is not Parquet, or is damaged or cut short.
type FormatError struct{ Err error }

func (e *FormatError) Error() string {
	return fmt.Sprintf("not a Parquet file or truncated: %v; write the file again or name another", e.Err)
}

func (e *FormatError) Unwrap() error { return e.Err }

// ColumnError says that a file's columns are not those of the table. Column is
// the first one that differs.
type ColumnError struct {
	Table  string
	Column schema.Name
	Reason string
}

func (e *ColumnError) Error() string {
	return fmt.Sprintf("not a file of table %s: column %s %s", e.Table, e.Column, e.Reason)
}

// guard runs f and turns what the codec says of damaged bytes, a panic
// included, into a *FormatError. A *ColumnError stays one.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &FormatError{Err: fmt.Errorf("damaged data (%v)", r)}
		}
	}()
	err = f()
	var column *ColumnError
	if err == nil || errors.As(err, &column) {
		return err
	}
	return &FormatError{Err: err}
}
