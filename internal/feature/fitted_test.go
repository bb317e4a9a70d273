package feature_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"engage/internal/feature"
	"engage/internal/schema"
)

// small reads one column of each kind.
func small(t *testing.T) feature.Set {
	t.Helper()
	s, err := feature.NewSet("engagement", schema.EngagementScore,
		feature.Category(schema.DeviceType), feature.Number(schema.AvgDailyLogins), feature.Number(schema.GigListingsActive),
		feature.Cycle(schema.PeakActivityHour, 24), feature.Missing(schema.MatchSuccessRate), feature.Dummies(schema.AccountType),
		feature.Product(schema.MatchSuccessRate, schema.ProfileViewsReceivedWeek))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// cells are the columns of small in table order: account type, logins, device,
// match rate, views, listings, hour.
func cells() []feature.Values {
	return []feature.Values{
		{Strings: []string{"free", "premium", "free"}},
		{Floats: []float64{1.5, 0, 3}},
		{Strings: []string{"tablet", "mobile", "mobile"}},
		{Floats: []float64{0.5, 0, 0.25}, Valid: []bool{true, false, true}},
		{Ints: []int64{10, 20, 8}},
		{Ints: []int64{2, 0, 7}},
		{Ints: []int64{6, 12, 0}},
	}
}

func encode(t *testing.T, e *feature.Encoder, columns []feature.Values, n int) []float32 {
	t.Helper()
	out := make([]float32, n*e.Width())
	if err := e.Encode(columns, n, out); err != nil {
		t.Fatal(err)
	}
	return out
}

var nan = float32(math.NaN())

func same(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Abs(float64(a[i]-b[i])) > 1e-6 || (a[i] != a[i]) != (b[i] != b[i]) {
			return false
		}
	}
	return true
}

