package dataset

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"unicode/utf8"

	"engage/internal/csvfile"
	"engage/internal/frame"
	"engage/internal/schema"
)

// cellChecker holds a file's cells against the columns of its table.
type cellChecker struct {
	file    string
	table   *schema.Table
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
	limits  *schema.Range // nil: any number
	unit    float64       // 10 to the number of decimals
	allowed map[string]bool
	pattern *regexp.Regexp
	id      bool // the pattern is that of customer ids
}

// probability is the unit of numbers between 0 and 1, unless their column has
// another range.
const probability = "probability"

func newCellChecker(file string, t *schema.Table, rec *recorder) (*cellChecker, error) {
	c := &cellChecker{file: file, table: t, rec: rec, bad: map[cell]bool{}, badRows: map[int64]bool{}}
	idColumn, _ := schema.Customers.Column(schema.CustomerID)
	for i := range t.Columns {
		check := columnCheck{Column: &t.Columns[i], allowed: map[string]bool{}, unit: math.Pow10(t.Columns[i].Decimals)}
		if check.limits = check.Range; check.limits == nil && check.Unit == probability {
			check.limits = &schema.Range{Min: 0, Max: 1}
		}
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

// problem records what a reader could not read.
func (c *cellChecker) problem(p csvfile.Problem) {
	rule, message := RuleType, "is not "+p.Detail
	switch p.Rule {
	case csvfile.RuleBlank: // the row itself may be whole
		rule, message = RuleRecord, p.Detail
	case csvfile.RuleRecord:
		rule, message = RuleRecord, p.Detail
		fallthrough
	default:
		c.bad[cell{p.Row, p.Column}], c.badRows[p.Row] = true, true
	}
	if !c.rec.hit(rule) {
		return
	}
	var column *schema.Column
	if i := c.table.Index(p.Column); i >= 0 {
		column = &c.table.Columns[i]
	}
	c.rec.sample(Violation{File: c.file, Row: p.Row, Line: p.Line, Value: clip(p.Value), Rule: rule, Message: message}, column)
}

// clip keeps the start of a value, and makes it text where it is none.
func clip(s string) string {
	const most = 80
	return printable(cutText(s, most))
}

// printable escapes a value that is not UTF-8, as in \xff.
func printable(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	quoted := strconv.QuoteToASCII(s)
	return quoted[1 : len(quoted)-1]
}

// cutText keeps the first bytes of s, at most a number, and no half character.
func cutText(s string, most int) string {
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
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
			continue
		}
		if check.limits != nil && !check.limits.Contains(v) && c.rec.hit(RuleRange) {
			c.report(RuleRange, check, before+int64(i)+1, formatDouble(v), rangeMessage(check.limits))
		}
		if !whole(v*check.unit) && c.rec.hit(RuleDecimals) {
			c.report(RuleDecimals, check, before+int64(i)+1, formatDouble(v), fmt.Sprintf("the column keeps %d decimals", check.Decimals))
		}
	}
}

// whole reports whether x, a value in units of its last decimal, is an integer
// but for what the arithmetic of doubles may have done to it.
func whole(x float64) bool {
	const tolerance = 1e-9
	off := math.Abs(x - math.RoundToEven(x))
	return off <= tolerance || off <= tolerance*math.Abs(x)
}

func (c *cellChecker) integers(check *columnCheck, col *frame.Column, before int64) {
	if check.limits == nil {
		return
	}
	for i, v := range col.Ints {
		if col.Present(i) && !check.limits.Contains(float64(v)) && c.rec.hit(RuleRange) {
			c.report(RuleRange, check, before+int64(i)+1, strconv.FormatInt(v, 10), rangeMessage(check.limits))
		}
	}
}

func formatDouble(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func rangeMessage(r *schema.Range) string {
	return "the value is outside " + formatDouble(r.Min) + " to " + formatDouble(r.Max)
}

func (c *cellChecker) strings(check *columnCheck, col *frame.Column, before int64) {
	rule, message := RulePattern, "the value does not match "+check.Pattern
	fits := utf8.ValidString
	switch {
	case check.Categorical():
		rule, message = RuleEnum, "the value is none of the categories of the column"
		fits = func(s string) bool { return check.allowed[s] }
	case check.id:
		fits = func(s string) bool { _, ok := parseID(s); return ok }
	case check.pattern != nil:
		fits = func(s string) bool { return utf8.ValidString(s) && check.pattern.MatchString(s) }
	}
	for i, s := range col.Strings {
		if !col.Present(i) || s != "" && fits(s) {
			continue
		}
		broken, why := rule, message
		switch {
		case !utf8.ValidString(s):
			broken, why = RuleEncoding, "the text is not UTF-8"
		case s == "" && check.Nullable:
			continue
		case s == "":
			broken, why = RuleRequired, "the text is empty where there must be one"
		}
		if c.rec.hit(broken) {
			c.report(broken, check, before+int64(i)+1, s, why)
		}
	}
}
