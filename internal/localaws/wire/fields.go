package wire

import (
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// memberName returns a field's name on the wire: what its xml or json tag
// says, else the field's own.
func memberName(f reflect.StructField) string {
	for _, key := range []string{"xml", "json"} {
		if name, _, _ := strings.Cut(f.Tag.Get(key), ","); name != "" && name != "-" {
			return name
		}
	}
	return f.Name
}

// embedded reports whether a field's members are those of the structure around it.
func embedded(f reflect.StructField) bool {
	return f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get("xml") == ""
}

// lowerFirst is how validation messages spell a member.
func lowerFirst(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[n:]
}

// list is how a list is spelled in forms and XML: the tag list is "flat" for
// a flattened one, "item=Name" where the entries are not called member.
func listItem(f reflect.StructField, p Protocol) (item string, flat bool) {
	tag := f.Tag.Get("list")
	if tag == "flat" {
		return "", true
	}
	if name, ok := strings.CutPrefix(tag, "item="); ok {
		return name, false
	}
	if p == EC2 {
		return "item", false
	}
	return "member", false
}

// bound reports whether a field travels outside of the body.
func bound(f reflect.StructField) bool {
	for _, key := range []string{"uri", "query", "header", "prefix", "payload", "status"} {
		if _, ok := f.Tag.Lookup(key); ok {
			return true
		}
	}
	return false
}
