package pattern

import "strings"

// terms are the parts of a text pattern: all of must, none of not, and, when
// there are no musts, at least one of any.
type terms struct{ must, not, any []string }

// match ignores the optional terms beside required ones, as AWS documents:
// "?ERROR ?WARN REQUEST" is the same as REQUEST.
func (t terms) match(message string) bool {
	for _, s := range t.must {
		if !strings.Contains(message, s) {
			return false
		}
	}
	for _, s := range t.not {
		if strings.Contains(message, s) {
			return false
		}
	}
	if len(t.must) > 0 || len(t.any) == 0 {
		return true
	}
	for _, s := range t.any {
		if strings.Contains(message, s) {
			return true
		}
	}
	return false
}

func parseTerms(text string) (Pattern, error) {
	var t terms
	for i := 0; i < len(text); {
		if isSpace(text[i]) {
			i++
			continue
		}
		into := &t.must
		start := i
		switch text[i] {
		case '-':
			into, i = &t.not, i+1
		case '?':
			into, i = &t.any, i+1
		}
		term, next, err := scanTerm(text, i)
		if err != nil {
			return Pattern{}, err
		}
		if term == "" {
			return Pattern{}, &SyntaxError{start, "a term is empty"}
		}
		*into = append(*into, term)
		i = next
	}
	return Pattern{match: t.match}, nil
}

// scanTerm reads a quoted phrase or a word of letters, digits and underscores;
// AWS wants everything else in quotes.
func scanTerm(text string, i int) (term string, next int, err error) {
	if i < len(text) && text[i] == '"' {
		return scanQuoted(text, i)
	}
	start := i
	for i < len(text) && !isSpace(text[i]) {
		if !isWord(text[i]) {
			return "", 0, &SyntaxError{i, "a term with other characters than letters, digits and _ must be in double quotes"}
		}
		i++
	}
	return text[start:i], i, nil
}

// scanQuoted reads from an opening quote; \" and \\ are escapes.
func scanQuoted(text string, start int) (value string, next int, err error) {
	var b strings.Builder
	for i := start + 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return b.String(), i + 1, nil
		case c == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\'):
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, &SyntaxError{start, "the quote is not closed"}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
