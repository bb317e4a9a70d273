// Package segment keeps the events of a log stream in append-only files.
//
// A file is a sequence of records: the payload's length and its CRC-32C, four
// bytes each in little endian, and the payload, one batch of events. A batch is
// synced before it is acknowledged, so that a crash can tear the last record
// of the last file only; it is cut off when the stream is opened.
package segment

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// Event is one line of a log.
type Event struct {
	Time    int64 // milliseconds since 1970
	Message string
}

// Stored is an event that is kept.
type Stored struct {
	Event
	Ingested int64  // milliseconds since 1970
	Seq      uint64 // grows with each event of the stream
}

// MaxEvents is how many events a batch has at most.
const MaxEvents = 1 << seqBits

const (
	seqBits    = 14 // of Seq, for the place in the batch
	headerSize = 8
	// maxPayload bounds what a reader allocates on a damaged length.
	maxPayload = 8 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errPayload = errors.New("segment: a batch's payload is malformed")

// encode returns the record of a batch.
func encode(ingested int64, events []Event) []byte {
	size := headerSize + 2*binary.MaxVarintLen64
	for _, e := range events {
		size += len(e.Message) + 2*binary.MaxVarintLen64
	}
	b := make([]byte, headerSize, size)
	b = binary.AppendVarint(b, ingested)
	b = binary.AppendUvarint(b, uint64(len(events)))
	for _, e := range events {
		b = binary.AppendVarint(b, e.Time)
		b = binary.AppendUvarint(b, uint64(len(e.Message)))
		b = append(b, e.Message...)
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)-headerSize))
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[headerSize:], castagnoli))
	return b
}

// decode reads a payload. The batch is the ordinal that Seq is made from.
func decode(payload []byte, batch uint64) ([]Stored, error) {
	r := reader{payload}
	ingested, err := r.varint()
	if err != nil {
		return nil, err
	}
	count, err := r.uvarint()
	if err != nil || count > MaxEvents || count > uint64(len(r.b)) {
		return nil, errPayload
	}
	events := make([]Stored, count)
	for i := range events {
		e := &events[i]
		e.Ingested, e.Seq = ingested, batch<<seqBits|uint64(i)
		if e.Event, err = r.event(); err != nil {
			return nil, err
		}
	}
	if len(r.b) > 0 {
		return nil, errPayload
	}
	return events, nil
}

type reader struct{ b []byte }

func (r *reader) varint() (int64, error) {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		return 0, errPayload
	}
	r.b = r.b[n:]
	return v, nil
}

func (r *reader) uvarint() (uint64, error) {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		return 0, errPayload
	}
	r.b = r.b[n:]
	return v, nil
}

func (r *reader) event() (Event, error) {
	t, err := r.varint()
	if err != nil {
		return Event{}, err
	}
	n, err := r.uvarint()
	if err != nil || n > uint64(len(r.b)) {
		return Event{}, errPayload
	}
	e := Event{t, string(r.b[:n])}
	r.b = r.b[n:]
	return e, nil
}
