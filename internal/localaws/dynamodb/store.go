package dynamodb

import (
	"errors"
	"math"
	"strconv"
	"time"

	"engage/internal/localaws/dynamodb/attr"
	"engage/internal/localaws/state"
)

// read returns an item by its key, nil when there is none.
func (t *table) read(tx state.Tx, key attr.Item) (attr.Item, error) {
	item, err := items.Get(tx, state.Prefix(t.ID)+t.Keys.entryKey(key))
	if errors.Is(err, state.ErrNotFound) {
		return nil, nil
	}
	return item, err
}

// replace puts an item in the place of another; either may be nil. It keeps
// indexes, totals and expiry in step, and returns what the write consumes.
func (t *table) replace(tx state.Tx, old, item attr.Item) (cost, error) {
	c := cost{table: units(max(old.Size(), item.Size()), writeUnit), writes: true}
	key := ""
	if item != nil {
		key = t.Keys.entryKey(item)
	} else if old != nil {
		key = t.Keys.entryKey(old)
	}
	if err := t.move(tx, t.ID, key, old, key, item); err != nil {
		return c, err
	}
	if err := t.moveExpiry(tx, key, old, item); err != nil {
		return c, err
	}
	for i, x := range t.indexes() {
		n, err := t.reindex(tx, x, old, item)
		if err != nil {
			return c, err
		}
		if n > 0 {
			c.index(x.Name, n, i >= len(t.Local))
		}
	}
	return c, nil
}

// reindex is replace for an index. A new key is two writes, what the index
// does not have is none.
func (t *table) reindex(tx state.Tx, x index, old, item attr.Item) (float64, error) {
	oldKey, oldEntry := t.entry(x, old)
	key, entry := t.entry(x, item)
	if oldKey == key && oldEntry.Equal(entry) {
		return 0, nil
	}
	n := 0.0
	switch {
	case oldEntry != nil && entry != nil && oldKey == key:
		n = units(max(oldEntry.Size(), entry.Size()), writeUnit)
	default:
		for _, e := range []attr.Item{oldEntry, entry} {
			if e != nil {
				n += units(e.Size(), writeUnit)
			}
		}
	}
	return n, t.move(tx, x.ID, oldKey, oldEntry, key, entry)
}

// move replaces an entry of the table or of an index, and counts it.
func (t *table) move(tx state.Tx, id, oldKey string, old attr.Item, key string, item attr.Item) error {
	if old != nil && (item == nil || oldKey != key) {
		if err := items.Delete(tx, state.Prefix(id)+oldKey); err != nil {
			return err
		}
	}
	if item != nil {
		if err := items.Put(tx, state.Prefix(id)+key, item); err != nil {
			return err
		}
	}
	return t.tally(tx, id, old, item)
}

func (t *table) tally(tx state.Tx, id string, old, item attr.Item) error {
	change := totals{Bytes: int64(item.Size() - old.Size())}
	if item != nil {
		change.Items++
	}
	if old != nil {
		change.Items--
	}
	if change == (totals{}) {
		return nil
	}
	at := state.Key(t.ID, id)
	now, err := counts.Get(tx, at)
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return err
	}
	return counts.Put(tx, at, totals{now.Items + change.Items, now.Bytes + change.Bytes})
}

// moveExpiry keeps the order in which items expire.
func (t *table) moveExpiry(tx state.Tx, key string, old, item attr.Item) error {
	if t.TTL == "" {
		return nil
	}
	before, had := t.expiry(old)
	after, has := t.expiry(item)
	if had && (!has || before != after) {
		if err := expires.Delete(tx, t.expiryKey(before, key)); err != nil && !errors.Is(err, state.ErrNotFound) {
			return err
		}
	}
	if has && (!had || before != after) {
		return expires.Put(tx, t.expiryKey(after, key), nothing{})
	}
	return nil
}

func (t *table) expiryKey(at int64, key string) string {
	return state.Key(t.ID, state.Ordinal(uint64(at))) + "\x00" + key
}

// tooOld is how long after its expiry an item is not deleted any more: its
// time is then held for a mistake.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
const tooOld = 5 * 365 * 24 * time.Hour

// expiry returns when an item expires, in seconds since 1970.
func (t *table) expiry(item attr.Item) (int64, bool) {
	v, there := item[t.TTL]
	if !there || v.Kind != attr.N {
		return 0, false
	}
	seconds, err := strconv.ParseFloat(v.Text, 64)
	if err != nil || seconds < 0 || seconds > math.MaxInt32*1000.0 {
		return 0, false
	}
	return int64(seconds), true
}
