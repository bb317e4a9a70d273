package sql

import (
	"strings"
)

// maxDepth bounds how deep expressions, queries and types may nest, so that no statement can exhaust the stack.
const maxDepth = 200

// maxLength is the longest statement that Athena takes, in bytes
// (https://docs.aws.amazon.com/athena/latest/ug/service-limits.html).
const maxLength = 262144

// parser reads tokens. A failure is a panic with *Error, caught in Parse: a grammar this size
// reads better without an error check after each token.
type parser struct {
	src    string
	toks   []token
	i      int
	depth  int
	params int
}

// Parse reads one statement. A semicolon may end it. The error is an *Error.
func Parse(src string) (st Statement, err error) {
	st, _, err = parse(src)
	return st, err
}

// CountParams returns the number of question marks in a statement.
func CountParams(src string) (int, error) {
	_, n, err := parse(src)
	return n, err
}

// ParseType reads a type as Trino or Hive spells it.
func ParseType(src string) (t Type, err error) {
	toks, err := lex(src, false)
	if err != nil {
		return Type{}, err
	}
	p := &parser{src: src, toks: toks}
	defer p.recover(&err)
	t = p.parseType()
	p.end()
	return t, nil
}

// ParseExpr reads one expression.
func ParseExpr(src string) (x Expr, err error) {
	if len(src) > maxLength {
		return nil, Errorf(MalformedQuery, Pos{1, 1}, "the expression has %d bytes, the most is %d", len(src), maxLength)
	}
	toks, err := lex(src, false)
	if err != nil {
		return nil, err
	}
	p := &parser{src: src, toks: toks}
	defer p.recover(&err)
	x = p.expr()
	p.end()
	return x, nil
}

func parse(src string) (st Statement, params int, err error) {
	if len(src) > maxLength {
		return nil, 0, Errorf(MalformedQuery, Pos{1, 1}, "the statement has %d bytes, the most is %d", len(src), maxLength)
	}
	toks, err := lex(src, false)
	hive := err == nil && isHive(toks)
	if err != nil || hive { // a string with an escaped quote only reads as Hive's
		if h, herr := lex(src, true); herr == nil && isHive(h) {
			toks, hive, err = h, true, nil
		}
	}
	if err != nil {
		return nil, 0, err
	}
	if len(toks) == 1 {
		return nil, 0, Errorf(MalformedQuery, Pos{1, 1}, "the statement is empty")
	}
	p := &parser{src: src, toks: toks}
	if !hive {
		if err := p.noBackticks(); err != nil {
			return nil, 0, err
		}
	}
	defer p.recover(&err)
	st = p.statement()
	p.accept(";")
	p.end()
	return st, p.params, nil
}

// isHive reports whether the statement is one of those that Athena hands to Hive.
func isHive(t []token) bool {
	second := token{}
	if len(t) > 1 {
		second = t[1]
	}
	switch t[0].upper {
	case "ALTER", "MSCK", "SHOW", "DESCRIBE", "DESC", "DROP":
		return true
	case "CREATE":
		return second.is("EXTERNAL") || second.is("DATABASE") || second.is("SCHEMA")
	}
	return false
}

func (p *parser) noBackticks() error {
	for _, t := range p.toks {
		if t.kind == backtick {
			return Errorf(MalformedQuery, t.pos, "backquoted identifiers are not supported; use double quotes to quote identifiers")
		}
	}
	return nil
}

func (p *parser) recover(err *error) {
	switch r := recover().(type) {
	case nil:
	case *Error:
		*err = r
	default:
		panic(r)
	}
}

func (p *parser) cur() token { return p.toks[p.i] }

// ahead returns the token n places on, or the last.
func (p *parser) ahead(n int) token {
	if p.i+n < len(p.toks) {
		return p.toks[p.i+n]
	}
	return p.toks[len(p.toks)-1]
}

func (p *parser) take() token {
	t := p.toks[p.i]
	if t.kind != eof {
		p.i++
	}
	return t
}

// at reports whether the next tokens are the given keywords and symbols.
func (p *parser) at(words ...string) bool {
	for n, w := range words {
		if !p.ahead(n).is(w) {
			return false
		}
	}
	return true
}

// accept takes the given keywords and symbols if they come next.
func (p *parser) accept(words ...string) bool {
	if !p.at(words...) {
		return false
	}
	for range words {
		p.take()
	}
	return true
}

func (p *parser) expect(words ...string) token {
	t := p.cur()
	for _, w := range words {
		if !p.cur().is(w) {
			p.mismatch("'" + w + "'")
		}
		p.take()
	}
	return t
}

// mismatch fails at the next token.
func (p *parser) mismatch(expecting ...string) {
	t := p.cur()
	panic(Errorf(MalformedQuery, t.pos, "mismatched input '%s'. Expecting: %s", t.name(), strings.Join(expecting, ", ")))
}

func (p *parser) fail(at Pos, format string, args ...any) {
	panic(Errorf(MalformedQuery, at, format, args...))
}

func (p *parser) unsupported(at Pos, what string) {
	panic(Errorf(NotSupported, at, "%s is not supported", what))
}

func (p *parser) end() {
	if p.cur().kind != eof {
		p.mismatch("<EOF>")
	}
}

