package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"

	"engage/internal/model/gbdt"
)

// Gains adds up, for each feature, the gains of the splits on it in the first so
// many trees of a model that XGBoost saved as JSON: its total_gain.
// https://xgboost.readthedocs.io/en/stable/python/python_api.html#xgboost.Booster.get_score
func Gains(model []byte, features, trees int) ([]float64, error) {
	var saved struct {
		Learner struct {
			Booster struct {
				Model struct {
					Trees []struct {
						Gains []float64 `json:"loss_changes"`
						Index []int     `json:"split_indices"`
						Left  []int     `json:"left_children"`
					} `json:"trees"`
				} `json:"model"`
			} `json:"gradient_booster"`
		} `json:"learner"`
	}
	if err := json.Unmarshal(finite(model), &saved); err != nil {
		return nil, fmt.Errorf("read the gains of the model: %w", err)
	}
	all := saved.Learner.Booster.Model.Trees
	out := make([]float64, features)
	for i, t := range all[:min(trees, len(all))] {
		if len(t.Index) != len(t.Gains) || len(t.Left) != len(t.Gains) {
			return nil, fmt.Errorf("read the gains of the model: tree %d has %d gains for %d nodes", i, len(t.Gains), len(t.Left))
		}
		for node, gain := range t.Gains {
			if t.Left[node] < 0 { // a leaf
				continue
			}
			if f := t.Index[node]; f < 0 || f >= features {
				return nil, fmt.Errorf("read the gains of the model: tree %d splits on feature %d of %d", i, f, features)
			}
			out[t.Index[node]] += gain
		}
	}
	return out, nil
}

// finite replaces the numbers that XGBoost writes and JSON does not know; it
// writes them for leaves only.
func finite(model []byte) []byte {
	for _, word := range []string{"-Infinity", "Infinity", "NaN"} {
		model = bytes.ReplaceAll(model, []byte(":"+word), []byte(":0"))
		model = bytes.ReplaceAll(model, []byte("["+word), []byte("[0"))
		model = bytes.ReplaceAll(model, []byte(","+word), []byte(",0"))
	}
	return model
}

// Permute returns, for each feature, how much the mean squared error grows when
// the feature's values are shuffled among the rows: L. Breiman, "Random
// Forests", Machine Learning 45, 2001, section 10. Score gives one number a row.
// The rows are left as they were.
func Permute(ctx context.Context, x gbdt.Matrix, truth []float64, random *rand.Rand, score func(gbdt.Matrix) ([]float64, error)) ([]float64, error) {
	base, err := meanSquare(x, truth, score)
	if err != nil {
		return nil, err
	}
	out := make([]float64, x.Cols)
	shuffled := gbdt.Matrix{Data: append([]float32(nil), x.Data...), Rows: x.Rows, Cols: x.Cols}
	for f := range x.Cols {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, from := range random.Perm(x.Rows) {
			shuffled.Data[i*x.Cols+f] = x.Data[from*x.Cols+f]
		}
		loss, err := meanSquare(shuffled, truth, score)
		if err != nil {
			return nil, err
		}
		out[f] = loss - base
		for i := range x.Rows {
			shuffled.Data[i*x.Cols+f] = x.Data[i*x.Cols+f]
		}
	}
	return out, nil
}

func meanSquare(x gbdt.Matrix, truth []float64, score func(gbdt.Matrix) ([]float64, error)) (float64, error) {
	p, err := score(x)
	if err != nil {
		return 0, err
	}
	if err := check(truth, p); err != nil {
		return 0, err
	}
	sum := 0.0
	for i, y := range truth {
		sum += math.Pow(p[i]-y, 2)
	}
	return sum / float64(len(truth)), nil
}
