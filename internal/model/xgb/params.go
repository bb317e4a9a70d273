package xgb

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Params are the parameters of a training. Start from DefaultParams: a field that
// is zero means zero. https://xgboost.readthedocs.io/en/stable/parameter.html
type Params struct {
	// Objective is what is learned, such as "reg:squarederror". With a Loss of one's
	// own it says how margins become answers. The default is "reg:squarederror".
	Objective string
	// Classes is the number of classes of a multi: objective, else 0.
	Classes int
	// BaseScore is the answer before the first tree. The default is 0.5.
	BaseScore float64
	// TreeMethod is "hist", "approx" or "exact"; streamed data and categories need
	// hist. The default is "hist".
	TreeMethod string
	// MaxDepth is the most edges from the root to a leaf; 0 is no limit. The default is 6.
	MaxDepth int
	// LearningRate, or eta, shrinks each tree. The default is 0.3.
	LearningRate float64
	// MinSplitLoss, or gamma, is the gain that a split must have. The default is 0.
	MinSplitLoss float64
	// MinChildWeight is the least sum of second derivatives on either side of a
	// split. The default is 1.
	MinChildWeight float64
	// Subsample is the share of rows that a tree sees. The default is 1.
	Subsample float64
	// ColsampleByTree is the share of features that a tree sees. The default is 1.
	ColsampleByTree float64
	// Lambda and Alpha punish large leaves, by their squares and sizes. The defaults
	// are 1 and 0.
	Lambda, Alpha float64
	// Bins is the most values that hist rounds a feature to, that of StreamOptions for
	// streamed data. The default is 256.
	Bins int
	// Metrics are evaluated after each round, the last for early stopping. The
	// default is the objective's own.
	Metrics []string
	// Seed is that of all random choices. The default is 0.
	Seed int64
	// Threads is how many to use. The default is 0, all processors.
	Threads int
	// Extra are other parameters by XGBoost's names. A name that a field above sets
	// is refused.
	Extra map[string]string
}

// DefaultParams are XGBoost's defaults.
func DefaultParams() Params {
	return Params{
		Objective: "reg:squarederror", BaseScore: 0.5, TreeMethod: "hist", MaxDepth: 6, LearningRate: 0.3,
		MinChildWeight: 1, Subsample: 1, ColsampleByTree: 1, Lambda: 1, Bins: 256,
	}
}

// param is one parameter as the library takes it.
type param struct{ name, value string }

func real(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// list returns all parameters in the order in which they are set, or a *ParamError.
func (p *Params) list() ([]param, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	list := []param{
		{"verbosity", "0"}, {"objective", p.Objective}, {"base_score", real(p.BaseScore)}, {"tree_method", p.TreeMethod},
		{"max_depth", strconv.Itoa(p.MaxDepth)}, {"eta", real(p.LearningRate)}, {"gamma", real(p.MinSplitLoss)},
		{"min_child_weight", real(p.MinChildWeight)}, {"subsample", real(p.Subsample)},
		{"colsample_bytree", real(p.ColsampleByTree)}, {"lambda", real(p.Lambda)}, {"alpha", real(p.Alpha)},
		{"seed", strconv.FormatInt(p.Seed, 10)}, {"nthread", strconv.Itoa(p.Threads)},
	}
	if p.TreeMethod != "exact" {
		list = append(list, param{"max_bin", strconv.Itoa(p.Bins)})
	}
	if p.Classes > 0 {
		list = append(list, param{"num_class", strconv.Itoa(p.Classes)})
	}
	for _, name := range slices.Sorted(maps.Keys(p.Extra)) {
		if slices.ContainsFunc(list, func(q param) bool { return q.name == name }) || aliases[name] != "" {
			return nil, &ParamError{name, "Params has a field for it: set that"}
		}
		list = append(list, param{name, p.Extra[name]})
	}
	for _, m := range p.Metrics {
		list = append(list, param{"eval_metric", m})
	}
	return list, nil
}

// aliases are other names of parameters that have a field.
var aliases = map[string]string{
	"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha",
	"num_class": "num_class", "eval_metric": "eval_metric", "random_state": "seed", "n_jobs": "nthread", "max_bin": "max_bin",
}

// check refuses what XGBoost would take silently for something else, or explain
// at length; it knows the names of the rest.
func (p *Params) check() error {
	positive := func(v float64) bool { return v > 0 }
	zeroUp := func(v float64) bool { return v >= 0 }
	share := func(v float64) bool { return v > 0 && v <= 1 }
	for _, c := range []struct {
		name  string
		value float64
		ok    func(float64) bool
		want  string
	}{
		{"max_depth", float64(p.MaxDepth), zeroUp, "0 or more"},
		{"eta", p.LearningRate, positive, "more than 0"},
		{"gamma", p.MinSplitLoss, zeroUp, "0 or more"},
		{"min_child_weight", p.MinChildWeight, zeroUp, "0 or more"},
		{"subsample", p.Subsample, share, "more than 0 and at most 1"},
		{"colsample_bytree", p.ColsampleByTree, share, "more than 0 and at most 1"},
		{"lambda", p.Lambda, zeroUp, "0 or more"},
		{"alpha", p.Alpha, zeroUp, "0 or more"},
		{"max_bin", float64(p.Bins), func(v float64) bool { return v >= 2 }, "2 or more"},
		{"num_class", float64(p.Classes), zeroUp, "0 or more"},
		{"nthread", float64(p.Threads), zeroUp, "0 or more"},
	} {
		if !c.ok(c.value) {
			return &ParamError{c.name, fmt.Sprintf("%v is not %s (start from DefaultParams)", c.value, c.want)}
		}
	}
	if p.Objective == "" {
		return &ParamError{"objective", "it is empty (start from DefaultParams)"}
	}
	return nil
}
