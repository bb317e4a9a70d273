package asl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"engage/internal/localaws/asl/jsonpath"
	"engage/internal/localaws/asl/value"
)

// maxSeconds is AWS's largest number of seconds in a definition.
const maxSeconds = 99_999_999

// scope is one JSON object of the definition and where it stands. Its methods read fields and note
// every problem they find; they return the zero value for what is absent or wrong.
type scope struct {
	parser *parser
	object *value.Object
	at     string
}

func (s *scope) has(field string) bool { _, ok := s.object.Get(field); return ok }

func (s *scope) where(field string) string {
	if field == "" {
		return s.at
	}
	return s.at + "/" + field
}

func (s *scope) schema(field, format string, args ...any) {
	s.parser.add(CodeSchema, s.where(field), format, args...)
}

// jsonata are fields that exist only with the query language JSONata.
var jsonata = []string{"Arguments", "Output", "Items", "Condition"}

// allow notes every field that is not listed, at the place that has it (recorded on AWS).
func (s *scope) allow(fields ...string) {
	for _, k := range s.object.Keys() {
		switch {
		case slices.Contains(fields, k):
		case slices.Contains(jsonata, k):
			s.parser.add(CodeNotImplemented, s.where(k), "The field '%s' belongs to the query language JSONata, which is not implemented", k)
		default:
			s.schema("", "Field '%s' is not supported", k)
		}
	}
}

// exclusive notes when more than one of the fields is there, and tells how many are.
func (s *scope) exclusive(fields ...string) int {
	var there []string
	for _, f := range fields {
		if s.has(f) {
			there = append(there, f)
		}
	}
	if len(there) > 1 {
		s.schema("", "Only one of these fields is allowed: [%s]", strings.Join(there, ", "))
	}
	return len(there)
}

func (s *scope) child(field string) (scope, bool) {
	v, ok := s.object.Get(field)
	if !ok {
		return scope{}, false
	}
	return s.asObject(v, field)
}

func (s *scope) asObject(v any, field string) (scope, bool) {
	o, ok := v.(*value.Object)
	if !ok {
		s.schema(field, "Expected value of type Object")
		return scope{}, false
	}
	return scope{parser: s.parser, object: o, at: s.where(field)}, true
}

// elements reads an array of objects.
func (s *scope) elements(field string) []scope {
	v, ok := s.object.Get(field)
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		s.schema(field, "Expected value of type Array")
		return nil
	}
	var out []scope
	for i, e := range list {
		if c, ok := s.asObject(e, fmt.Sprintf("%s[%d]", field, i)); ok {
			out = append(out, c)
		}
	}
	return out
}

func (s *scope) text(field string) string {
	v, ok := s.object.Get(field)
	if !ok {
		return ""
	}
	t, ok := v.(string)
	if !ok {
		s.schema(field, "Expected value of type String")
	}
	return t
}

func (s *scope) required(field string) string {
	t := s.text(field)
	if !s.has(field) || t == "" {
		s.schema("", "These fields are required: [%s]", field)
	}
	return t
}

func (s *scope) boolean(field string) bool {
	v, ok := s.object.Get(field)
	b, isBool := v.(bool)
	if ok && !isBool {
		s.schema(field, "Expected value of type Boolean")
	}
	return b
}

// integer reads an integer from low to high; fallback stands for an absent or wrong one.
func (s *scope) integer(field string, low, high, fallback int64) int64 {
	v, ok := s.object.Get(field)
	if !ok {
		return fallback
	}
	n, ok := value.Integer(v)
	if !ok {
		s.schema(field, "Expected value of type Integer")
		return fallback
	}
	if n < low || n > high {
		s.schema(field, "Value must be between %d and %d", low, high)
		return fallback
	}
	return n
}

func (s *scope) positive(field string, high int64) int64 { return s.integer(field, 1, high, 0) }

func (s *scope) number(field string, fallback float64) float64 {
	v, ok := s.object.Get(field)
	if !ok {
		return fallback
	}
	switch n := v.(type) {
	case int64:
		return float64(n)
	case float64:
		return n
	case json.Number: // beyond every bound that a caller checks
		f, _ := n.Float64()
		return f
	}
	s.schema(field, "Expected value of type Number")
	return fallback
}

