package plane

import (
	"strconv"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/value"
)

// attribute pairs a property with the attribute of a topic or queue that holds
// it. Attributes are text, whatever the property is.
type attribute struct {
	property, name string
	kind           kind.Type
}

// write returns the value of an attribute, "" for none.
func (a attribute) write(in value.Map) string {
	switch v := in[a.property].(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// read returns the property that an attribute holds, nil for none.
func (a attribute) read(text string) any {
	switch {
	case text == "":
		return nil
	case a.kind == kind.Bool:
		return text == "true"
	case a.kind == kind.Number:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil
		}
		return f
	}
	return text
}

func readAttributes(list []attribute, from map[string]string) value.Map {
	out := value.Map{}
	for _, a := range list {
		if v := a.read(from[a.name]); v != nil {
			out[a.property] = v
		}
	}
	return out
}

func writeAttributes(list []attribute, in value.Map) map[string]string {
	out := map[string]string{}
	for _, a := range list {
		if s := a.write(in); s != "" {
			out[a.name] = s
		}
	}
	return out
}
