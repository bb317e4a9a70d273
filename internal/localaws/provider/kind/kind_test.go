package kind

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"engage/internal/localaws/provider/value"
)

// bucket is a kind with a property of every type.
var bucket = Kind{
	Token: "aws:test/bucket:Bucket",
	Inputs: Object{
		"name":   {Type: String, Replace: true, Name: &Naming{Max: 20, Lower: true}},
		"mode":   {Type: String, Enum: []string{"on", "off"}, Default: "on"},
		"days":   {Type: Number, Min: 1, Max: 10},
		"open":   {Type: Bool},
		"policy": {Type: Document},
		"code":   {Type: File},
		"key":    {Type: String, Computed: true},
		"must":   {Type: String, Required: true},
		"old":    {Type: String, Unused: true},
		"zones":  {Type: Set, Of: &Property{Type: String}},
		"steps":  {Type: List, Of: &Property{Type: Nested, Fields: Object{"to": {Type: String, Required: true}, "if": {Type: Document}}}},
		"rule":   {Type: Nested, Fields: Object{"id": {Type: String, Replace: true}, "size": {Type: Number, Default: 3.0}, "doc": {Type: Document}}},
		"tags":   {Type: Dict},
	},
	Output: []string{"arn", "tagsAll"},
}

func TestCheckAccepts(t *testing.T) {
	in := value.Map{
		"must": "m", "days": 3.0, "open": false, "policy": `{"a": 1}`, "code": value.File{Path: "x"}, "zones": []any{"a"},
		"steps": []any{value.Map{"to": "x"}}, "rule": value.Map{"id": "i"}, "tags": value.Map{"k": "v"}, "name": "given", "key": nil,
		"__defaults": []any{}, "old": "",
	}
	delete(in, "old")
	got, failures := bucket.Check(nil, in, "b", nil)
	if len(failures) > 0 {
		t.Fatalf("%v", failures)
	}
	if got["mode"] != "on" || got["rule"].(value.Map)["size"] != 3.0 || got["name"] != "given" {
		t.Errorf("got %v", got)
	}
	if _, there := got["key"]; there {
		t.Error("a nil input was kept")
	}
	if _, there := got["__defaults"]; there {
		t.Error("bookkeeping was kept")
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		in   value.Map
		path string
		why  string
	}{
		"a property that is not known":  {value.Map{"bukket": "b"}, "bukket", "the property is not known; known are code, days"},
		"one inside an object":          {value.Map{"rule": value.Map{"ide": "b"}}, "rule.ide", "known are doc, id, size"},
		"one inside a list":             {value.Map{"steps": []any{value.Map{"to": "x"}, value.Map{"to": "x", "from": "y"}}}, "steps[1].from", "not known"},
		"what is required inside":       {value.Map{"steps": []any{value.Map{}}}, "steps[0].to", "the property is required"},
		"another word":                  {value.Map{"mode": "auto"}, "mode", `"auto" is not one of on, off`},
		"too little":                    {value.Map{"days": 0.0}, "days", "0 is out of range; take one from 1 to 10"},
		"too much":                      {value.Map{"days": 11.0}, "days", "11 is out of range"},
		"a string for a number":         {value.Map{"days": "3"}, "days", "a number is expected, not a string"},
		"a number for a string":         {value.Map{"name": 3.0}, "name", "a string is expected, not a number"},
		"a string for a bool":           {value.Map{"open": "true"}, "open", "true or false is expected, not a string"},
		"an object for a list":          {value.Map{"steps": value.Map{}}, "steps", "a list is expected, not an object"},
		"a list for an object":          {value.Map{"rule": []any{}}, "rule", "an object is expected, not a list"},
		"a list for a dict":             {value.Map{"tags": []any{}}, "tags", "an object is expected, not a list"},
		"a number in a dict":            {value.Map{"tags": value.Map{"k": 1.0}}, "tags.k", "a string is expected, not a number"},
		"text for a file":               {value.Map{"code": "x"}, "code", "a file is expected, not a string"},
		"a file for text":               {value.Map{"name": value.File{}}, "name", "a string is expected, not a file"},
		"no document":                   {value.Map{"policy": "{"}, "policy", "the string is no JSON document"},
		"two documents":                 {value.Map{"policy": "{} {}"}, "policy", "there is more after the end"},
		"what nothing here does":        {value.Map{"old": "x"}, "old", "not supported by the embedded endpoint"},
		"a boolean for a list":          {value.Map{"zones": true}, "zones", "a list is expected, not a boolean"},
		"a document inside, no less":    {value.Map{"rule": value.Map{"doc": "nope"}}, "rule.doc", "no JSON document"},
		"a set with a number for a one": {value.Map{"zones": []any{"a", 2.0}}, "zones[1]", "a string is expected"},
	} {
		_, failures := bucket.Check(nil, value.Merge(value.Map{"must": "m"}, tc.in), "b", nil)
		if len(failures) != 1 || failures[0].Path != tc.path || !strings.Contains(failures[0].Reason, tc.why) {
			t.Errorf("%s: got %v, want %s: %s", name, failures, tc.path, tc.why)
		}
	}
}

