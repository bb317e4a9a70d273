package sql

// query reads a query with all its clauses.
func (p *parser) query() *Query {
	defer p.enter()()
	q := &Query{Pos: p.cur().pos}
	if p.accept("WITH") {
		q.Recursive = p.accept("RECURSIVE")
		for {
			q.With = append(q.With, p.cte())
			if !p.accept(",") {
				break
			}
		}
	}
	q.Body = p.setOps(0)
	q.OrderBy = p.orderBy()
	p.limits(q)
	return q
}

func (p *parser) cte() CTE {
	c := CTE{Name: p.name()}
	if p.at("(") {
		c.Columns = p.names()
	}
	p.expect("AS", "(")
	c.Query = p.query()
	p.expect(")")
	return c
}

func (p *parser) limits(q *Query) {
	if p.accept("OFFSET") {
		q.Offset = p.rowCount()
		_ = p.accept("ROWS") || p.accept("ROW")
	}
	switch {
	case p.accept("LIMIT"):
		if !p.accept("ALL") {
			q.Limit = p.rowCount()
		}
	case p.accept("FETCH"):
		if !p.accept("FIRST") {
			p.expect("NEXT")
		}
		q.Limit = Expr(&Number{Pos: p.cur().pos, Text: "1", Kind: "integer"})
		if !p.at("ROW") && !p.at("ROWS") {
			q.Limit = p.rowCount()
		}
		if !p.accept("ROWS") {
			p.expect("ROW")
		}
		p.expect("ONLY")
	}
	if p.at("OFFSET") {
		p.mismatch("<EOF>") // Trino takes OFFSET only in front of LIMIT
	}
}

func (p *parser) rowCount() Expr {
	t := p.cur()
	if p.accept("?") {
		p.params++
		return &Param{Pos: t.pos, N: p.params - 1}
	}
	if t.kind != integer {
		p.mismatch("<integer>", "'?'", "'ALL'")
	}
	p.take()
	return &Number{Pos: t.pos, Text: t.text, Kind: "integer"}
}

// setOps reads a body; INTERSECT binds tighter than UNION and EXCEPT.
func (p *parser) setOps(level int) Body {
	var left Body
	if level == 0 {
		left = p.setOps(1)
	} else {
		left = p.primaryBody()
	}
	for level == 0 && (p.at("UNION") || p.at("EXCEPT")) || level == 1 && p.at("INTERSECT") {
		t := p.take()
		op := &SetOp{Pos: t.pos, Op: t.upper, L: left}
		op.All = p.accept("ALL")
		if !op.All {
			p.accept("DISTINCT")
		}
		if level == 0 {
			op.R = p.setOps(1)
		} else {
			op.R = p.primaryBody()
		}
		left = op
	}
	return left
}

func (p *parser) primaryBody() Body {
	defer p.enter()()
	t := p.cur()
	switch {
	case p.at("SELECT"):
		return p.selectBody()
	case p.accept("VALUES"):
		v := &Values{Pos: t.pos}
		for {
			v.Rows = append(v.Rows, p.expr())
			if !p.accept(",") {
				return v
			}
		}
	case p.accept("TABLE"):
		return &TableBody{Pos: t.pos, Table: p.tableName()}
	case p.accept("("):
		q := p.query()
		p.expect(")")
		return &Paren{Pos: t.pos, Query: q}
	}
	p.mismatch("'('", "'SELECT'", "'TABLE'", "'VALUES'", "'WITH'")
	return nil
}

func (p *parser) selectBody() *Select {
	s := &Select{Pos: p.expect("SELECT").pos}
	s.Distinct = p.accept("DISTINCT")
	if !s.Distinct {
		p.accept("ALL")
	}
	for {
		s.Items = append(s.Items, p.item())
		if !p.accept(",") {
			break
		}
	}
	if p.accept("FROM") {
		for {
			s.From = append(s.From, p.relation())
			if !p.accept(",") {
				break
			}
		}
	}
	if p.accept("WHERE") {
		s.Where = p.expr()
	}
	if p.accept("GROUP", "BY") {
		p.groupBy(s)
	}
	if p.accept("HAVING") {
		s.Having = p.expr()
	}
	if p.accept("WINDOW") {
		for {
			w := NamedWindow{Name: p.name()}
			p.expect("AS")
			w.Window = p.window()
			s.Windows = append(s.Windows, w)
			if !p.accept(",") {
				break
			}
		}
	}
	return s
}

func (p *parser) item() Item {
	it := Item{Pos: p.cur().pos}
	if p.accept("*") {
		it.Star = true
		return it
	}
	if of, ok := p.qualifiedStar(); ok {
		it.Star, it.Of = true, of
		return it
	}
	it.X = p.expr()
	if p.accept("AS") {
		n := p.name()
		it.Alias = &n
	} else if isName(p.cur()) && !p.clauseAhead() {
		n := p.name()
		it.Alias = &n
	}
	return it
}

