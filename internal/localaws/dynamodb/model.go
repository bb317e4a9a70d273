package dynamodb

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"engage/internal/localaws/dynamodb/attr"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// table is what is kept of a table.
type table struct {
	ID                    string // of this table alone: one made later with the same name has another
	Name, Account, Region string
	Created               time.Time
	Attributes            []attributeDefinition
	Keys                  schema
	Local                 []index `json:",omitempty"`
	Global                []index `json:",omitempty"`
	OnDemand              time.Time
	OnDemandLimits        *onDemandThroughput `json:",omitempty"`
	Throughput            throughput
	ThroughputChange      throughputChange
	Class                 string `json:",omitempty"`
	Protected             bool   `json:",omitempty"`
	KeyARN                string `json:",omitempty"` // of KMS
	Tags                  map[string]string
	TTL                   string    `json:",omitempty"` // the attribute
	RecoverFrom           time.Time // zero when there is no point-in-time recovery
	RecoveryDays          int       `json:",omitempty"`
}

// throughputChange says when the throughput was changed last.
type throughputChange struct{ Increased, Decreased time.Time }

type attributeDefinition struct {
	AttributeName string `required:"true" max:"255"`
	AttributeType string `required:"true" enum:"S,N,B"`
}

type keyElement struct {
	AttributeName string `required:"true" max:"255"`
	KeyType       string `required:"true" enum:"HASH,RANGE"`
}

// schema is a key: the partition key, and the sort key if there is one.
type schema []keyElement

func (k schema) hash() string { return k[0].AttributeName }

// sort returns the sort key's name, "" when there is none.
func (k schema) sort() string {
	if len(k) < 2 {
		return ""
	}
	return k[1].AttributeName
}

func (k schema) names() []string {
	names := make([]string, len(k))
	for i, e := range k {
		names[i] = e.AttributeName
	}
	return names
}

func (k schema) has(name string) bool { return slices.Contains(k.names(), name) }

type projection struct {
	ProjectionType   string   `enum:"ALL,KEYS_ONLY,INCLUDE" json:",omitempty"`
	NonKeyAttributes []string `min:"1" json:",omitempty"`
}

// index is a secondary index. Its entries are copies of what it projects.
type index struct {
	ID         string // of this index alone
	Name       string
	Keys       schema
	Projection projection
	Throughput throughput
	Limits     *onDemandThroughput `json:",omitempty"`
}

type throughput struct {
	ReadCapacityUnits  int64 `min:"1"`
	WriteCapacityUnits int64 `min:"1"`
}

type onDemandThroughput struct {
	MaxReadRequestUnits  *int64 `json:",omitempty"`
	MaxWriteRequestUnits *int64 `json:",omitempty"`
}

// totals are the items of a table or an index and their bytes.
type totals struct{ Items, Bytes int64 }

// AppendBinary writes the totals, which every write to a table changes.
func (t totals) AppendBinary(b []byte) ([]byte, error) {
	return binary.AppendVarint(binary.AppendVarint(b, t.Items), t.Bytes), nil
}

// UnmarshalBinary reads what AppendBinary wrote.
func (t *totals) UnmarshalBinary(b []byte) error {
	var n, m int
	t.Items, n = binary.Varint(b)
	if n > 0 {
		t.Bytes, m = binary.Varint(b[n:])
	}
	if m <= 0 {
		return errors.New("the stored totals are damaged")
	}
	return nil
}

// nothing is the value of an entry whose key says all.
type nothing struct{}

// AppendBinary writes nothing.
func (nothing) AppendBinary(b []byte) ([]byte, error) { return b, nil }

// UnmarshalBinary reads nothing.
func (*nothing) UnmarshalBinary([]byte) error { return nil }

// Tables and what belongs to them. What follows the ids in keys may have any
// bytes: it is only ever looked for by prefix.
var (
	tables  = state.NewCollection[table]("dynamodb/tables")      // account, region, name
	items   = state.NewCollection[attr.Item]("dynamodb/items")   // table or index id, entry key
	counts  = state.NewCollection[totals]("dynamodb/totals")     // table id, table or index id
	expires = state.NewCollection[nothing]("dynamodb/expiry")    // table id, time, entry key
	tokens  = state.NewCollection[tokenUse]("dynamodb/requests") // account, region, client token
)

func (t *table) key() string { return state.Key(t.Account, t.Region, t.Name) }

func (t *table) arn() string {
	return "arn:aws:dynamodb:" + t.Region + ":" + t.Account + ":table/" + t.Name
}

// typeOf returns the type of a key attribute.
func (t *table) typeOf(name string) attr.Kind {
	for _, a := range t.Attributes {
		if a.AttributeName == name {
			return attr.KindOf(a.AttributeType)
		}
	}
	return attr.Invalid
}

// indexes returns all secondary indexes.
func (t *table) indexes() []index { return slices.Concat(t.Local, t.Global) }

// index returns an index by name, and whether it is a global one.
func (t *table) index(name string) (x *index, global bool) {
	for i := range t.Local {
		if t.Local[i].Name == name {
			return &t.Local[i], false
		}
	}
	for i := range t.Global {
		if t.Global[i].Name == name {
			return &t.Global[i], true
		}
	}
	return nil, false
}

// lookup returns the table that a request names, by name or ARN.
func lookup(tx state.Tx, call *wire.Call, name string) (*table, error) {
	account, region, short := splitTable(call, name)
	if !isName(short) {
		return nil, errName()
	}
	t, err := tables.Get(tx, state.Key(account, region, short))
	if errors.Is(err, state.ErrNotFound) {
		return nil, errNoTable()
	}
	return &t, err
}

// lookupNamed is lookup with the error of the operations on tables.
func lookupNamed(tx state.Tx, call *wire.Call, name string) (*table, error) {
	t, err := lookup(tx, call, name)
	if wire.IsCode(err, "ResourceNotFoundException") {
		_, _, short := splitTable(call, name)
		return nil, errNoTableNamed(short)
	}
	return t, err
}

func errName() error {
	return invalid("Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'")
}

func isName(name string) bool {
	if len(name) < 3 || len(name) > 255 {
		return false
	}
	for _, c := range []byte(name) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}
