package asl

import (
	"errors"
	"strings"
	"time"

	"engage/internal/localaws/asl/jsonpath"
	"engage/internal/localaws/asl/value"
)

// Rule is a compiled choice rule: And, Or, Not or a comparison.
type Rule struct {
	Next   string
	Assign *Template

	and, or  []*Rule
	not      *Rule
	variable *jsonpath.Path
	compare  comparison
	operand  any            // what is compared with
	other    *jsonpath.Path // or where to read it
}

// comparison tells whether found (and whether the variable is there at all) satisfies an operator.
type comparison struct {
	presence bool // works on a variable that is not there
	accepts  func(v any) bool
	holds    func(v, operand any) bool
}

// Match evaluates the rule. A variable that is not there is *jsonpath.MissingError, save for IsPresent.
func (r *Rule) Match(env Env) (bool, error) {
	switch {
	case r.not != nil:
		ok, err := r.not.Match(env)
		return !ok, err
	case r.and != nil:
		return matchAll(env, r.and, true)
	case r.or != nil:
		return matchAll(env, r.or, false)
	}
	v, err := env.Resolve(r.variable)
	if r.compare.presence {
		var missing *jsonpath.MissingError
		if err != nil && !errors.As(err, &missing) {
			return false, err
		}
		return (err == nil) == r.operand.(bool), nil
	}
	if err != nil {
		return false, err
	}
	operand := r.operand
	if r.other != nil {
		if operand, err = env.Resolve(r.other); err != nil {
			return false, err
		}
		if !r.compare.accepts(operand) {
			return false, nil
		}
	}
	return r.compare.holds(v, operand), nil
}

// matchAll is And when what keeps it going is true, and Or when it is false.
func matchAll(env Env, rules []*Rule, keepGoing bool) (bool, error) {
	for _, r := range rules {
		ok, err := r.Match(env)
		if err != nil || ok != keepGoing {
			return ok, err
		}
	}
	return keepGoing, nil
}

// operators by name. Those that take a path have a second entry in operatorFor.
var operators = buildOperators()

func buildOperators() map[string]comparison {
	ops := map[string]comparison{
		"BooleanEquals": {accepts: isBool, holds: func(v, o any) bool { b, ok := v.(bool); return ok && b == o.(bool) }},
		"StringMatches": {accepts: isString, holds: func(v, o any) bool { s, ok := v.(string); return ok && wildcardMatch(o.(string), s) }},
		"IsPresent":     {accepts: isBool, presence: true},
		"IsNull":        is(func(v any) bool { return v == nil }),
		"IsNumeric":     is(value.IsNumber),
		"IsString":      is(isString),
		"IsBoolean":     is(isBool),
		"IsTimestamp":   is(isTimestamp),
	}
	for suffix, holds := range map[string]func(c int) bool{
		"Equals": func(c int) bool { return c == 0 }, "LessThan": func(c int) bool { return c < 0 }, "GreaterThan": func(c int) bool { return c > 0 },
		"LessThanEquals": func(c int) bool { return c <= 0 }, "GreaterThanEquals": func(c int) bool { return c >= 0 },
	} {
		ops["String"+suffix] = ordered(isString, compareStrings, holds)
		ops["Numeric"+suffix] = ordered(value.IsNumber, value.CompareNumbers, holds)
		ops["Timestamp"+suffix] = ordered(isTimestamp, compareTimes, holds)
	}
	return ops
}

// operatorFor finds an operator and whether the name asks for its Path form.
func operatorFor(name string) (c comparison, path, ok bool) {
	if c, ok = operators[name]; ok {
		return c, false, true
	}
	base, isPath := strings.CutSuffix(name, "Path")
	c, ok = operators[base]
	if !isPath || !ok || c.presence || strings.HasPrefix(base, "Is") || base == "StringMatches" {
		return comparison{}, false, false
	}
	return c, true, true
}

func is(test func(any) bool) comparison {
	return comparison{accepts: isBool, holds: func(v, o any) bool { return test(v) == o.(bool) }}
}

func ordered(accepts func(any) bool, compare func(a, b any) (int, bool), holds func(int) bool) comparison {
	return comparison{accepts: accepts, holds: func(v, o any) bool {
		c, ok := compare(v, o)
		return ok && holds(c)
	}}
}

func isString(v any) bool { _, ok := v.(string); return ok }

func isBool(v any) bool { _, ok := v.(bool); return ok }

func isTimestamp(v any) bool { _, ok := timestamp(v); return ok }

func compareStrings(a, b any) (int, bool) {
	x, okX := a.(string)
	y, okY := b.(string)
	return strings.Compare(x, y), okX && okY
}

func compareTimes(a, b any) (int, bool) {
	x, okX := timestamp(a)
	y, okY := timestamp(b)
	return x.Compare(y), okX && okY
}

// timestamp reads the RFC 3339 profile of the language: an uppercase T, an uppercase Z when there is no offset.
// https://states-language.net/spec.html#timestamps
func timestamp(v any) (time.Time, bool) {
	s, ok := v.(string)
	if !ok || strings.ContainsAny(s, "tz,") {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, err == nil
}

// ParseTimestamp reads a timestamp of the language.
func ParseTimestamp(s string) (time.Time, bool) { return timestamp(s) }

// wildcardMatch matches a pattern in which * stands for any text and a backslash takes the next character
// literally. Cost: O(len(pattern) * len(s)) at worst.
func wildcardMatch(pattern, s string) bool {
	tokens := wildcardTokens(pattern)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(s) {
		switch {
		case i < len(tokens) && tokens[i] == -1:
			star, mark = i, j
			i++
		case i < len(tokens) && tokens[i] == int(s[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(tokens) && tokens[i] == -1 {
		i++
	}
	return i == len(tokens)
}

// wildcardTokens has -1 for a wildcard and the byte for everything else.
func wildcardTokens(pattern string) []int {
	tokens := make([]int, 0, len(pattern))
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '*':
			tokens = append(tokens, -1)
		case c == '\\' && i+1 < len(pattern):
			i++
			tokens = append(tokens, int(pattern[i]))
		default:
			tokens = append(tokens, int(c))
		}
	}
	return tokens
}
