// Package score scores customers with a model of the registry and tells what
// each score came of. Customers pass through in runs: memory does not grow with
// their number.
package score

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"engage/internal/feature"
	"engage/internal/frame"
	"engage/internal/model/shap"
	"engage/internal/parquetfile"
	"engage/internal/resource"
	"engage/internal/schema"
	"engage/workers/registry"
	"engage/workers/sink"
	"engage/workers/source"
)

// Contributions says what is written of each score's origin.
type Contributions string

// The contributions.
const (
	Top5 Contributions = "top5" // the five features that add or take most
	All  Contributions = "all"  // every feature's contribution, the bias and the margin that they add up to
)

// Config says how to score.
type Config struct {
	// Version is written beside each score. The default is that of the metadata.
	Version       resource.Version
	Contributions Contributions
	// BatchRows is how many rows are scored at a time. The default is 16,384 for
	// each thread, which explains fastest.
	BatchRows int
	// Threads is how many to use. The default is 0, all processors.
	Threads int
}

// Deps are what scoring needs of the world.
type Deps struct {
	Shelf    registry.Shelf
	Input    source.Files
	Output   sink.Output
	Now      func() time.Time
	Log      *slog.Logger
	Progress func(stage string, done, total int) // may be nil
}

// Result is what an inference task says of its scores.
type Result struct {
	Status  string  `json:"inference_status"` // "success"
	Rows    int64   `json:"predictions_generated"`
	Range   Range   `json:"prediction_range"`
	Place   string  `json:"predictions_s3_path"`
	Version string  `json:"model_version"`
	Clamped int64   `json:"clamped"` // scores that were brought into the target's range
	Unknown Unknown `json:"unknown_categories"`
}

// Unknown counts categories that the model was not trained on, by feature: those
// values counted as missing.
type Unknown map[string]int64

// Range summarises the scores.
type Range struct {
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"` // within 0.01 %
}

// OptionError refuses a setting.
type OptionError struct{ Name, Value, Want string }

// Error is one line.
func (e *OptionError) Error() string { return fmt.Sprintf("%s %q: want %s", e.Name, e.Value, e.Want) }

// threadRows is how many rows one thread explains at a time.
const threadRows = 16384

// Run scores. The output is there when Run returns without error, and not at all
// otherwise. Errors: *OptionError, *registry.ArtifactError, *source.EmptyError,
// *feature.CellError, those of the files and the output, and the end of the
// context.
func Run(ctx context.Context, c Config, d Deps) (Result, error) {
	if c.Contributions != Top5 && c.Contributions != All {
		return Result{}, &OptionError{"contributions", string(c.Contributions), "top5 or all"}
	}
	model, err := registry.Load(ctx, d.Shelf)
	if err != nil {
		return Result{}, err
	}
	w, err := newWork(c, d, model)
	if err != nil {
		return Result{}, err
	}
	if err := w.run(ctx); err != nil {
		return Result{}, fmt.Errorf("score: %w", err)
	}
	r := w.result()
	d.Log.Info("scored customers", "rows", r.Rows, "place", r.Place, "unknown", r.Unknown, "clamped", r.Clamped)
	return r, nil
}

// work is one scoring on its way.
type work struct {
	Config
	Deps
	model     *registry.Model
	explainer *shap.Explainer
	encoder   *feature.Encoder
	table     *schema.Table
	began     time.Time
	summary   summary
}

func newWork(c Config, d Deps, m *registry.Model) (*work, error) {
	w := &work{Config: c, Deps: d, model: m, began: d.Now(), summary: newSummary()}
	if w.BatchRows <= 0 {
		threads := c.Threads
		if threads <= 0 {
			threads = runtime.GOMAXPROCS(0)
		}
		w.BatchRows = threads * threadRows
	}
	if w.Progress == nil {
		w.Progress = func(string, int, int) {}
	}
	if w.Version == (resource.Version{}) {
		v, err := resource.ParseVersion("v" + m.Metadata.Version)
		if err != nil {
			return nil, &registry.ArtifactError{Place: d.Shelf.Place(), Artifact: resource.MetadataFile, Err: err}
		}
		w.Version = v
	}
	w.table = tableOf(m.Set, c.Contributions)
	var err error
	if w.explainer, err = shap.New(m.Trees); err != nil {
		return nil, &registry.ArtifactError{Place: d.Shelf.Place(), Artifact: resource.ModelFile, Err: err}
	}
	w.encoder, err = m.Encoder()
	return w, err
}

