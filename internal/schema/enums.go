package schema

import (
	"fmt"
	"slices"
	"strings"
)

// The names of the enumerations, in the order of their values.
var (
	typeNames           = []string{"string", "int", "bigint", "double", "boolean", "timestamp"}
	roleNames           = []string{"id", "feature", "target", "protected", "personal", "derived"}
	classificationNames = []string{"public", "internal", "confidential", "restricted"}
)

// Roles lists every role, in the order of their values.
var Roles = []Role{ID, Feature, Target, Protected, Personal, Derived}

// String is the name in lower case, such as "double": Athena's and Glue's name of the type.
func (t Type) String() string { return enumName("Type", typeNames, int(t)) }

// String is the name in lower case, such as "feature".
func (r Role) String() string { return enumName("Role", roleNames, int(r)) }

// String is the name in lower case, such as "internal".
func (c Classification) String() string {
	return enumName("Classification", classificationNames, int(c))
}

// Known reports whether t is one of the declared types.
func (t Type) Known() bool { return known(typeNames, int(t)) }

// Known reports whether r is one of the declared roles.
func (r Role) Known() bool { return known(roleNames, int(r)) }

// Known reports whether c is one of the declared classifications.
func (c Classification) Known() bool { return known(classificationNames, int(c)) }

// MarshalText is the name; it fails on a value that is not declared.
func (t Type) MarshalText() ([]byte, error) { return enumText("type", typeNames, int(t)) }

// MarshalText is the name; it fails on a value that is not declared.
func (r Role) MarshalText() ([]byte, error) { return enumText("role", roleNames, int(r)) }

// MarshalText is the name; it fails on a value that is not declared.
func (c Classification) MarshalText() ([]byte, error) {
	return enumText("classification", classificationNames, int(c))
}

// UnmarshalText reads a name that MarshalText wrote.
func (t *Type) UnmarshalText(text []byte) error {
	i, err := parseEnum("type", typeNames, string(text))
	if err == nil {
		*t = Type(i)
	}
	return err
}

// UnmarshalText reads a name that MarshalText wrote.
func (r *Role) UnmarshalText(text []byte) error {
	i, err := parseEnum("role", roleNames, string(text))
	if err == nil {
		*r = Role(i)
	}
	return err
}

// UnmarshalText reads a name that MarshalText wrote.
func (c *Classification) UnmarshalText(text []byte) error {
	i, err := parseEnum("classification", classificationNames, string(text))
	if err == nil {
		*c = Classification(i)
	}
	return err
}

func known(names []string, i int) bool { return i >= 0 && i < len(names) }

func enumName(kind string, names []string, i int) string {
	if !known(names, i) {
		return fmt.Sprintf("%s(%d)", kind, i)
	}
	return names[i]
}

func enumText(kind string, names []string, i int) ([]byte, error) {
	if !known(names, i) {
		return nil, fmt.Errorf("schema: unknown %s %d", kind, i)
	}
	return []byte(names[i]), nil
}

func parseEnum(kind string, names []string, name string) (int, error) {
	i := slices.Index(names, name)
	if i < 0 {
		return 0, fmt.Errorf("schema: unknown %s %q, use one of %s", kind, name, strings.Join(names, ", "))
	}
	return i, nil
}
