// Package filter is X-Ray's filter expressions: which traces a search wants.
//
// Syntax: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
package filter

import (
	"strings"
)

// Trace is what an expression is asked about.
type Trace struct {
	Ok, Error, Fault, Throttle, Partial bool

	ResponseTime, Duration float64 // seconds
	Status                 float64 // 0: none is known
	URL, Method            string
	ClientIP, UserAgent    string
	Users                  []string
	Services               []Service
	Annotations            map[string][]any // texts, float64s and booleans
}

// Service is a node that a trace passed through.
type Service struct{ Name, Type, Account string }

// Expression tells whether a trace is wanted.
type Expression func(*Trace) bool

// Everything is the expression of a search that gives none.
func Everything(*Trace) bool { return true }

// SyntaxError is an expression that is none.
type SyntaxError struct{ Reason string }

func (e *SyntaxError) Error() string { return e.Reason }

// UnsupportedError is a part of the syntax that this package does not have.
type UnsupportedError struct{ What string }

func (e *UnsupportedError) Error() string { return e.What + " is not supported" }

// flags are the keywords that hold or do not.
var flags = map[string]func(*Trace) bool{
	"ok":       func(t *Trace) bool { return t.Ok },
	"error":    func(t *Trace) bool { return t.Error },
	"fault":    func(t *Trace) bool { return t.Fault },
	"throttle": func(t *Trace) bool { return t.Throttle },
	"partial":  func(t *Trace) bool { return t.Partial },
}

// numbers are the keywords that are compared with a number.
var numbers = map[string]func(*Trace) float64{
	"responsetime": func(t *Trace) float64 { return t.ResponseTime },
	"duration":     func(t *Trace) float64 { return t.Duration },
	"http.status":  func(t *Trace) float64 { return t.Status },
}

// texts are the keywords that are compared with a text; one of several values suffices.
var texts = map[string]func(*Trace) []string{
	"http.url":       func(t *Trace) []string { return []string{t.URL} },
	"http.method":    func(t *Trace) []string { return []string{t.Method} },
	"http.clientip":  func(t *Trace) []string { return []string{t.ClientIP} },
	"http.useragent": func(t *Trace) []string { return []string{t.UserAgent} },
	"user":           func(t *Trace) []string { return t.Users },
}

// compareNumbers returns the comparison of an operator, nil when it is not for numbers.
func compareNumbers(operator string) func(a, b float64) bool {
	switch operator {
	case "=":
		return func(a, b float64) bool { return a == b }
	case "!=":
		return func(a, b float64) bool { return a != b }
	case "<":
		return func(a, b float64) bool { return a < b }
	case "<=":
		return func(a, b float64) bool { return a <= b }
	case ">":
		return func(a, b float64) bool { return a > b }
	case ">=":
		return func(a, b float64) bool { return a >= b }
	}
	return nil
}

// compareTexts returns the comparison of an operator, nil when it is not for texts.
func compareTexts(operator string) func(a, b string) bool {
	switch strings.ToUpper(operator) {
	case "=":
		return func(a, b string) bool { return a == b }
	case "!=":
		return func(a, b string) bool { return a != b }
	case "CONTAINS":
		return strings.Contains
	case "BEGINSWITH":
		return strings.HasPrefix
	case "ENDSWITH":
		return strings.HasSuffix
	}
	return nil
}
