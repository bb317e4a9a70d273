package expr

import (
	"strings"
	"unicode/utf8"
)

// kind is what a token is.
type kind byte

const (
	end    kind = iota
	word        // an attribute's name, a function or a keyword
	name        // #name
	value       // :value
	number      // the index of a list
	symbol      // an operator or a parenthesis
	stray       // what begins no token
)

// token is a piece of an expression.
type token struct {
	kind       kind
	text       string
	start, end int // in the expression
}

// is reports whether the token is a symbol, or a keyword in any case.
func (t token) is(text string) bool {
	return t.kind == symbol && t.text == text || t.kind == word && strings.EqualFold(t.text, text)
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isPart(c byte) bool   { return isLetter(c) || isDigit(c) || c == '_' }

// lex splits an expression into tokens; the last one is the end.
func lex(text string) []token {
	var tokens []token
	for at := 0; ; {
		for at < len(text) && strings.IndexByte(" \t\r\n", text[at]) >= 0 {
			at++
		}
		if at == len(text) {
			return append(tokens, token{end, "<EOF>", at, at})
		}
		k, n := next(text[at:])
		tokens = append(tokens, token{k, text[at : at+n], at, at + n})
		at += n
	}
}

// next returns the kind and the length of the token that text begins with.
func next(text string) (kind, int) {
	run := func(ok func(byte) bool) int {
		n := 1
		for n < len(text) && ok(text[n]) {
			n++
		}
		return n
	}
	switch c := text[0]; {
	case isLetter(c):
		return word, run(isPart)
	case isDigit(c):
		return number, run(isDigit)
	case (c == '#' || c == ':') && len(text) > 1 && isPart(text[1]):
		if c == '#' {
			return name, run(isPart)
		}
		return value, run(isPart)
	case strings.HasPrefix(text, "<>") || strings.HasPrefix(text, "<=") || strings.HasPrefix(text, ">="):
		return symbol, 2
	case strings.IndexByte("=<>+-(),.[]", c) >= 0:
		return symbol, 1
	}
	_, n := utf8.DecodeRuneInString(text)
	return stray, n
}
