package dataset

import (
	"hash/maphash"
	"math"

	"engage/internal/frame"
	"engage/internal/schema"
)

// digestRows is the number of rows that one hash of a digest stands for.
const digestRows = 1000

// digest hashes the typed cells of a table in order, so that two files of it can
// be compared without reading either again. Doubles count as far as their column
// keeps decimals. It is a batchCheck; it keeps 8 bytes for each digestRows rows.
type digest struct {
	seed   maphash.Seed // the same for the digests that are compared
	rows   int64
	blocks []uint64 // one for each digestRows rows, and one for the rest
	state  uint64
	hashes []uint64 // of the rows of the current batch
}

func (d *digest) batch(b *frame.Batch, _ int64) {
	d.hashes = append(d.hashes[:0], make([]uint64, b.Rows)...)
	for i := range b.Columns {
		d.column(&b.Table.Columns[i], &b.Columns[i])
	}
	for _, h := range d.hashes {
		d.state = mix(d.state, h)
		if d.rows++; d.rows%digestRows == 0 {
			d.blocks, d.state = append(d.blocks, d.state), 0
		}
	}
}

// column mixes the cells of a column into the hashes of their rows.
func (d *digest) column(c *schema.Column, col *frame.Column) {
	unit := math.Pow10(c.Decimals)
	for i, h := range d.hashes {
		d.hashes[i] = mix(h, cellHash(d.seed, unit, col, i))
	}
}

func (d *digest) finish() {
	if d.rows%digestRows != 0 {
		d.blocks = append(d.blocks, d.state)
	}
}

// differs is the first block in which two digests differ; ok is false if none does.
func (d *digest) differs(other *digest) (block int, ok bool) {
	n := min(len(d.blocks), len(other.blocks))
	for i := range n {
		if d.blocks[i] != other.blocks[i] {
			return i, true
		}
	}
	return n, d.rows != other.rows
}

// mix adds x to a hash. The multiplier is that of Fibonacci hashing, 2^64
// divided by the golden ratio (Knuth, The Art of Computer Programming 3, 6.4).
func mix(h, x uint64) uint64 {
	h = (h ^ x) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// nothing is the hash of a missing value.
const nothing = 0x6d697373696e6700

// cellHash is a number that two cells share if they hold the same; unit is 10
// to the number of decimals that count.
func cellHash(seed maphash.Seed, unit float64, c *frame.Column, i int) uint64 {
	switch {
	case c.Valid != nil && !c.Valid[i]:
		return nothing
	case c.Floats != nil:
		return doubleHash(c.Floats[i], unit)
	case c.Ints != nil:
		return uint64(c.Ints[i])
	case c.Strings != nil:
		return maphash.String(seed, c.Strings[i])
	case c.Bools[i]:
		return 1
	}
	return 0
}

// doubleHash takes a number in units of its last decimal, where that is exact.
func doubleHash(v, unit float64) uint64 {
	const exact = 1 << 53
	switch x := math.RoundToEven(v * unit); {
	case math.Abs(x) < exact:
		return uint64(int64(x))
	case math.IsNaN(v):
		return math.Float64bits(math.NaN())
	}
	return math.Float64bits(v)
}
