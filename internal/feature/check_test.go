package feature

import (
	"strings"
	"testing"

	"engage/internal/schema"
)

// TestForbidden covers the columns that the tables do not have today: derived,
// restricted, and of a role to come.
func TestForbidden(t *testing.T) {
	for _, test := range []struct {
		column schema.Column
		want   string // part of the reason; empty: allowed
	}{
		{schema.Column{Role: schema.Feature}, ""},
		{schema.Column{Role: schema.Feature, Classification: schema.Confidential}, ""},
		{schema.Column{Role: schema.Feature, Classification: schema.Restricted}, "restricted"},
		{schema.Column{Role: schema.Feature, Name: "t"}, "what this model predicts"},
		{schema.Column{Role: schema.Derived}, "pipeline"},
		{schema.Column{Role: 99}, "only columns of role feature"},
	} {
		got := forbidden(test.column, "t")
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%+v: reason is %q, want %q", test.column, got, test.want)
		}
	}
}

func TestEveryRoleButFeatureHasAReason(t *testing.T) {
	for _, r := range schema.Roles {
		if _, ok := reasons[r]; ok == (r == schema.Feature) {
			t.Errorf("role %s: has a reason: %v", r, ok)
		}
	}
}

func TestMustSetPanics(t *testing.T) {
	defer func() {
		if r, _ := recover().(string); !strings.HasPrefix(r, "feature: model m must not use age") {
			t.Errorf("panicked with %q, want the column's name", r)
		}
	}()
	mustSet("m", schema.Age)
}

func TestEncodingText(t *testing.T) {
	if text, err := OneHot.MarshalText(); err != nil || string(text) != "one_hot" {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := Encoding(-1).MarshalText(); err == nil {
		t.Error("an undeclared encoding was marshalled")
	}
	if s := Encoding(9).String(); s != "Encoding(9)" {
		t.Errorf("an undeclared encoding prints as %q", s)
	}
}
