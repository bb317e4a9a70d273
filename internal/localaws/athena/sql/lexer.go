package sql

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is what a token is.
type kind int

const (
	eof      kind = iota
	word          // an unquoted identifier or a keyword
	quoted        // "identifier", in Hive statements also a string
	backtick      // `identifier`
	str           // 'string'
	integer       // 12
	decimal       // 1.2
	double        // 1.2e3
	binary        // X'CAFE'
	symbol        // an operator or punctuation
)

// token is one lexical element. text is unquoted and unescaped; upper is the word in capitals.
type token struct {
	kind  kind
	text  string
	upper string
	pos   Pos
	off   int // byte offset of its first character
	end   int // byte offset after its last
}

// is reports whether the token is the given keyword or symbol.
func (t token) is(s string) bool {
	return t.kind == word && t.upper == s || t.kind == symbol && t.text == s
}

// name is how an error message shows the token.
func (t token) name() string {
	if t.kind == eof {
		return "<EOF>"
	}
	return t.text
}

// lexer cuts a statement into tokens. Where hive is set, strings take backslash escapes.
type lexer struct {
	src       string
	off       int
	line, col int
	hive      bool
}

// lex returns the tokens of src, the last of which is eof.
func lex(src string, hive bool) ([]token, error) {
	if !utf8.ValidString(src) {
		return nil, Errorf(MalformedQuery, Pos{1, 1}, "the statement is not valid UTF-8")
	}
	l := &lexer{src: src, line: 1, col: 1, hive: hive}
	var out []token
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		out = append(out, t)
		if t.kind == eof {
			return out, nil
		}
	}
}

func (l *lexer) rest() string { return l.src[l.off:] }

// peek returns the character at byte distance n, or 0.
func (l *lexer) peek(n int) byte {
	if l.off+n < len(l.src) {
		return l.src[l.off+n]
	}
	return 0
}

// advance moves past n bytes and keeps count of lines and columns.
func (l *lexer) advance(n int) {
	for _, r := range l.src[l.off : l.off+n] {
		if r == '\n' {
			l.line, l.col = l.line+1, 1
		} else {
			l.col++
		}
	}
	l.off += n
}

func (l *lexer) pos() Pos { return Pos{l.line, l.col} }