func TestCheckTellsEverything(t *testing.T) {
	_, failures := bucket.Check(nil, value.Map{"mode": "auto", "nope": 1.0, "days": 0.0}, "b", nil)
	var paths []string
	for _, f := range failures {
		paths = append(paths, f.Path)
	}
	slices.Sort(paths)
	if !slices.Equal(paths, []string{"days", "mode", "must", "nope"}) {
		t.Errorf("got %v", paths)
	}
}

// What a preview does not know cannot be wrong.
func TestCheckTakesTheUnknown(t *testing.T) {
	in := value.Map{}
	for name := range bucket.Inputs {
		in[name] = value.Unknown{}
	}
	delete(in, "old")
	if _, failures := bucket.Check(nil, in, "b", nil); len(failures) > 0 {
		t.Errorf("%v", failures)
	}
}

func TestNames(t *testing.T) {
	in, seed := value.Map{"must": "m"}, []byte{0xab, 0xcd, 0xef, 0x01, 0x23}
	made := func(olds value.Map, name string, seed []byte) string {
		got, failures := bucket.Check(olds, in, name, seed)
		if len(failures) > 0 {
			t.Fatal(failures)
		}
		return got["name"].(string)
	}
	if got := made(nil, "Data", seed); got != "data-abcdef0" {
		t.Errorf("got %s", got)
	}
	if a, b := made(nil, "data", seed), made(nil, "data", []byte{9, 9, 9, 9}); a == b {
		t.Errorf("two resources are both called %s", a)
	}
	if got := made(value.Map{"name": "data-0000000"}, "data", seed); got != "data-0000000" {
		t.Errorf("the name changed to %s", got)
	}
	if got := made(nil, "a-name-that-is-far-too-long", seed); len(got) != 20 || !strings.HasSuffix(got, "-abcdef0") {
		t.Errorf("got %s", got)
	}
	if got := (Naming{Prefix: "alias/", Suffix: ".fifo", Max: 20}).make("queue", seed); got != "alias/q-abcdef0.fifo" {
		t.Errorf("got %s", got)
	}
}