func TestEncodeEveryKind(t *testing.T) {
	e := small(t).Encoder(feature.RefuseUnknown)
	got := encode(t, e, cells(), 3)
	want := []float32{ // device, logins, listings, sine, cosine, missing, free, premium, product
		2, 1.5, 2, 1, 0, 0, 1, 0, 5,
		0, 0, 0, 0, -1, 1, 0, 1, nan,
		0, 3, 7, 0, 1, 0, 1, 0, 2,
	}
	if !same(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if tally := e.Tally(); tally.Rows != 3 || tally.Missing[8] != 1 {
		t.Errorf("tally %+v", tally)
	}
}

func TestBadCellsAreNamed(t *testing.T) {
	huge := cells()
	huge[3].Floats[0], huge[4].Ints[0] = 1e35, 100000
	for name, test := range map[string]struct {
		spoil  func(c []feature.Values)
		column schema.Name
		row    int64
	}{
		"NaN":       {func(c []feature.Values) { c[1].Floats[1] = math.NaN() }, schema.AvgDailyLogins, 2},
		"infinity":  {func(c []feature.Values) { c[1].Floats[2] = math.Inf(-1) }, schema.AvgDailyLogins, 3},
		"too large": {func(c []feature.Values) { c[1].Floats[0] = 1e39 }, schema.AvgDailyLogins, 1},
		"unknown":   {func(c []feature.Values) { c[2].Strings[2] = "watch" }, schema.DeviceType, 3},
		"product":   {func(c []feature.Values) { copy(c[3].Floats, huge[3].Floats); copy(c[4].Ints, huge[4].Ints) }, schema.MatchSuccessRate, 1},
		"second of a product": {func(c []feature.Values) {
			c[4] = feature.Values{Ints: c[4].Ints}
			c[3].Floats[2] = math.Inf(1)
		}, schema.MatchSuccessRate, 3},
	} {
		columns := cells()
		test.spoil(columns)
		e := small(t).Encoder(feature.RefuseUnknown)
		var cell *feature.CellError
		err := e.Encode(columns, 3, make([]float32, 3*e.Width()))
		if !errors.As(err, &cell) || cell.Column != test.column || cell.Row != test.row {
			t.Errorf("%s: %v", name, err)
			continue
		}
		cell.File = "part-0"
		if text := cell.Error(); !strings.Contains(text, "part-0") || strings.Contains(text, "\n") {
			t.Errorf("%s: %q", name, text)
		}
	}
}

func TestLabels(t *testing.T) {
	set, _ := feature.ByModel("churn")
	out := make([]float32, 2)
	if err := set.Labels(feature.Values{Bools: []bool{true, false}}, 2, out); err != nil || out[0] != 1 || out[1] != 0 {
		t.Errorf("%v, %v", out, err)
	}
	for _, v := range []feature.Values{
		{Floats: []float64{0, math.NaN()}}, {Floats: []float64{0, math.Inf(1)}}, {Floats: []float64{0, 0}, Valid: []bool{true, false}},
	} {
		var cell *feature.CellError
		if err := feature.Engagement.Labels(v, 2, out); !errors.As(err, &cell) || cell.Row != 2 || cell.Column != schema.EngagementScore {
			t.Errorf("%v", err)
		}
	}
}

func fit(t *testing.T, scaling feature.Scaling) (feature.Set, feature.Fitted) {
	t.Helper()
	s := small(t)
	f := feature.NewFitter(s, scaling)
	rows := encode(t, s.Encoder(feature.RefuseUnknown), cells(), 3)
	f.Add(rows[:len(rows)/3])
	f.Add(rows[len(rows)/3:])
	return s, f.Fitted()
}

func TestFittedStatistics(t *testing.T) {
	_, f := fit(t, feature.Unscaled)
	logins, device, product := f.Features[1], f.Features[0], f.Features[8]
	if math.Abs(logins.Mean-1.5) > 1e-12 || math.Abs(logins.SD-math.Sqrt(1.5)) > 1e-12 || logins.Min != 0 || logins.Max != 3 {
		t.Errorf("logins %+v", logins)
	}
	if product.Missing != 1 || product.Mean != 3.5 || f.Rows != 3 {
		t.Errorf("product %+v", product)
	}
	if want := []int64{2, 0, 1}; device.Seen[0] != want[0] || device.Seen[1] != want[1] || device.Seen[2] != want[2] {
		t.Errorf("device %+v", device)
	}
}

// A category outside of the list, and one that no training row had, are missing
// and counted.
func TestUnknownCategories(t *testing.T) {
	s, f := fit(t, feature.Unscaled)
	e, err := f.Encoder(s, feature.MissUnknown)
	if err != nil {
		t.Fatal(err)
	}
	columns := cells()
	columns[2].Strings = []string{"watch", "desktop", "tablet"}
	got := encode(t, e, columns, 3)
	if w := e.Width(); got[0] == got[0] || got[w] == got[w] || got[2*w] != 2 {
		t.Errorf("got %v, %v, %v", got[0], got[w], got[2*w])
	}
	if tally := e.Tally(); tally.Unknown[0] != 2 || tally.Missing[0] != 0 {
		t.Errorf("tally %+v", tally)
	}
}

func TestStandardized(t *testing.T) {
	s, f := fit(t, feature.Standardized)
	e, err := f.Encoder(s, feature.MissUnknown)
	if err != nil {
		t.Fatal(err)
	}
	got := encode(t, e, cells(), 3)
	for _, k := range []int{1, 2, 3, 4} { // quantities: mean 0, variance 1
		var sum, squares float64
		for i := range 3 {
			v := float64(got[i*e.Width()+k])
			sum, squares = sum+v, squares+v*v
		}
		if math.Abs(sum) > 1e-5 || math.Abs(squares/3-1) > 1e-5 {
			t.Errorf("feature %d: sum %g, squares %g", k, sum, squares)
		}
	}
	if got[0] != 2 || got[6] != 1 {
		t.Error("categories and flags were scaled")
	}
}

func TestSavedStateComesBack(t *testing.T) {
	_, f := fit(t, feature.Standardized)
	back, err := feature.DecodeFitted(bytes.NewReader(f.Encode()))
	if err != nil || back.Hash() != f.Hash() {
		t.Errorf("%v: %s, want %s", err, back.Hash(), f.Hash())
	}
	for _, text := range []string{"", "{", `{"version":1,"more":2}`, `{"features":[{"encoding":"odd"}]}`} {
		if _, err := feature.DecodeFitted(strings.NewReader(text)); err == nil {
			t.Errorf("read %q", text)
		}
	}
}

func TestMismatchIsRefused(t *testing.T) {
	s, f := fit(t, feature.Unscaled)
	for name, spoil := range map[string]func(*feature.Fitted){
		"version": func(f *feature.Fitted) { f.Version++ },
		"model":   func(f *feature.Fitted) { f.Model = "churn" },
		"scaling": func(f *feature.Fitted) { f.Scaling = "log" },
		"fewer":   func(f *feature.Fitted) { f.Features = f.Features[1:] },
		"name":    func(f *feature.Fitted) { f.Features[1].Name = "x" },
		"levels":  func(f *feature.Fitted) { f.Features[0].Levels = []string{"mobile", "tablet", "desktop"} },
		"seen":    func(f *feature.Fitted) { f.Features[0].Seen = nil },
		"hash":    func(f *feature.Fitted) { f.Set = "0" },
	} {
		spoilt, _ := feature.DecodeFitted(bytes.NewReader(f.Encode()))
		spoil(&spoilt)
		var mismatch *feature.MismatchError
		if _, err := spoilt.Encoder(s, feature.MissUnknown); !errors.As(err, &mismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.Encoder(feature.Churn, feature.MissUnknown); err == nil {
		t.Error("another model's features were taken")
	}
}

// However rows are divided into runs, the features are the same.
func TestEncodingDoesNotDependOnRuns(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s := small(t)
	const n = 200
	columns := []feature.Values{{}, {}, {}, {}, {}, {}, {}}
	for range n {
		columns[0].Strings = append(columns[0].Strings, schema.AccountTypes[random.IntN(2)])
		columns[1].Floats = append(columns[1].Floats, random.NormFloat64())
		columns[2].Strings = append(columns[2].Strings, schema.DeviceTypes[random.IntN(3)])
		columns[3].Floats, columns[3].Valid = append(columns[3].Floats, random.Float64()), append(columns[3].Valid, random.IntN(2) == 0)
		columns[4].Ints = append(columns[4].Ints, random.Int64N(100))
		columns[5].Ints = append(columns[5].Ints, random.Int64N(9))
		columns[6].Ints = append(columns[6].Ints, random.Int64N(24))
	}
	whole := encode(t, s.Encoder(feature.RefuseUnknown), columns, n)
	var parts []float32
	e := s.Encoder(feature.RefuseUnknown)
	for at := 0; at < n; {
		m := min(1+random.IntN(40), n-at)
		parts = append(parts, encode(t, e, slice(columns, at, at+m), m)...)
		at += m
	}
	if !same(whole, parts) {
		t.Error("the parts differ from the whole")
	}
}

func slice(columns []feature.Values, from, to int) []feature.Values {
	out := make([]feature.Values, len(columns))
	for i, c := range columns {
		if c.Strings != nil {
			out[i].Strings = c.Strings[from:to]
		}
		if c.Floats != nil {
			out[i].Floats = c.Floats[from:to]
		}
		if c.Ints != nil {
			out[i].Ints = c.Ints[from:to]
		}
		if c.Valid != nil {
			out[i].Valid = c.Valid[from:to]
		}
	}
	return out
}