// skip passes over white space and comments.
func (l *lexer) skip() error {
	for l.off < len(l.src) {
		r, size := utf8.DecodeRuneInString(l.rest())
		switch {
		case unicode.IsSpace(r):
			l.advance(size)
		case strings.HasPrefix(l.rest(), "--"):
			n := strings.IndexByte(l.rest(), '\n')
			if n < 0 {
				n = len(l.rest())
			}
			l.advance(n)
		case strings.HasPrefix(l.rest(), "/*"):
			n := strings.Index(l.rest()[2:], "*/")
			if n < 0 {
				return Errorf(MalformedQuery, l.pos(), "the comment that begins here has no end")
			}
			l.advance(n + 4)
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) next() (token, error) {
	if err := l.skip(); err != nil {
		return token{}, err
	}
	t := token{pos: l.pos(), off: l.off}
	var err error
	c := l.peek(0)
	switch {
	case l.off >= len(l.src):
		t.kind = eof
	case (c == 'x' || c == 'X') && l.peek(1) == '\'':
		l.advance(1)
		t.kind = binary
		t.text, err = l.quoted('\'', false)
	case c == '\'':
		t.kind = str
		t.text, err = l.quoted('\'', l.hive)
	case c == '"':
		t.kind = quoted
		t.text, err = l.quoted('"', l.hive)
	case c == '`':
		t.kind = backtick
		t.text, err = l.quoted('`', false)
	case isDigit(c) || c == '.' && isDigit(l.peek(1)):
		t.kind, t.text = l.number()
	default:
		t.kind, t.text, err = l.wordOrSymbol()
		if t.kind == word {
			t.upper = strings.ToUpper(t.text)
		}
	}
	t.end = l.off
	return t, err
}

// quoted reads a quoted text; a doubled quote stands for one.
func (l *lexer) quoted(q byte, escapes bool) (string, error) {
	start := l.pos()
	var b strings.Builder
	i := l.off + 1
	for i < len(l.src) {
		switch c := l.src[i]; {
		case c == '\\' && escapes && i+1 < len(l.src):
			n := unescape(&b, l.src[i:])
			i += n
			continue
		case c == q && i+1 < len(l.src) && l.src[i+1] == q:
			b.WriteByte(q)
			i += 2
			continue
		case c == q:
			l.advance(i + 1 - l.off)
			return b.String(), nil
		default:
			b.WriteByte(c)
			i++
		}
	}
	return "", Errorf(MalformedQuery, start, "the quoted text that begins here has no end")
}

// unescape writes what Hive's escape at the head of s stands for and returns its length.
func unescape(b *strings.Builder, s string) int {
	if len(s) >= 4 && isOctal(s[1]) && isOctal(s[2]) && isOctal(s[3]) {
		b.WriteRune(rune(s[1]-'0')<<6 | rune(s[2]-'0')<<3 | rune(s[3]-'0'))
		return 4
	}
	if len(s) >= 6 && s[1] == 'u' {
		if r, ok := hex4(s[2:6]); ok {
			b.WriteRune(r)
			return 6
		}
	}
	switch s[1] {
	case 'n':
		b.WriteByte('\n')
	case 't':
		b.WriteByte('\t')
	case 'r':
		b.WriteByte('\r')
	case 'b':
		b.WriteByte('\b')
	case '0':
		b.WriteByte(0)
	case 'Z':
		b.WriteByte(0x1a)
	case '%', '_': // kept, for patterns
		b.WriteString(s[:2])
	default:
		_, n := utf8.DecodeRuneInString(s[1:])
		b.WriteString(s[1 : 1+n])
		return 1 + n
	}
	return 2
}

func hex4(s string) (rune, bool) {
	var r rune
	for _, c := range []byte(s) {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

func (l *lexer) number() (kind, string) {
	n, k := 0, integer
	digits := func() {
		for isDigit(l.peek(n)) || l.peek(n) == '_' && isDigit(l.peek(n+1)) {
			n++
		}
	}
	digits()
	if l.peek(n) == '.' {
		k = decimal
		n++
		digits()
	}
	if c := l.peek(n); c == 'e' || c == 'E' {
		m := 1
		if s := l.peek(n + 1); s == '+' || s == '-' {
			m++
		}
		if isDigit(l.peek(n + m)) {
			k = double
			n += m
			digits()
		}
	}
	text := l.src[l.off : l.off+n]
	l.advance(n)
	return k, strings.ReplaceAll(text, "_", "")
}

func (l *lexer) wordOrSymbol() (kind, string, error) {
	n := 0
	for i, r := range l.rest() {
		if !(r == '_' || unicode.IsLetter(r) || i > 0 && (unicode.IsDigit(r) || r == '@' || r == '$')) {
			break
		}
		n = i + utf8.RuneLen(r)
	}
	if n > 0 {
		text := l.src[l.off : l.off+n]
		l.advance(n)
		return word, text, nil
	}
	for _, s := range []string{"<=>", "<>", "!=", "<=", ">=", "||", "->", "=>", "=="} {
		if strings.HasPrefix(l.rest(), s) {
			l.advance(len(s))
			return symbol, s, nil
		}
	}
	if c := l.peek(0); strings.IndexByte("+-*/%<>=(),.;?[]:{}|&^~!@#$", c) >= 0 {
		l.advance(1)
		return symbol, string(c), nil
	}
	r, _ := utf8.DecodeRuneInString(l.rest())
	return 0, "", Errorf(MalformedQuery, l.pos(), "unexpected character %q", r)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isOctal(c byte) bool { return c >= '0' && c <= '7' }