func TestDiff(t *testing.T) {
	base := value.Map{
		"name": "n", "policy": `{"Action":["s3:Get"],"B":[1,2]}`, "zones": []any{"a", "b"}, "days": 3.0, "tags": value.Map{"k": "v"},
		"steps": []any{value.Map{"to": "x"}, value.Map{"to": "y"}}, "rule": value.Map{"id": "i", "size": 1.0}, "code": value.File{Path: "a", Hash: "1"},
	}
	without := func(name string) value.Map { m := value.Merge(base); delete(m, name); return m }
	with := func(name string, v any) value.Map { return value.Merge(base, value.Map{name: v}) }
	for name, tc := range map[string]struct {
		news value.Map
		want []Change
	}{
		"nothing":                           {base, nil},
		"a document written otherwise":      {with("policy", "{\n \"B\": [1, 2], \"Action\": \"s3:Get\"}"), nil},
		"a document that means another":     {with("policy", `{"Action":["s3:Get"],"B":[2,1]}`), []Change{{"policy", Alter, false}}},
		"a set in another order":            {with("zones", []any{"b", "a"}), nil},
		"a set with another member":         {with("zones", []any{"a", "c"}), []Change{{"zones", Alter, false}}},
		"a set with one twice":              {with("zones", []any{"a", "a"}), []Change{{"zones", Alter, false}}},
		"an empty set for none":             {with("open", nil), nil},
		"a list's element":                  {with("steps", []any{value.Map{"to": "x"}, value.Map{"to": "z"}}), []Change{{"steps[1].to", Alter, false}}},
		"a list's order":                    {with("steps", []any{value.Map{"to": "y"}, value.Map{"to": "x"}}), []Change{{"steps[0].to", Alter, false}, {"steps[1].to", Alter, false}}},
		"a list's length":                   {with("steps", []any{value.Map{"to": "x"}}), []Change{{"steps", Alter, false}}},
		"a name, which replaces":            {with("name", "m"), []Change{{"name", Alter, true}}},
		"a nested member that replaces":     {with("rule", value.Map{"id": "j", "size": 1.0}), []Change{{"rule.id", Alter, true}}},
		"a nested member that does not":     {with("rule", value.Map{"id": "i", "size": 2.0}), []Change{{"rule.size", Alter, false}}},
		"a nested document":                 {with("rule", value.Map{"id": "i", "size": 1.0, "doc": "{}"}), []Change{{"rule.doc", Add, false}}},
		"a tag more":                        {with("tags", value.Map{"k": "v", "l": "w"}), []Change{{"tags.l", Add, false}}},
		"a tag less":                        {with("tags", value.Map{}), []Change{{"tags.k", Remove, false}}},
		"a property less":                   {without("days"), []Change{{"days", Remove, false}}},
		"a property more":                   {with("mode", "off"), []Change{{"mode", Add, false}}},
		"a file moved":                      {with("code", value.File{Path: "b", Hash: "1"}), nil},
		"a file written anew":               {with("code", value.File{Path: "a", Hash: "2"}), []Change{{"code", Alter, false}}},
		"what is not known yet":             {with("name", value.Unknown{}), []Change{{"name", Alter, true}}},
		"what is not known yet, deep":       {with("rule", value.Map{"id": value.Unknown{}, "size": 1.0}), []Change{{"rule.id", Alter, true}}},
		"what is not known yet of a set":    {with("zones", []any{"a", value.Unknown{}}), []Change{{"zones", Alter, false}}},
		"what is not known yet of document": {with("policy", value.Unknown{}), []Change{{"policy", Alter, false}}},
	} {
		if got := bucket.Diff(base, tc.news, nil); !reflect.DeepEqual(got, tc.want) && len(got)+len(tc.want) > 0 {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
	if got := bucket.Diff(base, value.Merge(base, value.Map{"name": "m", "days": 4.0, "rule": nil}), []string{"name", "rule"}); len(got) != 1 || got[0].Path != "days" {
		t.Errorf("what is to be ignored is not: %v", got)
	}
	if got := (Change{Path: "steps[1].to"}).Top(); got != "steps" {
		t.Errorf("got %s", got)
	}
}

func TestRefresh(t *testing.T) {
	inputs := value.Map{"name": "n", "days": 3.0, "policy": `{"a":1}`}
	for name, tc := range map[string]struct {
		now      value.Map
		imported bool
		want     value.Map
	}{
		"nothing changed":                 {value.Map{"name": "n", "days": 3.0, "arn": "x"}, false, inputs},
		"a document in another form":      {value.Map{"policy": `{ "a": 1 }`}, false, inputs},
		"a change behind the program":     {value.Map{"days": 4.0}, false, value.Merge(inputs, value.Map{"days": 4.0})},
		"what nobody gave, and now is":    {value.Map{"open": true}, false, value.Merge(inputs, value.Map{"open": true})},
		"what nobody gave, still empty":   {value.Map{"zones": []any{}}, false, inputs},
		"what the service chose":          {value.Map{"key": "aws/s3"}, false, inputs},
		"what the service chose, imports": {value.Map{"key": "aws/s3"}, true, value.Merge(inputs, value.Map{"key": "aws/s3"})},
	} {
		if got := bucket.Refresh(inputs, tc.now, nil, tc.imported); !value.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}

func TestDefaultTags(t *testing.T) {
	defaults := map[string]string{"team": "data", "env": "dev"}
	inputs := value.Map{"must": "m", "tags": value.Map{"env": "prod"}}
	made := bucket.WithDefaults(inputs, defaults)
	if !value.Equal(made["tags"], value.Map{"team": "data", "env": "prod"}) {
		t.Errorf("made with %v", made["tags"])
	}
	out := bucket.Outputs(inputs, value.Map{"arn": "a", "tags": made["tags"]}, defaults)
	if !value.Equal(out["tags"], value.Map{"env": "prod"}) || !value.Equal(out["tagsAll"], value.Map{"team": "data", "env": "prod"}) {
		t.Errorf("out come %v and %v", out["tags"], out["tagsAll"])
	}
	if got := bucket.Refresh(inputs, value.Map{"tags": made["tags"]}, defaults, false); !value.Equal(got, inputs) {
		t.Errorf("the provider's tags look like drift: %v", got)
	}
	if bucket.TagsChanged(out, inputs, defaults) {
		t.Error("nothing changed")
	}
	if !bucket.TagsChanged(out, inputs, map[string]string{"team": "ops", "env": "dev"}) {
		t.Error("a change of the provider's tags is overlooked")
	}
	untagged := Kind{Inputs: Object{"a": {}}, Output: []string{"arn"}}
	if got := untagged.WithDefaults(value.Map{"a": "b"}, defaults); got["tags"] != nil || untagged.TagsChanged(nil, nil, defaults) {
		t.Error("what has no tags got some")
	}
}

func TestPreview(t *testing.T) {
	got := bucket.Preview(value.Map{"name": "n"})
	want := value.Map{"name": "n", "arn": value.Unknown{}, "tagsAll": value.Unknown{}, "key": value.Unknown{}}
	if !value.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if got := bucket.Preview(value.Map{"key": "mine"}); got["key"] != "mine" {
		t.Errorf("got %v", got)
	}
}

func TestComputed(t *testing.T) {
	got := bucket.Computed(value.Map{"arn": "a", "key": "k", "name": "n", "days": 1.0})
	if !value.Equal(got, value.Map{"arn": "a", "key": "k"}) {
		t.Errorf("got %v", got)
	}
}

func TestTable(t *testing.T) {
	table := NewTable([]Kind{bucket})
	if _, err := table.Find("aws:nope:Nope"); err == nil || !strings.Contains(err.Error(), "aws:nope:Nope is not supported") {
		t.Errorf("got %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a type was declared twice")
		}
	}()
	NewTable([]Kind{bucket}, []Kind{bucket})
}
