package value

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"unicode/utf8"
)

// Encode writes a document as compact JSON without escaping what JSON does not require.
// A float64 keeps a fractional part (1.0 stays 1.0), so that numbers keep their kind.
func Encode(v any) []byte { return Append(make([]byte, 0, 128), v) }

// String is Encode as a string.
func String(v any) string { return string(Encode(v)) }

// Append appends the JSON of v. It panics on a type that is not a document's (a programming error).
func Append(b []byte, v any) []byte {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, x)
	case string:
		return appendString(b, x)
	case int64:
		return strconv.AppendInt(b, x, 10)
	case float64:
		return appendFloat(b, x)
	case json.Number:
		return append(b, x...)
	case []any:
		b = append(b, '[')
		for i, e := range x {
			if i > 0 {
				b = append(b, ',')
			}
			b = Append(b, e)
		}
		return append(b, ']')
	case *Object:
		return appendObject(b, x)
	}
	panic(fmt.Sprintf("value: %T is not a document", v))
}

func appendObject(b []byte, o *Object) []byte {
	b = append(b, '{')
	for i, k := range o.keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, k), ':')
		b = Append(b, o.values[i])
	}
	return append(b, '}')
}

// appendFloat follows Java's layout of a double closely enough to read back the same:
// plain decimals from 1e-3 to 1e7, exponents beyond, always with a fractional part.
func appendFloat(b []byte, f float64) []byte {
	size := math.Abs(f)
	if f == 0 || (size >= 1e-3 && size < 1e7) {
		start := len(b)
		b = strconv.AppendFloat(b, f, 'f', -1, 64)
		for _, c := range b[start:] {
			if c == '.' {
				return b
			}
		}
		return append(b, '.', '0')
	}
	text := strconv.FormatFloat(f, 'E', -1, 64)
	return append(b, javaExponent(text)...)
}

// javaExponent turns Go's 1E+21 into Java's 1.0E21.
func javaExponent(text string) string {
	at := 0
	for text[at] != 'E' {
		at++
	}
	mantissa, sign, digits := text[:at], text[at+1], text[at+2:]
	if len(mantissa) == 1 || len(mantissa) == 2 && mantissa[0] == '-' {
		mantissa += ".0"
	}
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	if sign == '-' {
		digits = "-" + digits
	}
	return mantissa + "E" + digits
}

// hex is as Jackson writes it, by which AWS writes JSON.
const hex = "0123456789ABCDEF"

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = appendEscape(append(b, s[start:i]...), c)
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// MarshalJSON lets encoding/json embed an object.
func (o *Object) MarshalJSON() ([]byte, error) { return Encode(o), nil }

// FromGo turns what encoding/json or a program made (maps, ints, structs are not accepted) into a document.
func FromGo(v any) (any, error) {
	switch x := v.(type) {
	case nil, bool, string, int64, float64, *Object:
		return x, nil
	case int:
		return int64(x), nil
	case json.Number:
		return Number(x)
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			d, err := FromGo(e)
			if err != nil {
				return nil, err
			}
			out[i] = d
		}
		return out, nil
	case map[string]any:
		return fromMap(x)
	}
	return nil, fmt.Errorf("%T is not a JSON value", v)
}

func fromMap(m map[string]any) (any, error) {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	sort.Strings(names)
	o := NewObject(len(m))
	for _, k := range names {
		d, err := FromGo(m[k])
		if err != nil {
			return nil, err
		}
		o.Set(k, d)
	}
	return o, nil
}
