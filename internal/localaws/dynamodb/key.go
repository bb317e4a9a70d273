package dynamodb

import (
	"crypto/md5"
	"encoding/binary"
	"maps"
	"slices"

	"engage/internal/localaws/dynamodb/attr"
)

// The entry key of an item is a hash of its partition key, that key with its
// length before it, and the sort key in an order-preserving form. An index has
// after that the item's entry key in the table, so that it can have equal keys.

// hashSize is the length of the hash that spreads partitions, for segments of a scan.
const hashSize = 8

// partition returns the bytes that the entry keys of a partition begin with.
func partition(hash attr.Value) []byte {
	v := hash.Order()
	sum := md5.Sum(v) //nolint:gosec // spreads, hides nothing
	out := append(make([]byte, 0, hashSize+2+len(v)+64), sum[:hashSize]...)
	return append(binary.BigEndian.AppendUint16(out, uint16(len(v))), v...)
}

// A zero in a sort key is followed by escaped, its end is two zeros: a key is
// then before those that it begins.
const escaped = 0xff

// appendSort appends a sort key without its end.
func appendSort(out []byte, sort attr.Value) []byte {
	for _, b := range sort.Order() {
		out = append(out, b)
		if b == 0 {
			out = append(out, escaped)
		}
	}
	return out
}

func appendEnd(out []byte) []byte { return append(out, 0, 0) }

// entryKey returns the entry key of what has all attributes of the key.
func (k schema) entryKey(item attr.Item) string {
	out := partition(item[k.hash()])
	if sort := k.sort(); sort != "" {
		out = appendEnd(appendSort(out, item[sort]))
	}
	return string(out)
}

// of returns the key's attributes of an item.
func (k schema) of(item attr.Item) attr.Item {
	out := attr.Item{}
	for _, name := range k.names() {
		if v, there := item[name]; there {
			out[name] = v
		}
	}
	return out
}

// exactKey checks a key that is given to find an item.
func (t *table) exactKey(key attr.Item) error {
	if message := key.Check(); message != "" {
		return invalid("%s", message)
	}
	if len(key) != len(t.Keys) {
		return errSchema()
	}
	for _, name := range t.Keys.names() {
		if v, there := key[name]; !there || v.Kind != t.typeOf(name) {
			return errSchema()
		}
	}
	return t.checkKeyValues(key)
}

// The most bytes of keys.
const (
	maxHash = 2048
	maxSort = 1024
)

// checkKeyValues checks key attributes of which the types are right.
func (t *table) checkKeyValues(item attr.Item) error {
	for _, name := range t.Keys.names() {
		if v := item[name]; v.Text == "" {
			return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", kindWord(v.Kind), name)
		}
	}
	if len(item[t.Keys.hash()].Text) > maxHash {
		return badParameter("Size of hashkey has exceeded the maximum size limit of%d bytes", maxHash)
	}
	if sort := t.Keys.sort(); sort != "" && len(item[sort].Text) > maxSort {
		return badParameter("Aggregated size of all range keys has exceeded the size limit of %d bytes", maxSort)
	}
	return nil
}

func kindWord(k attr.Kind) string {
	if k == attr.B {
		return "binary"
	}
	return "string"
}

// maxItem is the most bytes of an item.
const maxItem = 400 << 10

// checkItem checks an item as a whole, with the keys of indexes that it has.
func (t *table) checkItem(item attr.Item) error {
	for _, name := range t.Keys.names() {
		v, there := item[name]
		if !there {
			return badParameter("Missing the key %s in the item", name)
		}
		if want := t.typeOf(name); v.Kind != want {
			return badParameter("Type mismatch for key %s expected: %s actual: %s", name, want, v.Kind)
		}
	}
	if err := t.checkKeyValues(item); err != nil {
		return err
	}
	for _, x := range t.indexes() {
		if err := t.checkIndexKey(x, item); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) checkIndexKey(x index, item attr.Item) error {
	for _, name := range x.Keys.names() {
		v, there := item[name]
		if !there {
			continue
		}
		if want := t.typeOf(name); v.Kind != want {
			return badParameter("Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s", name, want, v.Kind, x.Name)
		}
		if v.Text == "" {
			return invalid("One or more parameter values are not valid. A value specified for a secondary index key is not supported. "+
				"The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s", kindWord(v.Kind), x.Name, name)
		}
		limit := maxSort
		if name == x.Keys.hash() {
			limit = maxHash
		}
		if len(v.Text) > limit {
			return badParameter("Size of an index key has exceeded the maximum size limit of %d bytes. IndexName: %s, IndexKey: %s", limit, x.Name, name)
		}
	}
	return nil
}

// sparse reports whether an item has no entry in the index: a key is missing,
// or has another type in an item that is older than the index.
func (t *table) sparse(x index, item attr.Item) bool {
	return item == nil || t.checkIndexKey(x, item) != nil ||
		slices.ContainsFunc(x.Keys.names(), func(name string) bool { _, there := item[name]; return !there })
}

// projected returns the names that an index projects, nil for all.
func (t *table) projected(x index) []string {
	switch x.Projection.ProjectionType {
	case "ALL":
		return nil
	case "INCLUDE":
		return slices.Concat(t.Keys.names(), x.Keys.names(), x.Projection.NonKeyAttributes)
	}
	return slices.Concat(t.Keys.names(), x.Keys.names())
}

// entry returns what an index has of an item, and under which key; nil when
// it has nothing.
func (t *table) entry(x index, item attr.Item) (string, attr.Item) {
	if t.sparse(x, item) {
		return "", nil
	}
	entry := item
	if names := t.projected(x); names != nil {
		entry = maps.Clone(item)
		maps.DeleteFunc(entry, func(name string, _ attr.Value) bool { return !slices.Contains(names, name) })
	}
	return x.Keys.entryKey(item) + t.Keys.entryKey(item), entry
}
