package dynamodb

import (
	"context"
	"slices"

	"engage/internal/localaws/dynamodb/attr"
	"engage/internal/localaws/dynamodb/expr"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// maxPage is the most bytes that a query or a scan reads for one answer.
const maxPage = 1 << 20

// readInput are the members that queries and scans share.
type readInput struct {
	TableName                 string `required:"true"`
	IndexName                 string
	Select                    string `enum:"ALL_ATTRIBUTES,ALL_PROJECTED_ATTRIBUTES,SPECIFIC_ATTRIBUTES,COUNT"`
	Limit                     *int   `min:"1"`
	ConsistentRead            bool
	ConditionalOperator       string `enum:"AND,OR"`
	ExclusiveStartKey         attr.Item
	FilterExpression          *string
	ExpressionAttributeValues map[string]attr.Value
	projecting
	returnCapacity
}

type readOutput struct {
	Items            *[]attr.Item `json:",omitempty"` // not there when items are only counted
	Count            int
	ScannedCount     int
	LastEvaluatedKey attr.Item `json:",omitempty"`
	ConsumedCapacity *consumed `json:",omitempty"`
}

// reading is a range of entries of a table or an index that is being read.
type reading struct {
	*readInput
	table      *table
	index      *index // nil for the table itself
	global     bool
	low, high  string // entry keys: from low to before high
	backward   bool
	filter     *expr.Condition
	projection *expr.Projection
	fetch      bool // from the table, what a local index does not have

	out     readOutput
	items   []attr.Item
	bytes   int // read from the table or the index
	fetched float64
}

// filterOf parses the filter of a query or a scan; legacy are the members of old.
func (in *readInput) filterOf(scope *expr.Scope, name string, legacy map[string]expr.Comparison) (*expr.Condition, error) {
	if in.FilterExpression == nil {
		return expr.Legacy(legacy, in.ConditionalOperator)
	}
	if legacy != nil {
		return nil, errBoth(name, "FilterExpression")
	}
	return scope.Condition("FilterExpression", *in.FilterExpression)
}

// checkSelect checks which attributes a request asks for.
func (in *readInput) checkSelect(projection *expr.Projection) error {
	switch {
	case in.Select == "SPECIFIC_ATTRIBUTES" && projection == nil:
		return invalid("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case in.Select == "ALL_PROJECTED_ATTRIBUTES" && in.IndexName == "":
		return invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	case projection == nil || in.Select == "" || in.Select == "SPECIFIC_ATTRIBUTES":
		return nil
	case in.Select == "COUNT":
		return invalid("Cannot specify the AttributesToGet when choosing to get only the Count")
	}
	return invalid("Cannot specify the AttributesToGet when choosing to get %s", in.Select)
}

// open finds the table and the index, and checks that they have what is asked for.
func (r *reading) open(tx state.Tx, call *wire.Call) (err error) {
	if r.table, err = lookup(tx, call, r.TableName); err != nil || r.IndexName == "" {
		return err
	}
	r.index, r.global = r.table.index(r.IndexName)
	if r.index == nil {
		return invalid("The table does not have the specified index: %s", r.IndexName)
	}
	if r.global && r.ConsistentRead {
		return invalid("Consistent reads are not supported on global secondary indexes")
	}
	missing := r.missing()
	if !r.global {
		r.fetch = len(missing) > 0 || r.Select == "ALL_ATTRIBUTES" && r.table.projected(*r.index) != nil
		return nil
	}
	if len(missing) > 0 {
		return badParameter("Global secondary index %s does not project %v", r.IndexName, missing)
	}
	if r.Select == "ALL_ATTRIBUTES" && r.table.projected(*r.index) != nil {
		return badParameter("Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", r.IndexName)
	}
	return nil
}

// missing returns what the request names and the index does not have.
func (r *reading) missing() []string {
	has := r.table.projected(*r.index)
	if has == nil {
		return nil
	}
	return slices.DeleteFunc(r.projection.Names(), func(name string) bool { return slices.Contains(has, name) })
}

// keys returns the key by which entries are found.
func (r *reading) keys() schema {
	if r.index != nil {
		return r.index.Keys
	}
	return r.table.Keys
}

// entryKey returns the entry key of an item, or of a key to start after.
func (r *reading) entryKey(item attr.Item) string {
	if r.index == nil {
		return r.table.Keys.entryKey(item)
	}
	return r.index.Keys.entryKey(item) + r.table.Keys.entryKey(item)
}

// startKey returns the key of the item that the page ended with.
func (r *reading) startKey(item attr.Item) attr.Item {
	key := r.table.Keys.of(item)
	if r.index != nil {
		for name, v := range r.index.Keys.of(item) {
			key[name] = v
		}
	}
	return key
}

// start moves the range to after the key that the page before ended with.
func (r *reading) start() error {
	from := r.ExclusiveStartKey
	if from == nil {
		return nil
	}
	if message := from.Check(); message != "" {
		return invalid("The provided starting key is invalid: %s", message)
	}
	want := r.table.Keys.names()
	for _, name := range r.keys().names() {
		if !slices.Contains(want, name) {
			want = append(want, name)
		}
	}
	for _, name := range want {
		if v, there := from[name]; !there || v.Kind != r.table.typeOf(name) || len(from) != len(want) {
			return invalid("The provided starting key is invalid: The provided key element does not match the schema")
		}
	}
	at := r.entryKey(from)
	if !r.backward && at < r.low || r.backward && at >= r.high {
		return invalid("The provided starting key is outside query boundaries based on provided conditions")
	}
	if r.backward {
		r.high = at
	} else {
		r.low = at + "\x00"
	}
	return nil
}

// run reads a page.
func (r *reading) run(tx state.Tx) error {
	r.items = []attr.Item{}
	id := r.table.ID
	if r.index != nil {
		id = r.index.ID
	}
	prefix := state.Prefix(id)
	entries := items.ScanFrom(tx, prefix, prefix+r.low, "")
	if r.backward {
		entries = items.ScanBack(tx, prefix, prefix+r.high)
	}
	var last attr.Item
	for raw := range entries {
		if key := string(raw.KeyBytes()[len(prefix):]); !r.backward && key >= r.high || r.backward && key < r.low {
			break
		}
		item, err := raw.Value()
		if err != nil {
			return err
		}
		if last != nil && r.bytes+item.Size() > maxPage {
			r.out.LastEvaluatedKey = r.startKey(last)
			break
		}
		last = item
		if err := r.take(tx, item); err != nil {
			return err
		}
		if r.Limit != nil && r.out.ScannedCount == *r.Limit {
			r.out.LastEvaluatedKey = r.startKey(last) // an empty page may follow, as on AWS
			break
		}
	}
	if r.Select != "COUNT" {
		r.out.Items = &r.items
	}
	return nil
}

// take adds an entry to the page, if the filter lets it pass.
func (r *reading) take(tx state.Tx, item attr.Item) (err error) {
	r.bytes += item.Size()
	r.out.ScannedCount++
	if r.fetch {
		if item, err = r.table.read(tx, item); err != nil {
			return err
		}
		r.fetched += reads(item.Size(), r.ConsistentRead)
	}
	if !r.filter.Holds(item) {
		return nil
	}
	r.out.Count++
	if r.Select != "COUNT" {
		r.items = append(r.items, r.projection.Of(item))
	}
	return nil
}

func (r *reading) cost() cost {
	n := reads(r.bytes, r.ConsistentRead)
	if r.index == nil {
		return cost{table: n}
	}
	c := cost{table: r.fetched}
	c.index(r.index.Name, n, r.global)
	return c
}

// page runs a reading; aim sets its range once the table is known.
func (s *Service) page(ctx context.Context, call *wire.Call, r *reading, aim func() error) (*readOutput, error) {
	err := s.cfg.Store.View(func(tx state.Tx) error {
		if err := r.open(tx, call); err != nil {
			return err
		}
		if err := aim(); err != nil {
			return err
		}
		if err := r.start(); err != nil {
			return err
		}
		return r.run(tx)
	})
	if err != nil {
		return nil, err
	}
	c := r.cost()
	s.count(ctx, call, r.table, c)
	r.out.ConsumedCapacity = r.show(r.table, c)
	return &r.out, nil
}
