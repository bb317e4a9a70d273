package feature

import (
	"errors"
	"fmt"
	"math"

	"engage/internal/schema"
)

// checker collects everything wrong with the inputs of one model.
type checker struct {
	model  string
	target schema.Name
	errs   []error
}

func (c *checker) add(err error) { c.errs = append(c.errs, err) }

// err joins what was found; nil if that is nothing.
func (c *checker) err() error { return errors.Join(c.errs...) }

// checkTarget refuses a target that the customers table does not have, or that
// no model should predict. A feature column may be one (an interest model
// predicts content_category_primary): it is then no input.
func (c *checker) checkTarget() {
	column, ok := schema.Customers.Column(c.target)
	switch {
	case !ok:
		c.add(&UnknownColumnError{c.model, c.target})
	case column.Role != schema.Target && column.Role != schema.Feature:
		c.add(&ForbiddenColumnError{c.model, c.target, column.Role, "no model predicts a column of this role"})
	}
}

// checkInput reports whether the input may be read and its encoding fits.
func (c *checker) checkInput(in Input) bool {
	before := len(c.errs)
	for _, name := range in.columns() {
		column, ok := c.permitted(name)
		if !ok {
			continue
		}
		if reason := misfit(in, column); reason != "" {
			c.add(&EncodingError{c.model, name, in.Encoding, reason})
		}
	}
	if reason := misuse(in); reason != "" {
		c.add(&EncodingError{c.model, in.Column, in.Encoding, reason})
	}
	return len(c.errs) == before
}

// permitted finds the column and refuses what the model must not read.
func (c *checker) permitted(name schema.Name) (schema.Column, bool) {
	column, here, ok := find(name)
	if !ok {
		c.add(&UnknownColumnError{c.model, name})
		return column, false
	}
	if reason := forbidden(column, c.target); reason != "" {
		c.add(&ForbiddenColumnError{c.model, name, column.Role, reason})
		return column, false
	}
	if !here {
		c.add(&UnknownColumnError{c.model, name})
	}
	return column, here
}

// forbidden says why a model that predicts the target must not read the column; empty: it may.
func forbidden(c schema.Column, target schema.Name) string {
	switch {
	case c.Role != schema.Feature:
		return reasonFor(c.Role)
	case c.Classification == schema.Restricted:
		return "its values are restricted"
	case c.Name == target:
		return "it is what this model predicts"
	}
	return ""
}

// find looks in every table, so that a column of another table is refused for
// its role and not as unknown. Here tells whether customers has it.
func find(name schema.Name) (column schema.Column, here, ok bool) {
	if column, ok = schema.Customers.Column(name); ok {
		return column, true, true
	}
	for _, t := range schema.Tables {
		if column, ok = t.Column(name); ok {
			return column, false, true
		}
	}
	return schema.Column{}, false, false
}

func reasonFor(r schema.Role) string {
	if reason, ok := reasons[r]; ok {
		return reason
	}
	return "only columns of role feature may be read"
}

// misfit says why the encoding does not fit the column; empty: it does.
func misfit(in Input, c schema.Column) string {
	switch in.Encoding {
	case Numeric:
		if !c.Numeric() && c.Type != schema.Boolean {
			return fmt.Sprintf("its type is %s, which is no number", c.Type)
		}
	case Cyclic, Interaction:
		if !c.Numeric() {
			return fmt.Sprintf("its type is %s, which is no number", c.Type)
		}
	case Ordinal, Categorical, OneHot:
		if !c.Categorical() {
			return "it has no list of levels"
		}
	case Indicator:
		if !c.Nullable {
			return "its values are never missing"
		}
	default:
		return "there is no such encoding"
	}
	return ""
}

// misuse says what is wrong with the input's own fields; empty: nothing.
func misuse(in Input) string {
	switch {
	case in.Encoding == Cyclic && !(in.Period > 0 && !math.IsInf(in.Period, 1)):
		return fmt.Sprintf("period %g, use a positive number", in.Period)
	case in.Encoding != Cyclic && in.Period != 0:
		return fmt.Sprintf("period %g, only a cyclic encoding has one", in.Period)
	case in.Encoding == Interaction && in.Column == in.With:
		return "a column does not interact with itself"
	case in.Encoding != Interaction && in.With != "":
		return fmt.Sprintf("second column %s, only an interaction has one", in.With)
	}
	return ""
}
