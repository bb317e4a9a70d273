package gbdt

import (
	"encoding/binary"
	"fmt"
	"math"
)

// ubjson is Universal Binary JSON, draft 12, in the part that XGBoost writes:
// https://ubjson.org and https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
type ubjson struct {
	data  []byte
	pos   int
	depth int
}

func (u *ubjson) offset() int { return u.pos }

func (u *ubjson) fail(reason string) error {
	if u.pos >= len(u.data) {
		reason = "the document ends too early"
	}
	return &FormatError{Offset: u.pos, Reason: reason}
}

// peek skips no-operation markers and returns the next, 0 at the end.
func (u *ubjson) peek() byte {
	for u.pos < len(u.data) && u.data[u.pos] == 'N' {
		u.pos++
	}
	if u.pos >= len(u.data) {
		return 0
	}
	return u.data[u.pos]
}

func (u *ubjson) take(n int) ([]byte, error) {
	if n < 0 || n > len(u.data)-u.pos {
		u.pos = len(u.data)
		return nil, u.fail("")
	}
	b := u.data[u.pos : u.pos+n]
	u.pos += n
	return b, nil
}

// width is the number of bytes of a number, 0 of what is none.
func width(marker byte) int {
	switch marker {
	case 'i', 'U':
		return 1
	case 'I':
		return 2
	case 'l', 'd':
		return 4
	case 'L', 'D':
		return 8
	}
	return 0
}

// integer decodes a number of a marker for whole numbers.
func integer(marker byte, b []byte) int64 {
	switch marker {
	case 'i':
		return int64(int8(b[0]))
	case 'U':
		return int64(b[0])
	case 'I':
		return int64(int16(binary.BigEndian.Uint16(b)))
	case 'l':
		return int64(int32(binary.BigEndian.Uint32(b)))
	}
	return int64(binary.BigEndian.Uint64(b))
}

// real decodes a number of any marker.
func real64(marker byte, b []byte) float64 {
	switch marker {
	case 'd':
		return float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
	case 'D':
		return math.Float64frombits(binary.BigEndian.Uint64(b))
	}
	return float64(integer(marker, b))
}

// count reads a whole number that is no less than 0 and no more than the bytes left.
func (u *ubjson) count() (int, error) {
	marker := u.peek()
	if width(marker) == 0 || marker == 'd' || marker == 'D' {
		return 0, u.fail("expected a length")
	}
	u.pos++
	b, err := u.take(width(marker))
	if err != nil {
		return 0, err
	}
	n := integer(marker, b)
	if n < 0 || n > int64(len(u.data)-u.pos) {
		return 0, u.fail(fmt.Sprintf("a length of %d is more than the document has", n))
	}
	return int(n), nil
}

func (u *ubjson) key() (string, error) {
	n, err := u.count()
	if err != nil {
		return "", err
	}
	b, err := u.take(n)
	return string(b), err
}

func (u *ubjson) text() (string, error) {
	if u.peek() != 'S' {
		return "", u.fail("expected a string")
	}
	u.pos++
	return u.key()
}

// header reads what stands after an opening bracket: the type of all elements,
// 0 if each says its own, and their number, -1 if a bracket ends them.
func (u *ubjson) header(first byte) (marker byte, n int, err error) {
	if u.peek() != first {
		return 0, 0, u.fail(fmt.Sprintf("expected %q", first))
	}
	u.pos++
	if u.peek() == '$' {
		b, err := u.take(2)
		if err != nil {
			return 0, 0, err
		}
		if marker = b[1]; width(marker) == 0 {
			return 0, 0, u.fail(fmt.Sprintf("elements of type %q", marker))
		}
		if u.peek() != '#' {
			return 0, 0, u.fail("a type without a number of elements")
		}
	}
	if u.peek() != '#' {
		return 0, -1, nil
	}
	u.pos++
	n, err = u.count()
	return marker, n, err
}

// items calls item for each element until the number is reached or the bracket closes.
func (u *ubjson) items(n int, last byte, item func() error) error {
	if u.depth++; u.depth > maxNesting {
		return u.fail("nested too deeply")
	}
	defer func() { u.depth-- }()
	for i := 0; i != n; i++ {
		if n < 0 && u.peek() == last {
			u.pos++
			return nil
		}
		if err := item(); err != nil {
			return err
		}
	}
	return nil
}

func (u *ubjson) object(member func(key string) error) error {
	marker, n, err := u.header('{')
	if err != nil {
		return err
	}
	if marker != 0 {
		return u.fail("an object of one type")
	}
	return u.items(n, '}', func() error {
		key, err := u.key()
		if err != nil {
			return err
		}
		return member(key)
	})
}

func (u *ubjson) array(element func() error) error {
	marker, n, err := u.header('[')
	if err != nil {
		return err
	}
	if marker != 0 {
		return u.fail("numbers where an array of objects or strings belongs")
	}
	return u.items(n, ']', element)
}

// numbers calls each for every number of an array.
func (u *ubjson) numbers(each func(marker byte, b []byte) error) error {
	marker, n, err := u.header('[')
	if err != nil {
		return err
	}
	if marker != 0 {
		b, err := u.take(n * width(marker))
		for ; err == nil && len(b) > 0; b = b[width(marker):] {
			err = each(marker, b)
		}
		return err
	}
	return u.items(n, ']', func() error {
		marker := u.peek()
		if marker == 'T' || marker == 'F' {
			u.pos++
			return each('U', []byte{(marker ^ 'F') / ('T' ^ 'F')})
		}
		if width(marker) == 0 {
			return u.fail("expected a number")
		}
		u.pos++
		b, err := u.take(width(marker))
		if err != nil {
			return err
		}
		return each(marker, b)
	})
}

func (u *ubjson) floats(to []float32) ([]float32, error) {
	err := u.numbers(func(marker byte, b []byte) error {
		to = append(to, float32(real64(marker, b)))
		return nil
	})
	return to, err
}

func (u *ubjson) ints(to []int32) ([]int32, error) {
	err := u.numbers(func(marker byte, b []byte) error {
		v := int64(math.MinInt64)
		if marker != 'd' && marker != 'D' {
			v = integer(marker, b)
		}
		if v != int64(int32(v)) {
			return u.fail("expected an integer of 32 bits")
		}
		to = append(to, int32(v))
		return nil
	})
	return to, err
}

func (u *ubjson) skip() error {
	switch marker := u.peek(); marker {
	case '{':
		return u.object(func(string) error { return u.skip() })
	case '[':
		return u.skipArray()
	case 'S':
		_, err := u.text()
		return err
	case 'Z', 'T', 'F':
		u.pos++
		return nil
	default:
		if width(marker) == 0 {
			return u.fail("expected a value")
		}
		u.pos++
		_, err := u.take(width(marker))
		return err
	}
}

// skipArray skips numbers of one type or values of any.
func (u *ubjson) skipArray() error {
	marker, n, err := u.header('[')
	if err != nil {
		return err
	}
	if marker != 0 {
		_, err := u.take(n * width(marker))
		return err
	}
	return u.items(n, ']', u.skip)
}

func (u *ubjson) end() error {
	if u.peek() != 0 || u.pos < len(u.data) {
		return u.fail("something follows the document")
	}
	return nil
}
