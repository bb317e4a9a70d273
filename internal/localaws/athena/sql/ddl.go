package sql

import "strings"

// statement reads one statement. A kind that Athena does not have, or that is not offered here, is refused by name.
func (p *parser) statement() Statement {
	t := p.cur()
	switch t.upper {
	case "SELECT", "WITH", "VALUES", "TABLE":
		return p.queryStatement()
	case "EXPLAIN":
		return p.explain()
	case "CREATE":
		return p.create()
	case "INSERT":
		return p.insert()
	case "DROP":
		return p.drop()
	case "SHOW":
		return p.show()
	case "DESCRIBE", "DESC":
		return p.describe()
	case "MSCK":
		p.expect("MSCK", "REPAIR", "TABLE")
		return &Repair{Name: p.qualified()}
	case "ALTER":
		return p.alter()
	case "PREPARE":
		return p.prepare()
	case "EXECUTE":
		return p.execute()
	case "DEALLOCATE":
		p.expect("DEALLOCATE", "PREPARE")
		return &Deallocate{Name: p.name().Text}
	case "UPDATE", "DELETE", "MERGE", "OPTIMIZE", "VACUUM":
		p.unsupported(t.pos, t.upper+" (it needs Iceberg tables)")
	case "UNLOAD":
		p.unsupported(t.pos, t.upper)
	}
	if p.at("(") {
		return p.queryStatement()
	}
	p.mismatch("'ALTER'", "'CREATE'", "'DEALLOCATE'", "'DESCRIBE'", "'DROP'", "'EXECUTE'", "'EXPLAIN'", "'INSERT'", "'MSCK'", "'PREPARE'", "'SHOW'", "<query>")
	return nil
}

func (p *parser) queryStatement() Statement {
	start := p.cur()
	q := p.query()
	return &QueryStatement{Query: q, Text: p.textFrom(start)}
}

// textFrom returns the statement's text from a token to the last one taken.
func (p *parser) textFrom(start token) string { return p.src[start.off:p.toks[p.i-1].end] }

func (p *parser) explain() Statement {
	defer p.enter()()
	p.expect("EXPLAIN")
	e := &Explain{Analyze: p.accept("ANALYZE")}
	if p.at("(") && !p.ahead(1).is("SELECT") && !p.ahead(1).is("(") {
		p.unsupported(p.cur().pos, "an option of EXPLAIN")
	}
	e.Statement = p.statement()
	if _, ok := e.Statement.(*QueryStatement); !ok {
		p.unsupported(p.toks[0].pos, "EXPLAIN of anything but a query")
	}
	return e
}

func (p *parser) ifNotExists() bool { return p.accept("IF", "NOT", "EXISTS") }

func (p *parser) create() Statement {
	p.expect("CREATE")
	switch {
	case p.accept("EXTERNAL", "TABLE"):
		return p.createExternal()
	case p.accept("DATABASE"), p.accept("SCHEMA"):
		return p.createDatabase()
	case p.accept("OR", "REPLACE", "VIEW"):
		return p.createView(true)
	case p.accept("VIEW"):
		return p.createView(false)
	case p.accept("TABLE"):
		return p.createAs()
	case p.at("FUNCTION"), p.at("TEMPORARY"), p.at("PROTECTED"):
		p.unsupported(p.cur().pos, "CREATE "+p.cur().upper)
	}
	p.mismatch("'DATABASE'", "'EXTERNAL'", "'OR'", "'SCHEMA'", "'TABLE'", "'VIEW'")
	return nil
}

func (p *parser) createDatabase() Statement {
	c := &CreateDatabase{IfNotExists: p.ifNotExists(), Name: strings.ToLower(p.name().Text)}
	for {
		switch {
		case p.accept("COMMENT"):
			c.Comment = p.text()
		case p.accept("LOCATION"):
			c.Location = p.text()
		case p.accept("WITH", "DBPROPERTIES"):
			c.Properties = p.properties()
		default:
			return c
		}
	}
}

func (p *parser) createView(replace bool) Statement {
	v := &CreateView{Replace: replace, Name: p.qualified()}
	if p.at("(") {
		p.unsupported(p.cur().pos, "a list of columns in CREATE VIEW")
	}
	p.expect("AS")
	start := p.cur()
	v.Query = p.query()
	v.Text = p.textFrom(start)
	return v
}

