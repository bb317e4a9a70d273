package sql

import "strings"

func (p *parser) exprs() []Expr {
	var out []Expr
	for {
		out = append(out, p.expr())
		if !p.accept(",") {
			return out
		}
	}
}

// expr reads an expression; OR binds least.
func (p *parser) expr() Expr {
	defer p.enter()()
	x := p.and()
	for p.at("OR") {
		t := p.take()
		x = &Infix{Pos: t.pos, Op: "OR", L: x, R: p.and()}
	}
	return x
}

func (p *parser) and() Expr {
	x := p.not()
	for p.at("AND") {
		t := p.take()
		x = &Infix{Pos: t.pos, Op: "AND", L: x, R: p.not()}
	}
	return x
}

func (p *parser) not() Expr {
	if !p.at("NOT") {
		return p.predicate()
	}
	defer p.enter()()
	t := p.take()
	return &Unary{Pos: t.pos, Op: "NOT", X: p.not()}
}

// predicate reads comparisons and the forms that follow a value.
func (p *parser) predicate() Expr {
	x := p.additive()
	for {
		t := p.cur()
		switch {
		case t.kind == symbol && strings.Contains(" = <> != < <= > >= ", " "+t.text+" "):
			p.take()
			x = p.comparison(t, x)
		case p.at("IS"):
			x = p.is(x)
		case p.at("NOT", "BETWEEN"), p.at("NOT", "IN"), p.at("NOT", "LIKE"):
			p.take()
			x = p.ranged(x, true, t.pos)
		case p.at("BETWEEN"), p.at("IN"), p.at("LIKE"):
			x = p.ranged(x, false, t.pos)
		default:
			return x
		}
	}
}

func (p *parser) comparison(op token, l Expr) Expr {
	sym := op.text
	if sym == "!=" {
		sym = "<>"
	}
	if (p.at("ALL") || p.at("ANY") || p.at("SOME")) && p.ahead(1).is("(") {
		all := p.take().is("ALL")
		p.expect("(")
		q := p.query()
		p.expect(")")
		return &Quantified{Pos: op.pos, Op: sym, L: l, All: all, Q: q}
	}
	return &Infix{Pos: op.pos, Op: sym, L: l, R: p.additive()}
}

func (p *parser) is(x Expr) Expr {
	t := p.expect("IS")
	not := p.accept("NOT")
	if p.accept("NULL") {
		return &IsNull{Pos: t.pos, X: x, Not: not}
	}
	p.expect("DISTINCT", "FROM")
	return &IsDistinct{Pos: t.pos, L: x, R: p.additive(), Not: not}
}

func (p *parser) ranged(x Expr, not bool, pos Pos) Expr {
	switch {
	case p.accept("BETWEEN"):
		lo := p.additive()
		p.expect("AND")
		return &Between{Pos: pos, X: x, Lo: lo, Hi: p.additive(), Not: not}
	case p.accept("LIKE"):
		l := &Like{Pos: pos, X: x, Pattern: p.additive(), Not: not}
		if p.accept("ESCAPE") {
			l.Escape = p.additive()
		}
		return l
	}
	p.expect("IN", "(")
	in := &In{Pos: pos, X: x, Not: not}
	if p.queryAhead() {
		in.Query = p.query()
	} else {
		in.List = p.exprs()
	}
	p.expect(")")
	return in
}

// queryAhead reports whether a query, and not an expression, follows.
func (p *parser) queryAhead() bool {
	return p.at("SELECT") || p.at("WITH") || p.at("VALUES") || p.at("TABLE")
}

func (p *parser) additive() Expr {
	x := p.multiplicative()
	for {
		t := p.cur()
		if !(p.at("+") || p.at("-") || p.at("||")) {
			return x
		}
		p.take()
		x = &Infix{Pos: t.pos, Op: t.text, L: x, R: p.multiplicative()}
	}
}

func (p *parser) multiplicative() Expr {
	x := p.unary()
	for {
		t := p.cur()
		if !(p.at("*") || p.at("/") || p.at("%")) {
			return x
		}
		p.take()
		x = &Infix{Pos: t.pos, Op: t.text, L: x, R: p.unary()}
	}
}

