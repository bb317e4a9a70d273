package sql

// Name is an identifier as written, without its quotes.
type Name struct {
	Text   string
	Quoted bool
	Pos    Pos
}

// Expr is an expression of a query.
type Expr interface{ At() Pos }

// At makes Pos usable as the place of every node that embeds it.
func (p Pos) At() Pos { return p }

type (
	// Ident is a column, dotted or not: a, t.a, db.t.a.
	Ident struct {
		Pos
		Parts []Name
	}
	// Field is the member of a row: expression.name.
	Field struct {
		Pos
		X    Expr
		Name Name
	}
	// Number is a literal as written; Kind is "integer", "decimal" or "double".
	Number struct {
		Pos
		Text, Kind string
	}
	// String is a character literal.
	String struct {
		Pos
		Value string
	}
	// Binary is X'..', its digits as written.
	BinaryLit struct {
		Pos
		Hex string
	}
	// Bool is TRUE or FALSE.
	Bool struct {
		Pos
		Value bool
	}
	// Null is NULL.
	Null struct{ Pos }
	// Typed is a literal with its type in front: DATE '2025-01-01'.
	Typed struct {
		Pos
		Type, Value string
	}
	// Interval is INTERVAL '3' DAY, or '1-2' YEAR TO MONTH.
	Interval struct {
		Pos
		Negative        bool
		Value, From, To string
	}
	// Param is the n-th question mark, from 0.
	Param struct {
		Pos
		N int
	}
	// Unary is -x, +x or NOT x.
	Unary struct {
		Pos
		Op string
		X  Expr
	}
	// Infix is an operator between two expressions; its place is the operator's.
	Infix struct {
		Pos
		Op   string
		L, R Expr
	}
	// Between is x [NOT] BETWEEN lo AND hi.
	Between struct {
		Pos
		X, Lo, Hi Expr
		Not       bool
	}
	// In is x [NOT] IN (list) or (query); one of List and Query is set.
	In struct {
		Pos
		X     Expr
		List  []Expr
		Query *Query
		Not   bool
	}
	// Like is x [NOT] LIKE pattern [ESCAPE escape].
	Like struct {
		Pos
		X, Pattern, Escape Expr
		Not                bool
	}
	// IsNull is x IS [NOT] NULL.
	IsNull struct {
		Pos
		X   Expr
		Not bool
	}
	// IsDistinct is l IS [NOT] DISTINCT FROM r.
	IsDistinct struct {
		Pos
		L, R Expr
		Not  bool
	}
	// Exists is EXISTS (query).
	Exists struct {
		Pos
		Query *Query
	}
	// Quantified is l op ALL (query) or ANY.
	Quantified struct {
		Pos
		Op  string
		L   Expr
		All bool
		Q   *Query
	}
	// Scalar is a query used as a value.
	Scalar struct {
		Pos
		Query *Query
	}
	// Case is both forms of CASE; Operand is nil in the searched form.
	Case struct {
		Pos
		Operand Expr
		Whens   []When
		Else    Expr
	}
	// Cast is CAST(x AS type) or TRY_CAST.
	Cast struct {
		Pos
		X    Expr
		Type Type
		Try  bool
	}
	// Call is a function with all that may follow it.
	Call struct {
		Pos
		Name        string // lower case
		Args        []Expr
		Star        bool // count(*)
		Distinct    bool
		OrderBy     []Order
		Filter      Expr
		Over        *Window
		IgnoreNulls bool
	}
	// Extract is EXTRACT(field FROM x).
	Extract struct {
		Pos
		Field string
		X     Expr
	}
	// AtZone is x AT TIME ZONE zone.
	AtZone struct {
		Pos
		X, Zone Expr
	}
	// Array is ARRAY[...].
	Array struct {
		Pos
		Elems []Expr
	}
	// Row is ROW(...) or (a, b).
	Row struct {
		Pos
		Elems []Expr
	}
	// Subscript is x[i].
	Subscript struct {
		Pos
		X, I Expr
	}
	// Lambda is x -> e or (x, y) -> e.
	Lambda struct {
		Pos
		Params []Name
		Body   Expr
	}
)