// path reads a JSONPath; nil when it is absent or wrong.
func (s *scope) path(field string) *jsonpath.Path {
	if !s.has(field) {
		return nil
	}
	text := s.text(field)
	p, err := jsonpath.Parse(text)
	if err != nil {
		s.schema(field, "The value for the field '%s' must be a valid JSONPath: %s", field, err)
		return nil
	}
	return p
}

// reference reads a reference path.
func (s *scope) reference(field string) *jsonpath.Path {
	p := s.path(field)
	if p != nil && !p.IsReference() {
		s.schema(field, "The value for the field '%s' must be a valid Reference Path", field)
	}
	return p
}

// nullable reads InputPath and OutputPath: a path or null.
func (s *scope) nullable(field string) PathField {
	if v, there := s.object.Get(field); there && v == nil {
		return PathField{Null: true}
	}
	return PathField{Path: s.path(field)}
}

// resultPath reads ResultPath: a reference path into the state's input, or null.
func (s *scope) resultPath() PathField {
	if v, there := s.object.Get("ResultPath"); there && v == nil {
		return PathField{Null: true}
	}
	p := s.reference("ResultPath")
	if p != nil && p.Root() != jsonpath.Input {
		s.schema("ResultPath", "The value for the field 'ResultPath' must be a Reference Path into the state's input")
	}
	return PathField{Path: p}
}

// expression reads a path or an intrinsic function.
func (s *scope) expression(field string) *Expression {
	if !s.has(field) {
		return nil
	}
	e, err := ParseExpression(s.text(field))
	if err != nil {
		s.badExpression(field, "", err)
		return nil
	}
	return e
}

func (s *scope) badExpression(at, field string, err error) {
	if field == "" {
		field = at
	}
	s.schema(at, "The value for the field '%s' must be a valid JSONPath or a valid intrinsic function call: %s", field, err)
}

// template compiles a payload template of any JSON type.
func (s *scope) template(field string) *Template {
	v, ok := s.object.Get(field)
	if !ok {
		return nil
	}
	return compileTemplate(v, func(inner string, err error) { s.badExpression(field, inner, err) })
}

// objectTemplate compiles a payload template that must be an object.
func (s *scope) objectTemplate(field string) *Template {
	if _, ok := s.child(field); !ok {
		return nil
	}
	return s.template(field)
}

// assign compiles Assign: an object of variables.
func (s *scope) assign() *Template {
	o, ok := s.child("Assign")
	if !ok {
		return nil
	}
	for _, k := range o.object.Keys() {
		name := strings.TrimSuffix(k, ".$")
		p, err := jsonpath.Parse("$" + name)
		if err != nil || p.Root() != jsonpath.Variable || !p.IsRoot() || name == "states" || len(name) > maxName {
			o.schema(k, "'%s' is not a valid name of a variable", name)
		}
	}
	return s.template("Assign")
}

// seconds reads a number that may be written out or read from a path.
func (s *scope) seconds(field string, low, high int64) Seconds {
	s.exclusive(field, field+"Path")
	return Seconds{Value: s.integer(field, low, high, 0), Path: s.reference(field + "Path")}
}

// names reads ErrorEquals.
func (s *scope) errorNames(last bool) []string {
	v, ok := s.object.Get("ErrorEquals")
	if !ok {
		s.schema("", "These fields are required: [ErrorEquals]")
		return nil
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		s.schema("ErrorEquals", "Expected a non-empty Array of Strings")
		return nil
	}
	var out []string
	for _, e := range list {
		name, ok := e.(string)
		if !ok {
			s.schema("ErrorEquals", "Expected a non-empty Array of Strings")
			return nil
		}
		out = append(out, name)
	}
	if slices.Contains(out, ErrAll) && (len(out) > 1 || !last) {
		s.schema("ErrorEquals", "States.ALL must appear alone and in the last element")
	}
	return out
}