func (p *parser) createAs() Statement {
	c := &CreateAs{IfNotExists: p.ifNotExists(), Name: p.qualified(), WithData: true}
	if p.at("(") || p.at("LIKE") {
		p.fail(p.cur().pos, "mismatched input '%s'. Expecting: 'AS', 'WITH': a table from a list of columns is made by CREATE EXTERNAL TABLE", p.cur().name())
	}
	if p.accept("WITH") {
		p.expect("(")
		for {
			c.With = append(c.With, p.tableProperty())
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	p.expect("AS")
	c.Query = p.query()
	if p.accept("WITH") {
		c.WithData = !p.accept("NO")
		p.expect("DATA")
	}
	return c
}

func (p *parser) tableProperty() TableProperty {
	n := p.anyName()
	t := TableProperty{Key: strings.ToLower(n.Text), Pos: n.Pos}
	p.expect("=")
	if !p.accept("ARRAY") {
		t.Value = p.scalarText()
		return t
	}
	p.expect("[")
	t.List = []string{}
	for !p.accept("]") {
		t.List = append(t.List, p.scalarText())
		if !p.accept(",") && !p.at("]") {
			p.mismatch("','", "']'")
		}
	}
	return t
}

// scalarText reads a string, a number, or true and false, as text.
func (p *parser) scalarText() string {
	t := p.cur()
	switch {
	case t.kind == str, t.kind == integer, t.kind == decimal, t.is("TRUE"), t.is("FALSE"):
		p.take()
		return t.text
	}
	p.mismatch("<string>", "<number>", "'true'", "'false'")
	return ""
}

func (p *parser) createExternal() Statement {
	c := &CreateExternal{IfNotExists: p.ifNotExists(), Name: p.qualified()}
	if p.accept("(") {
		c.Columns = p.columns()
	}
	for p.createClause(c) {
	}
	if c.Location == "" {
		p.fail(p.cur().pos, "No location specified for table: write LOCATION 's3://bucket/prefix/'")
	}
	return c
}

// createClause reads one clause after the columns, or nothing.
func (p *parser) createClause(c *CreateExternal) bool {
	switch t := p.cur(); {
	case p.accept("COMMENT"):
		c.Comment = p.text()
	case p.accept("PARTITIONED", "BY"):
		p.expect("(")
		c.Partitioned = p.columns()
	case p.accept("ROW", "FORMAT"):
		p.rowFormat(&c.Format)
	case p.accept("STORED", "AS"):
		p.storedAs(&c.Format)
	case p.accept("WITH", "SERDEPROPERTIES"):
		c.Format.SerDeProperties = p.properties()
	case p.accept("LOCATION"):
		c.Location = p.text()
	case p.accept("TBLPROPERTIES"):
		c.Properties = p.properties()
	case p.at("CLUSTERED"), p.at("SKEWED"), p.at("STORED", "BY"):
		p.unsupported(t.pos, t.upper)
	default:
		return false
	}
	return true
}

// columns reads "name type [COMMENT 'x'], ...)".
func (p *parser) columns() []Column {
	var out []Column
	seen := map[string]bool{}
	for {
		n := p.anyName()
		c := Column{Name: strings.ToLower(n.Text), Pos: n.Pos}
		if seen[c.Name] {
			p.fail(n.Pos, "Duplicate column name: %s", c.Name)
		}
		seen[c.Name] = true
		p.accept(":")
		c.Type = p.parseType().Hive()
		if p.accept("COMMENT") {
			c.Comment = p.text()
		}
		out = append(out, c)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return out
}

func (p *parser) rowFormat(f *Format) {
	if p.accept("SERDE") {
		f.SerDe = p.text()
		return
	}
	p.expect("DELIMITED")
	f.Delimited = true
	for {
		switch {
		case p.accept("FIELDS", "TERMINATED", "BY"):
			f.Fields = p.text()
			if p.accept("ESCAPED", "BY") {
				f.Escape = p.text()
			}
		case p.accept("ESCAPED", "BY"):
			f.Escape = p.text()
		case p.accept("COLLECTION", "ITEMS", "TERMINATED", "BY"):
			f.Collection = p.text()
		case p.accept("MAP", "KEYS", "TERMINATED", "BY"):
			f.MapKeys = p.text()
		case p.accept("LINES", "TERMINATED", "BY"):
			f.Lines = p.text()
		case p.accept("NULL", "DEFINED", "AS"):
			f.NullAs, f.HasNull = p.text(), true
		default:
			return
		}
	}
}

func (p *parser) storedAs(f *Format) {
	if p.accept("INPUTFORMAT") {
		f.Input = p.text()
		p.expect("OUTPUTFORMAT")
		f.Output = p.text()
		return
	}
	f.StoredAs = strings.ToUpper(p.anyName().Text)
}

func (p *parser) properties() []Property {
	var out []Property
	p.expect("(")
	for {
		key := p.text()
		p.expect("=")
		out = append(out, Property{Key: key, Value: p.propertyValue()})
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return out
}

func (p *parser) propertyValue() string {
	if p.cur().kind == quoted {
		return p.text()
	}
	return p.scalarText()
}

func (p *parser) insert() Statement {
	p.expect("INSERT", "INTO")
	in := &Insert{Name: p.qualified()}
	if p.at("(") && !p.ahead(1).is("SELECT") && !p.ahead(1).is("WITH") && !p.ahead(1).is("VALUES") && !p.ahead(1).is("(") {
		in.Columns = p.names()
	}
	in.Query = p.query()
	return in
}

func (p *parser) drop() Statement {
	p.expect("DROP")
	d := &Drop{}
	switch t := p.cur(); {
	case p.accept("TABLE"), p.accept("VIEW"):
		d.What = t.upper
	case p.accept("DATABASE"), p.accept("SCHEMA"):
		d.What = "DATABASE"
	default:
		p.mismatch("'DATABASE'", "'SCHEMA'", "'TABLE'", "'VIEW'")
	}
	d.IfExists = p.accept("IF", "EXISTS")
	d.Name = p.qualified()
	if d.What == "DATABASE" {
		d.Cascade = p.accept("CASCADE")
		if !d.Cascade {
			p.accept("RESTRICT")
		}
	}
	return d
}

func (p *parser) show() Statement {
	p.expect("SHOW")
	switch {
	case p.accept("DATABASES"), p.accept("SCHEMAS"):
		return &Show{What: "DATABASES", Pattern: p.like()}
	case p.at("TABLES"), p.at("VIEWS"):
		s := &Show{What: p.take().upper}
		if p.accept("IN") || p.accept("FROM") {
			s.Name = QualifiedName{Pos: p.cur().pos, Database: strings.ToLower(p.name().Text)}
		}
		s.Pattern = p.like()
		return s
	case p.accept("PARTITIONS"):
		return &Show{What: "PARTITIONS", Name: p.qualified()}
	case p.accept("COLUMNS"):
		return p.showColumns()
	case p.accept("CREATE", "TABLE"):
		return &Show{What: "CREATE TABLE", Name: p.qualified()}
	case p.accept("CREATE", "VIEW"):
		return &Show{What: "CREATE VIEW", Name: p.qualified()}
	case p.accept("TBLPROPERTIES"):
		s := &Show{What: "TBLPROPERTIES", Name: p.qualified()}
		if p.accept("(") {
			s.Key = p.text()
			p.expect(")")
		}
		return s
	}
	p.mismatch("'COLUMNS'", "'CREATE'", "'DATABASES'", "'PARTITIONS'", "'SCHEMAS'", "'TABLES'", "'TBLPROPERTIES'", "'VIEWS'")
	return nil
}

func (p *parser) like() string {
	p.accept("LIKE")
	if k := p.cur().kind; k == str || k == quoted {
		return p.text()
	}
	return ""
}

func (p *parser) showColumns() Statement {
	if !p.accept("IN") {
		p.expect("FROM")
	}
	s := &Show{What: "COLUMNS", Name: p.qualified()}
	if s.Name.Database == "" && (p.accept("IN") || p.accept("FROM")) {
		s.Name.Database = strings.ToLower(p.name().Text)
	}
	return s
}

func (p *parser) describe() Statement {
	p.take()
	d := &Describe{}
	if (p.at("EXTENDED") || p.at("FORMATTED")) && isName(p.ahead(1)) {
		d.Mode = p.take().upper
	}
	d.Name = p.qualified()
	if p.accept("PARTITION") {
		d.Partition = p.partitionValues()
	}
	if isName(p.cur()) {
		d.Column = strings.ToLower(p.name().Text)
	}
	return d
}

func (p *parser) alter() Statement {
	p.expect("ALTER", "TABLE")
	name := p.qualified()
	switch t := p.cur(); {
	case p.accept("ADD", "COLUMNS"):
		p.expect("(")
		return &AddColumns{Name: name, Columns: p.columns()}
	case p.accept("ADD"):
		a := &AddPartitions{Name: name, IfNotExists: p.ifNotExists()}
		for {
			a.Partitions = append(a.Partitions, p.partition(true))
			p.accept(",")
			if !p.at("PARTITION") {
				return a
			}
		}
	case p.accept("DROP"):
		d := &DropPartitions{Name: name, IfExists: p.accept("IF", "EXISTS")}
		for {
			d.Partitions = append(d.Partitions, p.partition(false))
			if !p.accept(",") {
				return d
			}
		}
	case p.accept("SET", "TBLPROPERTIES"):
		return &SetProperties{Name: name, Properties: p.properties()}
	default:
		p.unsupported(t.pos, "ALTER TABLE "+strings.TrimSpace(t.upper+" "+p.ahead(1).upper))
	}
	return nil
}

func (p *parser) partition(location bool) Partition {
	p.expect("PARTITION")
	out := Partition{Values: p.partitionValues()}
	if location && p.accept("LOCATION") {
		out.Location = p.text()
	}
	return out
}

func (p *parser) partitionValues() []Property {
	var out []Property
	p.expect("(")
	for {
		n := p.anyName()
		p.expect("=")
		out = append(out, Property{Key: strings.ToLower(n.Text), Value: p.propertyValue()})
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return out
}

func (p *parser) prepare() Statement {
	defer p.enter()()
	p.expect("PREPARE")
	s := &Prepare{Name: p.name().Text}
	p.expect("FROM")
	start := p.cur()
	s.Statement = p.statement()
	switch s.Statement.(type) {
	case *Prepare, *Execute, *Deallocate:
		p.unsupported(start.pos, "PREPARE of a statement about prepared statements")
	}
	s.Text = p.textFrom(start)
	return s
}

func (p *parser) execute() Statement {
	p.expect("EXECUTE")
	e := &Execute{Name: p.name().Text}
	if p.accept("USING") {
		e.Args = p.exprs()
	}
	return e
}
