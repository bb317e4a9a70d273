package wire

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
)

func encodeQuery(w http.ResponseWriter, call *Call, out any) error {
	var b bytes.Buffer
	svc, name := call.Service, call.Operation
	fmt.Fprintf(&b, "<%sResponse xmlns=\"%s\">", name, svc.Namespace)
	if svc.Protocol == EC2 {
		fmt.Fprintf(&b, "<requestId>%s</requestId>", call.RequestID)
		EncodeXML(&b, out, svc.Protocol)
	} else {
		fmt.Fprintf(&b, "<%sResult>", name)
		EncodeXML(&b, out, svc.Protocol)
		fmt.Fprintf(&b, "</%sResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>", name, call.RequestID)
	}
	fmt.Fprintf(&b, "</%sResponse>", name)
	writeBody(w, svc.Protocol.contentType(), http.StatusOK, b.Bytes())
	return nil
}

// EncodeXML writes the members of a structure as elements. Nil pointers, nil
// lists and empty strings are left out; lists are <Name><member>..</member></Name>
// unless the tag list says flat or names the item; maps are entries of key and
// value, sorted by key. The tag attr:"true" is for xml.Name alone and unsupported.
func EncodeXML(b *bytes.Buffer, out any, p Protocol) {
	v := reflect.ValueOf(out)
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if v.IsValid() {
		xmlEncoder{b, p}.members(v)
	}
}

type xmlEncoder struct {
	*bytes.Buffer
	protocol Protocol
}

func (e xmlEncoder) members(v reflect.Value) {
	for i := range v.NumField() {
		if f := v.Type().Field(i); embedded(f) {
			e.members(v.Field(i))
		} else if f.IsExported() {
			e.member(memberName(f), v.Field(i), f)
		}
	}
}

func (e xmlEncoder) member(name string, v reflect.Value, f reflect.StructField) {
	switch {
	case isAbsent(v):
	case isText(v):
		e.element(name, func() { e.text(v) })
	case v.Kind() == reflect.Pointer:
		e.member(name, v.Elem(), f)
	case v.Kind() == reflect.Struct:
		e.element(name, func() { e.members(v) })
	case v.Kind() == reflect.Slice:
		e.list(name, v, f)
	case v.Kind() == reflect.Map:
		e.entries(name, v, f)
	default:
		panic("wire: XML cannot carry a " + v.Type().String())
	}
}

// isAbsent reports whether a member is left out.
func isAbsent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		_, timed := v.Interface().(Time)
		return timed && v.IsZero()
	}
	return false
}

func isText(v reflect.Value) bool {
	if _, ok := v.Interface().(encoding.TextMarshaler); ok {
		return true
	}
	switch v.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64:
		return true
	case reflect.Slice:
		return v.Type().Elem().Kind() == reflect.Uint8
	}
	return false
}

func (e xmlEncoder) element(name string, content func()) {
	e.WriteString("<" + name + ">")
	content()
	e.WriteString("</" + name + ">")
}

func (e xmlEncoder) text(v reflect.Value) { io.WriteString(escaper{e.Buffer}, ScalarText(v)) }

func (e xmlEncoder) list(name string, v reflect.Value, f reflect.StructField) {
	item, flat := listItem(f, e.protocol)
	if flat {
		for i := range v.Len() {
			e.member(name, v.Index(i), reflect.StructField{})
		}
		return
	}
	e.element(name, func() {
		for i := range v.Len() {
			e.item(item, v.Index(i))
		}
	})
}

// item writes an entry of a list, where an empty string is an entry too.
func (e xmlEncoder) item(name string, v reflect.Value) {
	if v.Kind() == reflect.String {
		e.element(name, func() { e.text(v) })
		return
	}
	e.member(name, v, reflect.StructField{})
}

func (e xmlEncoder) entries(name string, v reflect.Value, f reflect.StructField) {
	_, flat := listItem(f, e.protocol)
	entry := "entry"
	if flat {
		entry = name
	}
	all := func() {
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return bytes.Compare([]byte(a.String()), []byte(b.String())) })
		for _, k := range keys {
			e.element(entry, func() {
				e.item(mapTag(f, "key"), k)
				e.item(mapTag(f, "value"), v.MapIndex(k))
			})
		}
	}
	if flat {
		all()
		return
	}
	e.element(name, all)
}

// ScalarText returns a scalar as XML, forms and headers spell it.
func ScalarText(v reflect.Value) string {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, _ := m.MarshalText()
		return string(text)
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.Slice:
		return base64.StdEncoding.EncodeToString(v.Bytes())
	}
	return strconv.FormatInt(v.Int(), 10)
}

// escaper escapes what is written as XML text.
type escaper struct{ b *bytes.Buffer }

func (e escaper) Write(p []byte) (int, error) { return len(p), xml.EscapeText(e.b, p) }
