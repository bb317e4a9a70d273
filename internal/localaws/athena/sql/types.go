package sql

import (
	"fmt"
	"strconv"
	"strings"
)

// hiveNames are Trino's names of types that Hive calls otherwise.
var hiveNames = map[string]string{"integer": "int", "real": "float", "varbinary": "binary"}

// trinoNames are Hive's names of types that Trino calls otherwise.
var trinoNames = map[string]string{"int": "integer", "float": "real", "string": "varchar", "binary": "varbinary", "struct": "row", "dec": "decimal", "numeric": "decimal"}

// Hive spells the type as Glue keeps it: array<int>, struct<a:string>, decimal(10,2).
func (t Type) Hive() string {
	switch t.Name {
	case "array", "map":
		return t.Name + "<" + join(t.Args, ",", Type.Hive) + ">"
	case "row", "struct":
		return "struct<" + t.fieldList(":", ",", Type.Hive) + ">"
	case "varchar":
		if len(t.Params) == 0 {
			return "string"
		}
	case "timestamp", "timestamp with time zone":
		return t.Name
	}
	name := t.Name
	if n, ok := hiveNames[name]; ok {
		name = n
	}
	return name + t.paramList()
}

// Trino spells the type as Trino does: array(integer), row(a varchar), decimal(10,2).
func (t Type) Trino() string {
	switch t.Name {
	case "array", "map":
		return t.Name + "(" + join(t.Args, ", ", Type.Trino) + ")"
	case "row", "struct":
		return "row(" + t.fieldList(" ", ", ", Type.Trino) + ")"
	}
	name := t.Name
	if n, ok := trinoNames[name]; ok {
		name = n
	}
	if rest, ok := strings.CutPrefix(name, "timestamp"); ok && len(t.Params) == 1 {
		return "timestamp" + t.paramList() + rest
	}
	return name + t.paramList()
}

func (t Type) paramList() string {
	if len(t.Params) == 0 {
		return ""
	}
	return "(" + join(t.Params, ",", strconv.Itoa) + ")"
}

func (t Type) fieldList(between, sep string, spell func(Type) string) string {
	parts := make([]string, len(t.Args))
	for i, a := range t.Args {
		parts[i] = t.Fields[i].Text + between + spell(a)
	}
	return strings.Join(parts, sep)
}

func join[T any](xs []T, sep string, f func(T) string) string {
	parts := make([]string, len(xs))
	for i, x := range xs {
		parts[i] = f(x)
	}
	return strings.Join(parts, sep)
}

// DuckDB spells the type as DuckDB does, or says that it has none.
func (t Type) DuckDB() (string, error) {
	switch t.Name {
	case "boolean", "tinyint", "smallint", "bigint", "double", "date":
		return strings.ToUpper(t.Name), nil
	case "int", "integer":
		return "INTEGER", nil
	case "float", "real":
		return "FLOAT", nil
	case "string", "varchar", "char":
		return "VARCHAR", nil
	case "binary", "varbinary":
		return "BLOB", nil
	case "json":
		return "JSON", nil
	case "timestamp":
		return "TIMESTAMP", nil
	case "timestamp with time zone":
		return "TIMESTAMPTZ", nil
	case "time":
		return "TIME", nil
	case "uuid":
		return "UUID", nil
	case "decimal", "dec", "numeric":
		return t.decimal()
	case "array", "map", "row", "struct":
		return t.nested()
	}
	return "", Errorf(TypeMismatch, t.Pos, "Unknown type: %s", t.Name)
}

func (t Type) decimal() (string, error) {
	precision, scale := 38, 0
	if len(t.Params) > 0 {
		precision = t.Params[0]
	}
	if len(t.Params) > 1 {
		scale = t.Params[1]
	}
	if len(t.Params) > 2 || precision < 1 || precision > 38 || scale > precision {
		return "", Errorf(TypeMismatch, t.Pos, "Invalid type: %s", t.Trino())
	}
	return fmt.Sprintf("DECIMAL(%d,%d)", precision, scale), nil
}

func (t Type) nested() (string, error) {
	args := make([]string, len(t.Args))
	for i, a := range t.Args {
		s, err := a.DuckDB()
		if err != nil {
			return "", err
		}
		args[i] = s
	}
	switch {
	case t.Name == "array" && len(args) == 1:
		return args[0] + "[]", nil
	case t.Name == "map" && len(args) == 2:
		return "MAP(" + args[0] + ", " + args[1] + ")", nil
	case (t.Name == "row" || t.Name == "struct") && len(args) > 0:
		for i := range args {
			args[i] = `"` + strings.ReplaceAll(t.Fields[i].Text, `"`, `""`) + `" ` + args[i]
		}
		return "STRUCT(" + strings.Join(args, ", ") + ")", nil
	}
	return "", Errorf(TypeMismatch, t.Pos, "Invalid type: %s", t.Trino())
}
