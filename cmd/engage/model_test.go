package main

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"engage/internal/model/xgb"
	"engage/internal/parquetfile"
	"engage/internal/schema"
	"engage/workers/registry"
	"engage/workers/score"
	"engage/workers/train"
)

// needsLibrary skips a test that trains where XGBoost's library is not installed.
func needsLibrary(t *testing.T) *xgb.Library {
	t.Helper()
	l, err := xgb.Open(os.Getenv(libraryVar))
	if err != nil {
		t.Skip(err)
	}
	return l
}

// quick is a file of parameters that train in a second.
func quick(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "params.json")
	if err := os.WriteFile(path, []byte(`{"max_depth": 4, "learning_rate": 0.2, "n_estimators": 25, "early_stopping_rounds": 5}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// doubles reads columns of numbers of a Parquet file; null is NaN.
func doubles(t *testing.T, path string, names ...string) [][]float64 {
	t.Helper()
	table := &schema.Table{Name: "any"}
	var columns []schema.Name
	for _, n := range names {
		table.Columns = append(table.Columns, schema.Column{Name: schema.Name(n), Type: schema.Double})
		columns = append(columns, schema.Name(n))
	}
	r, err := parquetfile.Open(path, table, parquetfile.ReadOptions{Columns: columns})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out := make([][]float64, len(names))
	for left := r.Rows(); left > 0; {
		b, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		left -= int64(b.Rows)
		for k := range names {
			for i, v := range b.Columns[k].Floats {
				if !b.Columns[k].Present(i) {
					v = math.NaN()
				}
				out[k] = append(out[k], v)
			}
		}
	}
	return out
}

// From customers to scores, features and explanations, by the command line
// alone; XGBoost itself scores the written features alike.
func TestTrainScoreExplain(t *testing.T) {
	library := needsLibrary(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must := func(v any, args ...string) {
		t.Helper()
		code, out, talk := command(t, args...)
		if code != exitOK {
			t.Fatalf("%v: exit code %d: %s", args, code, talk)
		}
		if err := json.Unmarshal([]byte(out), v); v != nil && err != nil {
			t.Fatalf("%v: %v in %s", args, err, out)
		}
	}
	must(nil, "data", "generate", "--rows", "2000", "--out", at("data"))
	var trained train.Result
	must(&trained, "train", "--data", at("data"), "--out", at("model"), "--params", quick(t), "--learning-curve", "0.5,1", "--json")
	if trained.TestR2 == nil || *trained.TestR2 < 0.6 || trained.Training+trained.Test != 2000 || len(trained.TopFeatures) != 5 {
		t.Errorf("trained %+v", trained)
	}
	var top, all score.Result
	must(&top, "score", "--model", at("model"), "--data", at("data"), "--out", at("top.parquet"), "--json")
	must(&all, "score", "--model", at("model"), "--data", at("data"), "--out", at("all.parquet"), "--contributions", "all", "--threads", "1", "--json")
	if top.Rows != 2000 || top.Range != all.Range || top.Version != "v1" || top.Range.Min < 0 || top.Range.Max > 1 {
		t.Errorf("scored %+v and %+v", top, all)
	}
	must(nil, "features", "--model", at("model"), "--data", at("data"), "--out", at("features.parquet"))
	m, err := registry.Load(t.Context(), registry.Directory{Path: at("model")})
	if err != nil {
		t.Fatal(err)
	}
	likeXGBoost(t, library, m, at("model/model.json"), at("features.parquet"), at("top.parquet"), at("all.parquet"))

	var e score.Explanation
	must(&e, "explain", "--model", at("model"), "--data", at("data"), "--customer", "CUST_00000007", "--json")
	sum := e.Bias
	for i, c := range e.Contributions {
		sum += c.Contribution
		if i > 0 && math.Abs(c.Contribution) > math.Abs(e.Contributions[i-1].Contribution) {
			t.Errorf("contribution %d is larger than the one before", i)
		}
	}
	if len(e.Contributions) != m.Set.Len() || math.Abs(sum-e.Score) > 1e-4 && e.Score > 0 && e.Score < 1 || math.Abs(sum-e.Margin) > 1e-9 {
		t.Errorf("contributions add up to %g, margin %g, score %g", sum, e.Margin, e.Score)
	}
	if code, out, _ := command(t, "explain", "--model", at("model"), "--data", at("data"), "--customer", "CUST_00000007"); code != exitOK || !strings.Contains(out, e.Contributions[0].Feature) {
		t.Errorf("explain: %d, %s", code, out)
	}
}

// likeXGBoost scores and explains the written features with the library.
func likeXGBoost(t *testing.T, l *xgb.Library, m *registry.Model, model, features, top, all string) {
	t.Helper()
	text, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	columns := doubles(t, features, m.Set.Names()...)
	n, width := len(columns[0]), len(columns)
	batch := xgb.Batch{Rows: n, Cols: width, Data: make([]float32, n*width)}
	f := xgb.Features{Names: m.Set.Names()}
	for k, x := range m.Set.Features() {
		f.Kinds = append(f.Kinds, map[bool]xgb.Kind{true: xgb.Category, false: xgb.Quantity}[x.IsCategory()])
		for i, v := range columns[k] {
			batch.Data[i*width+k] = float32(v)
		}
	}
	x, err := l.NewMatrix(batch, f, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	answers, err := b.Predict(x, xgb.Answers, 0, m.Metadata.Rounds)
	if err != nil {
		t.Fatal(err)
	}
	shares, err := b.Predict(x, xgb.Contributions, 0, m.Metadata.Rounds)
	if err != nil {
		t.Fatal(err)
	}
	scores := doubles(t, top, "predicted_engagement_score", "top_feature_1_impact")
	names := []string{"margin"}
	for _, name := range m.Set.Names() {
		names = append(names, string(score.Contribution(name)))
	}
	written := doubles(t, all, append(names, "contribution_bias")...)
	for i := range n {
		if math.Abs(scores[0][i]-min(max(float64(answers.Values[i]), 0), 1)) > 1e-6 || math.Abs(written[0][i]-float64(answers.Values[i])) > 1e-4 {
			t.Fatalf("row %d: score %g, margin %g, XGBoost %g", i, scores[0][i], written[0][i], answers.Values[i])
		}
		largest := 0.0
		for k := range width + 1 {
			want := float64(shares.Values[i*(width+1)+k])
			if math.Abs(written[1+k][i]-want) > 1e-4 {
				t.Fatalf("row %d, %s: %g, XGBoost %g", i, names[min(k+1, width)], written[1+k][i], want)
			}
			if k < width {
				largest = max(largest, math.Abs(want))
			}
		}
		if math.Abs(math.Abs(scores[1][i])-largest) > 1e-4 {
			t.Fatalf("row %d: the strongest impact is %g, want %g", i, scores[1][i], largest)
		}
	}
}

// The other targets have models too.
func TestTrainOtherTargets(t *testing.T) {
	needsLibrary(t)
	data := generated(t)
	for target, column := range map[string]string{"churn_30_day": "predicted_churn_30_day", "lifetime_value_usd": "predicted_lifetime_value_usd"} {
		dir := t.TempDir()
		model, out := filepath.Join(dir, "model"), filepath.Join(dir, "scores.parquet")
		for _, args := range [][]string{
			{"train", "--data", data, "--out", model, "--target", target, "--params", quick(t)},
			{"score", "--model", model, "--data", data, "--out", out},
		} {
			if code, _, talk := command(t, args...); code != exitOK {
				t.Fatalf("%v: exit code %d: %s", args, code, talk)
			}
		}
		for i, v := range doubles(t, out, column)[0] {
			if v < 0 || target == "churn_30_day" && v > 1 {
				t.Errorf("%s: row %d has %g", target, i, v)
			}
		}
	}
}

// Bad use and bad files end with exit code 2, one line, and no output.
func TestModelCommandsRefuse(t *testing.T) {
	needsLibrary(t)
	data, dir := generated(t), t.TempDir()
	model := filepath.Join(dir, "model")
	if code, _, talk := command(t, "train", "--data", data, "--out", model, "--params", quick(t)); code != exitOK {
		t.Fatal(talk)
	}
	bad := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(bad, []byte(`{"max_depth": 99, "subsample": 0}`), 0o600); err != nil {
		t.Fatal(err)
	}
	taken := filepath.Join(dir, "taken.parquet")
	if err := os.WriteFile(taken, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	for _, c := range []struct {
		args string
		want []string
	}{
		{"train --out " + out, []string{"--data"}},
		{"train --data " + data, []string{"--out"}},
		{"train --data " + data + " --out " + out + " --target next_action", []string{"next_action", "churn_30_day"}},
		{"train --data " + data + " --out " + out + " --params " + bad, []string{"bad.json", "max_depth 99", "subsample 0"}},
		{"train --data " + data + " --out " + out + " --learning-curve 2", []string{"--learning-curve"}},
		{"train --data " + data + " --out " + out + " --model-version 1", []string{"model version"}},
		{"train --data " + data + " --out " + out + " --threads -1", []string{"--threads"}},
		{"train --data " + data + " --out " + model, []string{"model.json", "--force"}},
		{"train --data " + dir + " --out " + out, []string{"dataset.json"}},
		{"score --model " + dir + " --data " + data + " --out " + out, []string{"metadata.json", "missing"}},
		{"score --model " + model + " --data " + data + " --out " + taken, []string{"taken.parquet", "--force"}},
		{"score --model " + model + " --data " + data + " --out " + out + " --contributions most", []string{"top5 or all"}},
		{"score --data " + data + " --out " + out, []string{"--model"}},
		{"features --model " + model + " --data " + data + " --out " + taken, []string{"taken.parquet"}},
		{"explain --model " + model + " --data " + data + " --customer CUST_99999999", []string{"CUST_99999999"}},
		{"explain --model " + model + " --data " + data, []string{"--customer"}},
	} {
		code, _, talk := command(t, strings.Fields(c.args)...)
		lines := strings.Split(strings.TrimSpace(talk), "\n")
		for _, want := range c.want {
			if code != exitFailed || !strings.Contains(lines[len(lines)-1], want) {
				t.Errorf("%s: exit code %d, %q, want %q", c.args, code, talk, want)
			}
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if _, err := os.Stat(out); err == nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", err, left)
	}
	if text, _ := os.ReadFile(taken); string(text) != "mine" {
		t.Error("a file was replaced")
	}
}

// An interrupt ends each command with its exit code, and leaves nothing.
func TestModelCommandsInterrupted(t *testing.T) {
	needsLibrary(t)
	data, dir := generated(t), t.TempDir()
	model := filepath.Join(dir, "model")
	if code, _, talk := command(t, "train", "--data", data, "--out", model, "--params", quick(t)); code != exitOK {
		t.Fatal(talk)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{
		{"train", "--data", data, "--out", filepath.Join(dir, "other"), "--params", quick(t)},
		{"score", "--model", model, "--data", data, "--out", filepath.Join(dir, "x")},
		{"features", "--model", model, "--data", data, "--out", filepath.Join(dir, "x")},
	} {
		var talk strings.Builder
		if code := run(ctx, args, streams{In: strings.NewReader(""), Out: &talk, Err: &talk}); code != exitInterrupted {
			t.Errorf("%s: exit code %d: %s", args[0], code, talk.String())
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v: want the model alone", entries, err)
	}
}
