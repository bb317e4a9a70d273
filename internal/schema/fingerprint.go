package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// fingerprinted is what a reader of a table's files depends on. The order of
// its fields is part of the fingerprint.
type fingerprinted struct {
	Name           Name           `json:"name"`
	Type           Type           `json:"type"`
	Unit           string         `json:"unit"`
	Range          []float64      `json:"range"`
	Enum           []string       `json:"enum"`
	Pattern        string         `json:"pattern"`
	Decimals       int            `json:"decimals"`
	Nullable       bool           `json:"nullable"`
	Role           Role           `json:"role"`
	Classification Classification `json:"classification"`
}

// Fingerprint is the SHA-256, in hexadecimal, of what matters to whoever reads
// the table's files: name and columns in order, each with type, unit, range,
// enumeration, pattern, decimals, nullability, role and classification. Words
// for people (descriptions, display names, synonyms) do not change it. Two
// tables of one fingerprint can read each other's files.
//
// It panics if a column has a type, role or classification that is not declared.
func Fingerprint(t *Table) string {
	columns := make([]fingerprinted, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = fingerprintOf(c)
	}
	text, err := json.Marshal(struct {
		Table   string          `json:"table"`
		Columns []fingerprinted `json:"columns"`
	}{t.Name, columns})
	if err != nil {
		panic(fmt.Sprintf("schema: fingerprint of %s: %v", t.Name, err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// fingerprintOf writes an absent range and an absent enumeration the same way
// whether they are nil or empty.
func fingerprintOf(c Column) fingerprinted {
	f := fingerprinted{c.Name, c.Type, c.Unit, []float64{}, append([]string{}, c.Enum...),
		c.Pattern, c.Decimals, c.Nullable, c.Role, c.Classification}
	if c.Range != nil {
		f.Range = []float64{c.Range.Min, c.Range.Max}
	}
	return f
}
