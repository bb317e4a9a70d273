package filter

import (
	"fmt"
	"strings"
	"unicode"
)

// kind is what a token is.
type kind int

const (
	end kind = iota
	word
	number
	text
	sign
)

// token is a piece of an expression.
type token struct {
	kind  kind
	value string // without quotes
}

func (t token) is(value string) bool {
	return t.kind == sign && t.value == value || t.kind == word && strings.EqualFold(t.value, value)
}

func (t token) String() string {
	if t.kind == end {
		return "the end of the expression"
	}
	return fmt.Sprintf("%q", t.value)
}

// scan cuts an expression into tokens; the last one is its end.
func scan(expression string) ([]token, error) {
	var tokens []token
	for rest := strings.TrimSpace(expression); rest != ""; rest = strings.TrimSpace(rest) {
		t, n, err := next(rest)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		rest = rest[n:]
	}
	return append(tokens, token{}), nil
}

// signs are the tokens that are no words, those first that begin with another.
var signs = []string{"!=", "<=", ">=", "&&", "||", "=", "<", ">", "!", "(", ")", "[", "]", "{", "}", ":", ","}

// next returns the first token of a text that is not blank, and its length.
func next(rest string) (token, int, error) {
	if quote := rest[0]; quote == '"' || quote == '\'' {
		return quoted(rest, quote)
	}
	for _, s := range signs {
		if strings.HasPrefix(rest, s) {
			return token{sign, s}, len(s), nil
		}
	}
	n := strings.IndexFunc(rest, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-", r)
	})
	if n < 0 {
		n = len(rest)
	}
	switch {
	case n == 0:
		return token{}, 0, &SyntaxError{fmt.Sprintf("the expression has %q where it cannot be", []rune(rest)[0])}
	case strings.ContainsRune("0123456789.-", rune(rest[0])):
		return token{number, rest[:n]}, n, nil
	}
	return token{word, rest[:n]}, n, nil
}

// quoted reads a text up to its quote; a backslash takes the next character as it is.
func quoted(rest string, quote byte) (token, int, error) {
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] == quote:
			return token{text, b.String()}, i + 1, nil
		case rest[i] == '\\' && i+1 < len(rest):
			i++
		}
		b.WriteByte(rest[i])
	}
	return token{}, 0, &SyntaxError{"a quote is not closed"}
}
