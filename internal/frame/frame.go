// Package frame holds runs of table rows in memory, stored by column.
package frame

import (
	"fmt"

	"engage/internal/schema"
)

// Column holds the values of one column. Exactly one of the slices is in use,
// the one of the column's type; a missing value keeps a zero in it.
type Column struct {
	Strings []string  // String
	Ints    []int64   // Int, BigInt, Timestamp (milliseconds since the epoch)
	Floats  []float64 // Double
	Bools   []bool    // Boolean
	Valid   []bool    // false where the value is missing; nil: none is
}

// Present reports whether the value of row i is there.
func (c *Column) Present(i int) bool { return c.Valid == nil || c.Valid[i] }

// SetNull marks the value of row i, of n rows, as missing.
func (c *Column) SetNull(i, n int) {
	if c.Valid == nil {
		c.Valid = make([]bool, n)
		for j := range c.Valid {
			c.Valid[j] = true
		}
	}
	c.Valid[i] = false
}

// Batch is a run of rows of one table.
type Batch struct {
	Table   *schema.Table
	Rows    int
	Columns []Column // one for each column of the table, in its order
}

// New makes a batch of n rows with zero values, none missing.
func New(t *schema.Table, n int) *Batch {
	b := &Batch{Table: t, Rows: n, Columns: make([]Column, len(t.Columns))}
	for i, c := range t.Columns {
		col := &b.Columns[i]
		switch c.Type {
		case schema.String:
			col.Strings = make([]string, n)
		case schema.Int, schema.BigInt, schema.Timestamp:
			col.Ints = make([]int64, n)
		case schema.Double:
			col.Floats = make([]float64, n)
		case schema.Boolean:
			col.Bools = make([]bool, n)
		default:
			panic(fmt.Sprintf("frame: column %s has unknown type %d", c.Name, c.Type))
		}
	}
	return b
}

// Column returns the named column. It panics if the table has none of that name.
func (b *Batch) Column(name schema.Name) *Column { return &b.Columns[b.Table.MustIndex(name)] }
