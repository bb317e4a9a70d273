package dataset

import (
	"fmt"
	"slices"

	"engage/internal/frame"
	"engage/internal/schema"
)

// batchCheck looks at whole batches beside the cell checks.
type batchCheck interface {
	batch(b *frame.Batch, before int64)
	finish()
}

// customerIDs checks that ids are unique in the customers or personal file.
// In a data set it opens an account for each customer, or checks that each
// personal row has one.
type customerIDs struct {
	file  string
	rec   *recorder
	seen  idSet
	fill  *ledger // accounts are opened here; may be nil
	known *ledger // accounts are looked up here; may be nil
}

func (c *customerIDs) batch(b *frame.Batch, before int64) {
	ids := b.Column(schema.CustomerID)
	column := &b.Table.Columns[b.Table.MustIndex(schema.CustomerID)]
	for i, s := range ids.Strings {
		id, ok := parseID(s)
		if !ok {
			continue // reported as missing or by its pattern
		}
		row := before + int64(i) + 1
		if !c.seen.add(id) && c.rec.hit(RuleUnique) {
			c.rec.sample(Violation{File: c.file, Row: row, Value: s, Rule: RuleUnique, Message: "the id occurred before in this file"}, column)
		}
		if c.fill != nil {
			c.fill.open(id, uint32(row), connectionsOf(b, i))
		}
		if c.known != nil && c.known.find(id) == nil && c.rec.hit(RuleReference) {
			c.rec.sample(Violation{File: c.file, Row: row, Value: s, Rule: RuleReference, Message: "no customer has this id"}, column)
		}
	}
}

func connectionsOf(b *frame.Batch, i int) int32 {
	if c := b.Column(schema.TotalConnections); c.Present(i) {
		return int32(c.Ints[i])
	}
	return -1
}

func (c *customerIDs) finish() {}

// edges checks the connections file. It keeps 8 bytes an edge, to tell
// duplicates in a file that is not sorted.
type edges struct {
	file      string
	rec       *recorder
	known     *ledger // may be nil: ends and degrees are not checked
	count     bool    // whether degrees are counted into known
	keys      []uint64
	unordered bool
}

func (e *edges) batch(b *frame.Batch, before int64) {
	sources, targets := b.Column(schema.SourceCustomerID), b.Column(schema.TargetCustomerID)
	for i := range b.Rows {
		row := before + int64(i) + 1
		source, okSource := parseID(sources.Strings[i])
		target, okTarget := parseID(targets.Strings[i])
		if okSource {
			e.reference(&b.Table.Columns[0], source, sources.Strings[i], row)
		}
		if okTarget {
			e.reference(&b.Table.Columns[1], target, targets.Strings[i], row)
		}
		if !okSource || !okTarget {
			e.keys = append(e.keys, 0)
			continue
		}
		if source >= target && e.rec.hit(RuleEdgeOrder) {
			e.rec.sample(Violation{File: e.file, Row: row, Value: sources.Strings[i] + " " + targets.Strings[i], Rule: RuleEdgeOrder,
				Message: "the source must be smaller than the target"}, &b.Table.Columns[0])
		}
		e.keep(source, target)
	}
}

func (e *edges) reference(c *schema.Column, id uint32, value string, row int64) {
	if e.known != nil && e.known.find(id) == nil && e.rec.hit(RuleReference) {
		e.rec.sample(Violation{File: e.file, Row: row, Value: value, Rule: RuleReference, Message: "no customer has this id"}, c)
	}
}

// keep remembers an edge, whichever way round, and counts it at both ends. A
// customer's edge to itself is counted nowhere.
func (e *edges) keep(source, target uint32) {
	key := uint64(min(source, target))<<32 | uint64(max(source, target))
	if n := len(e.keys); n > 0 && key <= e.keys[n-1] {
		e.unordered = true
	}
	e.keys = append(e.keys, key)
	if source != target {
		e.degrees(key, 1)
	}
}

func (e *edges) degrees(key uint64, by uint32) {
	if !e.count {
		return
	}
	for _, id := range []uint32{uint32(key >> 32), uint32(key)} {
		if a := e.known.find(id); a != nil {
			a.degree += by
		}
	}
}

// finish reports the duplicates, which a strictly ascending file cannot have,
// and takes them out of the degrees.
func (e *edges) finish() {
	if !e.unordered {
		return
	}
	repeated := repeats(e.keys)
	seen := make(map[uint64]bool, len(repeated))
	for i, key := range e.keys {
		if !repeated[key] {
			continue
		}
		if !seen[key] {
			seen[key] = true
			continue
		}
		if key>>32 != key&0xffffffff {
			e.degrees(key, ^uint32(0)) // minus one
		}
		if e.rec.hit(RuleEdgeUnique) {
			e.rec.sample(Violation{File: e.file, Row: int64(i) + 1, Value: edgeText(key), Rule: RuleEdgeUnique,
				Message: "the edge occurred before in this file"}, &schema.Connections.Columns[0])
		}
	}
}

func edgeText(key uint64) string {
	return fmt.Sprintf("%s%08d %s%08d", idPrefix, key>>32, idPrefix, uint32(key))
}

// repeats is the set of keys other than 0 that occur more than once.
func repeats(keys []uint64) map[uint64]bool {
	sorted := slices.Clone(keys)
	slices.Sort(sorted)
	out := map[uint64]bool{}
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] && sorted[i] != 0 {
			out[sorted[i]] = true
		}
	}
	return out
}

// checkDegrees compares total_connections with the edges counted.
func checkDegrees(l *ledger, file string, rec *recorder) {
	column := &schema.Customers.Columns[schema.Customers.MustIndex(schema.TotalConnections)]
	l.each(func(a *account) {
		if a.total >= 0 && uint32(a.total) != a.degree && rec.hit(RuleDegree) {
			rec.sample(Violation{File: file, Row: int64(a.row), Value: fmt.Sprint(a.total), Rule: RuleDegree,
				Message: fmt.Sprintf("the connections file has %d edges of this customer", a.degree)}, column)
		}
	})
}
