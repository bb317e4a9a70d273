package score

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"engage/internal/feature"
	"engage/internal/model/shap"
	"engage/internal/resource"
	"engage/internal/schema"
	"engage/workers/registry"
	"engage/workers/source"
)

// Explanation says what one customer's score came of.
type Explanation struct {
	Customer string  `json:"customer_id"`
	Model    string  `json:"model"`
	Version  string  `json:"model_version"`
	Target   string  `json:"target"`
	Score    float64 `json:"score"`
	// Margin is the bias, the mean margin, and all contributions: the score before
	// the link and the range.
	Margin        float64        `json:"margin"`
	Bias          float64        `json:"bias"`
	Contributions []FeatureShare `json:"contributions"` // the strongest first
}

// FeatureShare is one feature's contribution to a margin.
type FeatureShare struct {
	Feature      string  `json:"feature"`
	Value        string  `json:"value"` // a number or a category; empty if missing
	Contribution float64 `json:"contribution"`
}

// CustomerError tells that a customer is not there.
type CustomerError struct{ Customer, Place string }

// Error is one line.
func (e *CustomerError) Error() string {
	return fmt.Sprintf("there is no customer %q in %s: check the id", e.Customer, e.Place)
}

// Explain finds a customer and explains the score. Errors: *CustomerError, else
// as Run's.
func Explain(ctx context.Context, shelf registry.Shelf, input source.Files, customer string) (Explanation, error) {
	model, err := registry.Load(ctx, shelf)
	if err != nil {
		return Explanation{}, err
	}
	encoder, err := model.Encoder()
	if err != nil {
		return Explanation{}, err
	}
	explainer, err := shap.New(model.Trees)
	if err != nil {
		return Explanation{}, &registry.ArtifactError{Place: shelf.Place(), Artifact: resource.ModelFile, Err: err}
	}
	row, err := find(ctx, input, encoder, customer)
	if err != nil {
		return Explanation{}, err
	}
	answer, err := model.Trees.NewScorer().Predict(row)
	if err != nil {
		return Explanation{}, err
	}
	contributions, err := explainer.NewRow(1).Explain(row)
	if err != nil {
		return Explanation{}, err
	}
	out := explanation(model, row, contributions)
	out.Customer, out.Score = customer, model.Score(answer[0])
	return out, nil
}

// errFound ends the reading.
var errFound = errors.New("found")

// find makes the features of a customer.
func find(ctx context.Context, input source.Files, encoder *feature.Encoder, customer string) (row []float32, err error) {
	columns := append([]schema.Name{schema.CustomerID}, encoder.Columns()...)
	err = input.Read(ctx, columns, func(b source.Run) error {
		i := slices.Index(b.Column(schema.CustomerID).Strings, customer)
		if i < 0 {
			return nil
		}
		features := make([]float32, b.Rows*encoder.Width())
		if err := encoder.Encode(b.Values(encoder.Columns()), b.Rows, features); err != nil {
			return err
		}
		row = features[i*encoder.Width() : (i+1)*encoder.Width()]
		return errFound
	})
	switch {
	case errors.Is(err, errFound):
		return row, nil
	case err != nil:
		return nil, err
	}
	return nil, &CustomerError{customer, input.Place}
}

func explanation(m *registry.Model, row, contributions []float32) Explanation {
	out := Explanation{Model: m.Metadata.Model, Version: m.Metadata.Version, Target: m.Metadata.Target}
	for i, f := range m.Set.Features() {
		out.Contributions = append(out.Contributions, FeatureShare{f.Name, display(f, row[i]), float64(contributions[i])})
	}
	for _, v := range contributions {
		out.Margin += float64(v)
	}
	out.Bias = float64(contributions[len(contributions)-1])
	slices.SortStableFunc(out.Contributions, func(a, b FeatureShare) int {
		return cmp.Compare(math.Abs(b.Contribution), math.Abs(a.Contribution))
	})
	return out
}

// display is a feature's value for people.
func display(f feature.Feature, v float32) string {
	switch i := int(v); {
	case math.IsNaN(float64(v)):
		return ""
	case len(f.Levels) > 0 && i < len(f.Levels):
		return f.Levels[i]
	}
	return strconv.FormatFloat(float64(v), 'g', 6, 32)
}
