package feature_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"engage/internal/feature"
	"engage/internal/golden"
	"engage/internal/schema"
)

// encodings makes an input of the column in every way there is.
var encodings = []func(schema.Name) feature.Input{
	feature.Number, feature.Levels, feature.Category, feature.Dummies, feature.Missing,
	func(c schema.Name) feature.Input { return feature.Cycle(c, 24) },
	func(c schema.Name) feature.Input { return feature.Product(c, schema.TrustScore) },
	func(c schema.Name) feature.Input { return feature.Product(schema.TrustScore, c) },
}

// TestForbiddenColumnsCannotBeSelected tries every column that is no feature,
// of every table, in every encoding, beside the inputs of every model.
func TestForbiddenColumnsCannotBeSelected(t *testing.T) {
	tried := map[schema.Role]int{}
	for _, table := range schema.Tables {
		for _, c := range table.Columns {
			if c.Role == schema.Feature {
				continue
			}
			tried[c.Role]++
			for _, set := range feature.Sets() {
				for _, encode := range encodings {
					tryForbidden(t, set, c, encode(c.Name))
				}
			}
		}
	}
	for _, r := range []schema.Role{schema.ID, schema.Target, schema.Protected, schema.Personal} {
		if tried[r] == 0 {
			t.Errorf("no %s column was tried", r)
		}
	}
}

func tryForbidden(t *testing.T, set feature.Set, c schema.Column, in feature.Input) {
	t.Helper()
	got, err := feature.NewSet(set.Model(), set.Target(), append(set.Inputs(), in)...)
	var forbidden *feature.ForbiddenColumnError
	if !errors.As(err, &forbidden) {
		t.Errorf("%s took %s as %s, error %v", set.Model(), c.Name, in.Encoding, err)
		return
	}
	if forbidden.Column != c.Name || forbidden.Role != c.Role || forbidden.Reason == "" || got.Len() != 0 {
		t.Errorf("refused with %+v, want column %s, its role %s and a reason", forbidden, c.Name, c.Role)
	}
	for _, want := range []string{string(c.Name), c.Role.String(), set.Model()} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not name %s", err, want)
		}
	}
}

func TestSetsReadEveryFeatureColumnAndNoOther(t *testing.T) {
	want := schema.Customers.WithRole(schema.Feature)
	for _, s := range feature.Sets() {
		if got := s.Columns(); !slices.Equal(got, want) {
			t.Errorf("%s reads %v, want %v", s.Model(), got, want)
		}
	}
}

func TestSetsGolden(t *testing.T) {
	for _, s := range feature.Sets() {
		var b bytes.Buffer
		fmt.Fprintf(&b, "model %s predicts %s from %d features\nhash %s\n\n", s.Model(), s.Target(), s.Len(), s.Hash())
		for _, f := range s.Features() {
			fmt.Fprintf(&b, "%s %s %s", f.Name, f.Encoding, f.Columns)
			if len(f.Levels) > 0 {
				fmt.Fprintf(&b, " %s", f.Levels)
			}
			b.WriteString("\n")
		}
		golden.Check(t, "testdata/"+s.Model()+".txt", b.Bytes())
	}
}

func TestByModel(t *testing.T) {
	for _, want := range feature.Sets() {
		if got, ok := feature.ByModel(want.Model()); !ok || got.Hash() != want.Hash() {
			t.Errorf("ByModel(%q) is another set", want.Model())
		}
	}
	if _, ok := feature.ByModel("nobody"); ok {
		t.Error("an unknown model was found")
	}
}

