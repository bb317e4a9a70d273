package pack

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Libraries finds shared libraries as the dynamic loader of this machine does.
type Libraries struct {
	cache map[string][]string
	dirs  []string
}

// The loader looks here when the cache does not know a library: the directories
// of Debian, then those of others.
var standardDirs = []string{
	"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
	"/lib64", "/usr/lib64", "/lib", "/usr/lib",
}

// HostLibraries returns the libraries that are installed on this machine.
func HostLibraries() (*Libraries, error) {
	l := &Libraries{dirs: standardDirs}
	text, err := os.ReadFile("/etc/ld.so.cache")
	if errors.Is(err, fs.ErrNotExist) { // as where musl is the C library
		return l, nil
	}
	if err == nil {
		l.cache, err = parseCache(text)
	}
	if err != nil {
		return nil, fmt.Errorf("find shared libraries: %w", err)
	}
	return l, nil
}

// MissingLibraryError says which library is not installed, and what needs it.
type MissingLibraryError struct{ Name, NeededBy string }

func (e *MissingLibraryError) Error() string {
	return fmt.Sprintf("the shared library %s, which %s needs, is not installed: install it, on Debian and Ubuntu with \"go tool task deps\"", e.Name, e.NeededBy)
}

// library is a shared library and where it was found.
type library struct{ name, path string }

// closure is what a set of programs needs to run.
type closure struct {
	machine     elf.Machine
	interpreter string
	libraries   []library // sorted by name
}

// closure returns everything that the programs need, and that the libraries need
// which they open by name at run time. Errors: *MissingLibraryError.
func (l *Libraries) closure(programs, opened []string) (closure, error) {
	var c closure
	var queue []object
	for _, path := range programs {
		o, err := readObject(path)
		if err != nil {
			return c, err
		}
		if c.machine != 0 && c.machine != o.machine || c.interpreter != "" && o.interpreter != "" && c.interpreter != o.interpreter {
			return c, fmt.Errorf("%s is for another machine than %s", path, programs[0])
		}
		if c.machine = o.machine; o.interpreter != "" {
			c.interpreter = o.interpreter
		}
		queue = append(queue, o)
	}
	if len(opened) > 0 {
		queue = append(queue, object{path: "a program", machine: c.machine, needed: opened})
	}
	found := map[string]string{}
	for ; len(queue) > 0; queue = queue[1:] {
		more, err := l.follow(queue[0], found)
		if err != nil {
			return c, err
		}
		queue = append(queue, more...)
	}
	for name, path := range found {
		c.libraries = append(c.libraries, library{name, path})
	}
	slices.SortFunc(c.libraries, func(a, b library) int { return strings.Compare(a.name, b.name) })
	return c, nil
}

// follow finds the libraries that o needs, and returns those that are new.
func (l *Libraries) follow(o object, found map[string]string) ([]object, error) {
	var more []object
	for _, name := range o.needed {
		if _, known := found[name]; known {
			continue
		}
		lib, err := l.find(name, o)
		if err != nil {
			return nil, err
		}
		found[name] = lib.path
		more = append(more, lib)
	}
	return more, nil
}

// find looks where the object says, in the cache, and in the usual places.
// https://man7.org/linux/man-pages/man8/ld.so.8.html
func (l *Libraries) find(name string, by object) (object, error) {
	var candidates []string
	for _, dir := range by.dirs {
		candidates = append(candidates, filepath.Join(dir, name))
	}
	candidates = append(candidates, l.cache[name]...)
	for _, dir := range l.dirs {
		candidates = append(candidates, filepath.Join(dir, name))
	}
	for _, path := range candidates {
		o, err := readObject(path)
		if err == nil && (by.machine == 0 || o.machine == by.machine) {
			return o, nil
		}
	}
	return object{}, &MissingLibraryError{name, by.path}
}
