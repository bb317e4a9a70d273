package s3

import (
	"reflect"
	"testing"
)

func FuzzRecord(f *testing.F) {
	o := Object{summary{ID: "i", Version: "null", Seq: 7, Size: 1 << 40, Modified: -1, ETag: "e", Class: "GLACIER_IR", Checksums: map[string]string{"CRC32": "AA==", "SHA1": "BB+/"}, ChecksumType: "COMPOSITE"},
		detail{Headers: map[string]string{"a": "b"}, Meta: map[string]string{"c": "d"}, Tags: []Tag{{"e", "f"}}, SSE: Encryption{"aws:kms", "k", true, CustomerKey{"m", "h"}}, Parts: []int64{1, 2}}}
	b, err := o.AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	var back Object
	if err := back.UnmarshalBinary(b); err != nil || !reflect.DeepEqual(o, back) {
		f.Fatalf("%v: got %+v, want %+v", err, back, o)
	}
	for i := range b {
		if new(Object).UnmarshalBinary(b[:i]) == nil {
			f.Errorf("a record cut to %d bytes is read", i)
		}
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var o Object
		if o.UnmarshalBinary(b) != nil {
			return
		}
		again, err := o.AppendBinary(nil)
		var back Object
		if err == nil {
			err = back.UnmarshalBinary(again)
		}
		if err != nil {
			t.Errorf("%q: %v", b, err)
		}
	})
}
