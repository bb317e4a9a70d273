package xgb

// #cgo linux LDFLAGS: -ldl
// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"unsafe"
)

// A Library is XGBoost. There may be more than one open, of different versions too.
type Library struct {
	api    *C.api
	nextID atomic.Uint64
}

// names are where the library is looked for, the first that can be opened taken.
var names = map[string][]string{
	"darwin": {"libxgboost.dylib", "/opt/homebrew/lib/libxgboost.dylib", "/usr/local/lib/libxgboost.dylib"},
	"":       {"libxgboost.so.0", "libxgboost.so"},
}

// Open opens the library in a file, or if path is empty the one that is
// installed. The error is a *LibraryError. A library stays in memory until the
// program ends, because its threads do.
func Open(path string) (*Library, error) {
	candidates := []string{path}
	if path == "" {
		candidates = names[runtime.GOOS]
		if candidates == nil {
			candidates = names[""]
		}
	}
	var reasons []string
	for _, name := range candidates {
		l, reason := open(name)
		if l != nil {
			return l, nil
		}
		reasons = append(reasons, reason)
	}
	return nil, &LibraryError{Reason: strings.Join(reasons, "; ")}
}

// open opens one file.
func open(name string) (*Library, string) {
	a := (*C.api)(C.calloc(1, C.sizeof_api))
	file := C.CString(name)
	defer C.free(unsafe.Pointer(file))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if problem := C.api_open(a, file); problem != nil {
		reason := C.GoString(problem)
		C.free(unsafe.Pointer(a))
		return nil, reason
	}
	l := &Library{api: a}
	if v := l.Version(); v.Major < 1 || v.Major == 1 && v.Minor < 7 {
		C.api_close(a)
		C.free(unsafe.Pointer(a))
		return nil, fmt.Sprintf("%s is version %v", name, v)
	}
	return l, ""
}

// A Version is XGBoost's.
type Version struct{ Major, Minor, Patch int }

// String is as in "1.7.4".
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Version returns the version of the library.
func (l *Library) Version() Version {
	var major, minor, patch C.int
	C.api_version(l.api, &major, &minor, &patch)
	return Version{int(major), int(minor), int(patch)}
}

// call runs f, which calls the library once or more and returns the last answer,
// and copies what belongs to the thread while it is still there.
func (l *Library) call(step string, f func() C.int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if f() == 0 {
		return nil
	}
	return &CallError{Step: step, Message: brief(C.GoString(C.api_error(l.api)))}
}

// brief takes the message out of the time, the place and the stack that stand
// around it.
func brief(message string) string {
	message, _, _ = strings.Cut(message, "\nStack trace:")
	message = strings.TrimSpace(message)
	if _, after, ok := strings.Cut(message, ".cc:"); ok {
		if _, text, ok := strings.Cut(after, ": "); ok {
			message = text
		}
	}
	return strings.Join(strings.Fields(message), " ")
}

// cString calls f with a copy of s in C's memory.
func cString[T any](s string, f func(*C.char) T) T {
	c := C.CString(s)
	defer C.free(unsafe.Pointer(c))
	return f(c)
}

// cStrings calls f with copies in C's memory of an array of strings.
func cStrings(list []string, f func(**C.char)) {
	size := C.size_t(max(len(list), 1)) * C.size_t(unsafe.Sizeof((*C.char)(nil)))
	array := (**C.char)(C.malloc(size))
	defer C.free(unsafe.Pointer(array))
	each := unsafe.Slice(array, len(list))
	for i, s := range list {
		each[i] = C.CString(s)
		defer C.free(unsafe.Pointer(each[i]))
	}
	f(array)
}

// floats describes an array of a shape for the library, which gets its address as
// a number: the caller pins it for as long as the library may read it.
func floats(data []float32, columnMajor bool, shape ...int) string {
	strides := ""
	if columnMajor {
		strides = fmt.Sprintf(`,"strides":[4,%d]`, 4*shape[0])
	}
	return fmt.Sprintf(`{"data":[%d,true],"shape":%s,"typestr":"<f4","version":3%s}`,
		uintptr(unsafe.Pointer(unsafe.SliceData(data))), strings.ReplaceAll(fmt.Sprint(shape), " ", ","), strides)
}
