package csvfile

import (
	"fmt"

	"engage/internal/schema"
)

// The rules that a Problem can name.
const (
	RuleRecord = "record" // the row is not a record of RFC 4180, or has another number of fields
	RuleBlank  = "blank"  // blank lines stand before the row, which itself may be whole
	RuleType   = "type"   // the text is not a value of the column's type
)

// Problem is a row or a cell that could not be read.
type Problem struct {
	Row    int64       // 1 for the first row after the header
	Line   int64       // where the row, or the first of the blank lines, begins; 1 for the first line of the file
	Column schema.Name // empty when the whole row is at fault
	Value  string      // the text of the cell; empty when the whole row is at fault
	Rule   string      // RuleRecord, RuleBlank or RuleType
	Detail string      // what was expected
}

// HeaderError says that the first line is not the table's header.
type HeaderError struct {
	Table    string
	Position int    // 1 for the first column
	Want     string // empty: the file has a column too many
	Got      string // empty: the file has a column too few
}

func (e *HeaderError) Error() string {
	switch {
	case e.Want == "":
		return fmt.Sprintf("not a file of table %s: column %d, %.60q, is one too many", e.Table, e.Position, e.Got)
	case e.Got == "":
		return fmt.Sprintf("not a file of table %s: column %d, %s, is missing from the header", e.Table, e.Position, e.Want)
	}
	return fmt.Sprintf("not a file of table %s: column %d of the header is %.60q, not %s", e.Table, e.Position, e.Got, e.Want)
}

// FormatError says that a file cannot be read on as CSV.
type FormatError struct {
	Row  int64 // the row that could not be read, 1 for the first after the header, 0 for the header
	Line int64 // where it begins, 1 for the first line of the file; 0: unknown
	Err  error
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("not a CSV file: row %d: %v; write the file again or name another", e.Row, e.Err)
}

func (e *FormatError) Unwrap() error { return e.Err }

// What is inside the FormatError of a record over MaxRecord.
var (
	errRecordTooLong = fmt.Errorf("the record is longer than %d bytes", MaxRecord)
	errOpenQuote     = fmt.Errorf("a quote that opens in this row is not closed within %d bytes: the rest of the file was not read", MaxRecord)
)
