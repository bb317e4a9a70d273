package pack

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// object is what the dynamic loader reads of a file.
// https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html
type object struct {
	path        string
	machine     elf.Machine
	interpreter string   // the loader that the program asks for; empty for a library or a static program
	needed      []string // names of the libraries that it cannot do without
	dirs        []string // where it wants them looked for first
}

func readObject(path string) (object, error) {
	r, err := os.Open(path)
	if err != nil {
		return object{}, err
	}
	defer r.Close()
	o, err := parseObject(r)
	if err != nil {
		return object{}, fmt.Errorf("read %s: %w", path, err)
	}
	o.path = path
	for i, dir := range o.dirs {
		o.dirs[i] = os.Expand(dir, func(name string) string {
			if name == "ORIGIN" {
				return filepath.Dir(path)
			}
			return "$" + name
		})
	}
	return o, nil
}

func parseObject(r io.ReaderAt) (o object, err error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return o, err
	}
	o.machine = f.Machine
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(p.Open(), maxPath))
		if err != nil {
			return o, err
		}
		o.interpreter = strings.TrimRight(string(text), "\x00")
		if !filepath.IsAbs(o.interpreter) {
			return o, errors.New("its interpreter is no absolute path")
		}
	}
	if o.needed, err = f.DynString(elf.DT_NEEDED); err != nil {
		return o, err
	}
	runpath, err := searchPath(f)
	o.dirs = runpath
	return o, err
}

// maxPath bounds a path, as Linux does.
const maxPath = 4096

// searchPath returns DT_RUNPATH, or without it DT_RPATH.
func searchPath(f *elf.File) ([]string, error) {
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		values, err := f.DynString(tag)
		if err != nil || len(values) > 0 {
			return strings.FieldsFunc(strings.Join(values, ":"), func(r rune) bool { return r == ':' }), err
		}
	}
	return nil, nil
}
