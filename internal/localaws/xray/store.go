package xray

import (
	"encoding/json"
	"errors"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// record is what is kept of a trace beside its documents.
type record struct {
	Start    float64 // of its earliest segment, in seconds since 1970
	Bytes    int     // of its documents
	Exceeded bool    `json:",omitempty"` // more was sent than a trace may have
	Revision int
}

var (
	records   = state.NewCollection[record]("xray/traces")            // account, region, trace
	documents = state.NewCollection[json.RawMessage]("xray/segments") // account, region, trace, segment
	order     = state.NewCollection[string]("xray/order")             // account, region, start, trace
	sizes     = state.NewCollection[int64]("xray/bytes")              // account, region
)

// place is the account and region that traces belong to.
type place struct{ account, region string }

func of(c wire.Caller) place { return place{c.Account, c.Region} }

func (p place) key(parts ...string) string {
	return state.Key(append([]string{p.account, p.region}, parts...)...)
}

func (p place) prefix() string { return state.Prefix(p.account, p.region) }

// orderKey sorts traces by when they began.
func (p place) orderKey(start time.Time, id string) string {
	return p.key(state.Ordinal(uint64(max(0, start.UnixMicro()))), id)
}

// keep adds a document to its trace, or replaces the one that the segment had.
// It tells whether the trace is new. What is too much for a trace is dropped, and the trace says so.
func (p place) keep(tx state.Tx, d document) (added bool, err error) {
	r, err := records.Get(tx, p.key(d.TraceID))
	added = errors.Is(err, state.ErrNotFound)
	if err != nil && !added {
		return false, err
	}
	key := p.key(d.TraceID, d.ID)
	grown, err := growth(tx, key, d)
	if err != nil {
		return false, err
	}
	r.Revision++
	if r.Bytes+grown > maxTrace {
		r.Exceeded = true
		return added, records.Put(tx, p.key(d.TraceID), r)
	}
	if err := p.move(tx, d, r, added); err != nil {
		return false, err
	}
	if added || d.start() < r.Start {
		r.Start = d.start()
	}
	r.Bytes += grown
	return added, errors.Join(documents.Put(tx, key, d.text), records.Put(tx, p.key(d.TraceID), r), p.grow(tx, grown))
}

// growth is how many bytes a document adds to what is kept under its key.
func growth(tx state.Tx, key string, d document) (int, error) {
	old, err := documents.Get(tx, key)
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return 0, err
	}
	return len(d.text) - len(old), nil
}

// move puts the trace of a document where it belongs in the order.
func (p place) move(tx state.Tx, d document, r record, added bool) error {
	if !added && d.start() >= r.Start {
		return nil
	}
	var gone error
	if !added {
		gone = order.Delete(tx, p.orderKey(moment(r.Start), d.TraceID))
	}
	return errors.Join(gone, order.Put(tx, p.orderKey(moment(d.start()), d.TraceID), d.TraceID))
}

// grow adds to the bytes that are kept.
func (p place) grow(tx state.Tx, bytes int) error {
	size, err := sizes.Get(tx, p.key())
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return err
	}
	return sizes.Put(tx, p.key(), size+int64(bytes))
}

// prune removes what is too old, and then the oldest traces until the others fit.
func (p place) prune(tx state.Tx, oldest time.Time, limit int64) error {
	size, err := sizes.Get(tx, p.key())
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return err
	}
	var gone []state.Entry[string]
	left := size
	for raw := range order.Scan(tx, p.prefix(), "") {
		id, err := raw.Value()
		if err != nil {
			return err
		}
		if raw.Key() >= p.orderKey(oldest, "") && left <= limit {
			break
		}
		r, err := records.Get(tx, p.key(id))
		if err != nil {
			return err
		}
		left -= int64(r.Bytes)
		gone = append(gone, state.Entry[string]{Key: raw.Key(), Value: id})
	}
	for _, e := range gone {
		err = errors.Join(order.Delete(tx, e.Key), records.Delete(tx, p.key(e.Value)), documents.DeletePrefix(tx, p.key(e.Value)+"\x00"))
		if err != nil {
			return err
		}
	}
	return p.grow(tx, int(left-size))
}