// enter counts a level of nesting; the caller defers the function it returns.
func (p *parser) enter() func() {
	p.depth++
	if p.depth > maxDepth {
		p.fail(p.cur().pos, "the statement is nested more than %d levels deep", maxDepth)
	}
	return func() { p.depth-- }
}

// reserved are the words that may not stand as an identifier without quotes
// (https://trino.io/docs/current/language/reserved.html).
var reserved = setOf(`ALTER AND AS BETWEEN BY CASE CAST CONSTRAINT CREATE CROSS CUBE CURRENT_DATE CURRENT_PATH
	CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEALLOCATE DELETE DESCRIBE DISTINCT DROP ELSE END ESCAPE EXCEPT
	EXECUTE EXISTS EXTRACT FALSE FOR FROM FULL GROUP GROUPING HAVING IN INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE
	LOCALTIME LOCALTIMESTAMP NATURAL NORMALIZE NOT NULL ON OR ORDER OUTER PREPARE RECURSIVE RIGHT ROLLUP SELECT TABLE
	THEN TRUE UESCAPE UNION UNNEST USING VALUES WHEN WHERE WITH`)

func setOf(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

func isName(t token) bool {
	return t.kind == quoted || t.kind == backtick || t.kind == word && !reserved[t.upper]
}

// name reads an identifier.
func (p *parser) name() Name {
	t := p.cur()
	if !isName(t) {
		p.mismatch("<identifier>")
	}
	p.take()
	return Name{Text: t.text, Quoted: t.kind != word, Pos: t.pos}
}

// anyName reads an identifier where keywords are allowed too, as after a dot or as a column of a Hive table.
func (p *parser) anyName() Name {
	if t := p.cur(); t.kind == word {
		p.take()
		return Name{Text: t.text, Pos: t.pos}
	}
	return p.name()
}

func (p *parser) names() []Name {
	var out []Name
	p.expect("(")
	for {
		out = append(out, p.name())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return out
}

// qualified reads a table's name of one to three parts.
func (p *parser) qualified() QualifiedName {
	parts := []Name{p.name()}
	for p.accept(".") {
		parts = append(parts, p.anyName())
	}
	if db, table, ok := strings.Cut(parts[0].Text, "."); ok && len(parts) == 1 && parts[0].Quoted {
		parts = []Name{{Text: db, Pos: parts[0].Pos}, {Text: table}} // `db.table`, as SHOW CREATE TABLE prints it
	}
	q := QualifiedName{Pos: parts[0].Pos, Table: strings.ToLower(parts[len(parts)-1].Text)}
	if n := len(parts); n > 3 {
		p.fail(q.Pos, "Too many dots in table name")
	}
	if n := len(parts); n > 1 {
		q.Database = strings.ToLower(parts[n-2].Text)
	}
	if len(parts) == 3 {
		q.Catalog = strings.ToLower(parts[0].Text)
	}
	return q
}

// text reads a string; Hive also writes it in double quotes.
func (p *parser) text() string {
	t := p.cur()
	if t.kind != str && t.kind != quoted {
		p.mismatch("<string>")
	}
	p.take()
	return t.text
}

// integer reads a whole number of at most nine digits.
func (p *parser) integer() int {
	t := p.cur()
	if t.kind != integer || len(t.text) > 9 {
		p.mismatch("<integer>")
	}
	p.take()
	n := 0
	for _, c := range []byte(t.text) {
		n = n*10 + int(c-'0')
	}
	return n
}

// parseType reads a type in Trino's or Hive's spelling.
func (p *parser) parseType() Type {
	defer p.enter()()
	n := p.anyName()
	t := Type{Pos: n.Pos, Name: strings.ToLower(n.Text)}
	switch {
	case t.Name == "double" && p.accept("PRECISION"):
	case t.Name == "array" && p.at("<"), t.Name == "map" && p.at("<"):
		t.Args = p.typeList("<", ">")
	case t.Name == "array", t.Name == "map":
		t.Args = p.typeList("(", ")")
	case t.Name == "struct":
		p.expect("<")
		p.fields(&t, ":")
		p.expect(">")
	case t.Name == "row":
		p.expect("(")
		p.fields(&t, "")
		p.expect(")")
	case p.accept("("):
		for {
			t.Params = append(t.Params, p.integer())
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	if t.Name == "timestamp" || t.Name == "time" {
		p.zone(&t)
	}
	for p.at("ARRAY") { // integer array
		p.take()
		t = Type{Pos: t.Pos, Name: "array", Args: []Type{t}}
	}
	return t
}

func (p *parser) zone(t *Type) {
	if p.accept("WITH", "TIME", "ZONE") {
		t.Name += " with time zone"
	} else {
		p.accept("WITHOUT", "TIME", "ZONE")
	}
}

func (p *parser) typeList(begin, end string) []Type {
	p.expect(begin)
	var out []Type
	for {
		out = append(out, p.parseType())
		if !p.accept(",") {
			break
		}
	}
	p.expect(end)
	return out
}

func (p *parser) fields(t *Type, sep string) {
	for {
		t.Fields = append(t.Fields, p.anyName())
		if sep != "" {
			p.expect(sep)
		}
		t.Args = append(t.Args, p.parseType())
		if !p.accept(",") {
			return
		}
	}
}
