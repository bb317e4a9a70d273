package sns

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

// messageAttribute is AWS's MessageAttributeValue.
type messageAttribute struct {
	DataType    string
	StringValue *string
	BinaryValue []byte
}

// attributesOf checks message attributes. The path is where they are in the input.
func attributesOf(path string, given map[string]messageAttribute) (map[string]target.Attribute, error) {
	all := map[string]target.Attribute{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		a := given[name]
		if a.DataType == "" {
			return nil, wire.Errorf("ValidationError", "1 validation error detected: Value null at '%s.%s.member.dataType' failed to satisfy constraint: Member must not be null", path, name)
		}
		if fault := firstOf(nameFault(name), a.fault(name)); fault != "" {
			return nil, wire.Errorf("ParameterValueInvalid", "%s", fault)
		}
		all[name] = target.Attribute(a)
	}
	return all, nil
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func nameFault(name string) string {
	switch {
	case len(name) > 255:
		return "Length of message attribute name must be less than 256 bytes."
	case strings.HasPrefix(name, "."):
		return "Invalid message attribute name starting with character '.' was found."
	case strings.HasSuffix(name, "."):
		return "Invalid message attribute name ending with character '.' was found."
	case strings.Contains(name, ".."):
		return "Message attribute name can not have successive '.' character."
	}
	for _, r := range name {
		if !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("-_.", r)) {
			return fmt.Sprintf("Invalid non-alphanumeric character '#x%X' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots.", r)
		}
	}
	return ""
}

// fault says in the words recorded on AWS what is wrong with an attribute.
func (a messageAttribute) fault(name string) string {
	kind, _, _ := strings.Cut(a.DataType, ".")
	field, other, empty := "String", len(a.BinaryValue) > 0, a.StringValue == nil || *a.StringValue == ""
	switch kind {
	case "String", "Number":
	case "Binary":
		field, other, empty = "Binary", a.StringValue != nil && *a.StringValue != "", len(a.BinaryValue) == 0
	default:
		return fmt.Sprintf("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
	}
	if other && empty {
		return fmt.Sprintf("The message attribute '%s' with type '%s' must use field '%s'.", name, a.DataType, field)
	}
	if empty {
		return fmt.Sprintf("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, a.DataType)
	}
	return ""
}

// size is what attributes add to the length of a message.
func size(attributes map[string]messageAttribute) int {
	n := 0
	for name, a := range attributes {
		n += len(name) + len(a.DataType) + len(a.BinaryValue)
		if a.StringValue != nil {
			n += len(*a.StringValue)
		}
	}
	return n
}
