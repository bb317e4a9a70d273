package intrinsic

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"engage/internal/localaws/asl/jsonpath"
	"engage/internal/localaws/asl/value"
)

type env struct {
	doc any
	*rand.Rand
}

func (e env) Resolve(p *jsonpath.Path) (any, error) { return p.Eval(e.doc) }

func newEnv(t testing.TB, doc string) env {
	v, err := value.Decode([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	return env{v, rand.New(rand.NewPCG(1, 2))}
}

const input = `{"name":"Foo","n":7,"f":2.5,"arr":[1,2,3,4,5,6,7,8,9],"o":{"a":1,"b":{"x":1}},"p":{"b":{"y":2},"c":3},
"json":"{\"z\":1.0,\"a\":[1]}","s":"a,b;c","null":null,"dup":[1,1.0,"a","a",{"k":1},{"k":1},null,null],"t":"\\{{}\\}"}`

func TestEval(t *testing.T) {
	e := newEnv(t, input)
	for call, want := range map[string]string{
		`States.Format('Hello, {} {}', $.name, $.n)`:                         `"Hello, Foo 7"`,
		`States.Format('\{\} \' \\ {}', $.f)`:                                `"{} ' \\ 2.5"`,
		`States.Format('{}{}{}', $.o, null, true)`:                           `"{\"a\":1,\"b\":{\"x\":1}}nulltrue"`,
		`States.Format($.t, 'x')`:                                            `"{x}"`,
		`States.Format('')`:                                                  `""`,
		`States.StringToJson($.json)`:                                        `{"z":1.0,"a":[1]}`,
		`States.JsonToString($.o)`:                                           `"{\"a\":1,\"b\":{\"x\":1}}"`,
		`States.Array('a', 1, $.n, null, States.Array())`:                    `["a",1,7,null,[]]`,
		`States.ArrayPartition($.arr,4)`:                                     `[[1,2,3,4],[5,6,7,8],[9]]`,
		`States.ArrayPartition(States.Array(), 4)`:                           `[]`,
		`States.ArrayContains($.arr, 5)`:                                     `true`,
		`States.ArrayContains($.arr, '5')`:                                   `false`,
		`States.ArrayRange(1, 9, 2)`:                                         `[1,3,5,7,9]`,
		`States.ArrayRange(5, 1, -2)`:                                        `[5,3,1]`,
		`States.ArrayRange(1, 0, 1)`:                                         `[]`,
		`States.ArrayGetItem($.arr, 5)`:                                      `6`,
		`States.ArrayLength($.arr[?(@ > 3)])`:                                `6`,
		`States.ArrayUnique($.dup)`:                                          `[1,"a",{"k":1},null]`,
		`States.Base64Encode('Data to encode')`:                              `"RGF0YSB0byBlbmNvZGU="`,
		`States.Base64Decode('RGF0YSB0byBlbmNvZGU=')`:                        `"Data to encode"`,
		`States.Hash('input data', 'SHA-1')`:                                 `"aaff4a450a104cd177d28d18d74485e8cae074b7"`,
		`States.Hash('', 'MD5')`:                                             `"d41d8cd98f00b204e9800998ecf8427e"`,
		`States.JsonMerge($.o, $.p, false)`:                                  `{"a":1,"b":{"y":2},"c":3}`,
		`States.MathAdd($.n, -1)`:                                            `6`,
		`States.MathAdd(1.5, 1)`:                                             `3`,
		`States.StringSplit($.s, ',;')`:                                      `["a","b","c"]`,
		`States.StringSplit('', ',')`:                                        `[]`,
		`States.ArrayGetItem(States.StringSplit('2020-05-27T08:00','T'), 0)`: `"2020-05-27"`,
		`States.ArrayLength(States.ArrayRange(1,1000,1))`:                    `1000`,
		`States.Format('{}', $['name'])`:                                     `"Foo"`,
	} {
		c, err := Parse(call)
		if err != nil {
			t.Errorf("%s: %v", call, err)
			continue
		}
		got, err := c.Eval(e)
		if err != nil || value.String(got) != want {
			t.Errorf("%s: got %s %v, want %s", call, value.String(got), err, want)
		}
	}
}

func TestEvalFails(t *testing.T) {
	e := newEnv(t, input)
	for call, want := range map[string]string{
		`States.Format('{}')`:              "1 placeholders for 0 values",
		`States.Format('x', 1)`:            "0 placeholders for 1 values",
		`States.Format($.t2, 1)`:           "No results for path",
		`States.StringToJson('[1')`:        "not JSON",
		`States.ArrayPartition($.arr, 0)`:  "must be positive",
		`States.ArrayRange(1, 1001, 1)`:    "more than 1000",
		`States.ArrayRange(1, 2, 0)`:       "must not be 0",
		`States.ArrayGetItem($.arr, 9)`:    "out of bounds",
		`States.ArrayLength('x')`:          "must be an array",
		`States.Base64Decode('*')`:         "not Base64",
		`States.Hash('x', 'SHA-3')`:        "not one of",
		`States.JsonMerge($.o, $.p, true)`: "shallow",
		`States.JsonMerge($.o, 1, false)`:  "JSON objects",
		`States.MathRandom(2, 2)`:          "greater",
		`States.MathAdd(3000000000, 1)`:    "between",
		`States.MathAdd('1', 1)`:           "integer",
		`States.StringSplit(1, ',')`:       "string",
		`States.Base64Encode($.null)`:      "string",
	} {
		c, err := Parse(call)
		if err != nil {
			t.Errorf("%s: %v", call, err)
			continue
		}
		if got, err := c.Eval(e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v; want %s", call, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, call := range []string{``, `States.Nope()`, `States.UUID`, `States.UUID(`, `States.UUID(1)`, `States.Format()`, `States.Array(1,)`, `States.Array(,1)`,
		`States.Array('a)`, `States.Array('\n')`, `States.Array(x)`, `States.Array("a")`, `States.Array({})`, `States.Array($.)`, `States.Array() x`,
		strings.Repeat("States.Array(", 11) + strings.Repeat(")", 11)} {
		if c, err := Parse(call); err == nil {
			t.Errorf("%s was accepted: %+v", call, c)
		}
	}
}

func TestRandomness(t *testing.T) {
	e := newEnv(t, `{}`)
	id := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	uuids, _ := Parse("States.UUID()")
	draw, _ := Parse("States.MathRandom(-3, 3)")
	seeded, _ := Parse("States.MathRandom(0, 1000000, 42)")
	first, _ := seeded.Eval(e)
	for range 200 {
		if v, _ := uuids.Eval(e); !id.MatchString(v.(string)) {
			t.Fatalf("%v is not a UUID of version 4", v)
		}
		if v, _ := draw.Eval(e); v.(int64) < -3 || v.(int64) >= 3 {
			t.Fatalf("%v is outside [-3, 3)", v)
		}
		if v, _ := seeded.Eval(e); v != first {
			t.Fatalf("a seeded draw gave %v, then %v", first, v)
		}
	}
}

func TestAllFunctions(t *testing.T) {
	if n := len(Names()); n != 18 {
		t.Errorf("%d functions, AWS documents 18", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`States.Format('{} \' \\', $.a['b'], States.UUID())`, `States.ArrayRange(1,5,2)`, `States.JsonMerge($.o,$.p,false)`,
		`States.StringToJson('{\}')`, `States.ArrayPartition($..x, 1.5)`, `States.MathRandom(1,2,3)`} {
		f.Add(seed)
	}
	e := newEnv(f, input)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		if v, err := c.Eval(e); err == nil {
			value.Encode(v)
		}
		if again, err := Parse(c.String()); err != nil || len(again.args) != len(c.args) {
			t.Fatalf("%q does not parse a second time: %v", c, err)
		}
	})
}
