package counterfactual

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"engage/internal/feature"
	"engage/internal/model/explain"
	"engage/internal/model/explain/explaintest"
	"engage/internal/model/gbdt"
	"engage/internal/schema"
)

// population draws customers that keep the schema's ranges, forms and rules. What
// is nullable is missing in a tenth of them.
func population(random *rand.Rand, names []schema.Name, rows int) []feature.Values {
	out := make([]feature.Values, len(names))
	for range rows {
		x := customer(random)
		for k, name := range names {
			c, _ := schema.Customers.Column(name)
			appendCell(&out[k], c, x[name])
		}
	}
	return out
}

// customer draws one.
func customer(random *rand.Rand) map[schema.Name]float64 {
	x := map[schema.Name]float64{}
	for _, c := range schema.Customers.Columns {
		switch {
		case c.Nullable && random.IntN(10) == 0:
			x[c.Name] = math.NaN()
		case c.Categorical():
			x[c.Name] = float64(random.IntN(len(c.Enum)))
		case c.Numeric() && c.Range != nil:
			x[c.Name] = inForm(c, c.Range.Min+(c.Range.Max-c.Range.Min)*math.Pow(random.Float64(), 3))
		}
	}
	x[schema.AvgDailyLogins] = inForm(column(schema.AvgDailyLogins), min(x[schema.AvgDailyLogins], 900/(1+x[schema.AvgSessionDurationMin])))
	x[schema.TotalConnections] = math.Floor(x[schema.TotalConnections]/1e4) + x[schema.NumNewConnectionsMonth]
	if x[schema.DaysSinceLastLogin] >= schema.ActivityWindowDays {
		for _, name := range schema.WindowActivity {
			x[name] = 0
		}
	}
	if x[schema.AccountType] == 0 || x[schema.PremiumFeaturesUsedCount] == 0 || x[schema.PremiumFeatureUsageRate] == 0 {
		x[schema.PremiumFeaturesUsedCount], x[schema.PremiumFeatureUsageRate] = 0, 0
	}
	for driver, dependents := range opened {
		for _, d := range dependents {
			if x[driver] == 0 && d != schema.AvgSentimentScore {
				x[d] = math.NaN()
			}
		}
	}
	return x
}

func column(name schema.Name) schema.Column {
	return schema.Customers.Columns[schema.Customers.MustIndex(name)]
}

func inForm(c schema.Column, x float64) float64 {
	if c.Type != schema.Double {
		return math.Round(x)
	}
	return math.Round(x*math.Pow10(c.Decimals)) / math.Pow10(c.Decimals)
}

func appendCell(v *feature.Values, c schema.Column, x float64) {
	v.Valid = append(v.Valid, x == x)
	if x != x {
		x = 0
	}
	switch {
	case c.Categorical():
		v.Strings = append(v.Strings, c.Enum[int(x)])
	case c.Type == schema.Double:
		v.Floats = append(v.Floats, x)
	default:
		v.Ints = append(v.Ints, int64(x))
	}
}

// rowOf is row i as a customer.
func rowOf(columns []feature.Values, i int) []feature.Values {
	pick := func(v feature.Values) feature.Values {
		out := feature.Values{Valid: v.Valid[i : i+1]}
		switch {
		case v.Strings != nil:
			out.Strings = v.Strings[i : i+1]
		case v.Floats != nil:
			out.Floats = v.Floats[i : i+1]
		default:
			out.Ints = v.Ints[i : i+1]
		}
		return out
	}
	out := make([]feature.Values, len(columns))
	for k, v := range columns {
		out[k] = pick(v)
	}
	return out
}

// world is a model, a background and a finder.
type world struct {
	set        feature.Set
	model      explain.Predictor
	background []feature.Values
	rows       int
	finder     *Finder
	encoder    *feature.Encoder // another one than the finder's
}

func newWorld(t testing.TB, set feature.Set, model explain.Predictor, random *rand.Rand, o Options) *world {
	t.Helper()
	w := &world{set: set, encoder: set.Encoder(feature.RefuseUnknown), model: model, rows: 1000, background: population(random, set.Columns(), 1000)}
	var err error
	if w.finder, err = New(model, set, set.Encoder(feature.RefuseUnknown), w.background, w.rows, o); err != nil {
		t.Fatal(err)
	}
	return w
}

// forest grows trees whose thresholds are values of the background.
func forest(random *rand.Rand, set feature.Set, trees, depth int) *gbdt.Model {
	rows := 500
	x := gbdt.Matrix{Data: make([]float32, rows*set.Len()), Rows: rows, Cols: set.Len()}
	if err := set.Encoder(feature.RefuseUnknown).Encode(population(random, set.Columns(), rows), rows, x.Data); err != nil {
		panic(err)
	}
	return explaintest.Forest{Trees: trees, Depth: depth, Features: set.Len(), Threshold: func(random *rand.Rand, f int) float64 {
		for {
			if v := x.Row(random.IntN(rows))[f]; v == v {
				return float64(v)
			}
		}
	}}.Grow(random)
}

// predict asks the model about a customer.
func (w *world) predict(t testing.TB, customer []feature.Values) float64 {
	t.Helper()
	x := gbdt.Matrix{Data: make([]float32, w.set.Len()), Rows: 1, Cols: w.set.Len()}
	if err := w.encoder.Encode(customer, 1, x.Data); err != nil {
		t.Fatal(err)
	}
	out := make([]float32, 1)
	if err := w.model.Predict(x, out, 1); err != nil {
		t.Fatal(err)
	}
	return float64(out[0])
}

// changed is a customer after changes, all but the one at skip.
func (w *world) changed(customer []feature.Values, changes []Change, skip int) []feature.Values {
	out := slices.Clone(customer)
	for i, c := range changes {
		if k := slices.Index(w.set.Columns(), c.Column); i != skip {
			out[k] = feature.Values{}
			appendCell(&out[k], column(c.Column), c.To)
		}
	}
	return out
}

func numberSet(t testing.TB, inputs ...feature.Input) feature.Set {
	t.Helper()
	set, err := feature.NewSet("engagement", schema.EngagementScore, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

var ctx = context.Background()
