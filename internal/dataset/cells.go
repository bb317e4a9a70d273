package dataset

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"engage/internal/csvfile"
	"engage/internal/frame"
	"engage/internal/schema"
)

// cellChecker holds a file's cells against the columns of its table.
type cellChecker struct {
	file    string
	rec     *recorder
	columns []columnCheck
	rules   []rowRule
	bad     map[cell]bool // cells of the current batch that the reader reported
	badRows map[int64]bool
}

// cell is a place in a file. The name is empty for a whole row.
type cell struct {
	row  int64
	name schema.Name
}

type columnCheck struct {
	*schema.Column
	allowed map[string]bool
	pattern *regexp.Regexp
	id      bool // the pattern is that of customer ids
}

func newCellChecker(file string, t *schema.Table, rec *recorder) (*cellChecker, error) {
	c := &cellChecker{file: file, rec: rec, bad: map[cell]bool{}, badRows: map[int64]bool{}}
	idColumn, _ := schema.Customers.Column(schema.CustomerID)
	for i := range t.Columns {
		check := columnCheck{Column: &t.Columns[i], allowed: map[string]bool{}}
		for _, v := range check.Enum {
			check.allowed[v] = true
		}
		if check.id = check.Pattern == idColumn.Pattern; !check.id && check.Pattern != "" {
			pattern, err := regexp.Compile(check.Pattern)
			if err != nil {
				return nil, fmt.Errorf("pattern of column %s: %w", check.Name, err)
			}
			check.pattern = pattern
		}
		c.columns = append(c.columns, check)
	}
	if t.Name == schema.Customers.Name {
		c.rules = customerRules
	}
	return c, nil
}

// problem records what the CSV reader could not read.
func (c *cellChecker) problem(t *schema.Table) func(csvfile.Problem) {
	return func(p csvfile.Problem) {
		c.bad[cell{p.Row, p.Column}], c.badRows[p.Row] = true, true
		rule, message := RuleType, "is not "+p.Detail
		if p.Rule == csvfile.RuleRecord {
			rule, message = RuleRecord, p.Detail
		}
		if !c.rec.hit(rule) {
			return
		}
		v := Violation{File: c.file, Row: p.Row, Value: clip(p.Value), Rule: rule, Message: message}
		if i := t.Index(p.Column); i >= 0 {
			c.rec.sample(v, &t.Columns[i])
		} else {
			c.rec.sample(v, nil)
		}
	}
}

// clip keeps the start of a value.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// batch checks every cell and row rule of a batch.
func (c *cellChecker) batch(b *frame.Batch, before int64) {
	for i := range c.columns {
		check, col := &c.columns[i], &b.Columns[i]
		if !check.Nullable && col.Valid != nil {
			c.required(check, col, before)
		}
		switch check.Type {
		case schema.Double:
			c.doubles(check, col, before)
		case schema.Int, schema.BigInt:
			c.integers(check, col, before)
		case schema.String:
			c.strings(check, col, before)
		}
	}
	for i := range c.rules {
		c.rowRule(&c.rules[i], b, before)
	}
	clear(c.bad)
	clear(c.badRows)
}

func (c *cellChecker) report(rule Rule, check *columnCheck, row int64, value, message string) {
	c.rec.sample(Violation{File: c.file, Row: row, Value: clip(value), Rule: rule, Message: message}, check.Column)
}

func (c *cellChecker) required(check *columnCheck, col *frame.Column, before int64) {
	for i, present := range col.Valid {
		row := before + int64(i) + 1
		if present || c.bad[cell{row, check.Name}] || c.bad[cell{row, ""}] {
			continue
		}
		if c.rec.hit(RuleRequired) {
			c.report(RuleRequired, check, row, "", "a value is missing where there must be one")
		}
	}
}

func (c *cellChecker) doubles(check *columnCheck, col *frame.Column, before int64) {
	for i, v := range col.Floats {
		if !col.Present(i) {
			continue
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			if c.rec.hit(RuleFinite) {
				c.report(RuleFinite, check, before+int64(i)+1, formatDouble(v), "the value is not a finite number")
			}
		} else if check.Range != nil && !check.Range.Contains(v) && c.rec.hit(RuleRange) {
			c.report(RuleRange, check, before+int64(i)+1, formatDouble(v), rangeMessage(check.Range))
		}
	}
}

func (c *cellChecker) integers(check *columnCheck, col *frame.Column, before int64) {
	if check.Range == nil {
		return
	}
	for i, v := range col.Ints {
		if col.Present(i) && !check.Range.Contains(float64(v)) && c.rec.hit(RuleRange) {
			c.report(RuleRange, check, before+int64(i)+1, strconv.FormatInt(v, 10), rangeMessage(check.Range))
		}
	}
}

func formatDouble(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func rangeMessage(r *schema.Range) string {
	return "the value is outside " + formatDouble(r.Min) + " to " + formatDouble(r.Max)
}

func (c *cellChecker) strings(check *columnCheck, col *frame.Column, before int64) {
	rule, message := RuleEnum, "the value is none of the categories of the column"
	fits := func(s string) bool { return check.allowed[s] }
	switch {
	case check.Categorical():
	case check.id:
		rule, message = RulePattern, "the value does not match "+check.Pattern
		fits = func(s string) bool { _, ok := parseID(s); return ok }
	case check.pattern != nil:
		rule, message = RulePattern, "the value does not match "+check.Pattern
		fits = check.pattern.MatchString
	default:
		return
	}
	for i, s := range col.Strings {
		if col.Present(i) && !fits(s) && c.rec.hit(rule) {
			c.report(rule, check, before+int64(i)+1, s, message)
		}
	}
}
