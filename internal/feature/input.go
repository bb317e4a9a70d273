package feature

import (
	"fmt"

	"engage/internal/schema"
)

// Encoding is how the values of a column become numbers.
type Encoding int

// The encodings. A missing value is missing (NaN) in every feature that is made
// of it, but for an Indicator, which is never missing.
const (
	Numeric     Encoding = iota // the number itself; a flag is 0 or 1
	Ordinal                     // position among the column's levels, from 0, as a number
	Categorical                 // position among the levels, from 0, as a code without order
	OneHot                      // one 0/1 feature for each level
	Cyclic                      // sine and cosine of 2 pi value / period
	Indicator                   // 1 where the value is missing, else 0
	Interaction                 // product of two numeric columns
)

var encodingNames = []string{"numeric", "ordinal", "categorical", "one_hot", "cyclic", "indicator", "interaction"}

// Known reports whether e is one of the declared encodings.
func (e Encoding) Known() bool { return e >= 0 && int(e) < len(encodingNames) }

// String is the name in lower case, such as "one_hot".
func (e Encoding) String() string {
	if !e.Known() {
		return fmt.Sprintf("Encoding(%d)", int(e))
	}
	return encodingNames[e]
}

// MarshalText is the name; it fails on a value that is not declared.
func (e Encoding) MarshalText() ([]byte, error) {
	if !e.Known() {
		return nil, fmt.Errorf("feature: unknown encoding %d", int(e))
	}
	return []byte(encodingNames[e]), nil
}

// Input is a column, or two that interact, and its encoding. Make it with the
// functions below; NewSet checks it.
type Input struct {
	Encoding Encoding
	Column   schema.Name
	With     schema.Name // the other column of an Interaction, otherwise empty
	Period   float64     // of a Cyclic, in the column's unit, otherwise 0
}

// Number is the column's number itself. Column type: number or flag.
func Number(column schema.Name) Input { return Input{Encoding: Numeric, Column: column} }

// Levels is the position of a category among the column's levels, as a number:
// for categories whose order means something. Column type: category.
func Levels(column schema.Name) Input { return Input{Encoding: Ordinal, Column: column} }

// Category is the category's code, without order. Column type: category.
func Category(column schema.Name) Input { return Input{Encoding: Categorical, Column: column} }

// Dummies is one 0/1 feature for each category. Column type: category.
func Dummies(column schema.Name) Input { return Input{Encoding: OneHot, Column: column} }

// Cycle is the place on a cycle: the sine and the cosine of 2 pi value / period,
// where period is in the column's unit. Column type: number.
func Cycle(column schema.Name, period float64) Input {
	return Input{Encoding: Cyclic, Column: column, Period: period}
}

// Missing is 1 where the value is missing. Column type: any that is nullable.
func Missing(column schema.Name) Input { return Input{Encoding: Indicator, Column: column} }

// Product is the product of two columns, missing where either is. Column type: number.
func Product(a, b schema.Name) Input { return Input{Encoding: Interaction, Column: a, With: b} }

// columns lists the one or two columns that the input reads.
func (in Input) columns() []schema.Name {
	if in.Encoding == Interaction {
		return []schema.Name{in.Column, in.With}
	}
	return []schema.Name{in.Column}
}
