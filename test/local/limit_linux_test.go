package local_test

import "golang.org/x/sys/unix"

// limitFiles lets no file of a process grow beyond a size, in bytes. It is
// what a full disk is to the process, and needs no privileges; the hard limit
// stays, so that the process can be let write again.
func limitFiles(pid int, size uint64) error {
	var have unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &have); err != nil {
		return err
	}
	return unix.Prlimit(pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: have.Max}, nil)
}