// When is a branch of Case.
type When struct{ Cond, Result Expr }

// Order is an element of ORDER BY. NullsFirst is nil where it is not written.
type Order struct {
	X          Expr
	Desc       bool
	NullsFirst *bool
}

// Window is an OVER clause: the name of a window, or a specification.
type Window struct {
	Pos       Pos
	Base      *Name
	Partition []Expr
	OrderBy   []Order
	Frame     *Frame
}

// Frame is a window's frame; End is nil without BETWEEN.
type Frame struct {
	Mode       string // ROWS, RANGE, GROUPS
	Start, End *Bound
}

// Bound is an end of a frame: Kind is UNBOUNDED PRECEDING, PRECEDING, CURRENT ROW, FOLLOWING or UNBOUNDED FOLLOWING.
type Bound struct {
	Kind string
	X    Expr
}

// Query is a query with its WITH, ORDER BY, OFFSET and LIMIT.
type Query struct {
	Pos       Pos
	Recursive bool
	With      []CTE
	Body      Body
	OrderBy   []Order
	Offset    Expr
	Limit     Expr // nil for LIMIT ALL too
}

// CTE is a named query of WITH.
type CTE struct {
	Name    Name
	Columns []Name
	Query   *Query
}

// Body is the part of a query before ORDER BY: *Select, *SetOp, *Values, *TableBody or *Paren.
type Body interface{ At() Pos }

type (
	// SetOp is UNION, INTERSECT or EXCEPT.
	SetOp struct {
		Pos
		Op   string
		All  bool
		L, R Body
	}
	// Values is VALUES row, row.
	Values struct {
		Pos
		Rows []Expr
	}
	// TableBody is TABLE name.
	TableBody struct {
		Pos
		Table *Table
	}
	// Paren is a query in parentheses.
	Paren struct {
		Pos
		Query *Query
	}
	// Select is SELECT ... FROM ...
	Select struct {
		Pos
		Distinct bool
		Items    []Item
		From     []Relation
		Where    Expr
		GroupBy  []Group
		Having   Expr
		Windows  []NamedWindow
	}
)

// Item is an element of a select list: an expression, or a star with an optional qualifier.
type Item struct {
	Pos   Pos
	X     Expr
	Alias *Name
	Star  bool
	Of    []Name
}

// Group is an element of GROUP BY: Kind is "", ROLLUP, CUBE or GROUPING SETS.
type Group struct {
	Kind string
	Sets [][]Expr
}

// NamedWindow is an element of the WINDOW clause.
type NamedWindow struct {
	Name   Name
	Window *Window
}

// Relation is what FROM reads.
type Relation interface{ At() Pos }

type (
	// Table is a table or view by name.
	Table struct {
		Pos
		Parts []Name
		As
		Sample string // BERNOULLI or SYSTEM
		Pct    Expr
	}
	// Derived is a query in FROM.
	Derived struct {
		Pos
		Query   *Query
		Lateral bool
		As
	}
	// Unnest is UNNEST(...).
	Unnest struct {
		Pos
		Exprs      []Expr
		Ordinality bool
		As
	}
	// Join is a join; Kind is INNER, LEFT, RIGHT, FULL, CROSS.
	Join struct {
		Pos
		Kind    string
		Natural bool
		L, R    Relation
		On      Expr
		Using   []Name
	}
)

// As is a relation's alias with names for its columns.
type As struct {
	Alias   *Name
	Columns []Name
}

// Type is a type's name in lower case with its arguments: numbers in Params, types in Args, field names in Fields.
type Type struct {
	Pos    Pos
	Name   string
	Params []int
	Args   []Type
	Fields []Name
}
