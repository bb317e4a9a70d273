package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// stagingPrefix begins the name of a directory that a data set is staged in.
const stagingPrefix = ".staging-"

// BusyError says that another process is writing a data set to the directory.
type BusyError struct{ Dir string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("another process is writing to directory %s; wait for it or name another directory", e.Dir)
}

// hold makes a staging directory this process's own until the returned file is
// closed, by it or by the end of the process, however that comes. It reports
// false where another process holds it.
func hold(staging string) (*os.File, bool, error) {
	d, err := os.Open(staging)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return d, true, nil
	}
	d.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, false, nil
	}
	return nil, false, err
}

// sweep removes what processes that were killed have left in dir, and returns
// the other entries. A directory that is being written is a *BusyError. Of a
// process that was killed while it put its files in place the directory stays,
// among replacing: it tells that files without a manifest are half a data set.
func sweep(dir string) (others []fs.DirEntry, replacing []string, err error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, entry := range all {
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), stagingPrefix) {
			others = append(others, entry)
			continue
		}
		staging := filepath.Join(dir, entry.Name())
		kept, err := discard(dir, staging)
		if err != nil {
			return nil, nil, err
		}
		if kept {
			replacing = append(replacing, staging)
		}
	}
	return others, replacing, nil
}

// discard removes a staging directory that no process holds, unless a manifest
// is left in it.
func discard(dir, staging string) (kept bool, err error) {
	held, ours, err := hold(staging)
	if err != nil {
		return false, err
	}
	if !ours {
		return false, &BusyError{Dir: dir}
	}
	defer held.Close()
	if _, err := os.Lstat(filepath.Join(staging, ManifestFile)); err == nil {
		return true, nil
	}
	return false, os.RemoveAll(staging)
}
