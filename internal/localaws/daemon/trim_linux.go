package daemon

import (
	"bufio"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Trim gives back the memory that the program's start needed and its work does
// not: what the collector has freed, and pages of the program's own file, and of its libraries', that nothing
// has written to. What is needed again comes back from the page cache. An
// error does not matter: the memory stays as it was.
//
// https://man7.org/linux/man-pages/man2/madvise.2.html (MADV_DONTNEED)
func Trim() {
	debug.FreeOSMemory()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()
	for _, m := range cleanMappings(f) {
		_, _, _ = unix.RawSyscall(unix.SYS_MADVISE, m.start, m.size, unix.MADV_DONTNEED)
	}
}

// mapping is a part of the address space.
type mapping struct{ start, size uintptr }

// cleanMappings returns the mappings of files that cannot be written through
// and that have no page of their own: what the loader has changed, and then
// protected, is on no disk.
// https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html
func cleanMappings(smaps io.Reader) (found []mapping) {
	var candidate mapping
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) >= 6 && strings.Contains(fields[0], "-"):
			candidate = fileMapping(fields)
		case len(fields) == 3 && fields[0] == "Anonymous:" && fields[1] == "0" && candidate.size > 0:
			found = append(found, candidate)
		}
	}
	return found
}

// fileMapping reads the first line of a mapping, "start-end rights offset
// device inode path". It is empty unless the mapping is of a file, private and
// not writable.
func fileMapping(fields []string) mapping {
	from, to, _ := strings.Cut(fields[0], "-")
	start, err := strconv.ParseUint(from, 16, 64)
	end, endErr := strconv.ParseUint(to, 16, 64)
	rights := fields[1]
	if err != nil || endErr != nil || end <= start || !strings.HasPrefix(fields[5], "/") || rights[0] != 'r' || rights[1] != '-' || rights[3] != 'p' {
		return mapping{}
	}
	return mapping{uintptr(start), uintptr(end - start)}
}
