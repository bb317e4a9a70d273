package segment

import (
	"cmp"
	"container/heap"
	"slices"
)

// Source is a stream to read, with the name that orders events of one time.
type Source struct {
	Name   string
	Stream *Stream
}

// Position is the place of an event among those of several streams. Events
// are ordered by time, then by stream, then by arrival.
type Position struct {
	Time   int64
	Stream string
	Seq    uint64
}

// Compare orders positions.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Time, q.Time), cmp.Compare(p.Stream, q.Stream), cmp.Compare(p.Seq, q.Seq))
}

// Found is an event with its stream.
type Found struct {
	Stored
	Stream string
}

// Position returns the event's place.
func (f Found) Position() Position { return Position{f.Time, f.Stream, f.Seq} }

// Merge reads the events of streams in order, one batch of each place in time
// at once, so that its memory does not grow with the streams.
type Merge struct {
	backward bool
	pending  []pendingBatch
	open     openBatches
}

type pendingBatch struct {
	Batch
	source Source
}

// NewMerge reads events from the time from (inclusive) to the time to
// (exclusive); backward gives the latest first.
func NewMerge(sources []Source, from, to int64, backward bool) *Merge {
	m := &Merge{backward: backward, open: openBatches{backward: backward}}
	for _, source := range sources {
		for _, b := range source.Stream.Batches() {
			if b.Last >= from && b.First < to {
				m.pending = append(m.pending, pendingBatch{b, source})
			}
		}
	}
	slices.SortFunc(m.pending, func(a, b pendingBatch) int {
		if backward {
			return cmp.Compare(b.Last, a.Last)
		}
		return cmp.Compare(a.First, b.First)
	})
	m.open.from, m.open.to = from, to
	return m
}

// Next returns the next event, false at the end.
func (m *Merge) Next() (Found, bool, error) {
	for len(m.pending) > 0 && m.due(m.pending[0].Batch) {
		if err := m.load(m.pending[0]); err != nil {
			return Found{}, false, err
		}
		m.pending = m.pending[1:]
	}
	if len(m.open.batches) == 0 {
		return Found{}, false, nil
	}
	events := m.open.batches[0]
	if len(events) == 1 {
		heap.Pop(&m.open)
	} else {
		m.open.batches[0] = events[1:]
		heap.Fix(&m.open, 0)
	}
	return events[0], true, nil
}

// due reports whether a batch may have the next event.
func (m *Merge) due(b Batch) bool {
	if len(m.open.batches) == 0 {
		return true
	}
	next := m.open.batches[0][0].Time
	if m.backward {
		return b.Last >= next
	}
	return b.First <= next
}

func (m *Merge) load(p pendingBatch) error {
	stored, err := p.source.Stream.Read(p.Batch)
	if err != nil {
		return err
	}
	events := make([]Found, 0, len(stored))
	for _, e := range stored {
		if e.Time >= m.open.from && e.Time < m.open.to {
			events = append(events, Found{e, p.source.Name})
		}
	}
	if len(events) == 0 {
		return nil
	}
	slices.SortFunc(events, m.open.compare)
	heap.Push(&m.open, events)
	return nil
}

// openBatches is a heap of batches by their next event.
type openBatches struct {
	batches  [][]Found
	backward bool
	from, to int64
}

func (o *openBatches) compare(a, b Found) int {
	if o.backward {
		a, b = b, a
	}
	return a.Position().Compare(b.Position())
}

func (o *openBatches) Len() int           { return len(o.batches) }
func (o *openBatches) Less(i, j int) bool { return o.compare(o.batches[i][0], o.batches[j][0]) < 0 }
func (o *openBatches) Swap(i, j int)      { o.batches[i], o.batches[j] = o.batches[j], o.batches[i] }
func (o *openBatches) Push(x any)         { o.batches = append(o.batches, x.([]Found)) }
func (o *openBatches) Pop() any {
	last := o.batches[len(o.batches)-1]
	o.batches = o.batches[:len(o.batches)-1]
	return last
}
