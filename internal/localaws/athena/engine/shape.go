package engine

import (
	"strconv"
	"strings"
)

// shape is a DuckDB type, read from its name: DECIMAL(10,2), STRUCT("a" INTEGER)[], MAP(VARCHAR, DOUBLE).
type shape struct {
	name   string
	args   []*shape
	fields []string
	params []int
}

// unknown is what a malformed name gives; every value prints.
var unknown = &shape{name: "VARCHAR"}

func (s *shape) arg(i int) *shape {
	if i < len(s.args) {
		return s.args[i]
	}
	return unknown
}

// parseShape reads a type's name.
func parseShape(s string) *shape {
	s = strings.TrimSpace(s)
	if strings.HasSuffix(s, "]") {
		if i := strings.LastIndexByte(s, '['); i > 0 {
			return &shape{name: "LIST", args: []*shape{parseShape(s[:i])}}
		}
	}
	name, inner, ok := strings.Cut(s, "(")
	out := &shape{name: strings.Trim(name, `"`)}
	if !ok {
		return out
	}
	for _, part := range splitTop(strings.TrimSuffix(inner, ")")) {
		switch name {
		case "STRUCT":
			field, rest := cutField(part)
			out.fields = append(out.fields, field)
			out.args = append(out.args, parseShape(rest))
		case "MAP":
			out.args = append(out.args, parseShape(part))
		default:
			n, _ := strconv.Atoi(strings.TrimSpace(part))
			out.params = append(out.params, n)
		}
	}
	return out
}

// splitTop cuts at commas outside parentheses and quotes.
func splitTop(s string) []string {
	var out []string
	depth, start, quoted := 0, 0, false
	for i, c := range []byte(s) {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			out = append(out, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	return append(out, strings.TrimSpace(s[start:]))
}

// cutField cuts "name" TYPE; the name may hold doubled quotes.
func cutField(s string) (name, rest string) {
	if !strings.HasPrefix(s, `"`) {
		name, rest, _ = strings.Cut(s, " ")
		return name, rest
	}
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			i++
			continue
		}
		return strings.ReplaceAll(s[1:i], `""`, `"`), strings.TrimSpace(s[i+1:])
	}
	return s, ""
}

// athena gives Athena's name of a type with its precision and scale, as ColumnInfo has them.
func (s *shape) athena() Column {
	switch s.name {
	case "BOOLEAN":
		return Column{Type: "boolean"}
	case "TINYINT":
		return Column{Type: "tinyint", Precision: 3}
	case "SMALLINT", "UTINYINT":
		return Column{Type: "smallint", Precision: 5}
	case "INTEGER", "USMALLINT":
		return Column{Type: "integer", Precision: 10}
	case "BIGINT", "UINTEGER", "UBIGINT", "HUGEINT":
		return Column{Type: "bigint", Precision: 19}
	case "FLOAT":
		return Column{Type: "float", Precision: 17}
	case "DOUBLE":
		return Column{Type: "double", Precision: 17}
	case "DECIMAL":
		c := Column{Type: "decimal"}
		if len(s.params) == 2 {
			c.Precision, c.Scale = s.params[0], s.params[1]
		}
		return c
	case "BLOB":
		return Column{Type: "varbinary", Precision: 1073741824}
	case "LIST":
		return Column{Type: "array"}
	case "STRUCT":
		return Column{Type: "row"}
	}
	return s.athenaMore()
}

func (s *shape) athenaMore() Column {
	switch {
	case s.name == "DATE", s.name == "MAP", s.name == "JSON", s.name == "UUID":
		return Column{Type: strings.ToLower(s.name)}
	case s.name == "TIME":
		return Column{Type: "time", Precision: 3}
	case s.name == "INTERVAL":
		return Column{Type: "interval day to second"}
	case s.name == "TIMESTAMPTZ", s.name == "TIMESTAMP WITH TIME ZONE":
		return Column{Type: "timestamp with time zone", Precision: 3}
	case strings.HasPrefix(s.name, "TIMESTAMP"):
		return Column{Type: "timestamp", Precision: 3}
	case s.name == "NULL":
		return Column{Type: "unknown"}
	}
	return Column{Type: "varchar", Precision: 2147483647, CaseSensitive: true}
}

// hive spells the type as Glue keeps it.
func (s *shape) hive() string {
	switch s.name {
	case "LIST":
		return "array<" + s.arg(0).hive() + ">"
	case "MAP":
		return "map<" + s.arg(0).hive() + "," + s.arg(1).hive() + ">"
	case "STRUCT":
		parts := make([]string, len(s.fields))
		for i, f := range s.fields {
			parts[i] = f + ":" + s.arg(i).hive()
		}
		return "struct<" + strings.Join(parts, ",") + ">"
	case "DECIMAL":
		c := s.athena()
		return "decimal(" + strconv.Itoa(c.Precision) + "," + strconv.Itoa(c.Scale) + ")"
	}
	switch t := s.athena().Type; t {
	case "varchar", "json", "uuid", "unknown":
		return "string"
	case "integer":
		return "int"
	case "varbinary":
		return "binary"
	case "timestamp with time zone":
		return "timestamp"
	default:
		return t
	}
}
