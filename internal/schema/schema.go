// Package schema describes every table and column of engage once. DDL, Glue
// columns, Parquet and JSON schemas, the CSV header, the data dictionary and
// the rules that validation applies are all derived from these descriptions.
package schema

import (
	"fmt"
	"slices"
)

// Name is the physical name of a column, the same in CSV, Parquet, Glue and SQL.
type Name string

// Type is the logical type of a column.
type Type int

// The logical types. Each has exactly one form in Athena, Glue, Parquet and JSON.
const (
	String    Type = iota // UTF-8 text
	Int                   // 32-bit signed integer
	BigInt                // 64-bit signed integer
	Double                // IEEE 754 binary64
	Boolean               // true or false
	Timestamp             // instant, milliseconds since the epoch, UTC
)

// Role says what a column may be used for.
type Role int

// The roles. Only a Feature may become a model input.
const (
	ID        Role = iota // identifies a row; joins tables
	Feature               // may be a model input
	Target                // what a model predicts
	Protected             // protected characteristic: audits only, never a model input
	Personal              // identifies a person: never in a model, a log or an analytics table
	Derived               // written by the pipeline, never a model input
)

// Classification says how carefully the values of a column are handled.
type Classification int

// The classifications, least to most sensitive.
const (
	Public Classification = iota
	Internal
	Confidential // masked in views
	Restricted   // kept in a file of its own, joined only by id
)

// Range is a closed interval of allowed values, in the column's unit.
type Range struct{ Min, Max float64 }

// Contains reports whether v lies in the interval. NaN never does.
func (r Range) Contains(v float64) bool { return v >= r.Min && v <= r.Max }

// Column describes one column.
type Column struct {
	Name           Name
	Type           Type
	Unit           string   // unit of the values; empty for categories, identifiers and flags
	Range          *Range   // allowed interval of a numeric column; nil: unbounded or not numeric
	Enum           []string // allowed values of a categorical column; nil: free
	Pattern        string   // RE2 expression that every value of a free string matches; empty: any
	Nullable       bool
	NullWhen       string // when a value is missing; set exactly when Nullable
	Decimals       int    // digits kept after the decimal point (Double only)
	Role           Role
	Classification Classification
	Display        string   // name shown to people
	Description    string   // one sentence
	Synonyms       []string // other words people use for it, lower case
}

// Categorical reports whether the values come from a fixed list.
func (c Column) Categorical() bool { return len(c.Enum) > 0 }

// Numeric reports whether the values are numbers.
func (c Column) Numeric() bool { return c.Type == Int || c.Type == BigInt || c.Type == Double }

// Table describes one table.
type Table struct {
	Name        string
	Description string
	Columns     []Column
}

// Index returns the position of the named column, or -1.
func (t *Table) Index(name Name) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
}

// Column returns the named column.
func (t *Table) Column(name Name) (Column, bool) {
	if i := t.Index(name); i >= 0 {
		return t.Columns[i], true
	}
	return Column{}, false
}

// MustIndex is Index for a name that the caller knows to exist. It panics otherwise.
func (t *Table) MustIndex(name Name) int {
	i := t.Index(name)
	if i < 0 {
		panic(fmt.Sprintf("schema: table %s has no column %s", t.Name, name))
	}
	return i
}

// Names lists the columns in order.
func (t *Table) Names() []Name {
	names := make([]Name, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// WithRole lists the columns that have the role, in order.
func (t *Table) WithRole(r Role) []Name {
	var names []Name
	for _, c := range t.Columns {
		if c.Role == r {
			names = append(names, c.Name)
		}
	}
	return names
}
