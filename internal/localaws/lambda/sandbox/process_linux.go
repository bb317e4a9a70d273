package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// attributes give the process a group of its own, and let it die with this one.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// marker is the variable by which an instance's processes are found, those too
// that left the process group: every child inherits it.
func marker(temp string) string { return "TMPDIR=" + temp }

func killGroup(pid int) {
	syscall.Kill(-pid, syscall.SIGKILL) //nolint:errcheck // it may be gone
}

// killAll ends the process group and what left it. It looks again until
// nothing is found, since a process may fork while the others are ended.
func killAll(pid int, temp string) {
	killGroup(pid)
	want := []byte(marker(temp))
	for range 10 {
		if killMarked(func(variable []byte) bool { return bytes.Equal(variable, want) }) == 0 {
			return
		}
	}
}

// killMarked ends the processes with a matching environment variable, and
// returns how many there were.
func killMarked(match func(variable []byte) bool) int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	n := 0
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		environ, err := os.ReadFile("/proc/" + e.Name() + "/environ")
		if err != nil {
			continue
		}
		for variable := range bytes.SplitSeq(environ, []byte{0}) {
			if match(variable) {
				syscall.Kill(pid, syscall.SIGKILL) //nolint:errcheck // it may be gone
				n++
				break
			}
		}
	}
	return n
}

// Sweep ends what instances with temporary files below a directory left
// running, and removes those files: for the start of a process after another
// was killed.
func Sweep(tempDir string) error {
	prefix := []byte(marker(tempDir) + "/")
	entries, err := os.ReadDir(tempDir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sweep temporary files of functions: %w", err)
	}
	killMarked(func(variable []byte) bool { return bytes.HasPrefix(variable, prefix) })
	var errs []error
	for _, e := range entries {
		errs = append(errs, os.RemoveAll(filepath.Join(tempDir, e.Name())))
	}
	return errors.Join(errs...)
}

// residentMemory returns the resident bytes of a process and its descendants.
// https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html
func residentMemory(pid int) int64 {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var total int64
	if fields := strings.Fields(string(statm)); len(fields) > 1 {
		pages, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return 0
		}
		total = pages * int64(os.Getpagesize())
	}
	for _, child := range children(pid) {
		total += residentMemory(child)
	}
	return total
}

// children returns the processes that the threads of a process started.
func children(pid int) []int {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil
	}
	var pids []int
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue
		}
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// peakMemory returns the most bytes that the process had resident.
func peakMemory(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	if !ok {
		return 0
	}
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}

// readNow reads what a descriptor that does not block has, 0 when it has nothing.
func readNow(fd uintptr, b []byte) int {
	n, err := syscall.Read(int(fd), b)
	if err != nil {
		return 0
	}
	return n
}