func ExampleNewSet() {
	_, err := feature.NewSet("engagement", schema.EngagementScore,
		feature.Number(schema.TrustScore), feature.Number(schema.Age))
	fmt.Println(err)

	s, err := feature.NewSet("small", schema.Churn30Day,
		feature.Number(schema.TrustScore),
		feature.Levels(schema.SocialInfluenceTier),
		feature.Dummies(schema.DeviceType),
		feature.Cycle(schema.PeakActivityHour, 24),
		feature.Number(schema.MatchSuccessRate),
		feature.Missing(schema.MatchSuccessRate),
		feature.Product(schema.AvgDailyLogins, schema.AvgSessionDurationMin))
	fmt.Println(strings.Join(s.Names(), "\n"), err)
	// Output:
	// model engagement must not use age (role protected): a protected characteristic is for fairness audits only
	// trust_score
	// social_influence_tier
	// device_type=mobile
	// device_type=desktop
	// device_type=tablet
	// peak_activity_hour_sin
	// peak_activity_hour_cos
	// match_success_rate
	// match_success_rate_missing
	// avg_daily_logins_x_avg_session_duration_min <nil>
}

func TestNewSetRefuses(t *testing.T) {
	type inputs = []feature.Input
	for name, test := range map[string]struct {
		model  string
		target schema.Name
		inputs inputs
		want   string
	}{
		"no model":         {"", schema.Churn30Day, inputs{feature.Number(schema.TrustScore)}, "without a model name"},
		"no inputs":        {"m", schema.Churn30Day, nil, "has no inputs"},
		"unknown target":   {"m", "mood", inputs{feature.Number(schema.TrustScore)}, `"mood", which is no column`},
		"protected target": {"m", schema.Gender, inputs{feature.Number(schema.TrustScore)}, "no model predicts a column of this role"},
		"unknown column":   {"m", schema.Churn30Day, inputs{feature.Number("mood")}, `"mood", which is no column`},
		"unknown partner":  {"m", schema.Churn30Day, inputs{feature.Product(schema.TrustScore, "mood")}, `"mood", which is no column`},
		"own target": {"m", schema.ContentCategoryPrimary, inputs{feature.Category(schema.ContentCategoryPrimary)},
			"it is what this model predicts"},
		"number of text":      {"m", schema.Churn30Day, inputs{feature.Number(schema.DeviceType)}, "its type is string"},
		"cycle of text":       {"m", schema.Churn30Day, inputs{feature.Cycle(schema.DeviceType, 3)}, "its type is string"},
		"product with text":   {"m", schema.Churn30Day, inputs{feature.Product(schema.TrustScore, schema.DeviceType)}, "its type is string"},
		"levels of number":    {"m", schema.Churn30Day, inputs{feature.Levels(schema.TrustScore)}, "it has no list of levels"},
		"category of number":  {"m", schema.Churn30Day, inputs{feature.Category(schema.TrustScore)}, "it has no list of levels"},
		"dummies of number":   {"m", schema.Churn30Day, inputs{feature.Dummies(schema.TrustScore)}, "it has no list of levels"},
		"never missing":       {"m", schema.Churn30Day, inputs{feature.Missing(schema.TrustScore)}, "its values are never missing"},
		"no period":           {"m", schema.Churn30Day, inputs{feature.Cycle(schema.PeakActivityHour, 0)}, "period 0, use a positive number"},
		"period not a number": {"m", schema.Churn30Day, inputs{feature.Cycle(schema.PeakActivityHour, math.NaN())}, "period NaN"},
		"endless period":      {"m", schema.Churn30Day, inputs{feature.Cycle(schema.PeakActivityHour, math.Inf(1))}, "period +Inf"},
		"stray period": {"m", schema.Churn30Day, inputs{{Encoding: feature.Numeric, Column: schema.TrustScore, Period: 2}},
			"only a cyclic encoding has one"},
		"stray partner": {"m", schema.Churn30Day, inputs{{Encoding: feature.Numeric, Column: schema.TrustScore, With: schema.Age}},
			"only an interaction has one"},
		"self":             {"m", schema.Churn30Day, inputs{feature.Product(schema.TrustScore, schema.TrustScore)}, "does not interact with itself"},
		"unknown encoding": {"m", schema.Churn30Day, inputs{{Encoding: 99, Column: schema.TrustScore}}, "there is no such encoding"},
		"twice": {"m", schema.Churn30Day, inputs{feature.Number(schema.TrustScore), feature.Number(schema.TrustScore)},
			"has feature trust_score twice"},
		"two encodings": {"m", schema.Churn30Day, inputs{feature.Category(schema.DeviceType), feature.Levels(schema.DeviceType)},
			"has feature device_type twice"},
		"mirrored product": {"m", schema.Churn30Day, inputs{
			feature.Product(schema.TrustScore, schema.ReferralCount), feature.Product(schema.ReferralCount, schema.TrustScore)},
			"has feature referral_count_x_trust_score twice"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := feature.NewSet(test.model, test.target, test.inputs...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error is %v, want one with %q", err, test.want)
			}
			if s.Len() != 0 {
				t.Errorf("a refused set has %d features", s.Len())
			}
		})
	}
}

