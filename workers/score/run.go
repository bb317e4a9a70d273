package score

import (
	"math"
	"slices"

	"engage/internal/feature"
	"engage/internal/frame"
	"engage/internal/model/gbdt"
	"engage/internal/model/shap"
	"engage/internal/schema"
)

// run is rows that are scored together.
type run struct {
	size, width int
	ids         []string
	features    []float32
	answers     []float32
	top         []shap.Impact // of each row schema.TopFeatures, or
	all         []float32     // of each row every feature and the bias
}

func newRun(size, width int) *run {
	return &run{size: size, width: width, ids: make([]string, 0, size), features: make([]float32, 0, size*width)}
}

func (r *run) rows() int { return len(r.ids) }

func (r *run) full() bool { return len(r.ids) == r.size }

func (r *run) matrix() gbdt.Matrix {
	return gbdt.Matrix{Data: r.features, Rows: r.rows(), Cols: r.width}
}

// take adds as many rows as there is room for.
func (r *run) take(ids []string, features []float32) int {
	n := min(len(ids), r.size-len(r.ids))
	r.ids = append(r.ids, ids[:n]...)
	r.features = append(r.features, features[:n*r.width]...)
	return n
}

// The columns of All beside those of the predictions.
const margin schema.Name = "margin"

// Contribution names the column of a feature's contribution; that of the bias
// is Contribution("bias").
func Contribution(feature string) schema.Name { return schema.Name("contribution_" + feature) }

// lead is how many columns both tables begin with: customer, score, time, version.
const lead = 4

// tableOf describes what is written.
func tableOf(s feature.Set, c Contributions) *schema.Table {
	t := schema.PredictionsOf(s.Target())
	if c == Top5 {
		return t
	}
	t.Columns = slices.Clip(t.Columns[:lead])
	number := func(name schema.Name, what string) {
		t.Columns = append(t.Columns, schema.Column{Name: name, Type: schema.Double, Unit: "margin", Role: schema.Derived,
			Classification: schema.Internal, Display: string(name), Description: what})
	}
	number(margin, "The sum of all contributions, before the link and the range.")
	for _, name := range s.Names() {
		number(Contribution(name), "What the feature adds to the margin.")
	}
	number(Contribution("bias"), "The mean margin, which the features' contributions are added to.")
	return t
}

// batch is a run in the form of the table.
func (w *work) batch(r *run) *frame.Batch {
	b := frame.New(w.table, r.rows())
	copy(b.Columns[0].Strings, r.ids)
	when, version := w.began.UnixMilli(), w.Version.Short()
	for i, answer := range r.answers {
		score := w.model.Score(answer)
		w.summary.add(score, score != float64(answer))
		b.Columns[1].Floats[i], b.Columns[2].Ints[i], b.Columns[3].Strings[i] = score, when, version
	}
	if w.Contributions == All {
		fillAll(b, r, w.explainer.Width())
	} else {
		fillTop(b, r, w.model.Set.Names())
	}
	return b
}

func fillTop(b *frame.Batch, r *run, names []string) {
	for k := range schema.TopFeatures {
		feature, impact := &b.Columns[lead+2*k], &b.Columns[lead+2*k+1]
		for i := range r.rows() {
			top := r.top[i*schema.TopFeatures+k]
			if top.Feature < 0 {
				feature.SetNull(i, r.rows())
				impact.SetNull(i, r.rows())
				continue
			}
			feature.Strings[i], impact.Floats[i] = names[top.Feature], float64(top.Value)
		}
	}
}

func fillAll(b *frame.Batch, r *run, width int) {
	for i := range r.rows() {
		sum := 0.0
		for k, v := range r.all[i*width : (i+1)*width] {
			b.Columns[lead+1+k].Floats[i] = float64(v)
			sum += float64(v)
		}
		b.Columns[lead].Floats[i] = sum
	}
}

// summary adds scores up in memory that does not grow with them.
type summary struct {
	rows, clamped int64
	sum, min, max float64
	counts        map[int64]int64 // by place in the order of the scores
}

func newSummary() summary {
	return summary{min: math.Inf(1), max: math.Inf(-1), counts: map[int64]int64{}}
}

func (s *summary) add(score float64, clamped bool) {
	s.rows++
	if clamped {
		s.clamped++
	}
	s.sum += score
	s.min, s.max = min(s.min, score), max(s.max, score)
	s.counts[place(score)]++
}

// placeBits are the bits of a number that do not tell its place: 13 bits of the
// fraction are left, so that numbers of one place differ by 2^-13 at most.
const placeBits = 52 - 13

// place orders numbers as their values are ordered.
func place(v float64) int64 {
	bits := int64(math.Float64bits(math.Abs(v)) >> placeBits)
	if v < 0 {
		return -bits - 1
	}
	return bits
}

// value is the middle of a place.
func value(place int64) float64 {
	bits, sign := place, 1.0
	if place < 0 {
		bits, sign = -place-1, -1
	}
	if bits == 0 {
		return 0
	}
	return sign * math.Float64frombits(uint64(bits)<<placeBits|1<<(placeBits-1))
}

func (s *summary) of() Range {
	places := make([]int64, 0, len(s.counts))
	for p := range s.counts {
		places = append(places, p)
	}
	slices.Sort(places)
	out := Range{Min: s.min, Max: s.max, Mean: s.sum / float64(s.rows)}
	seen := int64(0)
	for _, p := range places {
		if seen += s.counts[p]; 2*seen >= s.rows {
			out.Median = min(max(value(p), s.min), s.max)
			break
		}
	}
	return out
}
