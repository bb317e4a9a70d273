//go:build !linux

package local_test

import . "github.com/onsi/ginkgo/v2"

// limitFiles skips the spec: another process's limits can be set on Linux only.
func limitFiles(int, uint64) error {
	Skip("the limits of another process can be set on Linux only")
	return nil
}
