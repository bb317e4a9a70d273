package policy

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// slowGlob is the definition of a match, written for clarity: the oracle for matchGlob.
func slowGlob(p, s string) bool {
	if p == "" {
		return s == ""
	}
	_, width := utf8.DecodeRuneInString(s)
	switch c := p[0]; {
	case c == anyRun || c == segmentRun:
		if slowGlob(p[1:], s) {
			return true
		}
		return s != "" && (c == anyRun || s[0] != ':') && slowGlob(p, s[1:])
	case s == "":
		return false
	case c == anyOne || c == segmentOne:
		return (c == anyOne || s[0] != ':') && slowGlob(p[1:], s[width:])
	}
	return p[0] == s[0] && slowGlob(p[1:], s[1:])
}

func TestMatchGlobAgreesWithDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	pick := func(alphabet string, longest int) string {
		var b strings.Builder
		for range rng.IntN(longest) {
			b.WriteByte(alphabet[rng.IntN(len(alphabet))])
		}
		return b.String()
	}
	for range 50_000 {
		kind := []patternKind{wildcards, arnLike}[rng.IntN(2)]
		p := assemble([]part{{text: pick("ab::*?", 14)}}, kind)
		s := pick("ab::", 14)
		if got, want := matchGlob(p, s), slowGlob(p, s); got != want {
			t.Fatalf("matchGlob(%q, %q) = %v, want %v", p, s, got, want)
		}
	}
}

func FuzzMatchGlob(f *testing.F) {
	f.Add("arn:aws:s3:::a*/b?", "arn:aws:s3:::abc/bc")
	f.Add("*a*a*a*a*b", "aaaaaaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 64 || len(s) > 64 || strings.Count(pattern, "*") > 5 || !utf8.ValidString(s) {
			t.Skip()
		}
		for _, kind := range []patternKind{literal, wildcards, arnLike} {
			p, err := compilePattern(pattern, kind, false)
			if err != nil {
				t.Fatal(err)
			}
			if !p.any && !(p.kind == literal || p.exact) && p.match(s, nil) != slowGlob(p.compiled, s) {
				t.Errorf("kind %d: %q against %q differs from the definition", kind, pattern, s)
			}
		}
	})
}

func TestPatterns(t *testing.T) {
	keys := Keys{"aws:username": {"alice"}, "aws:principaltag/team": {"a*b"}, "many": {"x", "y"}}
	for _, c := range []struct {
		kind    patternKind
		pattern string
		s       string
		want    bool
	}{
		{arnLike, "*", "anything at all", true},
		{arnLike, "arn:aws:s3:::data/*", "arn:aws:s3:::data/a/b:c", true},
		{arnLike, "arn:aws:s3:::data/*", "arn:aws:s3:::data", false},
		{arnLike, "arn:aws:s3:::data*", "arn:aws:s3:::database", true},
		{arnLike, "arn:aws:s3:::*", "arn:aws:s3:::x/y", true},
		{arnLike, "arn:aws:s3:*", "arn:aws:s3:::x/y", true},
		{arnLike, "arn:aws:lambda:*:*:function:f-?", "arn:aws:lambda:eu-west-1:000000000000:function:f-1", true},
		{arnLike, "arn:aws:lambda:*:function:f", "arn:aws:lambda:eu-west-1:000000000000:function:f", false},
		{arnLike, "arn:aws:lambda:eu-*:1:function:f*", "arn:aws:lambda:eu-west-1:1:function:f:7", true},
		{arnLike, "arn:aws:sqs:?:1:q", "arn:aws:sqs:::1:q", false},
		{arnLike, "arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/alice/x", true},
		{arnLike, "arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/bob/x", false},
		{arnLike, "arn:aws:s3:::home/${aws:userid}/*", "arn:aws:s3:::home//x", false},
		{arnLike, "arn:aws:s3:::t/${aws:PrincipalTag/Team}", "arn:aws:s3:::t/axb", false},
		{arnLike, "arn:aws:s3:::t/${aws:PrincipalTag/Team}", "arn:aws:s3:::t/a*b", true},
		{arnLike, "arn:aws:s3:::t/${aws:PrincipalTag/None, 'all'}", "arn:aws:s3:::t/all", true},
		{arnLike, "arn:aws:s3:::t/${many}", "arn:aws:s3:::t/x", false},
		{wildcards, "a${*}b", "a*b", true},
		{wildcards, "a${*}b", "axb", false},
		{wildcards, "${$}{x}", "${x}", true},
		{wildcards, "a?c", "aéc", true},
		{wildcards, "a*", "a:b:c", true},
		{literal, "a*", "abc", false},
		{literal, "a*", "a*", true},
	} {
		p, err := compilePattern(c.pattern, c.kind, true)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := p.match(c.s, keys); got != c.want {
			t.Errorf("%q matches %q: %v, want %v", c.pattern, c.s, got, c.want)
		}
	}
}

func TestBadVariables(t *testing.T) {
	for _, text := range []string{"${", "${}", "${a b}", "${a, b}", "${a,'b}", "${${a}}"} {
		if _, err := compilePattern(text, wildcards, true); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

// A value of the request is never read as a wildcard, whatever its bytes.
func TestValuesAreNotWildcards(t *testing.T) {
	p, _ := compilePattern("x/${v}", arnLike, true)
	for _, value := range []string{"*", "?", "\xff", "\xfe", "\xfd", "\xfb", "a\xffb"} {
		if p.match("x/anything", Keys{"v": {value}}) {
			t.Errorf("value %q matched as a wildcard", value)
		}
	}
}
