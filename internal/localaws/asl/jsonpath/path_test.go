package jsonpath

import (
	"testing"

	"engage/internal/localaws/asl/value"
)

const store = `{"store":{"book":[{"category":"ref","author":"Nigel","price":8.95},{"category":"fiction","author":"Evelyn","price":12.99},
{"category":"fiction","author":"Herman","isbn":"0-553","price":8.99}],"bicycle":{"color":"red","price":19.95}},"a-b":{"c d":1},"n":null,"list":[[1,2],[3]],"x.y":5}`

func document(t testing.TB, text string) any {
	t.Helper()
	v, err := value.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEval(t *testing.T) {
	doc := document(t, store)
	for path, want := range map[string]string{
		`$.store.bicycle`:                     `{"color":"red","price":19.95}`,
		`$['store']["bicycle"].color`:         `"red"`,
		`$.store.book[0].author`:              `"Nigel"`,
		`$.store.book[-1].author`:             `"Herman"`,
		`$.store.book[*].author`:              `["Nigel","Evelyn","Herman"]`,
		`$.store.book[0:2].price`:             `[8.95,12.99]`,
		`$.store.book[-2:].price`:             `[12.99,8.99]`,
		`$.store.book[:1].price`:              `[8.95]`,
		`$.store.book[0,2].price`:             `[8.95,8.99]`,
		`$.store.book[9,0].price`:             `[8.95]`,
		`$.store.book[?(@.price < 10)].price`: `[8.95,8.99]`,
		`$.store.book[?(@.category == 'fiction' && @.price > 9)].author`: `["Evelyn"]`,
		`$.store.book[?(@.isbn)].author`:                                 `["Herman"]`,
		`$.store.book[?(@.nope == 1)]`:                                   `[]`,
		`$..price`:                                                       `[8.95,12.99,8.99,19.95]`,
		`$.store..author`:                                                `["Nigel","Evelyn","Herman"]`,
		`$..book[0].price`:                                               `[8.95]`,
		`$.store.bicycle.*`:                                              `["red",19.95]`,
		`$.store.bicycle['color','price','no']`:                          `[{"color":"red","price":19.95}]`,
		`$.a-b['c d']`:                                                   `1`,
		`$['x.y']`:                                                       `5`,
		`$.n`:                                                            `null`,
		`$.list[*][0]`:                                                   `[1,3]`,
		`$.list[5:]`:                                                     `[]`,
		`$$.list[0]`:                                                     `[1,2]`,
		`$v1.list[1]`:                                                    `[3]`,
	} {
		p, err := Parse(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		got, err := p.Eval(doc)
		if err != nil || value.String(got) != want {
			t.Errorf("%s: got %v %v, want %s", path, value.String(got), err, want)
		}
	}
}

func TestEvalMissing(t *testing.T) {
	doc := document(t, store)
	for path, want := range map[string]string{
		`$.nope`:            "Invalid path '$.nope' : No results for path: $['nope']",
		`$.store.nope.deep`: "Invalid path '$.store.nope.deep' : Missing property in path $['store']['nope']",
		`$.store.book[7]`:   "Invalid path '$.store.book[7]' : No results for path: $['store']['book'][7]",
		`$.n.deep`:          "Invalid path '$.n.deep' : No results for path: $['n']['deep']",
		`$.store.nope[*].x`: "Invalid path '$.store.nope[*].x' : Missing property in path $['store']['nope']",
		`$.nope[*].x`:       "Invalid path '$.nope[*].x' : Missing property in path $['nope']",
	} {
		p, err := Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.Eval(doc); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, %v; want %s", path, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, path := range []string{``, `a`, `.a`, `$.`, `$..`, `$...a`, `$a b`, `$.a b`, `$[`, `$[]`, `$['a'`, `$['a`, `$[1`, `$[1:2:3]`, `$[1,2:3]`,
		`$[,]`, `$[x]`, `$.a.length()`, `$[?(@.a]`, `$[?`, `$.a]`, `$[99999999999]`, `$-`, `$.a$`, `$.*x`} {
		if p, err := Parse(path); err == nil {
			t.Errorf("%s was accepted: %+v", path, p)
		}
	}
}

func TestPut(t *testing.T) {
	for _, c := range []struct{ doc, path, want string }{
		{`{"a":1}`, `$`, `"new"`},
		{`{"a":1}`, `$.b`, `{"a":1,"b":"new"}`},
		{`{"a":1,"b":2}`, `$.a`, `{"a":"new","b":2}`},
		{`{}`, `$.x.y.z`, `{"x":{"y":{"z":"new"}}}`},
		{`{"x":{"k":1}}`, `$.x['y z']`, `{"x":{"k":1,"y z":"new"}}`},
		{`{"x":[1,{"a":2}]}`, `$.x[1].a`, `{"x":[1,{"a":"new"}]}`},
		{`null`, `$.a`, `{"a":"new"}`},
		{`{"x":[1]}`, `$.x[1]`, ``},
		{`{"x":"s"}`, `$.x.y`, ``},
		{`[1]`, `$.a`, ``},
	} {
		p, err := Parse(c.path)
		if err != nil {
			t.Fatal(err)
		}
		before := document(t, c.doc)
		got, err := p.Put(before, "new")
		if c.want == "" {
			if err == nil {
				t.Errorf("%s into %s gave %s", c.path, c.doc, value.String(got))
			}
			continue
		}
		if err != nil || value.String(got) != c.want {
			t.Errorf("%s into %s: got %v %v, want %s", c.path, c.doc, got, err, c.want)
		}
		if value.String(before) != c.doc {
			t.Errorf("%s changed the document to %s", c.path, value.String(before))
		}
	}
}

// What was put can be read back, and a reference path is definite.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{`$.a.b[0]`, `$..a`, `$[?(@.a==1)]`, `$['a','b']`, `$[1:2]`, `$v.a`, `$$.a`, `$[?(@.x =~ /a/)]`, `$[?(length(@)>1)]`} {
		f.Add(seed)
	}
	doc := document(f, store)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		_, _ = p.Eval(doc)
		if !p.IsReference() {
			return
		}
		written, err := p.Put(nil, "v")
		if err != nil {
			return
		}
		if got, err := p.Eval(written); err != nil || got != "v" {
			t.Fatalf("%q: put then read gave %v, %v", text, got, err)
		}
	})
}
