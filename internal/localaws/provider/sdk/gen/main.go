// Command gen writes what the Go SDK of pulumi-aws says of a list of resource
// types, read from the SDK's sources.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"engage/internal/localaws/provider/sdk"
)

const module = "github.com/pulumi/pulumi-aws/sdk/v6"

func main() {
	out := flag.String("out", "types.json", "file to write")
	list := flag.String("list", "types.txt", "file with a token a line")
	flag.Parse()
	if err := generate(*out, *list); err != nil {
		fmt.Fprintln(os.Stderr, "gen: "+err.Error())
		os.Exit(1)
	}
}

func generate(out, list string) error {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return fmt.Errorf("find %s: %w", module, err)
	}
	tokens, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	types, packages := map[string]sdk.Resource{}, map[string]*pack{}
	for _, t := range strings.Fields(string(tokens)) {
		parts := strings.FieldsFunc(t, func(r rune) bool { return r == ':' || r == '/' })
		name := parts[1]
		if packages[name] == nil {
			if packages[name], err = load(filepath.Join(strings.TrimSpace(string(dir)), "go", "aws", name)); err != nil {
				return err
			}
		}
		if types[t], err = packages[name].resource(parts[3]); err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
	}
	text, err := json.MarshalIndent(types, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(text, '\n'), 0o644)
}

// pack is a package of the SDK: its structs, and the properties that its
// constructors insist on.
type pack struct {
	structs map[string]*ast.StructType
	needed  map[string][]string
}

func load(dir string) (*pack, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	p := &pack{structs: map[string]*ast.StructType{}, needed: map[string][]string{}}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		ast.Inspect(f, p.visit)
	}
	return p, nil
}

func (p *pack) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.TypeSpec:
		if s, ok := n.Type.(*ast.StructType); ok {
			p.structs[n.Name.Name] = s
		}
	case *ast.FuncDecl:
		if name, ok := strings.CutPrefix(n.Name.Name, "New"); ok {
			p.needed[name] = required(n)
		}
	}
	return true
}

var insists = regexp.MustCompile(`invalid value for required argument '(\w+)'`)

// required returns the fields that a constructor insists on.
func required(f *ast.FuncDecl) []string {
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok {
			if m := insists.FindStringSubmatch(l.Value); m != nil {
				names = append(names, m[1])
			}
		}
		return true
	})
	return names
}

func (p *pack) resource(name string) (sdk.Resource, error) {
	in, out := p.structs[strings.ToLower(name[:1])+name[1:]+"Args"], p.structs[name]
	if in == nil || out == nil {
		return sdk.Resource{}, fmt.Errorf("the SDK has no such type")
	}
	r := sdk.Resource{Inputs: p.fields(in, nil)}
	for _, f := range in.Fields.List {
		if prop := tag(f); prop != "" && slices.Contains(p.needed[name], f.Names[0].Name) {
			spec := r.Inputs[prop]
			spec.Required = true
			r.Inputs[prop] = spec
		}
	}
	for _, f := range out.Fields.List {
		if prop := tag(f); prop != "" && !has(r.Inputs, prop) {
			r.Outputs = append(r.Outputs, prop)
		}
	}
	slices.Sort(r.Outputs)
	return r, nil
}

func has(m map[string]sdk.Property, name string) bool { _, ok := m[name]; return ok }

func tag(f *ast.Field) string {
	if f.Tag == nil || len(f.Names) == 0 {
		return ""
	}
	return reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("pulumi")
}

// replaces matches how the SDK's text says that a change makes a new resource.
var replaces = regexp.MustCompile(`(?i)forces new resource|forces a new resource|force new resource|forces replacement|creation of a new resource|a new resource to be created`)

// fields describes the properties of a struct. Within are the structs that it is
// in: some of the SDK's hold themselves.
func (p *pack) fields(s *ast.StructType, within []*ast.StructType) map[string]sdk.Property {
	out := map[string]sdk.Property{}
	for _, f := range s.Fields.List {
		name := tag(f)
		if name == "" {
			continue
		}
		prop := p.property(f.Type, append(within, s))
		prop.Replace = f.Doc != nil && replaces.MatchString(f.Doc.Text())
		switch t := f.Type.(type) {
		case *ast.Ident:
			prop.Required = true
		case *ast.SelectorExpr:
			prop.Required = t.Sel.Name != "Archive" && t.Sel.Name != "AssetOrArchive"
		}
		out[name] = prop
	}
	return out
}

func (p *pack) property(t ast.Expr, within []*ast.StructType) sdk.Property {
	switch t := t.(type) {
	case *ast.StarExpr:
		return p.property(t.X, within)
	case *ast.ArrayType:
		of := p.property(t.Elt, within)
		of.Required = false
		return sdk.Property{Type: "list", Of: &of}
	case *ast.MapType:
		of := p.property(t.Value, within)
		return sdk.Property{Type: "dict", Of: &of}
	case *ast.SelectorExpr:
		return sdk.Property{Type: "file"}
	case *ast.Ident:
		return p.named(t.Name, within)
	}
	return sdk.Property{Type: "string"} // interface{}: a document, as text
}

func (p *pack) named(name string, within []*ast.StructType) sdk.Property {
	switch name {
	case "bool":
		return sdk.Property{Type: "bool"}
	case "int", "float64":
		return sdk.Property{Type: "number"}
	}
	s := p.structs[name]
	if s == nil || slices.Contains(within, s) {
		return sdk.Property{Type: "string"}
	}
	return sdk.Property{Type: "object", Fields: p.fields(s, within)}
}
