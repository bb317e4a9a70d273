package wire

import (
	"encoding"
	"encoding/base64"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// maxListEntries bounds a list in a form, so that "Member.2000000000" cannot
// make us allocate.
const maxListEntries = 10_000

func decodeFormRequest(call *Call, in any) error {
	values, err := url.ParseQuery(string(call.Body))
	if err != nil {
		return Errorf("MalformedQueryString", "the body is no form: %v", err)
	}
	if call.HTTP != nil {
		for k, v := range call.HTTP.URL.Query() {
			if !strings.HasPrefix(k, "X-Amz-") {
				values[k] = append(values[k], v...)
			}
		}
	}
	values.Del("Action")
	values.Del("Version")
	return DecodeForm(values, in, call.Service.Protocol)
}

// DecodeForm sets the fields of the struct that in points to from a form:
// "A.B" is member B of A, "L.member.1" the first entry of a list, "M.entry.1.key"
// a key of a map. A key that fits no member is refused by name.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
func DecodeForm(values url.Values, in any, p Protocol) error {
	d := formDecoder{values: values, used: map[string]bool{}, protocol: p}
	if err := d.structure("", reflect.ValueOf(in).Elem()); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !d.used[key] {
			return NotImplemented("the parameter %s", key)
		}
	}
	return nil
}

type formDecoder struct {
	values   url.Values
	used     map[string]bool
	protocol Protocol
}

// has reports whether a key is, or is below, the prefix.
func (d *formDecoder) has(prefix string) bool {
	if d.values.Has(prefix) {
		return true
	}
	for key := range d.values {
		if strings.HasPrefix(key, prefix+".") {
			return true
		}
	}
	return false
}

func (d *formDecoder) structure(prefix string, v reflect.Value) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if embedded(f) {
			if err := d.structure(prefix, v.Field(i)); err != nil {
				return err
			}
			continue
		}
		name := prefix + memberName(f)
		if d.protocol == EC2 && prefix == "" {
			name = strings.ToUpper(name[:1]) + name[1:]
		}
		if !f.IsExported() || !d.has(name) {
			continue
		}
		if err := d.value(name, v.Field(i), f); err != nil {
			return err
		}
	}
	return nil
}

func (d *formDecoder) value(name string, v reflect.Value, f reflect.StructField) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return d.scalar(name, func(s string) error { return u.UnmarshalText([]byte(s)) })
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return d.value(name, v.Elem(), f)
	case reflect.Struct:
		return d.structure(name+".", v)
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			return d.list(name, v, f)
		}
	case reflect.Map:
		return d.entries(name, v, f)
	}
	return d.scalar(name, func(s string) error { return setScalar(v, s) })
}

func (d *formDecoder) scalar(name string, set func(string) error) error {
	d.used[name] = true
	s := d.values.Get(name)
	if err := set(s); err != nil {
		return Errorf("MalformedInput", "the value %q of %s cannot be read", s, name)
	}
	return nil
}

func (d *formDecoder) list(name string, v reflect.Value, f reflect.StructField) error {
	d.used[name] = true // an empty list is sent as "Name="
	item, flat := listItem(f, d.protocol)
	if !flat && d.protocol != EC2 {
		name += "." + item
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	for i := 1; i <= maxListEntries && d.has(name+"."+strconv.Itoa(i)); i++ {
		entry := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(name+"."+strconv.Itoa(i), entry, reflect.StructField{}); err != nil {
			return err
		}
		v.Set(reflect.Append(v, entry))
	}
	return nil
}

func (d *formDecoder) entries(name string, v reflect.Value, f reflect.StructField) error {
	d.used[name] = true
	if _, flat := listItem(f, d.protocol); !flat {
		name += ".entry"
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 1; i <= maxListEntries && d.has(name+"."+strconv.Itoa(i)); i++ {
		at := name + "." + strconv.Itoa(i)
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		if err := d.value(at+"."+mapTag(f, "key"), key, reflect.StructField{}); err != nil {
			return err
		}
		if err := d.value(at+"."+mapTag(f, "value"), value, reflect.StructField{}); err != nil {
			return err
		}
		v.SetMapIndex(key, value)
	}
	return nil
}

// mapTag returns what a map's keys or values are called: the tags key and
// value, which default to those words.
func mapTag(f reflect.StructField, word string) string {
	if name := f.Tag.Get(word); name != "" {
		return name
	}
	return word
}

// setScalar sets a field from its text on the wire.
func setScalar(v reflect.Value, s string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Bool:
		b, err := strconv.ParseBool(s)
		v.SetBool(b)
		return err
	case reflect.Int, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(s, 10, v.Type().Bits())
		v.SetInt(n)
		return err
	case reflect.Float32, reflect.Float64:
		n, err := strconv.ParseFloat(s, v.Type().Bits())
		v.SetFloat(n)
		return err
	case reflect.Slice:
		b, err := base64.StdEncoding.DecodeString(s)
		v.SetBytes(b)
		return err
	default:
		panic("wire: a form cannot carry a " + v.Type().String())
	}
	return nil
}
