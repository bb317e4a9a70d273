//go:build !linux

package daemon

import "runtime/debug"

// Trim gives back the memory that the program's start needed and its work does
// not: what the collector has freed.
func Trim() { debug.FreeOSMemory() }
