package policy

import (
	"errors"
	"fmt"
	"strings"
)

// Keys are the values of the condition keys of a request, by key in lower case
// ("aws:sourceip"). A key that the request does not have is absent.
type Keys map[string][]string

// Set gives the key its values; the key may be written in any case.
func (k Keys) Set(key string, values ...string) { k[strings.ToLower(key)] = values }

// quantifier is the set operator before a condition operator.
type quantifier int

const (
	single quantifier = iota
	anyValue
	allValues
)

// condition is one operator applied to one key. All conditions of a statement must hold.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
type condition struct {
	key        string
	quantifier quantifier
	ifExists   bool
	null       bool // the Null operator, which looks at presence alone
	wantNull   []bool
	negated    bool
	tests      []test
}

// test reports whether one value of the request meets one value of the policy.
type test func(got string, keys Keys) bool

func (c *condition) holds(keys Keys) bool {
	values, present := keys[c.key]
	if c.null {
		return c.nullHolds(present && len(values) > 0)
	}
	if !present || len(values) == 0 {
		return c.ifExists || c.quantifier == allValues || c.negated && c.quantifier == single
	}
	switch c.quantifier {
	case anyValue:
		return c.some(values, keys, !c.negated)
	case allValues:
		return !c.some(values, keys, c.negated)
	}
	return c.some(values, keys, true) != c.negated
}

// some reports whether a request value exists for which "meets one of the
// policy's values" equals want.
func (c *condition) some(values []string, keys Keys, want bool) bool {
	for _, value := range values {
		if c.meets(value, keys) == want {
			return true
		}
	}
	return false
}

func (c *condition) meets(value string, keys Keys) bool {
	for _, t := range c.tests {
		if t(value, keys) {
			return true
		}
	}
	return false
}

func (c *condition) nullHolds(present bool) bool {
	for _, absent := range c.wantNull {
		if absent != present {
			return true
		}
	}
	return false
}

// operator makes the test for one value of the policy.
type operator struct {
	negated bool
	compile func(value string, vars bool) (test, error)
}

// operators are all of IAM's, but Null and the set operators, which compileCondition handles.
var operators = map[string]operator{
	"StringEquals":              {false, stringTest(literal, false)},
	"StringNotEquals":           {true, stringTest(literal, false)},
	"StringEqualsIgnoreCase":    {false, stringTest(literal, true)},
	"StringNotEqualsIgnoreCase": {true, stringTest(literal, true)},
	"StringLike":                {false, stringTest(wildcards, false)},
	"StringNotLike":             {true, stringTest(wildcards, false)},
	"ArnEquals":                 {false, stringTest(arnLike, false)},
	"ArnNotEquals":              {true, stringTest(arnLike, false)},
	"ArnLike":                   {false, stringTest(arnLike, false)},
	"ArnNotLike":                {true, stringTest(arnLike, false)},
	"NumericEquals":             {false, numberTest(func(c int) bool { return c == 0 })},
	"NumericNotEquals":          {true, numberTest(func(c int) bool { return c == 0 })},
	"NumericLessThan":           {false, numberTest(func(c int) bool { return c < 0 })},
	"NumericLessThanEquals":     {false, numberTest(func(c int) bool { return c <= 0 })},
	"NumericGreaterThan":        {false, numberTest(func(c int) bool { return c > 0 })},
	"NumericGreaterThanEquals":  {false, numberTest(func(c int) bool { return c >= 0 })},
	"DateEquals":                {false, dateTest(func(c int) bool { return c == 0 })},
	"DateNotEquals":             {true, dateTest(func(c int) bool { return c == 0 })},
	"DateLessThan":              {false, dateTest(func(c int) bool { return c < 0 })},
	"DateLessThanEquals":        {false, dateTest(func(c int) bool { return c <= 0 })},
	"DateGreaterThan":           {false, dateTest(func(c int) bool { return c > 0 })},
	"DateGreaterThanEquals":     {false, dateTest(func(c int) bool { return c >= 0 })},
	"Bool":                      {false, boolTest},
	"BinaryEquals":              {false, binaryTest},
	"IpAddress":                 {false, addressTest},
	"NotIpAddress":              {true, addressTest},
}

var errOperator = errors.New("unknown condition operator")

// compileCondition prepares one operator with one key and its values. vars says
// whether the policy's version knows variables.
func compileCondition(name, key string, values []string, vars bool) (condition, error) {
	c := condition{key: strings.ToLower(key)}
	base := c.stripModifiers(name)
	if base == "Null" {
		return c.compileNull(name, values)
	}
	op, known := operators[base]
	if !known {
		return c, fmt.Errorf("%w %q", errOperator, name)
	}
	c.negated = op.negated
	for _, value := range values {
		t, err := op.compile(value, vars)
		if err != nil {
			return c, fmt.Errorf("%s %s: %w", name, key, err)
		}
		c.tests = append(c.tests, t)
	}
	return c, nil
}

func (c *condition) stripModifiers(name string) string {
	base, isAny := strings.CutPrefix(name, "ForAnyValue:")
	base, isAll := strings.CutPrefix(base, "ForAllValues:")
	switch {
	case isAny && isAll:
		return name
	case isAny:
		c.quantifier = anyValue
	case isAll:
		c.quantifier = allValues
	}
	base, c.ifExists = strings.CutSuffix(base, "IfExists")
	return base
}

func (c condition) compileNull(name string, values []string) (condition, error) {
	if c.ifExists {
		return c, fmt.Errorf("%w %q", errOperator, name)
	}
	c.null = true
	for _, value := range values {
		want, err := parseBool(value)
		if err != nil {
			return c, fmt.Errorf("%s %s: %w", name, c.key, err)
		}
		c.wantNull = append(c.wantNull, want)
	}
	return c, nil
}
