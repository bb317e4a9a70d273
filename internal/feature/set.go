package feature

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"engage/internal/schema"
)

// Feature is one number that a model reads about a row.
type Feature struct {
	Name     string        // unique in its set
	Input    int           // position of the input that it is made of
	Encoding Encoding      // that of the input
	Columns  []schema.Name // the one or two columns it is made of: importance sums by these
	Levels   []string      // of Ordinal and Categorical: code i stands for Levels[i]
	Level    string        // of OneHot: the level that is 1
}

// IsCategory reports whether the number is a code without order.
func (f Feature) IsCategory() bool { return f.Encoding == Categorical }

// Set is what a model reads, in its order, and what it predicts. The zero Set
// is empty; NewSet makes the others, and they do not change.
type Set struct {
	model    string
	target   schema.Name
	inputs   []Input
	features []Feature
}

// NewSet checks the inputs of a model that predicts a column of the customers
// table. It reports everything that is wrong, joined: *ForbiddenColumnError,
// *UnknownColumnError, *EncodingError and *DuplicateError, each naming its
// column or feature.
func NewSet(model string, target schema.Name, inputs ...Input) (Set, error) {
	c := &checker{model: model, target: target}
	if model == "" {
		c.add(errors.New("feature set without a model name: name the model"))
	}
	if len(inputs) == 0 {
		c.add(fmt.Errorf("model %s has no inputs: give at least one", model))
	}
	c.checkTarget()
	s := Set{model: model, target: target, inputs: slices.Clone(inputs)}
	for i, in := range inputs {
		if c.checkInput(in) {
			s.features = append(s.features, expand(i, in)...)
		}
	}
	c.checkDuplicates(s.features)
	if err := c.err(); err != nil {
		return Set{}, err
	}
	return s, nil
}

// checkDuplicates takes a product for the same whichever column comes first.
func (c *checker) checkDuplicates(features []Feature) {
	seen := map[string]bool{}
	for _, f := range features {
		key := f.Name
		if f.Encoding == Interaction {
			key = productName(slices.Min(f.Columns), slices.Max(f.Columns))
		}
		if seen[key] {
			c.add(&DuplicateError{c.model, f.Name})
		}
		seen[key] = true
	}
}

// expand lists the features that an input makes. REQUIRES: the input was checked.
func expand(i int, in Input) []Feature {
	column, _ := schema.Customers.Column(in.Column)
	f := Feature{Name: string(in.Column), Input: i, Encoding: in.Encoding, Columns: in.columns()}
	switch in.Encoding {
	case Ordinal, Categorical:
		f.Levels = slices.Clone(column.Enum)
	case OneHot:
		return dummies(f, column.Enum)
	case Cyclic:
		sine, cosine := f, f
		sine.Name += "_sin"
		cosine.Name += "_cos"
		return []Feature{sine, cosine}
	case Indicator:
		f.Name += "_missing"
	case Interaction:
		f.Name = productName(in.Column, in.With)
	}
	return []Feature{f}
}

func dummies(f Feature, levels []string) []Feature {
	features := make([]Feature, len(levels))
	for i, level := range levels {
		features[i] = f
		features[i].Name += "=" + level
		features[i].Level = level
	}
	return features
}

func productName(a, b schema.Name) string { return string(a) + "_x_" + string(b) }

// Model is the model's name.
func (s Set) Model() string { return s.model }

// Target is the column that the model predicts.
func (s Set) Target() schema.Name { return s.target }

// Len is the number of features.
func (s Set) Len() int { return len(s.features) }

// Inputs lists the inputs in their order.
func (s Set) Inputs() []Input { return slices.Clone(s.inputs) }

// Features lists the features in the model's order. The caller must not change
// their slices.
func (s Set) Features() []Feature { return slices.Clone(s.features) }

// Names lists the features' names in the model's order.
func (s Set) Names() []string {
	names := make([]string, len(s.features))
	for i, f := range s.features {
		names[i] = f.Name
	}
	return names
}

// Columns lists the columns that the set reads, each once, in table order: what
// a reader has to fetch.
func (s Set) Columns() []schema.Name {
	read := map[schema.Name]bool{}
	for _, f := range s.features {
		for _, name := range f.Columns {
			read[name] = true
		}
	}
	var columns []schema.Name
	for _, name := range schema.Customers.Names() {
		if read[name] {
			columns = append(columns, name)
		}
	}
	return columns
}

// Hash is the SHA-256, in hexadecimal, of the model's name, its target and its
// inputs in order, with encodings, periods and levels. A model that was trained
// on a set of one hash must not score features of another.
func (s Set) Hash() string {
	type canonical struct {
		Name     string        `json:"name"`
		Encoding Encoding      `json:"encoding"`
		Columns  []schema.Name `json:"columns"`
		Period   float64       `json:"period"`
		Levels   []string      `json:"levels"`
		Level    string        `json:"level"`
	}
	features := make([]canonical, len(s.features))
	for i, f := range s.features {
		features[i] = canonical{f.Name, f.Encoding, f.Columns, s.inputs[f.Input].Period, f.Levels, f.Level}
	}
	text, err := json.Marshal([]any{s.model, s.target, features})
	if err != nil {
		panic(fmt.Sprintf("feature: hash of set %s: %v", s.model, err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
