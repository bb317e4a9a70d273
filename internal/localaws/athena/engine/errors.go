package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"engage/internal/localaws/athena/sql"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// duckError is an error as DuckDB writes it with errors_as_json.
type duckError struct {
	Type       string `json:"exception_type"`
	Message    string `json:"exception_message"`
	Position   string `json:"position"`
	Subtype    string `json:"error_subtype"`
	Name       string `json:"name"`
	Call       string `json:"call"`
	Candidates string `json:"candidates"`
}

// quoted finds what an error's text quotes.
var quotedText = regexp.MustCompile(`'([^']*)'|"([^"]*)"`)

// explainError turns DuckDB's error into Trino's words, with the place in the statement that it is about.
func (t translation) explainError(err error) error {
	var de *duckdb.Error
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &de) {
		return err
	}
	d := duckError{Message: de.Msg}
	if i := strings.IndexByte(de.Msg, '{'); i >= 0 {
		if json.Unmarshal([]byte(de.Msg[i:]), &d) != nil {
			d.Message = de.Msg
		}
	}
	kind, msg := d.classify()
	return &sql.Error{Type: kind, Pos: t.place(d), Msg: msg}
}

// place finds where in the statement an error is. A position in the text of a macro means nothing here,
// so it counts only where the text at the position is what the error names.
func (t translation) place(d duckError) sql.Pos {
	n, err := strconv.Atoi(d.Position)
	if err != nil || n < 0 || n >= len(t.text) {
		return sql.Pos{}
	}
	if d.Name != "" && d.Subtype == "COLUMN_NOT_FOUND" && !strings.HasPrefix(strings.ToLower(t.text[n:]), `"`+strings.ToLower(d.Name)) {
		if i := strings.Index(t.text, ident(d.Name)); i >= 0 {
			return t.origin(i)
		}
	}
	return t.origin(n)
}

func (d duckError) quoted() string {
	m := quotedText.FindStringSubmatch(d.Message)
	if m == nil {
		return ""
	}
	return m[1] + m[2]
}

// classify gives Trino's type and words for an error.
func (d duckError) classify() (kind, msg string) {
	m := firstLine(d.Message)
	switch d.Type {
	case "Binder":
		return d.binder(m)
	case "Conversion":
		return d.conversion(m)
	case "Out of Range":
		return sql.NumericOutOfRange, m
	case "Mismatch Type":
		return sql.TypeMismatch, m
	case "Out of Memory":
		return sql.ExceededMemory, "Query exceeded the memory limit of one query: " + m
	case "Invalid Input":
		if strings.HasPrefix(m, "More than one row returned by a subquery") {
			return sql.SubqueryManyRows, "Scalar sub-query has returned multiple rows"
		}
		return sql.InvalidArgument, m
	case "Parser", "Syntax":
		return sql.SyntaxError, m
	case "Not implemented":
		return sql.NotSupported, m
	}
	return sql.GenericInternal, m
}

func (d duckError) binder(m string) (kind, msg string) {
	switch {
	case d.Subtype == "COLUMN_NOT_FOUND":
		return sql.ColumnNotFound, fmt.Sprintf("Column '%s' cannot be resolved or requester is not authorized to access requested resources", d.Name)
	case strings.Contains(m, "not found in FROM clause") || strings.Contains(m, "Referenced table") || strings.Contains(m, "does not have a column named"):
		return sql.ColumnNotFound, fmt.Sprintf("Column '%s' cannot be resolved or requester is not authorized to access requested resources", d.lastQuoted())
	case strings.HasPrefix(m, "Ambiguous reference"):
		return sql.AmbiguousName, fmt.Sprintf("Column '%s' is ambiguous", d.quoted())
	case strings.Contains(m, "must appear in the GROUP BY clause"):
		return sql.NotAggregate, fmt.Sprintf("'%s' must be an aggregate expression or appear in GROUP BY clause", d.quoted())
	case d.Subtype == "NO_MATCHING_FUNCTION":
		return d.noFunction()
	case strings.HasPrefix(m, "Macro "):
		return sql.FunctionNotFound, "Unexpected parameters for function " + strings.TrimSuffix(strings.TrimPrefix(strings.Fields(m)[1], "trino_"), "()")
	case strings.HasPrefix(m, "Cannot compare") || strings.Contains(m, "explicit cast") || strings.Contains(m, "Cannot mix values"):
		return sql.TypeMismatch, m
	case strings.HasPrefix(m, "Set operations can only"):
		return sql.TypeMismatch, "Query has a different number of columns on its sides"
	}
	return sql.SyntaxError, m
}

func (d duckError) lastQuoted() string {
	all := quotedText.FindAllStringSubmatch(firstLine(d.Message), -1)
	if len(all) == 0 {
		return d.Name
	}
	if strings.Contains(d.Message, "does not have a column named") {
		m := all[len(all)-1]
		return m[1] + m[2]
	}
	return all[0][1] + all[0][2]
}

func (d duckError) noFunction() (kind, msg string) {
	call := strings.TrimPrefix(d.Call, "trino_")
	name, args, _ := strings.Cut(strings.TrimSuffix(call, ")"), "(")
	args = strings.ToLower(strings.NewReplacer("STRING_LITERAL", "varchar", "INTEGER_LITERAL", "integer").Replace(args))
	if strings.ContainsAny(name, "+-*/%<>=|") {
		return sql.TypeMismatch, fmt.Sprintf("Cannot apply operator: %s", strings.Replace(args, ", ", " "+name+" ", 1))
	}
	return sql.FunctionNotFound, fmt.Sprintf("Unexpected parameters (%s) for function %s", args, name)
}

func (d duckError) conversion(m string) (kind, msg string) {
	if strings.Contains(m, "Division by zero") {
		return sql.DivisionByZero, "Division by zero"
	}
	if rest, ok := strings.CutPrefix(m, "Could not convert string "); ok {
		value := strings.Replace(d.quoted(), " is no integer", "", 1)
		_, to, _ := strings.Cut(rest, "' to ")
		if t, ok := map[string]string{"INT8": "TINYINT", "INT16": "SMALLINT", "INT32": "INT", "INT64": "BIGINT"}[to]; ok {
			to = t
		}
		return sql.InvalidCast, fmt.Sprintf("Cannot cast '%s' to %s", value, to)
	}
	if strings.HasPrefix(m, "Unimplemented type for cast") {
		return sql.TypeMismatch, m
	}
	return sql.InvalidCast, m
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
