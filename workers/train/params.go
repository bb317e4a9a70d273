package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"engage/internal/model/xgb"
)

// Params say how trees are grown, by XGBoost's names.
// https://xgboost.readthedocs.io/en/stable/parameter.html
type Params struct {
	MaxDepth       int     `json:"max_depth"`
	LearningRate   float64 `json:"learning_rate"`
	Rounds         int     `json:"n_estimators"`          // at most
	EarlyStopping  int     `json:"early_stopping_rounds"` // rounds without a better score on the validation rows; 0 is never
	Validation     float64 `json:"validation_fraction"`   // of the training rows that early stopping looks at instead
	Subsample      float64 `json:"subsample"`
	Colsample      float64 `json:"colsample_bytree"`
	MinChildWeight float64 `json:"min_child_weight"`
	Lambda         float64 `json:"reg_lambda"`
	Alpha          float64 `json:"reg_alpha"`
	Gamma          float64 `json:"gamma"`
	Bins           int     `json:"max_bin"`
}

// DefaultParams are the required ones, with rows and columns sampled and leaves
// that are larger and smaller in size, which reach a higher score; found on a
// population of another seed than any that tests or benchmarks use. The rows that
// stop the training are training rows: test rows would flatter the model.
func DefaultParams() Params {
	return Params{
		MaxDepth: 8, LearningRate: 0.05, Rounds: 500, EarlyStopping: 20, Validation: 0.05,
		Subsample: 0.8, Colsample: 0.3, MinChildWeight: 60, Lambda: 10, Bins: 256,
	}
}

// ParamsError says everything that is wrong with parameters.
type ParamsError struct{ Problems []string }

// Error lists the problems on one line.
func (e *ParamsError) Error() string {
	return "the training's parameters cannot be used: " + strings.Join(e.Problems, "; ")
}

// ReadParams reads a JSON object over the defaults. Errors: *ParamsError.
func ReadParams(r io.Reader) (Params, error) {
	d := json.NewDecoder(io.LimitReader(r, 1<<20))
	d.DisallowUnknownFields()
	p := DefaultParams()
	if err := d.Decode(&p); err != nil {
		return Params{}, &ParamsError{[]string{strings.TrimPrefix(err.Error(), "json: ")}}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Params{}, &ParamsError{[]string{"there is more than one object"}}
	}
	return p, p.Check()
}

// maxDepth is the deepest that contributions are computed for.
const maxDepth = 16

// Check fails with a *ParamsError.
func (p Params) Check() error {
	e := &ParamsError{}
	check := func(ok bool, format string, args ...any) {
		if !ok {
			e.Problems = append(e.Problems, fmt.Sprintf(format, args...))
		}
	}
	check(p.MaxDepth >= 1 && p.MaxDepth <= maxDepth, "max_depth %d: want 1 to %d", p.MaxDepth, maxDepth)
	check(p.Rounds >= 1 && p.Rounds <= 100_000, "n_estimators %d: want 1 to 100000", p.Rounds)
	check(p.EarlyStopping >= 0, "early_stopping_rounds %d: want 0, for never, or more", p.EarlyStopping)
	check(p.Validation >= 0 && p.Validation <= 0.5, "validation_fraction %g: want 0 to 0.5", p.Validation)
	check((p.EarlyStopping > 0) == (p.Validation > 0), "early_stopping_rounds %d and validation_fraction %g: want both or neither", p.EarlyStopping, p.Validation)
	check(p.Bins >= 2 && p.Bins <= 65536, "max_bin %d: want 2 to 65536", p.Bins)
	for name, v := range map[string]float64{"learning_rate": p.LearningRate, "subsample": p.Subsample, "colsample_bytree": p.Colsample} {
		check(v > 0 && v <= 1, "%s %g: want more than 0, at most 1", name, v)
	}
	for name, v := range map[string]float64{"min_child_weight": p.MinChildWeight, "reg_lambda": p.Lambda, "reg_alpha": p.Alpha, "gamma": p.Gamma} {
		check(v >= 0 && !math.IsInf(v, 1), "%s %g: want 0 or more", name, v)
	}
	if e.Problems == nil {
		return nil
	}
	return e
}

// library are the parameters as XGBoost wants them.
func (p Params) library(g goal, base float64, seed uint64, threads int) xgb.Params {
	out := xgb.DefaultParams()
	out.Objective, out.Metrics, out.BaseScore = g.objective, []string{g.metric}, base
	out.MaxDepth, out.LearningRate, out.Bins = p.MaxDepth, p.LearningRate, p.Bins
	out.Subsample, out.ColsampleByTree, out.MinChildWeight = p.Subsample, p.Colsample, p.MinChildWeight
	out.Lambda, out.Alpha, out.MinSplitLoss = p.Lambda, p.Alpha, p.Gamma
	out.Seed, out.Threads = int64(seed%(1<<31)), threads // the library has 32 bits for it
	return out
}

// goal is what a model is trained for.
type goal struct {
	objective, metric string
	flag              bool // the target is one
}

var (
	quantity    = goal{objective: "reg:squarederror", metric: "rmse"}
	probability = goal{objective: "binary:logistic", metric: "logloss", flag: true}
)
