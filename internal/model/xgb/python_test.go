package xgb

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"engage/internal/golden"
	"engage/internal/model/gbdt"
)

// exchange is what test/oracles/xgboost_reads_ours.py reads.
type exchange struct {
	Rows, Cols int
	Data       []*float32 // null is a missing value
	Labels     []float32
	Params     map[string]string
	Rounds     int
	Model      string
}

// fromPython is what the script wrote.
type fromPython struct {
	Origin  string
	Loaded  []float32 // margins of our model
	Trained []float32 // margins of Python's, trained on the same data with the same parameters
	History []float64 // its root mean squared errors, round by round
}

// TestPython trains on the data of the golden and compares with Python's xgboost:
// it loads our model with the same margins to the bit, and its own training is
// ours to 1e-6.
func TestPython(t *testing.T) {
	l := library(t)
	b, f := data(20, 200, 5), features(5)
	o := Training{Params: params(), Data: matrix(t, l, b, f), Rounds: 6}
	o.Params.Subsample, o.Params.ColsampleByTree, o.Params.Metrics = 0.8, 0.7, []string{"rmse"}
	o.Evals = []Eval{{"train", o.Data}}
	trained := train(t, l, o)
	margins, err := trained.Booster.Predict(o.Data, Margins, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	model, err := trained.Booster.Save(JSON)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv(golden.Update) == "1" {
		golden.Check(t, "testdata/ours.json", encode(t, b, o, model))
	}
	ours, python := decode[exchange](t, "testdata/ours.json"), decode[fromPython](t, "testdata/python.json")
	if v := `"version":[1,7,4]`; strings.Contains(string(model), v) && strings.Contains(ours.Model, v) && string(model) != ours.Model {
		t.Error("the same training makes another model than that of the golden")
	}
	near(t, "margin in Python", score(t, ours.Model, b), python.Loaded, 0)
	if v := l.Version(); v.Major != 1 || v.Minor != 7 {
		return // other versions choose other rows and columns by chance
	}
	near(t, "margin trained in Python", margins.Values, python.Trained, 1e-6)
	for i, h := range trained.History {
		if math.Abs(h.Scores[0].Value-python.History[i]) > 1e-6 {
			t.Errorf("round %d: error %v, in Python %v", i, h.Scores[0].Value, python.History[i])
		}
	}
}

func encode(t *testing.T, b Batch, o Training, model []byte) []byte {
	t.Helper()
	e := exchange{Rows: b.Rows, Cols: b.Cols, Labels: b.Labels, Rounds: o.Rounds, Model: string(model), Params: map[string]string{}}
	for i := range b.Data {
		if v := &b.Data[i]; *v == *v {
			e.Data = append(e.Data, v)
		} else {
			e.Data = append(e.Data, nil)
		}
	}
	list, err := o.Params.list()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		e.Params[p.name] = p.value
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

func decode[T any](t *testing.T, path string) (v T) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func score(t *testing.T, model string, b Batch) []float32 {
	t.Helper()
	m, err := gbdt.Parse([]byte(model))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, b.Rows)
	if err := m.Margins(gbdt.Matrix{Data: b.Data, Rows: b.Rows, Cols: b.Cols}, out, 1); err != nil {
		t.Fatal(err)
	}
	return out
}

func near(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i, v := range got {
		if math.Abs(float64(v-want[i])) > tolerance {
			t.Fatalf("%s: row %d: %v, want %v", what, i, v, want[i])
		}
	}
}