func (p *parser) unary() Expr {
	if p.at("-") || p.at("+") {
		defer p.enter()()
		t := p.take()
		return &Unary{Pos: t.pos, Op: t.text, X: p.unary()}
	}
	x := p.postfix()
	for p.at("AT", "TIME", "ZONE") {
		t := p.expect("AT", "TIME", "ZONE")
		x = &AtZone{Pos: t.pos, X: x, Zone: p.postfix()}
	}
	return x
}

func (p *parser) postfix() Expr {
	x := p.primary()
	for {
		t := p.cur()
		switch {
		case p.accept("["):
			x = &Subscript{Pos: t.pos, X: x, I: p.expr()}
			p.expect("]")
		case p.accept("."):
			n := p.anyName()
			if id, ok := x.(*Ident); ok {
				id.Parts = append(id.Parts, n)
			} else {
				x = &Field{Pos: t.pos, X: x, Name: n}
			}
		default:
			return x
		}
	}
}

func (p *parser) primary() Expr {
	t := p.cur()
	switch t.kind {
	case integer, decimal, double:
		p.take()
		return &Number{Pos: t.pos, Text: t.text, Kind: map[kind]string{integer: "integer", decimal: "decimal", double: "double"}[t.kind]}
	case str:
		p.take()
		return &String{Pos: t.pos, Value: t.text}
	case binary:
		p.take()
		return &BinaryLit{Pos: t.pos, Hex: p.hex(t)}
	case symbol:
		return p.symbolPrimary(t)
	case word:
		if x := p.keywordPrimary(t); x != nil {
			return x
		}
	}
	if p.ahead(1).is("->") && isName(t) {
		n := p.name()
		p.take()
		return &Lambda{Pos: t.pos, Params: []Name{n}, Body: p.expr()}
	}
	if p.ahead(1).is("(") && (isName(t) || t.is("LEFT") || t.is("RIGHT") || t.is("GROUPING") || t.is("NORMALIZE")) && t.kind != str {
		p.take()
		return p.call(t)
	}
	if isName(t) {
		return &Ident{Pos: t.pos, Parts: []Name{p.name()}}
	}
	p.mismatch("<expression>")
	return nil
}

func (p *parser) hex(t token) string {
	var b strings.Builder
	for _, c := range []byte(t.text) {
		if c == ' ' {
			continue
		}
		if _, ok := hex4("000" + string(rune(c))); !ok {
			p.fail(t.pos, "Binary literal can only contain hexadecimal digits")
		}
		b.WriteByte(c)
	}
	if b.Len()%2 != 0 {
		p.fail(t.pos, "Binary literal must contain an even number of digits")
	}
	return b.String()
}

func (p *parser) symbolPrimary(t token) Expr {
	switch {
	case p.accept("?"):
		p.params++
		return &Param{Pos: t.pos, N: p.params - 1}
	case p.at("("):
		return p.paren(t)
	}
	p.mismatch("<expression>")
	return nil
}

// paren reads (query), (x), (a, b) or the parameters of a lambda.
func (p *parser) paren(t token) Expr {
	if l := p.lambdaParams(); l != nil {
		return &Lambda{Pos: t.pos, Params: *l, Body: p.expr()}
	}
	p.expect("(")
	if p.queryAhead() {
		q := p.query()
		p.expect(")")
		return &Scalar{Pos: t.pos, Query: q}
	}
	xs := p.exprs()
	p.expect(")")
	if len(xs) == 1 {
		return xs[0]
	}
	return &Row{Pos: t.pos, Elems: xs}
}

// lambdaParams reads "(a, b) ->" or nothing.
func (p *parser) lambdaParams() *[]Name {
	n := 1
	for isName(p.ahead(n)) {
		n++
		if !p.ahead(n).is(",") {
			break
		}
		n++
	}
	if !p.ahead(n).is(")") || !p.ahead(n+1).is("->") {
		return nil
	}
	var names []Name
	p.expect("(")
	for !p.at(")") {
		names = append(names, p.name())
		p.accept(",")
	}
	p.expect(")", "->")
	return &names
}

