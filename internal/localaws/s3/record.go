package s3

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// recordVersion begins the record of an object: what a list needs in binary,
// then the detail as JSON, which a list does not look at.
const recordVersion = 1

var errRecord = errors.New("s3: the record of an object is damaged")

// AppendBinary appends the object's record.
func (o Object) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, recordVersion)
	for _, text := range []string{o.ID, o.Version, o.ETag, o.Class, o.ChecksumType, joinChecksums(o.Checksums)} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	b = binary.AppendUvarint(b, o.Seq)
	b = binary.AppendVarint(b, o.Size)
	b = binary.AppendVarint(b, o.Modified)
	detail, err := json.Marshal(o.detail)
	return append(b, detail...), err
}

// UnmarshalBinary reads the object's record.
func (o *Object) UnmarshalBinary(b []byte) (err error) {
	var rest []byte
	if o.summary, rest, err = readSummary(b); err != nil {
		return err
	}
	return json.Unmarshal(rest, &o.detail)
}

// readSummary reads what a list needs of a record, and returns the rest.
func readSummary(b []byte) (s summary, rest []byte, err error) {
	if len(b) == 0 || b[0] != recordVersion {
		return s, nil, errRecord
	}
	r := recordReader{b: b[1:]}
	s.ID, s.Version, s.ETag, s.Class, s.ChecksumType = r.text(), r.text(), r.text(), r.text(), r.text()
	s.Checksums = splitChecksums(r.text())
	s.Seq = r.unsigned()
	s.Size, s.Modified = r.signed(), r.signed()
	if r.failed {
		return s, nil, errRecord
	}
	return s, r.b, nil
}

// recordReader reads fields one after the other. Once one is damaged, all
// that follow are zero.
type recordReader struct {
	b      []byte
	failed bool
}

func (r *recordReader) skip(n int) {
	if n <= 0 {
		r.failed, r.b = true, nil
		return
	}
	r.b = r.b[n:]
}

func (r *recordReader) unsigned() uint64 {
	v, n := binary.Uvarint(r.b)
	r.skip(n)
	return v
}

func (r *recordReader) signed() int64 {
	v, n := binary.Varint(r.b)
	r.skip(n)
	return v
}

func (r *recordReader) text() string {
	n := r.unsigned()
	if n > uint64(len(r.b)) {
		r.failed, r.b = true, nil
		return ""
	}
	text := string(r.b[:n])
	r.b = r.b[n:]
	return text
}

// joinChecksums writes "CRC32:sum,SHA256:sum". Base64 has neither sign.
func joinChecksums(sums map[string]string) string {
	var pairs []string
	for algorithm, sum := range sums {
		pairs = append(pairs, algorithm+":"+sum)
	}
	slices.Sort(pairs)
	return strings.Join(pairs, ",")
}

func splitChecksums(text string) map[string]string {
	if text == "" {
		return nil
	}
	sums := map[string]string{}
	for _, pair := range strings.Split(text, ",") {
		algorithm, sum, _ := strings.Cut(pair, ":")
		sums[algorithm] = sum
	}
	return sums
}