// clauseAhead reports whether the next word begins a clause although it is not reserved.
func (p *parser) clauseAhead() bool {
	switch {
	case p.at("LIMIT"), p.at("OFFSET"), p.at("FETCH"):
		return p.ahead(1).kind == integer || p.ahead(1).is("ALL") || p.ahead(1).is("?") || p.ahead(1).is("FIRST") || p.ahead(1).is("NEXT")
	case p.at("WINDOW"):
		return isName(p.ahead(1)) && p.ahead(2).is("AS")
	case p.at("TABLESAMPLE"), p.at("MATCH_RECOGNIZE"):
		return true
	}
	return false
}

// qualifiedStar reads t.* or db.t.*, or nothing.
func (p *parser) qualifiedStar() ([]Name, bool) {
	n := 0
	for isName(p.ahead(n)) && p.ahead(n+1).is(".") {
		n += 2
	}
	if n == 0 || !p.ahead(n).is("*") {
		return nil, false
	}
	var of []Name
	for !p.at("*") {
		of = append(of, p.name())
		p.expect(".")
	}
	p.take()
	return of, true
}

func (p *parser) groupBy(s *Select) {
	if p.at("DISTINCT") {
		p.unsupported(p.cur().pos, "GROUP BY DISTINCT")
	}
	p.accept("ALL")
	for {
		s.GroupBy = append(s.GroupBy, p.group())
		if !p.accept(",") {
			return
		}
	}
}

func (p *parser) group() Group {
	switch {
	case p.accept("ROLLUP"):
		return Group{Kind: "ROLLUP", Sets: p.groupSets()}
	case p.accept("CUBE"):
		return Group{Kind: "CUBE", Sets: p.groupSets()}
	case p.at("GROUPING", "SETS"):
		p.take()
		p.take()
		return Group{Kind: "GROUPING SETS", Sets: p.groupSets()}
	case p.accept("(", ")"):
		return Group{Kind: "GROUPING SETS", Sets: [][]Expr{nil}}
	}
	x := p.expr()
	if r, ok := x.(*Row); ok {
		return Group{Sets: [][]Expr{r.Elems}}
	}
	return Group{Sets: [][]Expr{{x}}}
}

