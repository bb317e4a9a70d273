package value

import (
	"slices"
	"unicode/utf16"
)

// HashOrder tells in which order AWS Step Functions writes fields that it keeps in a Java hash map: those of a payload
// template that are filled in, and those of a CSV item. It returns the indexes of names. Names that fall together keep
// their order. The rule explains every such document that was recorded on AWS.
// https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/HashMap.html
func HashOrder(names []string) []int {
	buckets := uint32(16)
	for float64(len(names)) > 0.75*float64(buckets) {
		buckets *= 2
	}
	order := make([]int, len(names))
	at := make([]uint32, len(names))
	for i, n := range names {
		order[i] = i
		h := javaHash(n)
		at[i] = (h ^ h>>16) & (buckets - 1)
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(at[a]) - int(at[b]) })
	return order
}

// javaHash is java.lang.String.hashCode, over the string's UTF-16 units.
func javaHash(s string) uint32 {
	var h uint32
	for _, unit := range utf16.Encode([]rune(s)) {
		h = 31*h + uint32(unit)
	}
	return h
}
