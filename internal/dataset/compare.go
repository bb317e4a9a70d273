package dataset

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"io"
	"math"

	"engage/internal/csvfile"
	"engage/internal/frame"
	"engage/internal/schema"
)

// compareFormats reports the tables that hold something else in CSV than in
// Parquet, with the first row and column that differ.
func (v *validator) compareFormats(d *Dataset) (*recorder, error) {
	rec := newRecorder(v.options.MaxSamples)
	for _, t := range schema.Tables {
		a, b := v.outcomes[t.Name+"."+CSV], v.outcomes[t.Name+"."+Parquet]
		if a == nil || b == nil || !a.read || !b.read {
			continue
		}
		block, differ := a.digest.differs(b.digest)
		if !differ {
			continue
		}
		if err := v.locate(d, t, int64(block)*digestRows, a, b, rec); err != nil {
			return nil, err
		}
	}
	return rec, nil
}

// locate reads both files up to the first difference, at most digestRows rows
// after the first from rows.
func (v *validator) locate(d *Dataset, t *schema.Table, from int64, a, b *outcome, rec *recorder) error {
	left, err := openCursor(d.Path(a.entry.Name), CSV, t)
	if err != nil {
		return err
	}
	defer left.r.Close()
	right, err := openCursor(d.Path(b.entry.Name), Parquet, t)
	if err != nil {
		return err
	}
	defer right.r.Close()
	message := fmt.Sprintf("%s and %s differ", a.entry.Name, b.entry.Name)
	for row := int64(1); row <= from+digestRows; row++ {
		okLeft, errLeft := left.next()
		okRight, errRight := right.next()
		if errLeft != nil || errRight != nil {
			return fmt.Errorf("compare %s and %s: %w", a.entry.Name, b.entry.Name, cmp.Or(errLeft, errRight))
		}
		if !okLeft || !okRight {
			break
		}
		if c := unequal(v.seed, t, left, right); c >= 0 && rec.hit(RuleFormats) {
			rec.sample(Violation{File: a.entry.Name, Row: row, Value: clip(text(&left.b.Columns[c], left.i)), Rule: RuleFormats,
				Message: message + ", here first"}, &t.Columns[c])
			return nil
		}
		if err := v.ctx.Err(); err != nil {
			return err
		}
	}
	rec.add(Violation{File: a.entry.Name, Rule: RuleFormats, Message: fmt.Sprintf("%s: %d and %d rows", message, a.digest.rows, b.digest.rows)})
	return nil
}

// unequal is the first column in which the rows under two cursors differ, or -1.
func unequal(seed maphash.Seed, t *schema.Table, left, right *cursor) int {
	for c := range t.Columns {
		unit := math.Pow10(t.Columns[c].Decimals)
		if cellHash(seed, unit, &left.b.Columns[c], left.i) != cellHash(seed, unit, &right.b.Columns[c], right.i) {
			return c
		}
	}
	return -1
}

// cursor walks over the rows of a file.
type cursor struct {
	r frame.Reader
	b *frame.Batch
	i int // the row of the batch
}

func openCursor(path, format string, t *schema.Table) (*cursor, error) {
	r, err := openTable(path, format, t, func(csvfile.Problem) {})
	if err != nil {
		return nil, err
	}
	return &cursor{r: r}, nil
}

// next turns to the next row; ok is false after the last.
func (c *cursor) next() (ok bool, err error) {
	if c.i++; c.b != nil && c.i < c.b.Rows {
		return true, nil
	}
	c.i = 0
	c.b, err = c.r.Next()
	if err == io.EOF {
		return false, nil
	}
	return err == nil, err
}
