package gbdt

import (
	"encoding/binary"
	"math"
	"slices"
)

// maxCategory is the first whole number that is no category in XGBoost, because
// 32-bit floating point cannot tell it from the next.
const maxCategory = 1 << 24

// constant is the column that leaves compare: 0 in every row.
const constant = 0

// A Column is what nodes compare with their thresholds, made of one feature such
// that no node has to ask whether a value is missing or a category: a missing
// value is an infinity of the sign that sends it the right way, and a set of
// categories is a column that is 1 for its members, else 0.
type Column struct {
	Feature int // -1 for the constant 0
	missing float32
	set     []uint64 // a bit for each category; nil for a number
	isSet   bool
}

// Value makes the column of a feature's value.
func (c *Column) Value(x float32) float32 {
	if c.isSet {
		return c.member(x)
	}
	if x != x {
		return c.missing
	}
	return min(max(x, -math.MaxFloat32), math.MaxFloat32)
}

// member is 1 for a category in the set. What is missing goes the default way;
// what is not in the set or is no category at all, such as -1, goes left.
func (c *Column) member(x float32) float32 {
	if x != x {
		return c.missing
	}
	if !(x >= 0 && x < maxCategory) {
		return 0
	}
	if i := int(x); i>>6 < len(c.set) && c.set[i>>6]>>(i&63)&1 == 1 {
		return 1
	}
	return 0
}

// columns collects the distinct columns of a model.
type columns struct {
	features int
	list     []Column
	index    map[string]uint32
}

func newColumns(features int) *columns {
	return &columns{features: features, list: []Column{{Feature: -1}}, index: map[string]uint32{}}
}

// infinity sends a missing value left or right.
func infinity(left bool) float32 {
	if left {
		return float32(math.Inf(-1))
	}
	return float32(math.Inf(1))
}

func (c *columns) numeric(feature int32, missingLeft bool) uint32 {
	return c.find(Column{Feature: int(feature), missing: infinity(missingLeft)})
}

func (c *columns) categorical(feature int32, missingLeft bool, categories []int32) uint32 {
	column := Column{Feature: int(feature), missing: infinity(missingLeft), isSet: true}
	if len(categories) > 0 {
		column.set = make([]uint64, slices.Max(categories)>>6+1)
	}
	for _, k := range categories {
		column.set[k>>6] |= 1 << (k & 63)
	}
	return c.find(column)
}

// find returns the index of an equal column, which it adds if there is none.
func (c *columns) find(column Column) uint32 {
	key := binary.LittleEndian.AppendUint32(nil, uint32(column.Feature))
	key = binary.LittleEndian.AppendUint32(key, math.Float32bits(column.missing))
	if column.isSet {
		key = append(key, 's')
	}
	for _, word := range column.set {
		key = binary.LittleEndian.AppendUint64(key, word)
	}
	i, ok := c.index[string(key)]
	if !ok {
		i = uint32(len(c.list))
		c.index[string(key)] = i
		c.list = append(c.list, column)
	}
	return i
}
