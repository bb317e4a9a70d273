package eventpattern_test

import (
	"strings"
	"testing"

	"engage/internal/localaws/eventpattern"
)

const event = `{"source":"app.orders","detail-type":"Placed","resources":["arn:1","arn:2"],"ip":"10.1.2.3",
"detail":{"state":"running","cost":12.5,"count":300,"none":null,"ok":true,"items":[{"kind":"a","size":1},{"kind":"b","size":2}],"path":"in/x/y.csv"}}`

func TestOperators(t *testing.T) {
	for pattern, want := range map[string]bool{
		`{"source":["app.orders"]}`:                                                 true,
		`{"source":["other","app.orders"],"detail-type":["Placed"]}`:                true,
		`{"source":["other"]}`:                                                      false,
		`{"resources":["arn:2"]}`:                                                   true,
		`{"resources":["arn:3"]}`:                                                   false,
		`{"detail":{"none":[null],"ok":[true]}}`:                                    true,
		`{"detail":{"count":[300]}}`:                                                true,
		`{"detail":{"count":[300.0]}}`:                                              false,
		`{"source":[{"prefix":"app."}]}`:                                            true,
		`{"source":[{"prefix":{"equals-ignore-case":"APP."}}]}`:                     true,
		`{"source":[{"suffix":".orders"}]}`:                                         true,
		`{"source":[{"equals-ignore-case":"APP.ORDERS"}]}`:                          true,
		`{"detail":{"path":[{"wildcard":"in/*/*.csv"}]}}`:                           true,
		`{"detail":{"path":[{"wildcard":"in/*.txt"}]}}`:                             false,
		`{"detail":{"cost":[{"numeric":[">",0,"<=",12.5]}]}}`:                       true,
		`{"detail":{"cost":[{"numeric":["=",1.25e1]}]}}`:                            true,
		`{"detail":{"cost":[{"numeric":["<",12.5]}]}}`:                              false,
		`{"detail":{"state":[{"anything-but":"stopped"}]}}`:                         true,
		`{"detail":{"state":[{"anything-but":["running","stopped"]}]}}`:             false,
		`{"detail":{"state":[{"anything-but":{"prefix":"run"}}]}}`:                  false,
		`{"detail":{"state":[{"anything-but":{"suffix":["x","y"]}}]}}`:              true,
		`{"detail":{"state":[{"anything-but":{"wildcard":"*un*"}}]}}`:               false,
		`{"detail":{"count":[{"anything-but":300}]}}`:                               false,
		`{"detail":{"missing":[{"anything-but":"x"}]}}`:                             false,
		`{"detail":{"missing":[{"exists":false}]}}`:                                 true,
		`{"detail":{"state":[{"exists":true}]}}`:                                    true,
		`{"detail":{"state":[{"exists":false}]}}`:                                   false,
		`{"nothing":{"below":[{"exists":false}]}}`:                                  true,
		`{"ip":[{"cidr":"10.0.0.0/8"}]}`:                                            true,
		`{"ip":[{"cidr":"11.0.0.0/8"}]}`:                                            false,
		`{"detail":{"items":{"kind":["b"],"size":[2]}}}`:                            true,
		`{"detail":{"items":{"kind":["a"],"size":[2]}}}`:                            false, // of one element, not of two
		`{"$or":[{"source":["no"]},{"detail":{"ok":[true]}}]}`:                      true,
		`{"detail":{"$or":[{"state":["no"]},{"cost":[{"numeric":[">",100]}]}]}}`:    false,
		`{"source":["app.orders"],"$or":[{"ip":["x"]},{"detail-type":["Placed"]}]}`: true,
	} {
		p, err := eventpattern.Parse(pattern, eventpattern.EventBridge)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
		} else if got := p.MatchJSON([]byte(event)); got != want {
			t.Errorf("%s: got %v", pattern, got)
		}
	}
}

func TestBadPatternsAreNamed(t *testing.T) {
	for pattern, want := range map[string]string{
		`[]`: "not an object", `{`: "not valid JSON", `{}`: "empty", `{"a":"b"}`: "must be an object or an array",
		`{"a":[]}`: "empty array", `{"a":{}}`: "empty object", `{"a":[{"like":"x"}]}`: "unrecognized match type like",
		`{"a":{"b":[{"prefix":1}]}}`: "a.b: prefix needs a text", `{"a":[{"numeric":["~",1]}]}`: "comparison ~",
		`{"a":[{"numeric":["<",1,">",0]}]}`: "range", `{"a":[{"cidr":"x"}]}`: "no network", `{"a":[{"exists":"x"}]}`: "exists",
		`{"a":[{"wildcard":"a**b"}]}`: "two *", `{"a":[{"anything-but":[]}]}`: "no value", `{"a":[{"anything-but":{"exists":true}}]}`: "operator exists",
		`{"a":[{"prefix":"a","suffix":"b"}]}`: "exactly one", `{"a":[[1]]}`: "a value is",
		strings.Repeat(`{"a":`, 99) + `["b"]` + strings.Repeat("}", 99): "levels deep",
	} {
		if _, err := eventpattern.Parse(pattern, eventpattern.EventBridge); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", pattern, err, want)
		}
	}
}

func TestDialects(t *testing.T) {
	p, err := eventpattern.Parse(`{"detail":{"count":[3.0e2]}}`, eventpattern.SNS)
	if err != nil || !p.MatchJSON([]byte(event)) {
		t.Errorf("SNS compares numbers by value: %v", err)
	}
	if p, err := eventpattern.Parse(`{}`, eventpattern.SNS); err != nil || !p.MatchJSON([]byte(event)) {
		t.Errorf("an empty filter policy matches all: %v", err)
	}
}

func FuzzParseAndMatch(f *testing.F) {
	f.Add(`{"a":[{"wildcard":"a*\\*b"}],"$or":[{"b":[1]},{"c":[{"numeric":[">",1e9]}]}]}`, event)
	f.Add(`{"detail":{"cost":[{"anything-but":{"prefix":["a"]}}]}}`, `{"detail":{"cost":1e999999999}}`)
	f.Fuzz(func(t *testing.T, pattern, text string) {
		for _, d := range []eventpattern.Dialect{eventpattern.EventBridge, eventpattern.SNS} {
			if p, err := eventpattern.Parse(pattern, d); err == nil {
				p.MatchJSON([]byte(text))
			}
		}
	})
}
