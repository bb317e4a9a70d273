package attr

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// members is a value as the API has it.
type members struct {
	S    *string
	N    *string
	B    *[]byte
	BOOL *bool
	NULL *bool
	SS   *[]string
	NS   *[]string
	BS   *[][]byte
	L    *[]Value
	M    *Item
}

// UnmarshalJSON reads a value. One that DynamoDB does not accept becomes an
// Invalid value that says why, since which message is right depends on where it stands.
func (v *Value) UnmarshalJSON(b []byte) error {
	var m members
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	*v = m.value()
	return nil
}

func invalid(message string) Value { return Value{Text: message} }

const (
	errEmpty = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
	errMany  = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
	errNull  = "One or more parameter values were invalid: Null attribute value types must have the value of true"
)

func (m members) value() Value {
	var all []Value
	add := func(there bool, make func() Value) {
		if there {
			all = append(all, make())
		}
	}
	add(m.S != nil, func() Value { return String(*m.S) })
	add(m.N != nil, func() Value { return fromNumber(*m.N) })
	add(m.B != nil, func() Value { return Value{Kind: B, Text: string(*m.B)} })
	add(m.BOOL != nil, func() Value { return Value{Kind: Bool, Bool: *m.BOOL} })
	add(m.NULL != nil, func() Value { return fromNull(*m.NULL) })
	add(m.SS != nil, func() Value { return fromSet(SS, *m.SS) })
	add(m.NS != nil, func() Value { return fromSet(NS, *m.NS) })
	add(m.BS != nil, func() Value { return fromSet(BS, texts(*m.BS)) })
	add(m.L != nil, func() Value { return Value{Kind: L, List: *m.L} })
	add(m.M != nil, func() Value { return Value{Kind: M, Map: *m.M} })
	switch len(all) {
	case 0:
		return invalid(errEmpty)
	case 1:
		return all[0]
	}
	return invalid(errMany)
}

func fromNumber(text string) Value {
	v, err := Number(text)
	if err != nil {
		return invalid(err.Error())
	}
	return v
}

func fromNull(is bool) Value {
	if !is {
		return invalid(errNull)
	}
	return Value{Kind: Null}
}

func texts(all [][]byte) []string {
	out := make([]string, len(all))
	for i, b := range all {
		out[i] = string(b)
	}
	return out
}

func fromSet(kind Kind, set []string) Value {
	if len(set) == 0 {
		return invalid("One or more parameter values were invalid: An " + kindWord(kind) + " set may not be empty")
	}
	seen := make(map[string]bool, len(set))
	for i, member := range set {
		if kind == NS {
			v := fromNumber(member)
			if v.Kind == Invalid {
				return v
			}
			set[i] = v.Text
		}
		if seen[set[i]] {
			return invalid(duplicates(kind, set))
		}
		seen[set[i]] = true
	}
	return Value{Kind: kind, Set: set}
}

func kindWord(kind Kind) string {
	return map[Kind]string{SS: "string", NS: "number", BS: "binary"}[kind]
}

func duplicates(kind Kind, set []string) string {
	if kind == NS {
		return "Input collection contains duplicates"
	}
	list := "["
	for i, m := range set {
		if i > 0 {
			list += ", "
		}
		if kind == BS {
			m = base64.StdEncoding.EncodeToString([]byte(m))
		}
		list += m
	}
	if kind == BS {
		return "One or more parameter values were invalid: Input collection " + list + "]of type BS contains duplicates."
	}
	return "One or more parameter values were invalid: Input collection " + list + "] contains duplicates."
}

// MarshalJSON writes the value as the API has it.
func (v Value) MarshalJSON() ([]byte, error) { return v.append(nil), nil }

// MarshalJSON writes the item; its attributes are in the order of their names.
func (i Item) MarshalJSON() ([]byte, error) { return i.append(nil), nil }

func (i Item) append(out []byte) []byte {
	out = append(out, '{')
	for n, name := range slices.Sorted(maps.Keys(i)) {
		if n > 0 {
			out = append(out, ',')
		}
		out = append(appendText(out, name), ':')
		out = i[name].append(out)
	}
	return append(out, '}')
}

func (v Value) append(out []byte) []byte {
	out = append(append(append(out, `{"`...), v.Kind.String()...), `":`...)
	switch v.Kind {
	case S, N, B:
		out = appendMember(out, v.Kind, v.Text)
	case Bool:
		out = strconv.AppendBool(out, v.Bool)
	case Null:
		out = append(out, "true"...)
	case SS, NS, BS:
		out = appendList(out, sortedSet(v.Kind, v.Set), func(out []byte, m string) []byte { return appendMember(out, v.Kind.Element(), m) })
	case L:
		out = appendList(out, v.List, func(out []byte, e Value) []byte { return e.append(out) })
	case M:
		out = v.Map.append(out)
	}
	return append(out, '}')
}

func appendList[T any](out []byte, list []T, one func([]byte, T) []byte) []byte {
	out = append(out, '[')
	for i, e := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = one(out, e)
	}
	return append(out, ']')
}

func appendMember(out []byte, kind Kind, text string) []byte {
	if kind == B {
		out = append(out, '"')
		return append(base64.StdEncoding.AppendEncode(out, []byte(text)), '"')
	}
	return appendText(out, text)
}

// appendText writes a JSON string; most need no escapes.
func appendText(out []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic("attr: a string that cannot be JSON: " + err.Error())
			}
			return append(out, quoted...)
		}
	}
	return append(append(append(out, '"'), s...), '"')
}
