package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"testing"
)

// cacheOf writes a cache as ldconfig does; hwcap marks variants for a processor.
func cacheOf(before string, entries ...[3]string) []byte {
	order := binary.NativeEndian
	var table, texts []byte
	at := uint32(cacheHeader + cacheEntry*len(entries))
	add := func(s string) uint32 {
		offset := at + uint32(len(texts))
		texts = append(append(texts, s...), 0)
		return offset
	}
	for _, e := range entries {
		hwcap := uint64(0)
		if e[2] != "" {
			hwcap = 1 << 62
		}
		table = order.AppendUint32(table, 0x303)
		table = order.AppendUint32(table, add(e[0]))
		table = order.AppendUint32(table, add(e[1]))
		table = order.AppendUint64(order.AppendUint32(table, 0), hwcap)
	}
	head := order.AppendUint32([]byte(cacheMagic), uint32(len(entries)))
	head = append(head, make([]byte, cacheHeader-len(head))...)
	return slices.Concat([]byte(before), head, table, texts)
}

func TestParseCache(t *testing.T) {
	got, err := parseCache(cacheOf("ld.so-1.7.0 of old", [3]string{"liba.so.1", "/lib/liba.so.1"},
		[3]string{"liba.so.1", "/lib/glibc-hwcaps/liba.so.1", "v3"}, [3]string{"liba.so.1", "/opt/liba.so.1"}, [3]string{"libb.so", "/lib/libb.so"}))
	want := map[string][]string{"liba.so.1": {"/lib/liba.so.1", "/opt/liba.so.1"}, "libb.so": {"/lib/libb.so"}}
	if err != nil || !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	whole := cacheOf("", [3]string{"liba.so.1", "/lib/liba.so.1"})
	for cut := range len(whole) {
		if _, err := parseCache(whole[:cut]); !errors.Is(err, errCache) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
}

func FuzzParseCache(f *testing.F) {
	f.Add(cacheOf("", [3]string{"liba.so.1", "/lib/liba.so.1"}))
	f.Add([]byte(cacheMagic))
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, err := parseCache(text); err != nil && got != nil {
			t.Errorf("both %v and %v", got, err)
		}
	})
}

func FuzzParseObject(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _ = parseObject(bytes.NewReader(text)) // must not crash
	})
}
