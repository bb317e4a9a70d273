package value

import (
	"strings"
	"testing"
)

func TestRoundTripKeepsOrderAndNumbers(t *testing.T) {
	for in, want := range map[string]string{
		`{"b":1,"a":{"z":[],"y":{}}}`:      `{"b":1,"a":{"z":[],"y":{}}}`,
		`9223372036854775807`:              `9223372036854775807`,
		`123456789012345678901234567890`:   `123456789012345678901234567890`,
		`1.0`:                              `1.0`,
		`1.50`:                             `1.5`,
		`1e21`:                             `1.0E21`,
		`-1.25e-7`:                         `-1.25E-7`,
		`0.001`:                            `0.001`,
		`12345678.5`:                       `1.23456785E7`,
		`-0`:                               `-0.0`,
		`"\u001f"`:                         `"\u001F"`,
		`"<a href=\"x\">&é\u2028\u0001\n"`: "\"<a href=\\\"x\\\">&é\u2028\\u0001\\n\"",
		` [ null , true , false , "" ] `:   `[null,true,false,""]`,
		`{"a":1,"b":2,"a":3}`:              `{"a":3,"b":2}`,
		`{"k":` + strings.Repeat("[", 3) + `]]]}`: `{"k":[[[]]]}`,
	} {
		v, err := Decode([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := String(v); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, in := range []string{``, `{`, `[1`, `{"a"}`, `1 2`, `nul`, `1e999`, `{"a":1}}`, strings.Repeat("[", 2000)} {
		if v, err := Decode([]byte(in)); err == nil {
			t.Errorf("%q decoded to %v", in, v)
		}
	}
	if _, err := DecodeStrict([]byte(`{"a":1,"a":2}`)); err == nil {
		t.Error("a duplicate field was accepted")
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`1`, `1.0`, true}, {`9007199254740993`, `9007199254740992.0`, false}, {`{"a":1,"b":[2]}`, `{"b":[2.0],"a":1}`, true},
		{`"1"`, `1`, false}, {`null`, `false`, false}, {`[1,2]`, `[2,1]`, false}, {`{"a":null}`, `{"b":null}`, false},
		{`100000000000000000000`, `100000000000000000001`, false},
	} {
		a, _ := Decode([]byte(c.a))
		b, _ := Decode([]byte(c.b))
		if got := Equal(a, b); got != c.want {
			t.Errorf("Equal(%s, %s) = %v", c.a, c.b, got)
		}
	}
}

func TestObjectFields(t *testing.T) {
	o := NewObject(0)
	for i := range 40 {
		o.Set(strings.Repeat("k", i+1), int64(i))
	}
	c := o.Copy()
	c.Set("k", int64(99))
	c.RemoveValueForKey("kk")
	if v, _ := o.Get("k"); v != int64(0) {
		t.Errorf("a copy's write reached the original: %v", v)
	}
	if _, there := c.Get("kk"); there || c.Len() != 39 {
		t.Errorf("removal failed: %d fields", c.Len())
	}
	if v, _ := c.Get(strings.Repeat("k", 40)); v != int64(39) {
		t.Errorf("last field is %v", v)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.5,"x",null]}`))
	f.Add([]byte("\"\xff\""))
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := Decode(text)
		if err != nil {
			return
		}
		again, err := Decode(Encode(v))
		if err != nil || !Equal(v, again) {
			t.Fatalf("%q: encoded as %s, read back %v: %v", text, Encode(v), again, err)
		}
	})
}