func (p *parser) groupSets() [][]Expr {
	var out [][]Expr
	p.expect("(")
	for {
		if p.accept("(", ")") {
			out = append(out, nil)
		} else if r, ok := p.exprOrRow(); ok {
			out = append(out, r)
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return out
}

func (p *parser) exprOrRow() ([]Expr, bool) {
	x := p.expr()
	if r, ok := x.(*Row); ok {
		return r.Elems, true
	}
	return []Expr{x}, true
}

func (p *parser) orderBy() []Order {
	if !p.accept("ORDER", "BY") {
		return nil
	}
	var out []Order
	for {
		o := Order{X: p.expr()}
		o.Desc = p.accept("DESC")
		if !o.Desc {
			p.accept("ASC")
		}
		if p.accept("NULLS") {
			first := p.accept("FIRST")
			if !first {
				p.expect("LAST")
			}
			o.NullsFirst = &first
		}
		out = append(out, o)
		if !p.accept(",") {
			return out
		}
	}
}

// relation reads a table expression with its joins.
func (p *parser) relation() Relation {
	defer p.enter()()
	left := p.sampled()
	for {
		t := p.cur()
		switch {
		case p.accept("CROSS", "JOIN"):
			left = &Join{Pos: t.pos, Kind: "CROSS", L: left, R: p.sampled()}
		case p.at("NATURAL"):
			p.take()
			j := &Join{Pos: t.pos, Natural: true, L: left, Kind: p.joinKind()}
			j.R = p.sampled()
			left = j
		case p.at("JOIN"), p.at("INNER"), p.at("LEFT"), p.at("RIGHT"), p.at("FULL"):
			j := &Join{Pos: t.pos, L: left, Kind: p.joinKind()}
			j.R = p.relationRight()
			p.joinCondition(j)
			left = j
		default:
			return left
		}
	}
}

// relationRight reads the right side of a join that has a condition: a JOIN b JOIN c ON .. ON .. nests to the right.
func (p *parser) relationRight() Relation {
	defer p.enter()()
	r := p.sampled()
	for !p.at("ON") && !p.at("USING") {
		t := p.cur()
		switch {
		case p.accept("CROSS", "JOIN"):
			r = &Join{Pos: t.pos, Kind: "CROSS", L: r, R: p.sampled()}
		case p.at("JOIN"), p.at("INNER"), p.at("LEFT"), p.at("RIGHT"), p.at("FULL"):
			j := &Join{Pos: t.pos, L: r, Kind: p.joinKind()}
			j.R = p.relationRight()
			p.joinCondition(j)
			r = j
		default:
			return r
		}
	}
	return r
}

func (p *parser) joinKind() string {
	kind := "INNER"
	switch t := p.cur(); {
	case p.accept("INNER"):
	case p.at("LEFT"), p.at("RIGHT"), p.at("FULL"):
		p.take()
		kind = t.upper
		p.accept("OUTER")
	}
	p.expect("JOIN")
	return kind
}

func (p *parser) joinCondition(j *Join) {
	switch {
	case p.accept("ON"):
		j.On = p.expr()
	case p.accept("USING"):
		j.Using = p.names()
	default:
		p.mismatch("'ON'", "'USING'")
	}
}

func (p *parser) sampled() Relation {
	r := p.primaryRelation()
	if p.at("MATCH_RECOGNIZE") {
		p.unsupported(p.cur().pos, "MATCH_RECOGNIZE")
	}
	if !p.accept("TABLESAMPLE") {
		return r
	}
	t, ok := r.(*Table)
	if !ok {
		p.unsupported(r.At(), "TABLESAMPLE of anything but a table")
	}
	kind := p.take()
	if kind.upper != "BERNOULLI" && kind.upper != "SYSTEM" {
		p.fail(kind.pos, "mismatched input '%s'. Expecting: 'BERNOULLI', 'SYSTEM'", kind.name())
	}
	t.Sample = kind.upper
	p.expect("(")
	t.Pct = p.expr()
	p.expect(")")
	return t
}

func (p *parser) primaryRelation() Relation {
	defer p.enter()()
	t := p.cur()
	switch {
	case p.at("LATERAL", "("):
		p.take()
		p.take()
		d := &Derived{Pos: t.pos, Lateral: true, Query: p.query()}
		p.expect(")")
		d.As = p.as()
		return d
	case p.accept("UNNEST", "("):
		return p.unnest(t)
	case p.at("TABLE", "("):
		p.unsupported(t.pos, "a table function")
	case p.at("("):
		return p.parenRelation(t)
	}
	return p.tableName()
}

func (p *parser) unnest(t token) Relation {
	u := &Unnest{Pos: t.pos, Exprs: p.exprs()}
	p.expect(")")
	if p.accept("WITH") {
		p.expect("ORDINALITY")
		u.Ordinality = true
	}
	u.As = p.as()
	return u
}

// parenRelation reads (query) or (a JOIN b ...).
func (p *parser) parenRelation(t token) Relation {
	n := 0
	for p.ahead(n).is("(") {
		n++
	}
	if w := p.ahead(n); w.is("SELECT") || w.is("WITH") || w.is("VALUES") || w.is("TABLE") {
		start := p.i
		if d, ok := p.tryDerived(t); ok {
			return d
		}
		p.i = start
	}
	p.expect("(")
	r := p.relation()
	p.expect(")")
	return r
}

// tryDerived reads (query) alias; ((select ..) a join b on ..) begins alike and is not one.
func (p *parser) tryDerived(t token) (d *Derived, ok bool) {
	depth, params := p.depth, p.params
	if p.ahead(1).is("(") {
		defer func() {
			if e, bad := recover().(*Error); bad {
				if e.Type != MalformedQuery || depth > 20 {
					panic(e)
				}
				p.depth, p.params, ok = depth, params, false
			}
		}()
	}
	p.expect("(")
	d = &Derived{Pos: t.pos, Query: p.query()}
	p.expect(")")
	d.As = p.as()
	return d, true
}

func (p *parser) tableName() *Table {
	t := &Table{Pos: p.cur().pos, Parts: []Name{p.name()}}
	for p.accept(".") {
		t.Parts = append(t.Parts, p.anyName())
	}
	if len(t.Parts) > 3 {
		p.fail(t.Pos, "Too many dots in table name")
	}
	if p.at("(") {
		p.fail(p.cur().pos, "mismatched input '('. Expecting: a table name: table functions are not supported")
	}
	if p.at("FOR") {
		p.unsupported(p.cur().pos, "time travel (FOR TIMESTAMP or VERSION AS OF)")
	}
	t.As = p.as()
	return t
}

func (p *parser) as() As {
	var a As
	if p.accept("AS") {
		n := p.name()
		a.Alias = &n
	} else if isName(p.cur()) && !p.clauseAhead() {
		n := p.name()
		a.Alias = &n
	}
	if a.Alias != nil && p.at("(") {
		a.Columns = p.names()
	}
	return a
}
