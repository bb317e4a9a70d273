package policy

import (
	"errors"
	"fmt"
	"strings"
)

// patternKind says how wildcards of a value are read.
type patternKind int

const (
	literal   patternKind = iota // no wildcards: StringEquals
	wildcards                    // free wildcards: StringLike
	arnLike                      // wildcards part by part: Resource, ArnLike
)

// pattern is one value of a policy, ready to match.
type pattern struct {
	kind     patternKind
	compiled string // when parts is nil
	parts    []part // when the value holds policy variables
	exact    bool   // compiled has no wildcard
	any      bool   // the value is a lone star
}

// part is a piece of a value: text as written, or a variable.
type part struct {
	text     string
	literal  bool   // text came from ${*}, ${?} or ${$}: no wildcards in it
	variable string // lower-case key
	fallback *string
}

// compilePattern prepares text; variables are recognised when vars is set
// (policy language version 2012-10-17).
func compilePattern(text string, kind patternKind, vars bool) (pattern, error) {
	if text == "*" && kind != literal {
		return pattern{kind: kind, any: true}, nil
	}
	if vars && strings.Contains(text, "${") {
		parts, err := splitVariables(text)
		if err != nil {
			return pattern{}, err
		}
		return fromParts(parts, kind), nil
	}
	return fromParts([]part{{text: text}}, kind), nil
}

func fromParts(parts []part, kind patternKind) pattern {
	for _, p := range parts {
		if p.variable != "" {
			return pattern{kind: kind, parts: parts}
		}
	}
	compiled := assemble(parts, kind)
	return pattern{kind: kind, compiled: compiled, exact: !hasMarker(compiled)}
}

func hasMarker(compiled string) bool {
	for i := range len(compiled) {
		if compiled[i] >= firstMarker {
			return true
		}
	}
	return false
}

// Two more bytes that are never in UTF-8 stand for the wildcards of a value while its
// variables are filled in, so that a star inside a variable's value stays a star.
const (
	markRun = "\xfb"
	markOne = "\xfa"
)

var mark = strings.NewReplacer("*", markRun, "?", markOne)

// assemble joins parts into a compiled pattern of the kind.
func assemble(parts []part, kind patternKind) string {
	var b strings.Builder
	for _, p := range parts {
		text := valid(p.text)
		if kind != literal && !p.literal {
			text = mark.Replace(text)
		}
		b.WriteString(text)
	}
	switch kind {
	case literal:
		return b.String()
	case wildcards:
		return setMarks(b.String(), anyRun, anyOne)
	default:
		return globARN(b.String())
	}
}

func setMarks(text string, run, one byte) string {
	text = strings.ReplaceAll(text, markRun, string([]byte{run}))
	return strings.ReplaceAll(text, markOne, string([]byte{one}))
}

// resolve fills in the variables. It reports false when the request has no
// value for one that has no default: such a value matches nothing.
func (p *pattern) resolve(keys Keys) (string, bool) {
	if p.parts == nil {
		return p.compiled, true
	}
	filled := make([]part, len(p.parts))
	for i, piece := range p.parts {
		if piece.variable == "" {
			filled[i] = piece
			continue
		}
		value, ok := piece.value(keys)
		if !ok {
			return "", false
		}
		filled[i] = part{text: value, literal: true}
	}
	return assemble(filled, p.kind), true
}

// value is the variable's single value. A key with several values cannot stand in a string.
func (p part) value(keys Keys) (string, bool) {
	if values := keys[p.variable]; len(values) == 1 {
		return values[0], true
	}
	if p.fallback != nil {
		return *p.fallback, true
	}
	return "", false
}

// match reports whether s matches, filling in variables from keys.
func (p *pattern) match(s string, keys Keys) bool {
	if p.any {
		return true
	}
	compiled, ok := p.resolve(keys)
	switch {
	case !ok:
		return false
	case p.exact || p.kind == literal:
		return compiled == s
	}
	return matchGlob(compiled, s)
}

var errVariable = errors.New("invalid policy variable")

// splitVariables splits text at ${...}. See
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func splitVariables(text string) ([]part, error) {
	var parts []part
	for text != "" {
		before, rest, found := strings.Cut(text, "${")
		if before != "" {
			parts = append(parts, part{text: before})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("%w: %q has no closing brace", errVariable, "${"+rest)
		}
		p, err := parseVariable(name)
		if err != nil {
			return nil, err
		}
		parts, text = append(parts, p), after
	}
	return parts, nil
}

// parseVariable reads what stands between the braces: an escape, a key, or a
// key with a default in single quotes.
func parseVariable(body string) (part, error) {
	switch body {
	case "*", "?", "$":
		return part{text: body, literal: true}, nil
	}
	name, def, hasDefault := strings.Cut(body, ",")
	p := part{variable: strings.ToLower(strings.TrimSpace(name))}
	if p.variable == "" || strings.ContainsAny(p.variable, "${ *?'") {
		return part{}, fmt.Errorf("%w: ${%s}", errVariable, body)
	}
	if hasDefault {
		def = strings.TrimSpace(def)
		if len(def) < 2 || def[0] != '\'' || def[len(def)-1] != '\'' {
			return part{}, fmt.Errorf("%w: the default of ${%s} must stand in single quotes", errVariable, body)
		}
		def = def[1 : len(def)-1]
		p.fallback = &def
	}
	return p, nil
}