func TestNewSetReportsEverything(t *testing.T) {
	_, err := feature.NewSet("m", schema.Churn30Day,
		feature.Number(schema.Age), feature.Number(schema.Email), feature.Number("mood"),
		feature.Number(schema.DeviceType), feature.Number(schema.TrustScore), feature.Number(schema.TrustScore))
	var (
		forbidden *feature.ForbiddenColumnError
		unknown   *feature.UnknownColumnError
		encoding  *feature.EncodingError
		duplicate *feature.DuplicateError
	)
	for _, target := range []any{&forbidden, &unknown, &encoding, &duplicate} {
		if !errors.As(err, target) {
			t.Errorf("no %T in %v", target, err)
		}
	}
	if n := len(strings.Split(err.Error(), "\n")); n != 5 {
		t.Errorf("%d faults reported, want 5:\n%v", n, err)
	}
}

func TestHash(t *testing.T) {
	hash := func(model string, target schema.Name, inputs ...feature.Input) string {
		t.Helper()
		s, err := feature.NewSet(model, target, inputs...)
		if err != nil {
			t.Fatal(err)
		}
		return s.Hash()
	}
	a, b := feature.Number(schema.TrustScore), feature.Category(schema.DeviceType)
	base := hash("m", schema.Churn30Day, a, b)
	if base != hash("m", schema.Churn30Day, a, b) || len(base) != 64 {
		t.Errorf("the hash %q is not stable, or no SHA-256", base)
	}
	seen := map[string]string{base: "the set itself"}
	for name, h := range map[string]string{
		"model":    hash("n", schema.Churn30Day, a, b),
		"target":   hash("m", schema.EngagementScore, a, b),
		"order":    hash("m", schema.Churn30Day, b, a),
		"fewer":    hash("m", schema.Churn30Day, a),
		"encoding": hash("m", schema.Churn30Day, a, feature.Levels(schema.DeviceType)),
		"cycle":    hash("m", schema.Churn30Day, a, feature.Cycle(schema.PeakActivityHour, 24)),
		"period":   hash("m", schema.Churn30Day, a, feature.Cycle(schema.PeakActivityHour, 12)),
	} {
		if other, ok := seen[h]; ok {
			t.Errorf("a change of %s has the hash of %s", name, other)
		}
		seen[h] = name
	}
}

// TestSetDoesNotChange: what a set hands out is the caller's own.
func TestSetDoesNotChange(t *testing.T) {
	inputs := []feature.Input{feature.Number(schema.TrustScore)}
	s, err := feature.NewSet("m", schema.Churn30Day, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	before := s.Hash()
	inputs[0].Column = schema.Age
	s.Inputs()[0].Column = schema.Age
	s.Features()[0].Name = "age"
	s.Names()[0] = "age"
	if s.Hash() != before || s.Names()[0] != "trust_score" || s.Inputs()[0].Column != schema.TrustScore {
		t.Error("the set changed from outside")
	}
}

func TestFeatureTellsCategories(t *testing.T) {
	for _, f := range feature.Engagement.Features() {
		column, _ := schema.Customers.Column(f.Columns[0])
		if f.IsCategory() != column.Categorical() {
			t.Errorf("%s: IsCategory is %v", f.Name, f.IsCategory())
		}
		if f.IsCategory() && !slices.Equal(f.Levels, column.Enum) {
			t.Errorf("%s: levels are %v, want %v", f.Name, f.Levels, column.Enum)
		}
	}
}