// run reads, scores and writes at the same time, each a run of rows ahead of the
// next.
func (w *work) run(ctx context.Context) (err error) {
	out, err := w.Output.Create(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	group, inner := errgroup.WithContext(ctx)
	read, scored := make(chan *run, 1), make(chan *run, 1)
	group.Go(func() error { defer close(read); return w.read(inner, read) })
	group.Go(func() error { defer close(scored); return w.score(inner, read, scored) })
	group.Go(func() error { return w.write(inner, out, scored) })
	if err := group.Wait(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return out.Commit()
}

// send hands a run on, unless the context ends first.
func send(ctx context.Context, to chan<- *run, r *run) error {
	select {
	case to <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// read fills runs with features, whatever the size of the files' own.
func (w *work) read(ctx context.Context, to chan<- *run) error {
	columns := append([]schema.Name{schema.CustomerID}, w.encoder.Columns()...)
	fill := newRun(w.BatchRows, w.encoder.Width())
	var features []float32
	err := w.Input.Read(ctx, columns, func(b source.Run) error {
		if need := b.Rows * w.encoder.Width(); cap(features) < need {
			features = make([]float32, need)
		}
		features = features[:b.Rows*w.encoder.Width()]
		if err := w.encoder.Encode(b.Values(w.encoder.Columns()), b.Rows, features); err != nil {
			return err
		}
		ids := b.Column(schema.CustomerID)
		for i := range b.Rows {
			if !ids.Present(i) {
				return &feature.CellError{Row: int64(i) + 1, Column: schema.CustomerID, Reason: "is missing; every customer has one"}
			}
		}
		for from := 0; from < b.Rows; {
			n := fill.take(ids.Strings[from:], features[from*w.encoder.Width():])
			if from += n; fill.full() {
				if err := send(ctx, to, fill); err != nil {
					return err
				}
				fill = newRun(w.BatchRows, w.encoder.Width())
			}
		}
		return nil
	})
	if err != nil || fill.rows() == 0 {
		return err
	}
	return send(ctx, to, fill)
}

// score answers and explains runs on all threads.
func (w *work) score(ctx context.Context, from <-chan *run, to chan<- *run) error {
	for r := range from {
		x := r.matrix()
		r.answers = make([]float32, r.rows())
		if err := w.model.Trees.Predict(x, r.answers, w.Threads); err != nil {
			return err
		}
		if err := w.explain(ctx, r); err != nil {
			return err
		}
		r.features = nil
		if err := send(ctx, to, r); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (w *work) explain(ctx context.Context, r *run) error {
	if w.Contributions == All {
		r.all = make([]float32, r.rows()*w.explainer.Width())
		return w.explainer.Contributions(ctx, r.matrix(), r.all, w.Threads)
	}
	r.top = make([]shap.Impact, r.rows()*schema.TopFeatures)
	return w.explainer.Top(ctx, r.matrix(), schema.TopFeatures, r.top, w.Threads)
}

// write puts the runs into the output, a row group each.
func (w *work) write(ctx context.Context, out sink.Sink, from <-chan *run) error {
	file := parquetfile.NewWriter(out, w.table)
	for r := range from {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := appendTo(file, w.batch(r)); err != nil {
			return err
		}
		w.Progress("score", int(w.summary.rows), int(w.Input.Rows))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return file.Close()
}

func appendTo(file *parquetfile.Writer, b *frame.Batch) error {
	block, err := file.Encode(b)
	if err != nil {
		return err
	}
	return file.Append(block)
}

func (w *work) result() Result {
	r := Result{
		Status: "success", Rows: w.summary.rows, Range: w.summary.of(), Place: w.Output.Place(), Version: w.Version.Short(),
		Clamped: w.summary.clamped, Unknown: Unknown{},
	}
	tally := w.encoder.Tally()
	for i, name := range w.model.Set.Names() {
		if tally.Unknown[i] > 0 {
			r.Unknown[name] = tally.Unknown[i]
		}
	}
	return r
}
