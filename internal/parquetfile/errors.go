package parquetfile

import (
	"errors"
	"fmt"

	"engage/internal/schema"
)

// Fault is what is wrong with a file as a whole.
type Fault string

// The faults.
const (
	Foreign     Fault = "not a Parquet file" // it has neither the beginning nor the end of one
	Truncated   Fault = "truncated"          // it begins as one and lacks its end
	Damaged     Fault = "damaged"            // its content contradicts itself or its checksums
	Unsupported Fault = "not supported"      // it is one, in a form that is not read
)

// FormatError says that a file cannot be read as Parquet.
type FormatError struct {
	Fault Fault
	Err   error
}

func (e *FormatError) Error() string {
	if e.Fault == Foreign {
		return fmt.Sprintf("not a Parquet file: %v; name another", e.Err)
	}
	return fmt.Sprintf("the Parquet file is %s: %v; write it again or name another", e.Fault, e.Err)
}

func (e *FormatError) Unwrap() error { return e.Err }

// fault is a *FormatError of the kind.
func fault(f Fault, format string, args ...any) error {
	return &FormatError{Fault: f, Err: fmt.Errorf(format, args...)}
}

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

// RuleType is the rule that a Problem names: the value is not one of the
// column's type.
const RuleType = "type"

// Problem is a cell whose value is not of the column's type, though the file's
// type can hold values that are.
type Problem struct {
	Row    int64 // 1 for the first row of the file
	Column schema.Name
	Value  string // the value as text
	Rule   string // RuleType
	Detail string // what was expected, such as "a whole number"
}

// guard runs f and turns what the codec says of damaged bytes, a panic
// included, into a *FormatError. A *ColumnError stays one.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fault(Damaged, "its data cannot be decoded (%v)", r)
		}
	}()
	err = f()
	var column *ColumnError
	var format *FormatError
	if err == nil || errors.As(err, &column) || errors.As(err, &format) {
		return err
	}
	return &FormatError{Fault: Damaged, Err: err}
}
