package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// The dynamic loader's cache, in the format that glibc has written since 2.2; an
// older one may come before it in the file.
// https://sourceware.org/git/?p=glibc.git;a=blob;f=sysdeps/generic/dl-cache.h;hb=glibc-2.41
const (
	cacheMagic  = "glibc-ld.so.cache1.1"
	cacheHeader = 48
	cacheEntry  = 24
)

var errCache = errors.New("the loader's cache is damaged: run ldconfig")

// parseCache returns the files that the cache knows for each library. Variants
// for some processors only are left out.
func parseCache(text []byte) (map[string][]string, error) {
	at := bytes.Index(text, []byte(cacheMagic))
	if at < 0 || len(text) < at+cacheHeader {
		return nil, errCache
	}
	text = text[at:]
	order := binary.NativeEndian
	n := uint64(order.Uint32(text[len(cacheMagic):]))
	if n > uint64(len(text)-cacheHeader)/cacheEntry {
		return nil, errCache
	}
	out := map[string][]string{}
	for i := range n {
		entry := text[cacheHeader+i*cacheEntry:]
		name, ok := cacheString(text, order.Uint32(entry[4:]))
		path, also := cacheString(text, order.Uint32(entry[8:]))
		if !ok || !also {
			return nil, errCache
		}
		if order.Uint64(entry[16:]) == 0 {
			out[name] = append(out[name], path)
		}
	}
	return out, nil
}

// cacheString returns the string that begins at an offset.
func cacheString(text []byte, at uint32) (string, bool) {
	if uint64(at) >= uint64(len(text)) {
		return "", false
	}
	s, _, ended := bytes.Cut(text[at:], []byte{0})
	return string(s), ended
}
