package schema

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// Violation is one fault of a table's description.
type Violation struct {
	Table  string
	Column Name // empty: the table itself
	Reason string
}

// Error is one line: where, and what is wrong.
func (v *Violation) Error() string {
	if v.Column == "" {
		return fmt.Sprintf("table %s: %s", v.Table, v.Reason)
	}
	return fmt.Sprintf("table %s, column %s: %s", v.Table, v.Column, v.Reason)
}

// Validate reports everything wrong with the description, not only the first
// fault: an error that joins one *Violation each, or nil.
func (t *Table) Validate() error {
	v := &validator{table: t.Name}
	v.tableRules(t)
	for i, c := range t.Columns {
		v.column = c.Name
		v.check(!slices.Contains(t.Names()[:i], c.Name), "duplicate name")
		v.textRules(c)
		v.typeRules(c)
		v.nullRules(c)
		v.roleRules(c)
		v.synonymRules(c)
	}
	return errors.Join(v.errs...)
}

type validator struct {
	table  string
	column Name
	errs   []error
}

// check records a violation unless ok.
func (v *validator) check(ok bool, format string, args ...any) {
	if !ok {
		v.errs = append(v.errs, &Violation{v.table, v.column, fmt.Sprintf(format, args...)})
	}
}

func (v *validator) tableRules(t *Table) {
	v.check(identifierPattern.MatchString(t.Name), "bad name %q: use lower-case letters, digits and underscores", t.Name)
	v.check(t.Description != "", "missing description")
	v.check(len(t.Columns) > 0, "no columns")
	v.apartRule(t)
}

// apartRule keeps restricted columns in tables of their own, where only ids
// stand beside them: no analytics table can then carry one along.
func (v *validator) apartRule(t *Table) {
	isRestricted := func(c Column) bool { return c.Classification == Restricted }
	if !slices.ContainsFunc(t.Columns, isRestricted) {
		return
	}
	for _, c := range t.Columns {
		v.check(isRestricted(c) || c.Role == ID,
			"restricted columns stand beside %s: move them to a table of restricted and id columns", c.Name)
	}
}

func (v *validator) textRules(c Column) {
	v.check(identifierPattern.MatchString(string(c.Name)), "bad name %q: use lower-case letters, digits and underscores", c.Name)
	v.check(c.Display != "", "missing display name")
	v.check(c.Description != "", "missing description")
	v.check(!strings.ContainsAny(c.Description, "\r\n\t"), "description has more than one line")
	v.check(len(comment(c)) <= glueCommentLimit, "description and unit take %d bytes, the catalog's limit is %d", len(comment(c)), glueCommentLimit)
}

func (v *validator) typeRules(c Column) {
	v.check(c.Type.Known(), "unknown type %d", int(c.Type))
	v.check(c.Numeric() == (c.Unit != ""), "unit %q: numbers have a unit, nothing else has", c.Unit)
	v.check(c.Range == nil || c.Numeric(), "range on type %s, which is not numeric", c.Type)
	v.check(c.Decimals == 0 || c.Type == Double, "decimals on type %s, only double has them", c.Type)
	v.check(c.Decimals >= 0 && c.Decimals <= 15, "%d decimals, a double holds 0 to 15", c.Decimals)
	v.check(c.Enum == nil || c.Type == String, "enum on type %s, only string has one", c.Type)
	v.check(c.Pattern == "" || c.Type == String, "pattern on type %s, only string has one", c.Type)
	v.check(c.Pattern == "" || c.Enum == nil, "both enum and pattern, use one")
	v.rangeRules(c)
	v.enumRules(c)
	if _, err := regexp.Compile(c.Pattern); err != nil {
		v.check(false, "bad pattern: %v", err)
	}
}

func (v *validator) rangeRules(c Column) {
	if c.Range == nil {
		return
	}
	r := *c.Range
	finite := !math.IsInf(r.Min, 0) && !math.IsInf(r.Max, 0)
	v.check(finite && r.Min <= r.Max, "bad range [%g, %g]: use finite bounds, the smaller first", r.Min, r.Max)
	if c.Type == Int || c.Type == BigInt {
		v.check(r.Min == math.Trunc(r.Min) && r.Max == math.Trunc(r.Max), "range [%g, %g] of whole numbers has a fraction", r.Min, r.Max)
	}
	if c.Type == Int {
		v.check(r.Min >= math.MinInt32 && r.Max <= math.MaxInt32, "range [%g, %g] does not fit 32 bits", r.Min, r.Max)
	}
}

func (v *validator) enumRules(c Column) {
	v.check(c.Enum == nil || len(c.Enum) > 0, "enum without values")
	for i, value := range c.Enum {
		v.check(PlainCSV(value), "enum value %q is empty or needs quotes in CSV", value)
		v.check(!slices.Contains(c.Enum[:i], value), "duplicate enum value %q", value)
	}
}

func (v *validator) nullRules(c Column) {
	v.check(!c.Nullable || c.NullWhen != "", "nullable without saying when it is missing")
	v.check(c.Nullable || c.NullWhen == "", "says when it is missing but is not nullable")
	v.check(!c.Nullable || c.Role != ID, "an id is nullable")
}

func (v *validator) roleRules(c Column) {
	v.check(c.Role.Known(), "unknown role %d", int(c.Role))
	v.check(c.Classification.Known(), "unknown classification %d", int(c.Classification))
	v.check((c.Role == Personal) == (c.Classification == Restricted),
		"role %s is %s: personal columns, and only they, are restricted", c.Role, c.Classification)
	v.check(c.Role != Protected || c.Classification >= Confidential, "role protected is %s, use confidential", c.Classification)
}

// synonymRules leaves a word free to stand for several columns of a table: the
// one who resolves it then asks which is meant.
func (v *validator) synonymRules(c Column) {
	for i, s := range c.Synonyms {
		v.check(s != "" && s == strings.TrimSpace(s), "synonym %q is empty or has space around it", s)
		v.check(s == strings.ToLower(s), "synonym %q is not in lower case", s)
		v.check(!slices.Contains(c.Synonyms[:i], s), "duplicate synonym %q", s)
	}
}
