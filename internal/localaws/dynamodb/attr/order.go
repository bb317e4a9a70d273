package attr

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// Compare orders two values of the same scalar type, false when they are not:
// numbers by value, strings and binaries by their bytes.
func Compare(a, b Value) (int, bool) {
	if a.Kind != b.Kind {
		return 0, false
	}
	switch a.Kind {
	case S, B:
		return cmp.Compare(a.Text, b.Text), true
	case N:
		return parse(a.Text).Cmp(parse(b.Text)), true
	}
	return 0, false
}

// exponentBias makes every exponent positive.
const exponentBias = 1 << 8

// Order returns bytes whose order is that of the values of a key's type.
// REQUIRES: the value is a string, a number or a binary.
func (v Value) Order() []byte {
	if v.Kind != N {
		return []byte(v.Text)
	}
	negative, digits, exponent := split(v.Text)
	if digits == "" {
		return []byte{1}
	}
	out := binary.BigEndian.AppendUint16([]byte{2}, uint16(exponent+exponentBias))
	out = append(out, digits...)
	if !negative {
		return out
	}
	// The larger the magnitude the smaller the number; a number with more digits
	// is before the one that it begins with.
	out[0] = 0
	for i := range out[1:] {
		out[i+1] ^= 0xff
	}
	return append(out, 0xff)
}

// sortedSet returns a set's members in the order that answers show them in.
func sortedSet(kind Kind, members []string) []string {
	if kind == NS {
		return slices.SortedFunc(slices.Values(members), func(a, b string) int { return -parse(a).Cmp(parse(b)) })
	}
	return slices.Sorted(slices.Values(members))
}
