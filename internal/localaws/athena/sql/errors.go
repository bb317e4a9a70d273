package sql

import "fmt"

// Pos is a place in a statement: Line counts from 1, Col from 1, both in characters.
// The zero Pos means that the place is not known.
type Pos struct{ Line, Col int }

// Valid reports whether the place is known.
func (p Pos) Valid() bool { return p.Line > 0 }

// The names that Athena gives to kinds of failure, in front of the message.
const (
	SyntaxError         = "SYNTAX_ERROR"
	TableNotFound       = "TABLE_NOT_FOUND"
	TableExists         = "TABLE_ALREADY_EXISTS"
	SchemaNotFound      = "SCHEMA_NOT_FOUND"
	SchemaExists        = "SCHEMA_ALREADY_EXISTS"
	ColumnNotFound      = "COLUMN_NOT_FOUND"
	DuplicateColumn     = "DUPLICATE_COLUMN_NAME"
	MissingColumnName   = "MISSING_COLUMN_NAME"
	ColumnTypeUnknown   = "COLUMN_TYPE_UNKNOWN"
	FunctionNotFound    = "FUNCTION_NOT_FOUND"
	TypeMismatch        = "TYPE_MISMATCH"
	AmbiguousName       = "AMBIGUOUS_NAME"
	NotAggregate        = "EXPRESSION_NOT_AGGREGATE"
	NotSupported        = "NOT_SUPPORTED"
	DivisionByZero      = "DIVISION_BY_ZERO"
	InvalidCast         = "INVALID_CAST_ARGUMENT"
	InvalidArgument     = "INVALID_FUNCTION_ARGUMENT"
	NumericOutOfRange   = "NUMERIC_VALUE_OUT_OF_RANGE"
	InvalidProperty     = "INVALID_TABLE_PROPERTY"
	InvalidParameters   = "INVALID_PARAMETER_USAGE"
	ExceededMemory      = "EXCEEDED_LOCAL_MEMORY_LIMIT"
	ExceededScan        = "EXCEEDED_SCAN_LIMIT"
	HiveBadData         = "HIVE_BAD_DATA"
	HivePathExists      = "HIVE_PATH_ALREADY_EXISTS"
	HiveColumnOrder     = "HIVE_COLUMN_ORDER_MISMATCH"
	HiveSemantic        = "SemanticException"
	HiveExecution       = "DDLTask"
	ViewInvalid         = "INVALID_VIEW"
	GenericInternal     = "GENERIC_INTERNAL_ERROR"
	PreparedNotFound    = "NOT_FOUND"
	UserCanceled        = "USER_CANCELED"
	SubqueryManyRows    = "SUBQUERY_MULTIPLE_ROWS"
	MalformedQuery      = "MALFORMED_QUERY"
	UnsupportedFunction = "FUNCTION_NOT_SUPPORTED"
)

// Error is a statement that cannot be read or run.
type Error struct {
	Type string // one of the constants above
	Pos  Pos    // where in the statement, if known
	Msg  string // what is wrong, in Trino's words where Trino has them
}

// Error gives the message as Athena prints it as a query's StateChangeReason.
func (e *Error) Error() string {
	switch {
	case e.Type == HiveSemantic:
		return "FAILED: SemanticException " + e.Msg
	case e.Type == HiveExecution:
		return "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. " + e.Msg
	case e.Type == MalformedQuery:
		return e.at()
	}
	return e.Type + ": " + e.at()
}

func (e *Error) at() string {
	if !e.Pos.Valid() {
		return e.Msg
	}
	return fmt.Sprintf("line %d:%d: %s", e.Pos.Line, e.Pos.Col, e.Msg)
}

// Errorf makes an Error of type kind at pos.
func Errorf(kind string, pos Pos, format string, args ...any) *Error {
	return &Error{Type: kind, Pos: pos, Msg: fmt.Sprintf(format, args...)}
}
