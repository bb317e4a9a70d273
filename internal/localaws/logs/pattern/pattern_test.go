package pattern

import (
	"errors"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	const doc = `{"level":"ERROR","n":4,"ok":true,"none":null,"user":{"id":1,"email":"John.Doe@example.com"},"list":["a",{"b":2}],"dash-ed":"x","ip":"123.123.4.5"}`
	for _, c := range []struct {
		pattern, message string
		want             bool
	}{
		{"", "anything", true},
		{"ERROR", "an ERROR here", true},
		{"ERROR", "an error here", false},
		{"ERROR ARGUMENTS", "ARGUMENTS then ERROR", true},
		{"ERROR ARGUMENTS", "ERROR", false},
		{`"INTERNAL SERVER ERROR"`, "x INTERNAL SERVER ERROR", true},
		{`"INTERNAL SERVER ERROR"`, "INTERNAL ERROR SERVER", false},
		{"?ERROR ?WARN", "WARN x", true},
		{"?ERROR ?WARN", "INFO x", false},
		{"?ERROR ?WARN REQUEST", "REQUEST x", true},
		{"ERROR -ARGUMENTS", "ERROR x", true},
		{"ERROR -ARGUMENTS", "ERROR ARGUMENTS", false},
		{`-"a b"`, "a b", false},
		{`"say \"hi\""`, `x say "hi" y`, true},
		{`{ $.level = "ERROR" && $.n > 3 }`, doc, true},
		{`{ $.level = "ERROR" && $.n > 4 }`, doc, false},
		{`{ $.level = ERROR }`, doc, true},
		{`{ $.level = "ERR*" }`, doc, true},
		{`{ $.user.email = "*@*.com" }`, doc, true},
		{`{ $.user.email = "*@*.org" }`, doc, false},
		{`{ $.ip = 123.123.* }`, doc, true},
		{`{ $.ip != 123.124.* }`, doc, true},
		{`{ $.n >= 4 && $.n <= 4.0 && $.n = 4e0 && $.n != 5 && $.n < 5 }`, doc, true},
		{`{ ($.n = 1) || ($.user.id = 1 && $.ok IS TRUE) }`, doc, true},
		{`{ $.n = 1 || $.n = 4 && $.ok IS FALSE }`, doc, false},
		{`{ $.none IS NULL }`, doc, true},
		{`{ $.missing IS NULL }`, doc, false},
		{`{ $.missing NOT EXISTS }`, doc, true},
		{`{ $.none EXISTS }`, doc, true},
		{`{ $.list[1].b = 2 && $.list[0] = "a" }`, doc, true},
		{`{ $.list[7] NOT EXISTS }`, doc, true},
		{`{ $['dash-ed'] = x && $.dash-ed = "x" }`, doc, true},
		{`{ $.missing != "x" }`, doc, false},
		{`{ $.level = "ERROR" }`, "plain ERROR text", false},
		{`{ $.level = "ERROR" }`, `{"level":"ERROR"} trailing`, false},
	} {
		p, err := Parse(c.pattern)
		if err != nil {
			t.Errorf("Parse(%s): %v", c.pattern, err)
			continue
		}
		if got := p.Match(c.message); got != c.want {
			t.Errorf("%s matches %s: %v", c.pattern, c.message, got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, text := range []string{
		"[a", "[a b]", "[=1]", "[a=]", "[a>x]", "[a=1 && b=2]", "[..., b, ...]", "[a] x",
		"a/b", `"open`, "-", "?", `""`, "{", "{}", "{ $ = 1 }", "{ $.a }", "{ $.a = }", "{ $.a > x }", `{ $.a = "x }`,
		"{ ($.a = 1 }", "{ $.a = 1 } x", "{ $.a[ = 1 }", "{ $.a[x] = 1 }", "{ $.a IS MAYBE }", "{ $.a NOT }",
		"{ a = 1 }", "{ $.a = 1 && }", strings.Repeat("x", MaxLength+1),
		"{ " + strings.Repeat("(", 60) + "$.a = 1" + strings.Repeat(")", 60) + " }",
	} {
		var syntax *SyntaxError
		if _, err := Parse(text); !errors.As(err, &syntax) {
			t.Errorf("Parse(%.40s): %v", text, err)
		}
	}
	for _, text := range []string{"[a=%x%]", "%x+%", "{ $.* = 1 }", "{ $.a = %x% }", "{ $.a[*] = 1 }"} {
		var unsupported *UnsupportedError
		if _, err := Parse(text); !errors.As(err, &unsupported) {
			t.Errorf("Parse(%s): %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{ $.a.b[0] = "x*" && ($.c >= -1.5e3 || $["d"] NOT EXISTS) }`, `a "b c" -d ?e`, "{ $.a IS NULL }", "[x]", "[a, ..., b=1* || b>2]", "%y%"} {
		f.Add(s, `{"a":{"b":["xy"]},"c":2}`)
	}
	f.Fuzz(func(t *testing.T, text, message string) {
		p, err := Parse(text)
		if err == nil {
			p.Match(message)
			return
		}
		var syntax *SyntaxError
		if errors.As(err, &syntax) && (syntax.Offset < 0 || syntax.Offset > len(text)) {
			t.Errorf("offset %d of %q", syntax.Offset, text)
		}
	})
}

func TestSpaceDelimitedFields(t *testing.T) {
	const line = `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`
	for text, want := range map[string]bool{
		"[ip, id, user, timestamp, request, status_code, bytes]":                                     true,
		"[ip, id, user, timestamp, request, status_code]":                                            false,
		"[ip, id, user, timestamp, request, status_code = 4*, bytes > 1000]":                         true,
		"[ip, id, user, timestamp, request, status_code = 4*, bytes > 2000]":                         false,
		"[ip, id, user, timestamp, request = *html*, status_code = 404 || status_code = 410, bytes]": true,
		"[..., status_code >= 400 && status_code < 500, bytes]":                                      true,
		"[ip, user != frank, ...]":                                                                   true,
		"[ip, id, user != frank, ...]":                                                               false,
		"[ip = 127.0.0.1, ..., size]":                                                                true,
		`[ip, id, user, timestamp, request = "GET /index.html HTTP/1.0", ...]`:                       true,
		"[a, b, c, d, e, f, g, ..., h]":                                                              false,
	} {
		p, err := Parse(text)
		if err != nil {
			t.Errorf("Parse(%s): %v", text, err)
		} else if got := p.Match(line); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	p, err := Parse("[ip, ..., status_code, bytes]")
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Extract(line); len(got) != 3 || got["$ip"] != "127.0.0.1" || got["$status_code"] != "404" || got["$bytes"] != "1534" {
		t.Errorf("extracted %v", got)
	}
}
