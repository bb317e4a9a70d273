package gbdt

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// small is a model of two trees: a number, and a set of categories.
const small = `{"learner":{"attributes":{"best_iteration":"1"},"feature_names":["a","b"],"feature_types":["float","c"],
"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"2"},"tree_info":[0,0],"trees":[
{"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[0,0,0],"split_conditions":[0.5,1,2],"default_left":[true,false,false],
"sum_hessian":[4,1,3],"split_type":[0,0,0],"tree_param":{"num_nodes":"3","size_leaf_vector":"1"},"loss_changes":[NaN,0,-Infinity]},
{"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[1,0,0],"split_conditions":[0,10,20],"default_left":[0,0,0],
"sum_hessian":[4,1,3],"split_type":[1,0,0],"categories":[1,3],"categories_nodes":[0],"categories_segments":[0],"categories_sizes":[2]}
]},"name":"gbtree"},"learner_model_param":{"base_score":"1E2","num_class":"0","num_feature":"2"},
"objective":{"name":"reg:squarederror","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[1,7,6]}`

func parse(t testing.TB, text string) *Model {
	t.Helper()
	m, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDirections(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	s := parse(t, small).NewScorer()
	for _, c := range []struct {
		a, b, want float32
	}{
		{0.4, 0, 111}, {0.5, 0, 112}, {nan, 0, 111}, {-inf, 0, 111}, {inf, 0, 112},
		{0, 1, 121}, {0, 3.7, 121}, {0, 2, 111}, {0, nan, 121}, {0, -1, 111}, {0, 64, 111}, {0, 1e9, 111}, {0, inf, 111},
	} {
		got, err := s.Margin([]float32{c.a, c.b})
		if err != nil {
			t.Fatal(err)
		}
		if got[0] != c.want {
			t.Errorf("a %v, b %v: %v, want %v", c.a, c.b, got[0], c.want)
		}
	}
}

// TestDamage changes one place of a sound model and expects the error to name it.
func TestDamage(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"cycle":               {`"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[0`, `"left_children":[1,0,-1],"right_children":[2,2,-1],"split_indices":[0`, "tree 0, node 1: its child 0 has another parent, or is above it"},
		"shared child":        {`"right_children":[2,-1,-1],"split_indices":[0`, `"right_children":[1,-1,-1],"split_indices":[0`, "tree 0, node 0: its child 1 has another parent"},
		"child out of range":  {`"right_children":[2,-1,-1],"split_indices":[1`, `"right_children":[9,-1,-1],"split_indices":[1`, "tree 1, node 0: its child 9 is none of 3"},
		"one child":           {`"right_children":[2,-1,-1],"split_indices":[1`, `"right_children":[-1,-1,-1],"split_indices":[1`, "its child -1 is none"},
		"feature":             {`"split_indices":[0,0,0]`, `"split_indices":[2,0,0]`, "tree 0, node 0: it splits feature 2 of 2"},
		"NaN threshold":       {`[0.5,1,2]`, `[NaN,1,2]`, "tree 0, node 0: its threshold is NaN"},
		"infinite leaf":       {`[0.5,1,2]`, `[0.5,1e99,2]`, "tree 0, node 1: its leaf value is +Inf"},
		"short array":         {`[0.5,1,2]`, `[0.5,1]`, "tree 0: split_conditions has 2 of 3"},
		"short covers":        {`"sum_hessian":[4,1,3],"split_type":[1`, `"sum_hessian":[4],"split_type":[1`, "tree 1: sum_hessian has 1 of 3"},
		"no categories":       {`"categories_nodes":[0],"categories_segments":[0],"categories_sizes":[2]`, `"categories_nodes":[],"categories_segments":[],"categories_sizes":[]`, "tree 1, node 0: it splits by category and has no categories"},
		"categories beyond":   {`"categories_sizes":[2]`, `"categories_sizes":[3]`, "tree 1, node 0: its categories are 3 from 0 of 2"},
		"categories begin":    {`"categories_segments":[0]`, `"categories_segments":[-1]`, "its categories are 2 from -1"},
		"segments":            {`"categories_segments":[0]`, `"categories_segments":[]`, "1 nodes with categories, 0 segments"},
		"negative category":   {`"categories":[1,3]`, `"categories":[1,-3]`, "category -3 is none"},
		"split type":          {`"split_type":[1,0,0]`, `"split_type":[7,0,0]`, "its split is of type 7"},
		"trees announced":     {`"num_trees":"2"`, `"num_trees":"3"`, "2 trees and 2 classes of trees where 3 are announced"},
		"class of a tree":     {`"tree_info":[0,0]`, `"tree_info":[0,1]`, "tree 1: it is of class 1 of 1"},
		"nodes announced":     {`"num_nodes":"3"`, `"num_nodes":"4"`, "of 4 nodes"},
		"no nodes":            {`"num_nodes":"3"`, `"num_nodes":"0"`, "tree 0: it has no node"},
		"rounds":              {`"num_parallel_tree":"1"`, `"num_parallel_tree":"3"`, "2 trees are no whole number of rounds of 3"},
		"iterations":          {`"tree_info":[0,0]`, `"tree_info":[0,0],"iteration_indptr":[0,5]`, "iteration_indptr: 5 does not fit 2 trees"},
		"iterations end":      {`"tree_info":[0,0]`, `"tree_info":[0,0],"iteration_indptr":[0,1]`, "iteration_indptr: it does not end with 2 trees"},
		"vector leaves":       {`"size_leaf_vector":"1"`, `"size_leaf_vector":"2"`, `multi_strategy "multi_output_tree"`},
		"number of features":  {`"num_feature":"2"`, `"num_feature":"x"`, `num_feature is "x"`},
		"no features":         {`"num_feature":"2"`, `"num_feature":"0"`, "num_feature is missing or 0"},
		"too many features":   {`"num_feature":"2"`, `"num_feature":"99999999999"`, "num_feature"},
		"feature names":       {`["a","b"]`, `["a"]`, "feature_names: 1 of 2"},
		"base score":          {`"1E2"`, `"high"`, `base_score: "high" is no number`},
		"base scores":         {`"1E2"`, `"[1,2,3]"`, "3 numbers for 1 groups"},
		"base without margin": {`"reg:squarederror"`, `"binary:logistic"`, `base_score: "1E2" has no margin under binary:logistic`},
		"objective":           {`"reg:squarederror"`, `"reg:magic"`, `objective "reg:magic"`},
		"dart":                {`"name":"gbtree"`, `"name":"dart"`, `booster "dart"`},
		"linear":              {`"name":"gbtree"`, `"name":"gblinear"`, `booster "gblinear"`},
		"no booster":          {`"name":"gbtree"`, `"name":""`, "gradient_booster: it has no name"},
		"no learner":          {`{"learner":`, `{"pupil":`, `it has no "learner"`},
		"a word as a number":  {`[0.5,1,2]`, `[0.5,one,2]`, "expected a number"},
		"a real index":        {`"split_indices":[0,0,0]`, `"split_indices":[0.5,0,0]`, "expected an integer"},
		"something after":     {`"version":[1,7,6]}`, `"version":[1,7,6]} x`, "something follows"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(small, c.from) {
				t.Fatalf("the model has no %s", c.from)
			}
			_, err := Parse([]byte(strings.Replace(small, c.from, c.to, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) || !typed(err) {
				t.Errorf("got %v, want a typed error with %q", err, c.want)
			}
		})
	}
}

func typed(err error) bool {
	var format *FormatError
	var model *ModelError
	var unsupported *UnsupportedError
	return errors.As(err, &format) || errors.As(err, &model) || errors.As(err, &unsupported)
}

// TestCut cuts whole models off: a small one after every byte, others after some.
func TestCut(t *testing.T) {
	models := [][]byte{[]byte(small)}
	for _, c := range references(t)[0].Cases {
		if c.UBJSON != "" {
			binary, err := hex.DecodeString(c.UBJSON)
			if err != nil {
				t.Fatal(err)
			}
			models = append(models, binary)
		}
	}
	for _, data := range models {
		for n := 0; n < len(data); n += 1 + len(data)/2000 {
			_, err := Parse(data[:n])
			var format *FormatError
			if !errors.As(err, &format) {
				t.Fatalf("%d of %d bytes: %v", n, len(data), err)
			}
		}
	}
	if _, err := Read(bytes.NewReader(nil)); err == nil || !strings.Contains(err.Error(), "it is empty") {
		t.Errorf("no bytes: %v", err)
	}
}

func TestShapes(t *testing.T) {
	m := parse(t, small)
	var shape *ShapeError
	for name, err := range map[string]error{
		"columns": m.Margins(Matrix{Data: make([]float32, 3), Rows: 1, Cols: 3}, make([]float32, 1), 1),
		"values":  m.Margins(Matrix{Data: make([]float32, 3), Rows: 2, Cols: 2}, make([]float32, 2), 1),
		"room":    m.Predict(Matrix{Data: make([]float32, 4), Rows: 2, Cols: 2}, make([]float32, 1), 1),
	} {
		if !errors.As(err, &shape) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := m.NewScorer().Margin(make([]float32, 5)); !errors.As(err, &shape) {
		t.Errorf("one row: %v", err)
	}
	if err := m.Margins(Matrix{Cols: 2}, nil, 4); err != nil {
		t.Errorf("no rows: %v", err)
	}
	for _, r := range [][2]int{{-1, 1}, {1, 1}, {0, 3}} {
		if _, err := m.Slice(r[0], r[1]); err == nil {
			t.Errorf("rounds %v are no error", r)
		}
	}
}

// TestNoAllocation scores rows without asking for memory.
func TestNoAllocation(t *testing.T) {
	s := parse(t, small).NewScorer()
	row := []float32{1, 2}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := s.Predict(row); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}

// TestThreads scores the same rows with any number of threads and in blocks of
// any filling: every row is that of a scorer of single rows.
func TestThreads(t *testing.T) {
	c := references(t)[0].Cases[0]
	m := parse(t, c.Model)
	random := rand.New(rand.NewPCG(1, 2))
	x := Matrix{Rows: 3*blockRows + 13, Cols: m.NumFeatures()}
	for range x.Rows * x.Cols {
		x.Data = append(x.Data, float32(random.NormFloat64()))
	}
	s, want := m.NewScorer(), make([]float32, x.Rows)
	for i := range want {
		margin, err := s.Margin(x.Row(i))
		if err != nil {
			t.Fatal(err)
		}
		want[i] = margin[0]
	}
	var wg sync.WaitGroup
	for threads := range 6 {
		wg.Go(func() {
			for _, rows := range []int{1, 7, 8, blockRows + 1, x.Rows} {
				part := Matrix{Data: x.Data[:rows*x.Cols], Rows: rows, Cols: x.Cols}
				equal(t, "margin", batch(t, m.Margins, part, 1), want[:rows], 0)
				out := make([]float32, rows)
				if err := m.Margins(part, out, threads); err != nil {
					t.Error(err)
				}
				equal(t, "margin", out, want[:rows], 0)
			}
		})
	}
	wg.Wait()
}

// FuzzParse looks for documents that end the program, or make a model that does.
func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	for _, r := range references(f) {
		for _, c := range r.Cases {
			if c.UBJSON == "" {
				continue
			}
			if binary, err := hex.DecodeString(c.UBJSON); err == nil {
				f.Add(binary)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			if !typed(err) {
				t.Errorf("%T: %v", err, err)
			}
			return
		}
		if m.NumFeatures() > 1000 || m.Groups() > 1000 {
			return
		}
		row := make([]float32, m.NumFeatures())
		for i := range row {
			row[i] = float32(i%5) - 1
		}
		if _, err := m.NewScorer().Predict(row); err != nil {
			t.Error(err)
		}
	})
}
