package eventpattern

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// test is a condition of one value; absent is the condition that there is none.
type test struct {
	absent bool
	holds  func(any) bool
}

func (p parser) test(item any) (test, error) {
	operator, ok := item.(map[string]any)
	if !ok {
		return p.equal(item)
	}
	if len(operator) != 1 {
		return test{}, fmt.Errorf("an operator has exactly one name")
	}
	for name, operand := range operator {
		return p.operator(name, operand)
	}
	panic("eventpattern: unreachable")
}

func (p parser) operator(name string, operand any) (test, error) {
	switch name {
	case "exists":
		exists, ok := operand.(bool)
		if !ok {
			return test{}, fmt.Errorf("exists needs true or false")
		}
		return test{absent: !exists, holds: func(any) bool { return exists }}, nil
	case "prefix", "suffix", "equals-ignore-case", "wildcard":
		return text(name, operand)
	case "numeric":
		return numeric(operand)
	case "cidr":
		return cidr(operand)
	case "anything-but":
		return p.anythingBut(operand)
	}
	return test{}, fmt.Errorf("unrecognized match type %s", name)
}

// equal is the condition of a value that is written out.
func (p parser) equal(item any) (test, error) {
	switch want := item.(type) {
	case json.Number:
		if !p.NumbersByValue {
			return test{holds: func(got any) bool { return got == want }}, nil
		}
		n, ok := number(want)
		return test{holds: func(got any) bool {
			m, isNumber := number(got)
			return ok && isNumber && n.Cmp(m) == 0
		}}, nil
	case string, bool, nil:
		return test{holds: func(got any) bool { return got == want }}, nil
	}
	return test{}, fmt.Errorf("a value is a text, a number, true, false or null")
}

// maxExponent bounds how large a number is: 1e1000000000 is no number to compute with.
const maxExponent = 400

// number returns the exact value of a JSON number.
func number(value any) (*big.Rat, bool) {
	text, ok := value.(json.Number)
	if !ok {
		return nil, false
	}
	if f, err := text.Float64(); err != nil || f == 0 && strings.ContainsAny(string(text), "eE") || len(text) > maxExponent {
		return new(big.Rat), err == nil
	}
	return new(big.Rat).SetString(string(text))
}

// text is an operator on texts. Its operand is a text, or for prefix and
// suffix {"equals-ignore-case": text}.
func text(name string, operand any) (test, error) {
	fold := false
	if m, ok := operand.(map[string]any); ok && len(m) == 1 && (name == "prefix" || name == "suffix") {
		operand, fold = m["equals-ignore-case"], true
	}
	want, ok := operand.(string)
	if !ok {
		return test{}, fmt.Errorf("%s needs a text", name)
	}
	compare, err := comparison(name, want, fold)
	return test{holds: func(got any) bool {
		s, ok := got.(string)
		return ok && compare(s)
	}}, err
}

func comparison(name, want string, fold bool) (func(string) bool, error) {
	switch {
	case name == "equals-ignore-case":
		return func(s string) bool { return strings.EqualFold(s, want) }, nil
	case name == "prefix" && fold:
		return func(s string) bool { return strings.HasPrefix(strings.ToLower(s), strings.ToLower(want)) }, nil
	case name == "prefix":
		return func(s string) bool { return strings.HasPrefix(s, want) }, nil
	case name == "suffix" && fold:
		return func(s string) bool { return strings.HasSuffix(strings.ToLower(s), strings.ToLower(want)) }, nil
	case name == "suffix":
		return func(s string) bool { return strings.HasSuffix(s, want) }, nil
	}
	parts, err := wildcard(want)
	return func(s string) bool { return glob(parts, s) }, err
}

