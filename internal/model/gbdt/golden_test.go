package gbdt

import (
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// reference is what test/oracles/xgboost_models.py wrote.
type reference struct {
	Origin   string
	Features int
	Rows     []*float32 // null is a missing value
	Cases    []referenceCase
}

type referenceCase struct {
	Name          string
	Model, UBJSON string
	Margins       []float32
	Answers       []float32
	FirstTwo      []float32 `json:"first_two"`
}

func (r *reference) matrix() Matrix {
	x := Matrix{Rows: len(r.Rows) / r.Features, Cols: r.Features}
	for _, v := range r.Rows {
		if v == nil {
			x.Data = append(x.Data, float32(math.NaN()))
			continue
		}
		x.Data = append(x.Data, *v)
	}
	return x
}

func references(t testing.TB) []reference {
	t.Helper()
	paths, err := filepath.Glob("testdata/xgboost-*.json.gz")
	if err != nil || len(paths) != 3 {
		t.Fatalf("references %v, %v", paths, err)
	}
	var all []reference
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		var r reference
		if err := json.NewDecoder(z).Decode(&r); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, r)
	}
	return all
}

// TestReferences holds every kind of model of three versions to XGBoost's own
// answers: margins to the last bit, what the link makes of them to 1e-6.
func TestReferences(t *testing.T) {
	for _, r := range references(t) {
		x := r.matrix()
		_, version, _ := strings.Cut(r.Origin, " with ")
		for _, c := range r.Cases {
			t.Run(version+"/"+c.Name, func(t *testing.T) {
				m, err := Parse([]byte(c.Model))
				if err != nil {
					t.Fatal(err)
				}
				c.check(t, m, x)
				if c.UBJSON == "" {
					return
				}
				binary, err := hex.DecodeString(c.UBJSON)
				if err != nil {
					t.Fatal(err)
				}
				if m, err = Parse(binary); err != nil {
					t.Fatal(err)
				}
				c.check(t, m, x)
			})
		}
	}
}

func (c *referenceCase) check(t *testing.T, m *Model, x Matrix) {
	t.Helper()
	equal(t, "margin", batch(t, m.Margins, x, m.Groups()), c.Margins, 0)
	equal(t, "answer", batch(t, m.Predict, x, m.Outputs()), c.Answers, 1e-6)
	part, err := m.Slice(0, 2)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "margin of two rounds", batch(t, part.Margins, x, m.Groups()), c.FirstTwo, 0)
	s := m.NewScorer()
	for i := range x.Rows {
		margin, err := s.Margin(x.Row(i))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "margin of one row", margin, c.Margins[i*m.Groups():(i+1)*m.Groups()], 0)
		answer, err := s.Predict(x.Row(i))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "answer of one row", answer, c.Answers[i*m.Outputs():(i+1)*m.Outputs()], 1e-6)
	}
	if best, ok := m.BestRound(); !ok || best != 1 {
		t.Errorf("best round %d, %v", best, ok)
	}
}

func batch(t *testing.T, score func(Matrix, []float32, int) error, x Matrix, width int) []float32 {
	t.Helper()
	out := make([]float32, x.Rows*width)
	if err := score(x, out, 2); err != nil {
		t.Fatal(err)
	}
	return out
}

func equal(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i, v := range got {
		w := float64(want[i])
		if v != want[i] && !(math.Abs(float64(v)-w) <= tolerance*max(1, math.Abs(w))) {
			t.Fatalf("%s %d: %v, XGBoost has %v", what, i, v, want[i])
		}
	}
}
