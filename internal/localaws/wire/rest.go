package wire

import (
	"bytes"
	"encoding"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// checkBindings panics when a field is bound outside of the body but would be
// in the JSON document too: that is a mistake of the service's author.
func checkBindings(t reflect.Type, operation string) {
	for i := range t.NumField() {
		if f := t.Field(i); bound(f) && f.Tag.Get("json") != "-" {
			panic(fmt.Sprintf("wire: %s: field %s is bound and needs the tag json:\"-\"", operation, f.Name))
		}
	}
}

// streams reports whether the input takes its body as a reader.
func streams(t reflect.Type) bool {
	for i := range t.NumField() {
		if f := t.Field(i); f.Tag.Get("payload") != "" && f.Type == reflect.TypeFor[io.Reader]() {
			return true
		}
	}
	return false
}

// decodeREST sets bound fields from where they travel and the others from the
// JSON body. Tags: uri:"Label", query:"name", header:"Name",
// prefix:"X-Amz-Meta-" (a map), payload:"true" ([]byte or io.Reader).
func decodeREST(call *Call, in any) error {
	v := reflect.ValueOf(in).Elem()
	query := call.HTTP.URL.Query()
	if name := stranger(call, v.Type(), query); name != "" {
		return NotImplemented("the query parameter %s of %s", name, call.Operation)
	}
	payload := false
	for i := range v.NumField() {
		f, field := v.Type().Field(i), v.Field(i)
		if f.Tag.Get("payload") != "" {
			payload = true
			setPayload(field, call)
			continue
		}
		values := source(f, call, query)
		if len(values) == 0 {
			continue
		}
		if err := setBound(field, values); err != nil {
			return ValidationException("the value %q of %s cannot be read", values[0], f.Name)
		}
	}
	if payload {
		return nil
	}
	return decodeJSON(call.Body, in)
}

// stranger returns a query parameter that no field takes, "" for none. Those
// of a presigned URL are not the operation's.
func stranger(call *Call, t reflect.Type, query url.Values) string {
	if len(query) == 0 {
		return ""
	}
	known := map[string]bool{}
	if op := call.Service.Operation(call.Operation); op != nil {
		for name := range op.template.literals {
			known[name] = true
		}
	}
	for i := range t.NumField() {
		known[t.Field(i).Tag.Get("query")] = true
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !known[name] && !strings.HasPrefix(strings.ToLower(name), "x-amz-") {
			return name
		}
	}
	return ""
}

func setPayload(field reflect.Value, call *Call) {
	if field.Kind() == reflect.Slice {
		field.SetBytes(call.Body)
		return
	}
	field.Set(reflect.ValueOf(call.HTTP.Body))
}

// source returns the texts of a bound field, none for a field of the body.
func source(f reflect.StructField, call *Call, query url.Values) []string {
	if name := f.Tag.Get("uri"); name != "" {
		return []string{call.Vars[name]}
	}
	if name := f.Tag.Get("query"); name != "" {
		return query[name]
	}
	if name := f.Tag.Get("header"); name != "" {
		return call.HTTP.Header.Values(name)
	}
	if prefix := f.Tag.Get("prefix"); prefix != "" {
		return prefixed(call.HTTP.Header, prefix)
	}
	return nil
}

// prefixed returns the names and values of the headers below a prefix, in turn.
func prefixed(h http.Header, prefix string) []string {
	var pairs []string
	prefix = textproto.CanonicalMIMEHeaderKey(prefix)
	for name, values := range h {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			pairs = append(pairs, strings.ToLower(rest), values[0])
		}
	}
	return pairs
}

func setBound(field reflect.Value, values []string) error {
	if u, ok := field.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(values[0]))
	}
	switch {
	case field.Kind() == reflect.Pointer:
		field.Set(reflect.New(field.Type().Elem()))
		return setBound(field.Elem(), values)
	case field.Kind() == reflect.Map:
		m := map[string]string{}
		for i := 0; i < len(values); i += 2 {
			m[values[i]] = values[i+1]
		}
		field.Set(reflect.ValueOf(m))
		return nil
	case field.Type() == reflect.TypeFor[[]string]():
		field.Set(reflect.ValueOf(values))
		return nil
	}
	return setScalar(field, values[0])
}

// encodeREST writes bound fields where they travel and the others as the JSON
// body. Tags: header:"Name", prefix:"X-" (a map), status:"true" (an int),
// payload:"true" ([]byte or io.Reader, which is closed if it can be).
func encodeREST(w http.ResponseWriter, call *Call, out any) error {
	v := reflect.ValueOf(out)
	if v.IsNil() {
		writeBody(w, "", http.StatusNoContent, nil)
		return nil
	}
	v = v.Elem()
	status := http.StatusOK
	var payload any
	for i := range v.NumField() {
		f, field := v.Type().Field(i), v.Field(i)
		switch {
		case f.Tag.Get("payload") != "":
			payload = field.Interface()
		case f.Tag.Get("status") != "" && field.Int() != 0:
			status = int(field.Int())
		default:
			setHeaders(w.Header(), f, field)
		}
	}
	switch body := payload.(type) {
	case []byte:
		writeBody(w, call.Service.Protocol.contentType(), status, body)
		return nil
	case io.Reader:
		return copyBody(w, status, body)
	}
	return encodeRESTBody(w, call, status, out)
}

func setHeaders(h http.Header, f reflect.StructField, field reflect.Value) {
	if prefix := f.Tag.Get("prefix"); prefix != "" {
		for k, v := range field.Interface().(map[string]string) {
			h.Set(prefix+k, v)
		}
		return
	}
	name := f.Tag.Get("header")
	if name == "" || isAbsent(field) {
		return
	}
	if field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	if t, ok := field.Interface().(Time); ok {
		h.Set(name, t.UTC().Format(http.TimeFormat))
		return
	}
	h.Set(name, ScalarText(field))
}

func encodeRESTBody(w http.ResponseWriter, call *Call, status int, out any) error {
	body, err := marshalJSON(out)
	if err != nil {
		return err
	}
	if status == http.StatusNoContent || status == http.StatusAccepted && bytes.Equal(body, []byte("{}")) {
		body = nil
	}
	writeBody(w, call.Service.Protocol.contentType(), status, body)
	return nil
}

func copyBody(w http.ResponseWriter, status int, body io.Reader) error {
	if c, ok := body.(io.Closer); ok {
		defer c.Close()
	}
	w.WriteHeader(status)
	_, err := io.Copy(w, body)
	return err
}
