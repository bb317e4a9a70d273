package shap

import (
	"context"

	"engage/internal/model/gbdt"
)

// An Explainer explains the margins of one model. It does not change; any number
// of goroutines may use it.
type Explainer struct {
	model  *gbdt.Model
	trees  []tree
	groups [][]int // the trees of each group
	bias   []float32
	depth  int  // of the deepest tree
	tables bool // every tree can be explained by tables
}

// New prepares a model. It fails with a *CoverError or a *DepthError if the trees
// do not have what the expectations need.
func New(m *gbdt.Model) (*Explainer, error) {
	e := &Explainer{model: m, groups: make([][]int, m.Groups()), tables: true}
	means := make([]float64, m.Groups())
	for i := range m.Trees() {
		t, err := compile(m, i)
		if err != nil {
			return nil, err
		}
		e.trees = append(e.trees, t)
		e.groups[t.group] = append(e.groups[t.group], i)
		e.depth = max(e.depth, t.depth)
		e.tables = e.tables && t.most <= maxBits && t.depth <= maxTableDepth
		means[t.group] += t.mean
	}
	for g, mean := range means {
		e.bias = append(e.bias, float32(float64(m.Base(g))+mean))
	}
	return e, nil
}

// Width is the length of one row's contributions: for each group every feature
// and the bias.
func (e *Explainer) Width() int { return len(e.groups) * (e.model.NumFeatures() + 1) }

// Bias is the expected margin of a group, which is where the contributions begin.
func (e *Explainer) Bias(group int) float32 { return e.bias[group] }

// Contributions fills out with Width() numbers a row, laid out as by XGBoost's
// pred_contribs: for each group the features in their order, then the bias. It
// uses as many threads, or all processors if threads is 0. It stops early, with
// the context's error, when the context ends.
func (e *Explainer) Contributions(ctx context.Context, x gbdt.Matrix, out []float32, threads int) error {
	if want := x.Rows * e.Width(); len(out) != want {
		return &gbdt.ShapeError{What: "room for contributions", Got: len(out), Want: want}
	}
	return e.Each(ctx, x, threads, func() func(int, []float32) {
		return func(first int, part []float32) { copy(out[first*e.Width():], part) }
	})
}

// Each hands the contributions of consecutive rows, from the row first, to what
// visitor returns, in memory that is used again afterwards. The visitor is asked
// once for each thread, and what it returns is called by that thread alone.
func (e *Explainer) Each(ctx context.Context, x gbdt.Matrix, threads int, visitor func() func(first int, part []float32)) error {
	if err := e.model.Check(x); err != nil {
		return err
	}
	size, tables := e.blockSize(x.Rows, threads)
	gbdt.Blocks(x.Rows, size, threads, func() func(begin, end int) {
		visit, explain := visitor(), e.worker(size, tables)
		return func(begin, end int) {
			part := gbdt.Matrix{Data: x.Data[begin*x.Cols : end*x.Cols], Rows: end - begin, Cols: x.Cols}
			if contributions := explain(ctx, part); ctx.Err() == nil {
				visit(begin, contributions)
			}
		}
	})
	return ctx.Err()
}

// worker returns what explains blocks of at most size rows in one goroutine.
func (e *Explainer) worker(size int, tables bool) func(context.Context, gbdt.Matrix) []float32 {
	out := make([]float32, size*e.Width())
	if tables {
		b := newBlock(e, size)
		return func(ctx context.Context, x gbdt.Matrix) []float32 {
			b.explain(ctx, x, out)
			return out[:x.Rows*e.Width()]
		}
	}
	r := e.NewRow(1)
	return func(ctx context.Context, x gbdt.Matrix) []float32 {
		for i := range x.Rows {
			if ctx.Err() != nil {
				break
			}
			r.explain(x.Row(i), out[i*e.Width():(i+1)*e.Width()])
		}
		return out[:x.Rows*e.Width()]
	}
}