// wildcard splits a text at its stars. A backslash makes a star or itself literal.
func wildcard(pattern string) ([]string, error) {
	parts := []string{""}
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '*' && strings.HasSuffix(pattern[:i], "*") && !escaped(pattern, i-1):
			return nil, fmt.Errorf("wildcard has two * one after the other")
		case c == '*':
			parts = append(parts, "")
			continue
		case c == '\\':
			if i++; i == len(pattern) || pattern[i] != '*' && pattern[i] != '\\' {
				return nil, fmt.Errorf(`wildcard has a \ that is not before * or \`)
			}
			c = pattern[i]
		}
		parts[len(parts)-1] += string([]byte{c})
	}
	return parts, nil
}

// escaped reports whether the byte at i follows an odd number of backslashes.
func escaped(s string, i int) bool {
	n := 0
	for i--; i >= 0 && s[i] == '\\'; i-- {
		n++
	}
	return n%2 == 1
}

// glob matches a text against parts with anything between them, in linear time.
func glob(parts []string, s string) bool {
	if len(parts) == 1 {
		return s == parts[0]
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}

// numeric is ["=", 5] or [">", 0, "<=", 5].
func numeric(operand any) (test, error) {
	list, ok := operand.([]any)
	if !ok || len(list) != 2 && len(list) != 4 {
		return test{}, fmt.Errorf("numeric needs one or two pairs of a comparison and a number")
	}
	var bounds []func(*big.Rat) bool
	for i := 0; i < len(list); i += 2 {
		bound, err := compare(list[i], list[i+1])
		if err != nil {
			return test{}, err
		}
		bounds = append(bounds, bound)
	}
	if len(list) == 4 && (fmt.Sprint(list[0])[0] != '>' || fmt.Sprint(list[2])[0] != '<') {
		return test{}, fmt.Errorf("a numeric range begins with > or >= and ends with < or <=")
	}
	return test{holds: func(got any) bool {
		n, ok := number(got)
		for _, bound := range bounds {
			ok = ok && bound(n)
		}
		return ok
	}}, nil
}

func compare(operator, operand any) (func(*big.Rat) bool, error) {
	want, ok := number(operand)
	if !ok {
		return nil, fmt.Errorf("numeric compares with numbers, not with %v", operand)
	}
	switch operator {
	case "=":
		return func(n *big.Rat) bool { return n.Cmp(want) == 0 }, nil
	case "<":
		return func(n *big.Rat) bool { return n.Cmp(want) < 0 }, nil
	case "<=":
		return func(n *big.Rat) bool { return n.Cmp(want) <= 0 }, nil
	case ">":
		return func(n *big.Rat) bool { return n.Cmp(want) > 0 }, nil
	case ">=":
		return func(n *big.Rat) bool { return n.Cmp(want) >= 0 }, nil
	}
	return nil, fmt.Errorf("unrecognized numeric comparison %v", operator)
}

func cidr(operand any) (test, error) {
	s, ok := operand.(string)
	if !ok || !utf8.ValidString(s) {
		return test{}, fmt.Errorf("cidr needs a text")
	}
	network, err := netip.ParsePrefix(s)
	if err != nil {
		return test{}, fmt.Errorf("cidr %q is no network", s)
	}
	return test{holds: func(got any) bool {
		text, _ := got.(string)
		address, err := netip.ParseAddr(text)
		return err == nil && network.Contains(address)
	}}, nil
}

// anythingBut is the negation of values, or of one operator with one text or several.
func (p parser) anythingBut(operand any) (test, error) {
	var refused []test
	add := func(t test, err error) error {
		refused = append(refused, t)
		return err
	}
	switch v := operand.(type) {
	case map[string]any:
		if len(v) != 1 {
			return test{}, fmt.Errorf("anything-but has exactly one operator")
		}
		for name, value := range v {
			if name != "prefix" && name != "suffix" && name != "equals-ignore-case" && name != "wildcard" {
				return test{}, fmt.Errorf("unrecognized anything-but operator %s", name)
			}
			for _, want := range listOf(value) {
				if err := add(text(name, want)); err != nil {
					return test{}, err
				}
			}
		}
	default:
		for _, want := range listOf(v) {
			if _, isBool := want.(bool); isBool || want == nil {
				return test{}, fmt.Errorf("anything-but needs texts or numbers")
			}
			if err := add(p.equal(want)); err != nil {
				return test{}, err
			}
		}
	}
	if len(refused) == 0 {
		return test{}, fmt.Errorf("anything-but has no value")
	}
	return test{holds: func(got any) bool {
		for _, t := range refused {
			if t.holds(got) {
				return false
			}
		}
		return true
	}}, nil
}

func listOf(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}
