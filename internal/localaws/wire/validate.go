package wire

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Validate checks a decoded input against the tags of its fields and says in
// AWS's words what is wrong, all of it at once. Tags: required:"true" (not
// null, not empty text), enum:"A,B", min and max (a number's value; the length
// of a text, list or map).
func Validate(in any) error {
	var faults []string
	check(reflect.ValueOf(in), "", &faults)
	switch len(faults) {
	case 0:
		return nil
	case 1:
		return ValidationException("1 validation error detected: %s", faults[0])
	}
	return ValidationException("%d validation errors detected: %s", len(faults), strings.Join(faults, "; "))
}

func check(v reflect.Value, path string, faults *[]string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			check(v.Elem(), path, faults)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch {
			case f.Anonymous && f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[Time]():
				check(v.Field(i), path, faults) // its members are those of the structure that embeds it
			case f.IsExported() && f.Type != reflect.TypeFor[Time]():
				checkField(v.Field(i), f, join(path, lowerFirst(memberName(f))), faults)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			for i := range v.Len() {
				check(v.Index(i), fmt.Sprintf("%s.%d.member", path, i+1), faults)
			}
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func checkField(v reflect.Value, f reflect.StructField, path string, faults *[]string) {
	if isAbsent(v) {
		if f.Tag.Get("required") == "true" {
			*faults = append(*faults, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", path))
		}
		return
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	for _, constraint := range []string{enumFault(v, f), rangeFault(v, f)} {
		if constraint != "" {
			*faults = append(*faults, fmt.Sprintf("Value '%v' at '%s' failed to satisfy constraint: %s", v.Interface(), path, constraint))
		}
	}
	check(v, path, faults)
}

func enumFault(v reflect.Value, f reflect.StructField) string {
	tag := f.Tag.Get("enum")
	if tag == "" || v.Kind() != reflect.String {
		return ""
	}
	values := strings.Split(tag, ",")
	for _, value := range values {
		if v.String() == value {
			return ""
		}
	}
	return "Member must satisfy enum value set: [" + strings.Join(values, ", ") + "]"
}

func rangeFault(v reflect.Value, f reflect.StructField) string {
	var size int64
	what := "length"
	switch v.Kind() {
	case reflect.String, reflect.Slice, reflect.Map:
		size = int64(v.Len())
	case reflect.Int, reflect.Int32, reflect.Int64:
		size, what = v.Int(), "value"
	default:
		return ""
	}
	if bound, err := strconv.ParseInt(f.Tag.Get("min"), 10, 64); err == nil && size < bound {
		return fmt.Sprintf("Member must have %s greater than or equal to %d", what, bound)
	}
	if bound, err := strconv.ParseInt(f.Tag.Get("max"), 10, 64); err == nil && size > bound {
		return fmt.Sprintf("Member must have %s less than or equal to %d", what, bound)
	}
	return ""
}