// keywordPrimary reads what begins with a keyword, or nothing.
func (p *parser) keywordPrimary(t token) Expr {
	next := p.ahead(1)
	switch t.upper {
	case "NULL":
		p.take()
		return &Null{Pos: t.pos}
	case "TRUE", "FALSE":
		p.take()
		return &Bool{Pos: t.pos, Value: t.upper == "TRUE"}
	case "CASE":
		return p.caseExpr()
	case "CAST", "TRY_CAST":
		if next.is("(") {
			return p.cast()
		}
	case "EXISTS":
		p.expect("EXISTS", "(")
		q := p.query()
		p.expect(")")
		return &Exists{Pos: t.pos, Query: q}
	case "ARRAY":
		if next.is("[") {
			return p.array()
		}
	case "ROW":
		if next.is("(") {
			p.expect("ROW", "(")
			r := &Row{Pos: t.pos, Elems: p.exprs()}
			p.expect(")")
			return r
		}
	case "INTERVAL":
		if next.kind == str || next.is("-") || next.is("+") {
			return p.interval()
		}
	case "DATE", "TIMESTAMP", "TIME", "DECIMAL", "CHAR", "VARCHAR", "JSON", "DOUBLE", "BIGINT", "REAL":
		if next.kind == str {
			p.take()
			return &Typed{Pos: t.pos, Type: strings.ToLower(t.text), Value: p.take().text}
		}
	}
	return p.specialCall(t, next)
}

// specialCall reads functions whose arguments are not a plain list, or nothing.
func (p *parser) specialCall(t, next token) Expr {
	switch t.upper {
	case "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "LOCALTIME", "LOCALTIMESTAMP", "CURRENT_USER", "CURRENT_CATALOG", "CURRENT_SCHEMA":
		p.take()
		if p.accept("(") {
			p.integer()
			p.expect(")")
		}
		return &Call{Pos: t.pos, Name: strings.ToLower(t.text)}
	}
	if !next.is("(") {
		return nil
	}
	switch t.upper {
	case "EXTRACT":
		return p.extract()
	case "SUBSTRING":
		return p.substring()
	case "TRIM":
		return p.trim()
	case "POSITION":
		return p.position()
	case "JSON_VALUE", "JSON_QUERY", "JSON_EXISTS", "JSON_OBJECT", "JSON_ARRAY", "JSON_TABLE", "NORMALIZE":
		p.unsupported(t.pos, t.upper)
	}
	return nil
}

func (p *parser) caseExpr() Expr {
	c := &Case{Pos: p.expect("CASE").pos}
	if !p.at("WHEN") {
		c.Operand = p.expr()
	}
	for p.accept("WHEN") {
		w := When{Cond: p.expr()}
		p.expect("THEN")
		w.Result = p.expr()
		c.Whens = append(c.Whens, w)
	}
	if len(c.Whens) == 0 {
		p.mismatch("'WHEN'")
	}
	if p.accept("ELSE") {
		c.Else = p.expr()
	}
	p.expect("END")
	return c
}

func (p *parser) cast() Expr {
	t := p.take()
	p.expect("(")
	c := &Cast{Pos: t.pos, Try: t.upper == "TRY_CAST", X: p.expr()}
	p.expect("AS")
	c.Type = p.parseType()
	p.expect(")")
	return c
}

func (p *parser) array() Expr {
	a := &Array{Pos: p.expect("ARRAY", "[").pos}
	if !p.at("]") {
		a.Elems = p.exprs()
	}
	p.expect("]")
	return a
}

func (p *parser) interval() Expr {
	iv := &Interval{Pos: p.expect("INTERVAL").pos}
	iv.Negative = p.accept("-")
	if !iv.Negative {
		p.accept("+")
	}
	iv.Value = p.text()
	iv.From = p.intervalField()
	if p.accept("TO") {
		iv.To = p.intervalField()
	}
	return iv
}

func (p *parser) intervalField() string {
	t := p.cur()
	switch t.upper {
	case "YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND":
		p.take()
		return t.upper
	}
	p.mismatch("'DAY'", "'HOUR'", "'MINUTE'", "'MONTH'", "'SECOND'", "'YEAR'")
	return ""
}

func (p *parser) extract() Expr {
	e := &Extract{Pos: p.expect("EXTRACT", "(").pos}
	e.Field = strings.ToLower(p.anyName().Text)
	p.expect("FROM")
	e.X = p.expr()
	p.expect(")")
	return e
}

