// Package query holds the SQL that engage runs on Athena, and runs it.
//
// Statements are templates under sql/ and builders beside them. What a template
// is given has one of the types of this file, which write themselves as
// identifiers or literals: no value meets a statement unquoted.
package query

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"engage/internal/resource"
	"engage/internal/schema"
)

// Ident is an identifier. It writes itself in double quotes, as Trino wants it.
// https://trino.io/docs/current/language/reserved.html
type Ident string

func (i Ident) String() string { return `"` + strings.ReplaceAll(string(i), `"`, `""`) + `"` }

// Relation is a table or view. It writes itself as "database"."name".
type Relation struct{ Database, Name Ident }

func (r Relation) String() string { return r.Database.String() + "." + r.Name.String() }

// TableOf returns the relation of a table.
func TableOf(t resource.Table) Relation { return Relation{Ident(t.Database()), Ident(t.Name())} }

// ViewOf returns the relation of a view.
func ViewOf(v resource.View) Relation { return Relation{Ident(v.Database()), Ident(v.Name())} }

// Text is a string literal.
type Text string

func (t Text) String() string { return "'" + strings.ReplaceAll(string(t), "'", "''") + "'" }

// Double is a literal of a double: with an exponent, because 0.5 alone is a decimal.
type Double float64

func (d Double) String() string { return strconv.FormatFloat(float64(d), 'e', -1, 64) }

// Int is a literal of a whole number.
type Int int64

func (i Int) String() string { return strconv.FormatInt(int64(i), 10) }

// Instant is a literal of a timestamp in milliseconds, UTC, the finest that Hive's tables hold.
type Instant time.Time

func (i Instant) String() string {
	return "TIMESTAMP '" + time.Time(i).UTC().Format("2006-01-02 15:04:05.000") + "'"
}

// Fragment is SQL that code made of quoted parts.
type Fragment string

func (f Fragment) String() string { return string(f) }

// Columns writes itself as a list of identifiers.
type Columns []schema.Name

func (c Columns) String() string {
	out := make([]string, len(c))
	for i, name := range c {
		out[i] = Ident(name).String()
	}
	return strings.Join(out, ",\n  ")
}

// Texts writes itself as a list of string literals.
type Texts []string

func (t Texts) String() string {
	out := make([]string, len(t))
	for i, s := range t {
		out[i] = Text(s).String()
	}
	return strings.Join(out, ", ")
}

// frag is fmt.Sprintf of quoted parts.
func frag(format string, parts ...fmt.Stringer) Fragment {
	args := make([]any, len(parts))
	for i, p := range parts {
		args[i] = p.String()
	}
	return Fragment(fmt.Sprintf(format, args...))
}
