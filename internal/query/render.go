package query

import (
	"embed"
	"fmt"
	"reflect"
	"strings"
	"text/template"
)

//go:embed sql/*.sql
var files embed.FS

var templates = template.Must(template.New("").Option("missingkey=error").ParseFS(files, "sql/*.sql"))

// Statement is SQL with a name for logs and errors.
type Statement struct{ Name, SQL string }

// render fills a template. The data is a struct each of whose fields writes
// itself quoted; another kind of field is a fault of the program, and panics.
func render(name string, data any) Statement {
	checkQuoted(name, reflect.TypeOf(data))
	var b strings.Builder
	if err := templates.ExecuteTemplate(&b, name+".sql", data); err != nil {
		panic(fmt.Sprintf("query: %v", err))
	}
	return Statement{Name: name, SQL: strings.TrimSpace(b.String())}
}

var stringer = reflect.TypeFor[fmt.Stringer]()

func checkQuoted(name string, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		for kind := f.Type; !kind.Implements(stringer) && kind.Kind() != reflect.Bool; kind = kind.Elem() {
			if kind.Kind() != reflect.Slice {
				panic(fmt.Sprintf("query: field %s of %s does not quote itself", f.Name, name))
			}
		}
	}
}
