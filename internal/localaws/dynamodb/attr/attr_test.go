package attr_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"engage/internal/localaws/dynamodb/attr"
)

// What AWS prints for numbers, and what it refuses.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
func TestNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "00": "0", "007": "7", "1.50": "1.5", "-1.0": "-1", "1e3": "1000", "1E-3": "0.001", "+5": "5", ".5": "0.5",
		"123456789012345678901234567890": "123456789012345678901234567890", "1e125": "1" + strings.Repeat("0", 125), "1e-130": "0." + strings.Repeat("0", 129) + "1",
		strings.Repeat("9", 38): strings.Repeat("9", 38), "1" + strings.Repeat("0", 60): "1" + strings.Repeat("0", 60),
	} {
		if v, err := attr.Number(text); err != nil || v.Text != want {
			t.Errorf("%s: got %q %v, want %q", text, v.Text, err, want)
		}
	}
	for text, want := range map[string]error{
		"1e126": attr.ErrOverflow, "1e-131": attr.ErrUnderflow, strings.Repeat("9", 39): attr.ErrPrecision,
		"": nil, "x": nil, "1 ": nil, "NaN": nil, "Infinity": nil, "--1": nil, "0x1": nil, "1e999999999999": nil,
	} {
		_, err := attr.Number(text)
		var number attr.NumberError
		if !errors.As(err, &number) || want != nil && err != want {
			t.Errorf("%q: got %v, want %v", text, err, want)
		}
	}
}

func TestArithmeticIsExact(t *testing.T) {
	number := func(s string) attr.Value {
		v, err := attr.Number(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v, err := attr.Add(number("0.1"), number("0.2")); err != nil || v.Text != "0.3" {
		t.Errorf("got %v %v", v.Text, err)
	}
	if v, err := attr.Subtract(number("1"), number("1.0")); err != nil || v.Text != "0" {
		t.Errorf("got %v %v", v.Text, err)
	}
	if _, err := attr.Add(number("1e100"), number("1e-100")); err != attr.ErrPrecision {
		t.Errorf("got %v, want more digits than there may be", err)
	}
}

func randomNumber(r *rand.Rand) attr.Value {
	for {
		text := fmt.Sprintf("%d.%de%d", r.IntN(2000)-1000, r.IntN(1000), r.IntN(250)-125)
		if r.IntN(2) == 0 {
			text = fmt.Sprint(r.IntN(40) - 20)
		}
		if v, err := attr.Number(text); err == nil {
			return v
		}
	}
}

// The order of keys is the order of values, for all pairs.
func TestOrderIsThatOfValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		a, b := randomNumber(r), randomNumber(r)
		want, _ := attr.Compare(a, b)
		if got := bytes.Compare(a.Order(), b.Order()); got != want {
			t.Fatalf("%s, %s: the keys compare as %d, the numbers as %d", a.Text, b.Text, got, want)
		}
	}
}

func randomValue(r *rand.Rand, depth int) attr.Value {
	kind := attr.Kind(1 + r.IntN(10))
	if depth > 3 && kind >= attr.L {
		kind = attr.S
	}
	text := func() string { return strings.Repeat(string(rune('a'+r.IntN(26))), r.IntN(4)) + "é\"\\\x00" }
	switch kind {
	case attr.N:
		return randomNumber(r)
	case attr.Bool:
		return attr.Value{Kind: kind, Bool: r.IntN(2) == 0}
	case attr.Null:
		return attr.Value{Kind: kind}
	case attr.SS, attr.BS:
		return attr.Value{Kind: kind, Set: []string{text() + "1", text() + "2"}}
	case attr.NS:
		return attr.Value{Kind: kind, Set: []string{"1", "-2.5"}}
	case attr.L:
		return attr.Value{Kind: kind, List: []attr.Value{randomValue(r, depth+1), randomValue(r, depth+1)}}
	case attr.M:
		return attr.Value{Kind: kind, Map: attr.Item{text(): randomValue(r, depth+1), "x": randomValue(r, depth+1)}}
	}
	return attr.Value{Kind: kind, Text: text()}
}

