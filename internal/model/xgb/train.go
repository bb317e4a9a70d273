package xgb

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Loss returns the first and second derivatives of what is to be made small, by
// each margin, given the margins and the labels of all rows.
type Loss func(margins, labels []float32) (gradient, hessian []float32)

// Eval is data that the metrics are evaluated on after each round.
type Eval struct {
	Name string // without blank, colon or hyphen
	Data *Matrix
}

// Score is one metric on one Eval.
type Score struct {
	Eval, Metric string
	Value        float64
}

// Round is what is known after a round.
type Round struct {
	Number int // from 0
	Scores []Score
}

// Training says how to train.
type Training struct {
	Params Params
	Data   *Matrix
	// Rounds is the most rounds.
	Rounds int
	// Evals are evaluated after each round, in this order.
	Evals []Eval
	// EarlyStopping ends the training after that many rounds in which the last metric
	// on the last Eval did not get better. The default is 0, never.
	EarlyStopping int
	// Maximize says that the last metric is better if it is larger. The default is
	// false, except for metrics that are known: auc, aucpr, map, ndcg and pre.
	Maximize bool
	// Loss replaces the objective's derivatives. The default is nil.
	Loss Loss
	// Progress is called after each round; its error ends the training. The default is nil.
	Progress func(Round) error
}

// Trained is what a training gives.
type Trained struct {
	Booster *Booster
	History []Round
	// Best is the round with the best score; without early stopping the last one. It
	// is kept as the model's attribute best_iteration, as Python's xgboost does.
	Best int
}

// check refuses a training that cannot begin.
func (t *Training) check() error {
	if t.Data == nil {
		return &DataError{"data", "there is none to train on"}
	}
	if t.Data.labels == nil {
		return &DataError{"labels", "there are none to train on"}
	}
	if t.Rounds < 1 {
		return &ParamError{"rounds", fmt.Sprintf("%d is less than 1", t.Rounds)}
	}
	if t.EarlyStopping < 0 || t.EarlyStopping > 0 && len(t.Evals) == 0 {
		return &ParamError{"early stopping", "it needs an Eval and a number of rounds"}
	}
	for i, e := range t.Evals {
		if e.Data == nil || e.Name == "" || strings.ContainsAny(e.Name, " \t:-") {
			return &ParamError{"evals", fmt.Sprintf("number %d, %q, needs data and a name without blank, colon or hyphen", i, e.Name)}
		}
	}
	return nil
}

// Train adds rounds until there are enough, or the score gets no better, or the
// context ends, in which case nothing is returned but its error.
func (l *Library) Train(ctx context.Context, t Training) (*Trained, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	params, err := t.Params.list()
	if err != nil {
		return nil, err
	}
	matrices := []*Matrix{t.Data}
	for _, e := range t.Evals {
		matrices = append(matrices, e.Data)
	}
	b, err := l.newBooster(matrices)
	if err != nil {
		return nil, err
	}
	r := &run{Training: t, booster: b}
	if err := r.train(ctx, params); err != nil {
		b.Close()
		return nil, err
	}
	return &Trained{Booster: b, History: r.history, Best: r.best}, nil
}

// run is a training that is going on.
type run struct {
	Training
	booster *Booster
	history []Round
	best    int
	score   float64
}

func (r *run) train(ctx context.Context, params []param) error {
	if err := r.booster.set(params); err != nil {
		return err
	}
	if err := r.booster.setFeatures(r.Data.features); err != nil {
		return err
	}
	for i := range r.Rounds {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("train: round %d: %w", i, err)
		}
		if err := r.step(i); err != nil {
			return err
		}
		if r.EarlyStopping > 0 && i-r.best >= r.EarlyStopping {
			break
		}
	}
	return r.keepBest()
}

// step adds a round and evaluates it.
func (r *run) step(i int) error {
	if err := r.boost(i); err != nil {
		return err
	}
	round := Round{Number: i}
	if len(r.Evals) > 0 {
		scores, err := r.evaluate(i)
		if err != nil {
			return err
		}
		round.Scores = scores
	}
	r.history = append(r.history, round)
	r.judge(round)
	if r.Progress == nil {
		return nil
	}
	return r.Progress(round)
}

func (r *run) boost(i int) error {
	if r.Loss == nil {
		return r.booster.update(i, r.Data)
	}
	margins, err := r.booster.predict(r.Data, Margins, 0, 0, true)
	if err != nil {
		return err
	}
	gradient, hessian := r.Loss(margins.Values, r.Data.labels)
	if n := len(margins.Values); len(gradient) != n || len(hessian) != n {
		return &DataError{"loss", fmt.Sprintf("%d first and %d second derivatives for %d margins", len(gradient), len(hessian), n)}
	}
	for _, d := range [][]float32{gradient, hessian} {
		if at := slices.IndexFunc(d, notFinite); at >= 0 {
			return &DataError{"loss", fmt.Sprintf("round %d: a derivative of row %d is %v", i, at, d[at])}
		}
	}
	return r.booster.boost(i, r.Data, gradient, hessian)
}

func (r *run) evaluate(i int) ([]Score, error) {
	var names []string
	var matrices []*Matrix
	for _, e := range r.Evals {
		names, matrices = append(names, e.Name), append(matrices, e.Data)
	}
	line, err := r.booster.evaluate(i, names, matrices)
	if err != nil {
		return nil, err
	}
	return parseScores(line, names)
}

// parseScores reads a line such as "[3]\ttrain-rmse:0.5\ttest-rmse:0.6".
func parseScores(line string, names []string) ([]Score, error) {
	var scores []Score
	for _, field := range strings.Split(line, "\t")[1:] {
		colon := strings.LastIndexByte(field, ':')
		i := slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(field, name+"-") })
		if colon < 0 || i < 0 || len(names[i])+1 > colon {
			return nil, &CallError{"evaluate", fmt.Sprintf("%q is no score", field)}
		}
		v, err := strconv.ParseFloat(field[colon+1:], 64)
		if err != nil {
			return nil, &CallError{"evaluate", fmt.Sprintf("%q is no score", field)}
		}
		scores = append(scores, Score{names[i], field[len(names[i])+1 : colon], v})
	}
	return scores, nil
}

// judge finds out whether a round is the best so far.
func (r *run) judge(round Round) {
	if r.EarlyStopping == 0 || len(round.Scores) == 0 {
		r.best = round.Number
		return
	}
	last := round.Scores[len(round.Scores)-1]
	better := last.Value < r.score
	if r.Maximize || grows(last.Metric) {
		better = last.Value > r.score
	}
	if round.Number == 0 || better {
		r.best, r.score = round.Number, last.Value
	}
}

// grows tells whether a metric is known to be better if it is larger.
func grows(metric string) bool {
	name, _, _ := strings.Cut(metric, "@")
	return slices.Contains([]string{"auc", "aucpr", "map", "ndcg", "pre"}, name)
}

func (r *run) keepBest() error {
	if r.EarlyStopping == 0 {
		return nil
	}
	if err := r.booster.SetAttribute("best_iteration", strconv.Itoa(r.best)); err != nil {
		return err
	}
	return r.booster.SetAttribute("best_score", strconv.FormatFloat(r.score, 'g', -1, 64))
}
