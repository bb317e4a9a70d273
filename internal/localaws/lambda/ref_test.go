package lambda

import (
	"testing"

	"engage/internal/localaws/wire"
)

func TestParseRef(t *testing.T) {
	c := wire.Caller{Account: "111111111111", Region: "eu-west-1"}
	for name, want := range map[string]string{
		"f":                        "arn:aws:lambda:eu-west-1:111111111111:function:f",
		"f:$LATEST":                "arn:aws:lambda:eu-west-1:111111111111:function:f:$LATEST",
		"222222222222:function:f":  "arn:aws:lambda:eu-west-1:222222222222:function:f",
		"function:f":               "arn:aws:lambda:eu-west-1:111111111111:function:f",
		"us-east-1:222222222222:f": "arn:aws:lambda:us-east-1:222222222222:function:f",
		"arn:aws:lambda:us-east-1:222222222222:function:f": "arn:aws:lambda:us-east-1:222222222222:function:f",
	} {
		if r, err := parseRef(c, name, ""); err != nil || r.arn() != want {
			t.Errorf("%s: %s %v", name, r.arn(), err)
		}
	}
	for name, code := range map[string]string{"a b": "ValidationError", "": "ValidationError", "f:a b": "ValidationError"} {
		if _, err := parseRef(c, name, ""); !wire.IsCode(err, code) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := parseRef(c, "f:$LATEST", "2"); !wire.IsCode(err, "InvalidParameterValueException") {
		t.Errorf("two qualifiers: %v", err)
	}
}

// FuzzParseRef checks that an accepted name gives an ARN that is read as the same function.
func FuzzParseRef(f *testing.F) {
	f.Add("arn:aws:lambda:us-east-1:222222222222:function:f")
	f.Add("222222222222:function:f:$LATEST")
	f.Fuzz(func(t *testing.T, name string) {
		r, err := parseRef(wire.Caller{Account: "111111111111", Region: "eu-west-1"}, name, "")
		if err != nil || len(r.arn()) > 170 {
			return
		}
		again, err := parseRef(wire.Caller{}, r.arn(), "")
		if err != nil || again != r {
			t.Errorf("%q is %+v, its ARN %+v (%v)", name, r, again, err)
		}
	})
}
