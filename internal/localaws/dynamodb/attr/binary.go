package attr

import (
	"encoding/binary"
	"errors"
)

// AppendBinary writes the form in which items are kept: a count, then each
// name and value. Lengths and counts are varints, a value begins with its type.
func (i Item) AppendBinary(b []byte) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(len(i)))
	for name, v := range i {
		b = v.appendBinary(appendString(b, name))
	}
	return b, nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func (v Value) appendBinary(b []byte) []byte {
	b = append(b, byte(v.Kind))
	switch v.Kind {
	case S, N, B:
		b = appendString(b, v.Text)
	case Bool:
		if v.Bool {
			return append(b, 1)
		}
		return append(b, 0)
	case SS, NS, BS:
		b = binary.AppendUvarint(b, uint64(len(v.Set)))
		for _, m := range v.Set {
			b = appendString(b, m)
		}
	case L:
		b = binary.AppendUvarint(b, uint64(len(v.List)))
		for _, e := range v.List {
			b = e.appendBinary(b)
		}
	case M:
		b, _ = v.Map.AppendBinary(b) // which does not fail
	}
	return b
}

var errStored = errors.New("the stored item is damaged")

// UnmarshalBinary reads what AppendBinary wrote.
func (i *Item) UnmarshalBinary(b []byte) error {
	r := reader{rest: string(b)}
	*i = r.item(0)
	if r.failed || r.rest != "" {
		return errStored
	}
	return nil
}

// reader takes a stored item apart; what it returns shares one copy of it.
type reader struct {
	rest   string
	failed bool
}

// count reads a number of things that take at least one byte each.
func (r *reader) count() int {
	var n uint64
	for i := 0; i < len(r.rest) && i < binary.MaxVarintLen64; i++ {
		c := r.rest[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			if n <= uint64(len(r.rest)) {
				return int(n)
			}
			break
		}
	}
	r.failed, r.rest = true, ""
	return 0
}

func (r *reader) text() string {
	n := r.count()
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *reader) byte() byte {
	if r.rest == "" {
		r.failed = true
		return 0
	}
	c := r.rest[0]
	r.rest = r.rest[1:]
	return c
}

func (r *reader) item(depth int) Item {
	n := r.count()
	item := make(Item, n)
	for range n {
		if r.failed {
			break
		}
		name := r.text()
		item[name] = r.value(depth + 1)
	}
	return item
}

func (r *reader) value(depth int) Value {
	v := Value{Kind: Kind(r.byte())}
	switch v.Kind {
	case S, N, B:
		v.Text = r.text()
	case Bool:
		v.Bool = r.byte() == 1
	case Null:
	case SS, NS, BS:
		v.Set = make([]string, r.count())
		for i := range v.Set {
			v.Set[i] = r.text()
		}
	case L, M:
		if depth > MaxDepth+1 {
			r.failed, r.rest = true, ""
			return v
		}
		r.container(&v, depth)
	default:
		r.failed = true
	}
	return v
}

func (r *reader) container(v *Value, depth int) {
	if v.Kind == M {
		v.Map = r.item(depth)
		return
	}
	n := r.count()
	v.List = make([]Value, 0, n)
	for range n {
		if r.failed {
			return
		}
		v.List = append(v.List, r.value(depth+1))
	}
}
