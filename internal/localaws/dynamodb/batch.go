package dynamodb

import (
	"context"
	"maps"
	"slices"

	"engage/internal/localaws/dynamodb/attr"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// The limits of batches.
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
	maxBatchBytes = 16 << 20
)

type batchGetInput struct {
	RequestItems map[string]keysAndAttributes `required:"true"`
	returnCapacity
}

type keysAndAttributes struct {
	Keys                     []attr.Item       `required:"true"`
	AttributesToGet          []string          `json:",omitempty"`
	ProjectionExpression     *string           `json:",omitempty"`
	ExpressionAttributeNames map[string]string `json:",omitempty"`
	ConsistentRead           bool              `json:",omitempty"`
}

type batchGetOutput struct {
	Responses        map[string][]attr.Item
	UnprocessedKeys  map[string]keysAndAttributes
	ConsumedCapacity []consumed `json:",omitempty"`
}

func (s *Service) batchGet(ctx context.Context, call *wire.Call, in *batchGetInput) (*batchGetOutput, error) {
	n := 0
	for _, wanted := range in.RequestItems {
		n += len(wanted.Keys)
	}
	if n == 0 {
		return nil, invalid("The batchGetItem parameter is required for BatchGetItem: RequestItems must name at least one key")
	}
	if n > maxBatchGet {
		return nil, invalid("Too many items requested for the BatchGetItem call")
	}
	out := &batchGetOutput{Responses: map[string][]attr.Item{}, UnprocessedKeys: map[string]keysAndAttributes{}}
	room := maxBatchBytes
	bills := &bills{}
	err := s.cfg.Store.View(func(tx state.Tx) error {
		for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
			if err := in.RequestItems[name].get(tx, call, name, out, &room, bills); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.ConsumedCapacity = bills.settle(ctx, s, call, in.returnCapacity)
	return out, nil
}

// get reads the items of one table. What has no room in the answer is left
// for the caller to ask for again.
func (k keysAndAttributes) get(tx state.Tx, call *wire.Call, name string, out *batchGetOutput, room *int, bills *bills) error {
	projection, err := projecting{k.AttributesToGet, k.ProjectionExpression, k.ExpressionAttributeNames}.alone()
	if err != nil {
		return err
	}
	t, err := lookup(tx, call, name)
	if err != nil {
		return err
	}
	if err := t.distinct(k.Keys); err != nil {
		return err
	}
	out.Responses[name] = []attr.Item{}
	for i, key := range k.Keys {
		item, err := t.read(tx, key)
		if err != nil {
			return err
		}
		if *room -= item.Size(); *room < 0 {
			rest := k
			rest.Keys = k.Keys[i:]
			out.UnprocessedKeys[name] = rest
			return nil
		}
		bills.add(t, cost{table: reads(item.Size(), k.ConsistentRead)})
		if item != nil {
			out.Responses[name] = append(out.Responses[name], projection.Of(item))
		}
	}
	return nil
}

// distinct checks keys that must not be twice the same.
func (t *table) distinct(keys []attr.Item) error {
	seen := map[string]bool{}
	for _, key := range keys {
		if err := t.exactKey(key); err != nil {
			return err
		}
		at := t.Keys.entryKey(key)
		if seen[at] {
			return invalid("Provided list of item keys contains duplicates")
		}
		seen[at] = true
	}
	return nil
}

// bills sums up what a request of several tables consumes.
type bills struct {
	tables []*table
	costs  []cost
}

func (b *bills) add(t *table, c cost) {
	i := slices.IndexFunc(b.tables, func(u *table) bool { return u.ID == t.ID })
	if i < 0 {
		i = len(b.tables)
		b.tables, b.costs = append(b.tables, t), append(b.costs, cost{})
	}
	b.costs[i].add(c)
}

// settle counts what was consumed and returns it as the request asked for it.
func (b *bills) settle(ctx context.Context, s *Service, call *wire.Call, show returnCapacity) []consumed {
	var all []consumed
	for i, t := range b.tables {
		s.count(ctx, call, t, b.costs[i])
		if c := show.show(t, b.costs[i]); c != nil {
			all = append(all, *c)
		}
	}
	return all
}

type batchWriteInput struct {
	RequestItems map[string][]writeRequest `required:"true"`
	returnCapacity
	returnMetrics
}

type writeRequest struct {
	PutRequest    *struct{ Item attr.Item }
	DeleteRequest *struct{ Key attr.Item }
}

// item returns the key, or the item that has it.
func (r writeRequest) item() attr.Item {
	switch {
	case r.PutRequest != nil:
		return r.PutRequest.Item
	case r.DeleteRequest != nil:
		return r.DeleteRequest.Key
	}
	return nil
}

func (r writeRequest) change(table string) (change, error) {
	switch {
	case (r.PutRequest == nil) == (r.DeleteRequest == nil):
		return change{}, invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes: a write request has a PutRequest or a DeleteRequest")
	case r.PutRequest != nil:
		return putChange(table, r.PutRequest.Item, conditional{})
	}
	return deleteChange(table, r.DeleteRequest.Key, conditional{})
}

type batchWriteOutput struct {
	UnprocessedItems      map[string][]writeRequest
	ItemCollectionMetrics map[string][]collectionMetrics `json:",omitempty"`
	ConsumedCapacity      []consumed                     `json:",omitempty"`
}

func (s *Service) batchWrite(ctx context.Context, call *wire.Call, in *batchWriteInput) (*batchWriteOutput, error) {
	changes, err := in.changes()
	if err != nil {
		return nil, err
	}
	var done *written
	err = s.cfg.Store.Batch(func(tx state.Tx) error {
		done = &written{collections: map[string][]collectionMetrics{}}
		return done.batch(tx, call, changes, in.returnMetrics)
	})
	if err != nil {
		return nil, err
	}
	return &batchWriteOutput{UnprocessedItems: map[string][]writeRequest{}, ItemCollectionMetrics: done.collections,
		ConsumedCapacity: done.bills.settle(ctx, s, call, in.returnCapacity)}, nil
}

func (in *batchWriteInput) changes() ([]change, error) {
	var all []change
	bytes := 0
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		for _, r := range in.RequestItems[name] {
			c, err := r.change(name)
			if err != nil {
				return nil, refuse(err)
			}
			bytes += c.key.Size()
			all = append(all, c)
		}
	}
	switch {
	case len(all) == 0:
		return nil, invalid("The requestItems parameter is required for BatchWriteItem")
	case len(all) > maxBatchWrite:
		return nil, invalid("Too many items requested for the BatchWriteItem call")
	case bytes > maxBatchBytes:
		return nil, invalid("Item collection size has exceeded the maximum of %d bytes for the BatchWriteItem call", maxBatchBytes)
	}
	return all, nil
}

// written is what several changes in one transaction have done.
type written struct {
	bills       bills
	collections map[string][]collectionMetrics
}

// batch makes changes of different items. Each item is written as a whole;
// all of them are, or none.
func (w *written) batch(tx state.Tx, call *wire.Call, changes []change, metrics returnMetrics) error {
	seen := map[string]bool{}
	for _, c := range changes {
		at, err := c.identity(tx, call)
		if err != nil {
			return err
		}
		if seen[at] {
			return invalid("Provided list of item keys contains duplicates")
		}
		seen[at] = true
	}
	for _, c := range changes {
		done, err := c.perform(tx, call)
		if err != nil {
			return err
		}
		w.record(tx, c, done, metrics)
	}
	return nil
}

func (w *written) record(tx state.Tx, c change, done outcome, metrics returnMetrics) {
	w.bills.add(done.table, done.cost)
	if m := metrics.collection(tx, done.table, c.key); m != nil {
		w.collections[c.table] = append(w.collections[c.table], *m)
	}
}

// identity returns what tells the item of a change from all others.
func (c change) identity(tx state.Tx, call *wire.Call) (string, error) {
	t, err := lookup(tx, call, c.table)
	if err != nil {
		return "", err
	}
	if c.put {
		// A key that does not fit is told here in other words than by PutItem, as recorded on AWS.
		for _, name := range t.Keys.names() {
			if v, there := c.key[name]; !there || v.Kind != t.typeOf(name) {
				return "", errSchema()
			}
		}
	} else if err := t.exactKey(c.key); err != nil {
		return "", err
	}
	return state.Key(t.ID, t.Keys.entryKey(c.key)), nil
}