func TestBothFormsKeepValues(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		item := attr.Item{"a": randomValue(r, 0), "b": randomValue(r, 0)}
		roundTrip(t, item)
	}
}

func roundTrip(t *testing.T, item attr.Item) {
	t.Helper()
	stored, err := item.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	var read, again attr.Item
	if err := read.UnmarshalBinary(stored); err != nil || !read.Equal(item) {
		t.Fatalf("stored: got %v %v, want %v", read, err, item)
	}
	text, err := json.Marshal(item)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &again); err != nil || !again.Equal(item) {
		t.Fatalf("JSON: got %v %v, want %s", again, err, text)
	}
}

func TestDamagedItemIsAnError(t *testing.T) {
	stored, _ := attr.Item{"a": {Kind: attr.L, List: []attr.Value{attr.String("x"), {Kind: attr.NS, Set: []string{"1"}}}}}.AppendBinary(nil)
	for n := range stored {
		if err := new(attr.Item).UnmarshalBinary(stored[:n]); err == nil {
			t.Errorf("%d of %d bytes are taken for an item", n, len(stored))
		}
	}
}

// The words are those of AWS.
func TestWhatIsRefused(t *testing.T) {
	deep := strings.Repeat(`{"L":[`, 33) + `{"S":"x"}` + strings.Repeat(`]}`, 33)
	for text, want := range map[string]string{
		`{}`:                    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
		`null`:                  "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
		`{"S":"a","N":"1"}`:     "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
		`{"NULL":false}`:        "One or more parameter values were invalid: Null attribute value types must have the value of true",
		`{"N":"abc"}`:           "The parameter cannot be converted to a numeric value: abc",
		`{"NS":["1","1.0"]}`:    "Input collection contains duplicates",
		`{"SS":["a","b","a"]}`:  "One or more parameter values were invalid: Input collection [a, b, a] contains duplicates.",
		`{"SS":[]}`:             "One or more parameter values were invalid: An string set may not be empty",
		`{"M":{"a":{"N":"x"}}}`: "The parameter cannot be converted to a numeric value: x",
		deep:                    "Nesting Levels have exceeded supported limits",
		`{"S":""}`:              "", `{"L":[]}`: "", `{"BS":["AQ==","Ag=="]}`: "",
	} {
		var item attr.Item
		if err := json.Unmarshal([]byte(`{"v":`+text+`}`), &item); err != nil {
			t.Errorf("%.50s: %v", text, err)
		}
		if got := item.Check(); got != want {
			t.Errorf("%.50s: got %q, want %q", text, got, want)
		}
	}
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func TestSizes(t *testing.T) {
	for text, want := range map[string]int{
		`{"S":"héé"}`: 5, `{"B":"AQID"}`: 3, `{"BOOL":true}`: 1, `{"NULL":true}`: 1, `{"N":"27"}`: 2, `{"N":"-27"}`: 3, `{"N":"461"}`: 3,
		`{"L":[]}`: 3, `{"L":[{"S":"ab"}]}`: 6, `{"M":{"k":{"S":"ab"}}}`: 7, `{"SS":["a","bc"]}`: 3,
	} {
		var v attr.Value
		if err := json.Unmarshal([]byte(text), &v); err != nil || v.Size() != want {
			t.Errorf("%s: got %d %v, want %d", text, v.Size(), err, want)
		}
	}
}

func FuzzItem(f *testing.F) {
	f.Add([]byte(`{"a":{"S":"x"},"b":{"N":"-1.5e3"},"c":{"L":[{"M":{"d":{"BS":["AQ=="]}}}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var item attr.Item
		if json.Unmarshal(text, &item) == nil && item.Check() == "" {
			item.Size()
			roundTrip(t, item)
		}
	})
}

func FuzzStored(f *testing.F) {
	stored, _ := attr.Item{"a": attr.String("x"), "b": {Kind: attr.M, Map: attr.Item{}}}.AppendBinary(nil)
	f.Add(stored)
	f.Fuzz(func(_ *testing.T, b []byte) { _ = new(attr.Item).UnmarshalBinary(b) })
}
