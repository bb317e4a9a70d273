package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// JSONSchema describes one row as a JSON object, in JSON Schema draft 2020-12
// (https://json-schema.org/draft/2020-12), indented. Columns that are not
// nullable are required; a nullable one may be null or left out; other members
// are refused. What JSON Schema has no word for stands under x-engage-*.
func JSONSchema(t *Table) ([]byte, error) {
	properties, err := jsonProperties(t)
	if err != nil {
		return nil, err
	}
	required := []Name{}
	for _, c := range t.Columns {
		if !c.Nullable {
			required = append(required, c.Name)
		}
	}
	text, err := json.MarshalIndent(tableSchema{
		Schema: "https://json-schema.org/draft/2020-12/schema", ID: "urn:engage:schema:" + t.Name,
		Title: t.Name, Description: t.Description, Type: "object", Properties: properties,
		Required: required, Fingerprint: Fingerprint(t),
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("json schema of %s: %w", t.Name, err)
	}
	return append(text, '\n'), nil
}

type tableSchema struct {
	Schema               string          `json:"$schema"`
	ID                   string          `json:"$id"`
	Title                string          `json:"title"`
	Description          string          `json:"description"`
	Type                 string          `json:"type"`
	Properties           json.RawMessage `json:"properties"`
	Required             []Name          `json:"required"`
	AdditionalProperties bool            `json:"additionalProperties"` // always false
	Fingerprint          string          `json:"x-engage-fingerprint"`
}

type columnSchema struct {
	Title          string         `json:"title"`
	Description    string         `json:"description"`
	Type           any            `json:"type"` // a name, or a name and "null"
	Format         string         `json:"format,omitempty"`
	Minimum        *float64       `json:"minimum,omitempty"`
	Maximum        *float64       `json:"maximum,omitempty"`
	MinLength      int            `json:"minLength,omitempty"`
	Enum           []any          `json:"enum,omitempty"`
	Pattern        string         `json:"pattern,omitempty"`
	ColumnType     Type           `json:"x-engage-type"`
	Role           Role           `json:"x-engage-role"`
	Classification Classification `json:"x-engage-classification"`
	Unit           string         `json:"x-engage-unit,omitempty"`
	Decimals       int            `json:"x-engage-decimals,omitempty"`
	NullWhen       string         `json:"x-engage-null-when,omitempty"`
	Synonyms       []string       `json:"x-engage-synonyms,omitempty"`
}

// jsonProperties writes the members by hand, because a Go map would lose the table's order.
func jsonProperties(t *Table) (json.RawMessage, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, c := range t.Columns {
		text, err := json.Marshal(jsonColumn(c))
		if err != nil {
			return nil, fmt.Errorf("json schema of %s.%s: %w", t.Name, c.Name, err)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", c.Name, text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func jsonColumn(c Column) columnSchema {
	s := columnSchema{
		Title: c.Display, Description: c.Description, Type: jsonTypes[c.Type], Pattern: c.Pattern,
		ColumnType: c.Type, Role: c.Role, Classification: c.Classification,
		Unit: c.Unit, Decimals: c.Decimals, NullWhen: c.NullWhen, Synonyms: c.Synonyms,
	}
	s.Minimum, s.Maximum = jsonBounds(c)
	for _, v := range c.Enum {
		s.Enum = append(s.Enum, v)
	}
	if c.Type == Timestamp {
		s.Format = "date-time"
	}
	if c.Type == String && !c.Categorical() {
		s.MinLength = 1
	}
	if c.Nullable {
		s.Type = []string{jsonTypes[c.Type], "null"}
		if s.Enum != nil {
			s.Enum = append(s.Enum, nil)
		}
	}
	return s
}

var jsonTypes = map[Type]string{
	String: "string", Int: "integer", BigInt: "integer", Double: "number", Boolean: "boolean", Timestamp: "string",
}

// jsonBounds is the column's range; an Int without one is bounded by its 32 bits.
func jsonBounds(c Column) (lowest, highest *float64) {
	switch {
	case c.Range != nil:
		return &c.Range.Min, &c.Range.Max
	case c.Type == Int:
		lo, hi := float64(math.MinInt32), float64(math.MaxInt32)
		return &lo, &hi
	}
	return nil, nil
}