// substring reads both SUBSTRING(x, a, b) and SUBSTRING(x FROM a FOR b).
func (p *parser) substring() Expr {
	c := &Call{Pos: p.expect("SUBSTRING", "(").pos, Name: "substr", Args: p.exprs()}
	if p.accept("FROM") {
		c.Args = append(c.Args, p.expr())
		if p.accept("FOR") {
			c.Args = append(c.Args, p.expr())
		}
	}
	p.expect(")")
	return c
}

func (p *parser) trim() Expr {
	c := &Call{Pos: p.expect("TRIM", "(").pos, Name: "trim"}
	switch {
	case p.accept("LEADING"):
		c.Name = "ltrim"
	case p.accept("TRAILING"):
		c.Name = "rtrim"
	default:
		p.accept("BOTH")
	}
	if p.accept("FROM") {
		c.Args = []Expr{p.expr()}
	} else {
		c.Args = p.exprs()
		if len(c.Args) == 1 && p.accept("FROM") {
			c.Args = []Expr{p.expr(), c.Args[0]}
		}
	}
	p.expect(")")
	return c
}

func (p *parser) position() Expr {
	c := &Call{Pos: p.expect("POSITION", "(").pos, Name: "strpos"}
	needle := p.additive()
	p.expect("IN")
	c.Args = []Expr{p.additive(), needle}
	p.expect(")")
	return c
}

// call reads a function's arguments and what may follow them.
func (p *parser) call(name token) Expr {
	c := &Call{Pos: name.pos, Name: strings.ToLower(name.text)}
	p.expect("(")
	switch {
	case p.accept("*"):
		c.Star = true
	case !p.at(")"):
		c.Distinct = p.accept("DISTINCT")
		if !c.Distinct {
			p.accept("ALL")
		}
		c.Args = p.exprs()
		c.OrderBy = p.orderBy()
		p.overflow(c)
	}
	c.IgnoreNulls = p.nulls()
	p.expect(")")
	p.afterCall(c)
	return c
}

func (p *parser) overflow(c *Call) {
	if p.at("ON", "OVERFLOW") {
		p.unsupported(p.cur().pos, "ON OVERFLOW of "+c.Name)
	}
}

func (p *parser) nulls() bool {
	if p.accept("RESPECT", "NULLS") {
		return false
	}
	return p.accept("IGNORE", "NULLS")
}

func (p *parser) afterCall(c *Call) {
	if p.accept("WITHIN", "GROUP") {
		p.expect("(")
		c.OrderBy = p.orderBy()
		p.expect(")")
	}
	if p.accept("FILTER") {
		p.expect("(", "WHERE")
		c.Filter = p.expr()
		p.expect(")")
	}
	if p.nulls() {
		c.IgnoreNulls = true
	}
	if p.accept("OVER") {
		c.Over = p.window()
	}
}

func (p *parser) window() *Window {
	w := &Window{Pos: p.cur().pos}
	if !p.at("(") {
		n := p.name()
		w.Base = &n
		return w
	}
	p.expect("(")
	if isName(p.cur()) && !p.at("PARTITION", "BY") && !p.frameAhead() {
		n := p.name()
		w.Base = &n
	}
	if p.accept("PARTITION", "BY") {
		w.Partition = p.exprs()
	}
	w.OrderBy = p.orderBy()
	if p.frameAhead() {
		w.Frame = p.frame()
	}
	p.expect(")")
	return w
}

func (p *parser) frameAhead() bool { return p.at("ROWS") || p.at("RANGE") || p.at("GROUPS") }

func (p *parser) frame() *Frame {
	f := &Frame{Mode: p.take().upper}
	if p.accept("BETWEEN") {
		f.Start = p.bound()
		p.expect("AND")
		f.End = p.bound()
	} else {
		f.Start = p.bound()
	}
	return f
}

func (p *parser) bound() *Bound {
	switch {
	case p.accept("UNBOUNDED", "PRECEDING"):
		return &Bound{Kind: "UNBOUNDED PRECEDING"}
	case p.accept("UNBOUNDED", "FOLLOWING"):
		return &Bound{Kind: "UNBOUNDED FOLLOWING"}
	case p.accept("CURRENT", "ROW"):
		return &Bound{Kind: "CURRENT ROW"}
	}
	b := &Bound{X: p.expr(), Kind: "PRECEDING"}
	if !p.accept("PRECEDING") {
		p.expect("FOLLOWING")
		b.Kind = "FOLLOWING"
	}
	return b
}
