package asl

import (
	"errors"
	"strings"

	"engage/internal/localaws/asl/intrinsic"
	"engage/internal/localaws/asl/jsonpath"
	"engage/internal/localaws/asl/value"
)

// Env is what expressions read: documents by path, and injected randomness.
type Env = intrinsic.Env

// Expression is a path or an intrinsic function call.
type Expression struct {
	path *jsonpath.Path
	call *intrinsic.Call
}

// ParseExpression compiles a path or a call.
func ParseExpression(text string) (*Expression, error) {
	if intrinsic.IsCall(text) {
		c, err := intrinsic.Parse(text)
		return &Expression{call: c}, err
	}
	p, err := jsonpath.Parse(text)
	return &Expression{path: p}, err
}

// Eval evaluates the expression.
func (e *Expression) Eval(env Env) (any, error) {
	if e.call != nil {
		return e.call.Eval(env)
	}
	return env.Resolve(e.path)
}

// Function is the call as written, or empty for a path.
func (e *Expression) Function() string {
	if e.call == nil {
		return ""
	}
	return e.call.String()
}

// Template is a compiled payload template: a JSON value in which fields whose name ends in .$ are expressions.
// https://states-language.net/spec.html#payload-template
type Template struct {
	literal  any
	names    []string    // of an object
	children []*Template // of an object or an array
	kind     templateKind
	expr     *Expression
}

type templateKind int

const (
	literalKind templateKind = iota
	objectKind
	arrayKind
	exprKind
)

// FieldError says which field of a template could not be evaluated.
type FieldError struct {
	Field    string // with its .$
	Function string // whose argument the path is, if the field is a call
	Path     string // that names nothing
	Err      error
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Err.Error() }

func (e *FieldError) Unwrap() error { return e.Err }

// Eval fills the template in. A missing path gives *FieldError.
func (t *Template) Eval(env Env) (any, error) {
	switch t.kind {
	case literalKind:
		return t.literal, nil
	case exprKind:
		return t.expr.Eval(env)
	case arrayKind:
		out := make([]any, len(t.children))
		for i, c := range t.children {
			v, err := c.Eval(env)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	}
	return t.object(env)
}

func (t *Template) object(env Env) (any, error) {
	out := value.NewObject(len(t.names))
	for i, c := range t.children {
		v, err := c.Eval(env)
		if err != nil {
			if v, err = c.absent(t.names[i], err); err != nil {
				return nil, err
			}
		}
		out.Set(t.names[i], v)
	}
	return out, nil
}

// absent tells what a field is whose expression could not be evaluated: null if its path leads behind the end of an
// array (measured on AWS), otherwise a failure that names the field.
func (t *Template) absent(name string, err error) (any, error) {
	var missing *jsonpath.MissingError
	var inner *FieldError
	if t.kind != exprKind || !errors.As(err, &missing) || errors.As(err, &inner) {
		return nil, err
	}
	if t.expr.path != nil && missing.PastEnd {
		return nil, nil
	}
	return nil, &FieldError{Field: name + ".$", Function: t.expr.Function(), Path: missing.Path, Err: err}
}

// compileTemplate compiles a JSON value; report gets the field and the reason of what is wrong.
func compileTemplate(v any, report func(field string, err error)) *Template {
	switch x := v.(type) {
	case *value.Object:
		return compileObject(x, report)
	case []any:
		t := &Template{kind: arrayKind}
		dynamic := false
		for _, e := range x {
			c := compileTemplate(e, report)
			dynamic = dynamic || c.kind != literalKind
			t.children = append(t.children, c)
		}
		if dynamic {
			return t
		}
	}
	return &Template{literal: v}
}

// compileObject puts the fields that are written out first and the expressions after them, as AWS does.
func compileObject(o *value.Object, report func(field string, err error)) *Template {
	t := &Template{kind: objectKind}
	var names []string
	var children []*Template
	dynamic := false
	for i := range o.Len() {
		k, v := o.At(i)
		c := compileField(k, v, report)
		dynamic = dynamic || c.kind != literalKind
		name, isExpression := strings.CutSuffix(k, ".$")
		if isExpression {
			names, children = append(names, name), append(children, c)
		} else {
			t.names, t.children = append(t.names, name), append(t.children, c)
		}
	}
	for _, i := range value.HashOrder(names) {
		t.names, t.children = append(t.names, names[i]), append(t.children, children[i])
	}
	if !dynamic {
		return &Template{literal: o}
	}
	return t
}

func compileField(k string, v any, report func(field string, err error)) *Template {
	if !strings.HasSuffix(k, ".$") {
		return compileTemplate(v, report)
	}
	text, ok := v.(string)
	if !ok {
		report(k, errors.New("its value is not a string"))
		return &Template{}
	}
	e, err := ParseExpression(text)
	if err != nil {
		report(k, err)
		return &Template{}
	}
	return &Template{kind: exprKind, expr: e}
}
