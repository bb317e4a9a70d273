// Package expr parses and evaluates DynamoDB's expressions: conditions and
// filters, key conditions, projections and updates.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
package expr

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"engage/internal/localaws/dynamodb/attr"
)

// Error says in AWS's words what is wrong with an expression.
type Error struct{ Message string }

// Error returns AWS's words.
func (e *Error) Error() string { return e.Message }

func errorf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Scope has the names and values that the expressions of one request share.
type Scope struct {
	names       map[string]string
	values      map[string]attr.Value
	usedNames   map[string]bool
	usedValues  map[string]bool
	expressions int
}

// NewScope checks what a request gives its expressions. Errors: *Error.
func NewScope(names map[string]string, values map[string]attr.Value) (*Scope, error) {
	if names != nil && len(names) == 0 {
		return nil, errorf("ExpressionAttributeNames must not be empty")
	}
	if values != nil && len(values) == 0 {
		return nil, errorf("ExpressionAttributeValues must not be empty")
	}
	for _, key := range slices.Sorted(maps.Keys(names)) {
		if !isPlaceholder(key, '#') {
			return nil, errorf("ExpressionAttributeNames contains invalid key: Syntax error; key: \"%s\"", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !isPlaceholder(key, ':') {
			return nil, errorf("ExpressionAttributeValues contains invalid key: Syntax error; key: \"%s\"", key)
		}
		if message := values[key].Check(); message != "" {
			return nil, errorf("ExpressionAttributeValues contains invalid value: %s for key %s", message, key)
		}
	}
	return &Scope{names, values, map[string]bool{}, map[string]bool{}, 0}, nil
}

func isPlaceholder(key string, sign byte) bool {
	return len(key) > 1 && key[0] == sign && strings.IndexFunc(key[1:], func(r rune) bool { return r > 0x7f || !isPart(byte(r)) }) < 0
}

// Finish checks that every name and value was used by an expression. takers
// are the members whose expressions could use values. Errors: *Error.
func (s *Scope) Finish(takers ...string) error {
	if s.expressions == 0 && s.names != nil {
		return errorf("ExpressionAttributeNames can only be specified when using expressions")
	}
	if s.expressions == 0 && s.values != nil {
		verb := "is"
		if len(takers) > 1 {
			verb = "are"
		}
		return errorf("ExpressionAttributeValues can only be specified when using expressions: %s %s null", strings.Join(takers, " and "), verb)
	}
	if unused := unused(s.names, s.usedNames); unused != "" {
		return errorf("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", unused)
	}
	if unused := unused(s.values, s.usedValues); unused != "" {
		return errorf("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", unused)
	}
	return nil
}

func unused[T any](given map[string]T, used map[string]bool) string {
	var left []string
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !used[key] {
			left = append(left, key)
		}
	}
	return strings.Join(left, ", ")
}

// class is a class of faults. AWS looks for one class after the other and
// tells the first fault that it finds: the order is that of these constants.
type class int

const (
	redundantParentheses class = iota
	unknownFunction
	misusedFunction
	reservedName
	repeatedSection
	undefined
	overlap
	conflict
	operands
	indistinct
	operandType
	classes
)

// faults are what is wrong with an expression that has no syntax error.
type faults [classes]string

func (f *faults) add(c class, format string, args ...any) {
	if f[c] == "" {
		f[c] = fmt.Sprintf(format, args...)
	}
}

// first returns the fault to tell, "" when there is none.
func (f *faults) first() string {
	for _, message := range f {
		if message != "" {
			return message
		}
	}
	return ""
}
