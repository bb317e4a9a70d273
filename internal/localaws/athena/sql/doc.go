// Package sql is the front end for Athena's statements: a lexer, a parser and a syntax tree
// for Trino's queries (https://trino.io/docs/current/sql.html) and for the Hive statements
// that Athena takes (https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html).
//
// It knows no catalog and runs nothing. Every node that an error may name carries the place
// in the statement where it was written, as Trino's messages do ("line 3:8: ...").
// A statement that the grammar does not know is an *Error and never a guess.
package sql
