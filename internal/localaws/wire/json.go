package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
)

// decodeJSON reads the members of an input. No body is an empty structure.
func decodeJSON(body []byte, in any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		return jsonError(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return serializationError("there is more than one JSON value in the body")
	}
	return nil
}

func serializationError(message string) *Error {
	return Errorf("SerializationException", "%s", message)
}

// jsonError says in AWS's terms why a body could not be read.
func jsonError(err error) error {
	var typeError *json.UnmarshalTypeError
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return NotImplemented("the input member %s", name)
	}
	if errors.As(err, &typeError) {
		return serializationError("the value of " + typeError.Field + " cannot be a JSON " + typeError.Value)
	}
	return serializationError("the body is not valid JSON: " + err.Error())
}

func encodeJSON(w http.ResponseWriter, call *Call, out any) error {
	body, err := marshalJSON(out)
	if err != nil {
		return err
	}
	writeBody(w, call.Service.Protocol.contentType(), http.StatusOK, body)
	return nil
}

// marshalJSON writes an output; none at all is an empty structure. Characters
// that matter to HTML alone are not escaped, as AWS does not.
func marshalJSON(out any) ([]byte, error) {
	if v := reflect.ValueOf(out); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return []byte("{}"), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func writeBody(w http.ResponseWriter, contentType string, status int, body []byte) {
	h := w.Header()
	if contentType != "" && h.Get("Content-Type") == "" {
		h.Set("Content-Type", contentType)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the caller has gone; there is nobody to tell
}

// Adopt returns the input of a call from inside the process: in is a pointer
// to the operation's own input, or its members as JSON or as a map. For a
// member that HTTP carries outside of the body, the name is the field's.
func (op *Operation) Adopt(in any) (any, error) {
	own := op.input()
	if reflect.TypeOf(in) == reflect.TypeOf(own) {
		return in, Validate(in)
	}
	raw, ok := in.(json.RawMessage)
	if !ok {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, serializationError(err.Error())
		}
		raw = b
	}
	if err := adoptJSON(raw, own); err != nil {
		return nil, err
	}
	return own, Validate(own)
}

func adoptJSON(raw json.RawMessage, own any) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return jsonError(err)
	}
	v := reflect.ValueOf(own).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		value, ok := members[f.Name]
		if f.Tag.Get("json") != "-" || !ok {
			continue
		}
		if err := adoptMember(v.Field(i), value); err != nil {
			return jsonError(err)
		}
		delete(members, f.Name)
	}
	rest, err := json.Marshal(members)
	if err != nil {
		return err
	}
	return decodeJSON(rest, own)
}

// adoptMember sets a field from JSON. A payload that is a document over HTTP
// (Lambda's) is given as the document itself.
func adoptMember(field reflect.Value, value json.RawMessage) error {
	switch field.Interface().(type) {
	case []byte:
		field.SetBytes(value)
		return nil
	}
	if field.Type() == reflect.TypeFor[io.Reader]() {
		field.Set(reflect.ValueOf(bytes.NewReader(value)))
		return nil
	}
	return json.Unmarshal(value, field.Addr().Interface())
}
