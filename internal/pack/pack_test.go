package pack

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// write writes a file below a directory.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func digest(t *testing.T, path string) [32]byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(text)
}

// A zip depends on the program's bytes alone: not on its name, time or mode.
func TestZipsAreReproducible(t *testing.T) {
	dir := t.TempDir()
	one, other := write(t, dir, "one", "program"), write(t, dir, "sub/other", "program")
	if err := errors.Join(os.Chmod(other, 0o700), os.Chtimes(other, time.Unix(1, 0), time.Unix(1, 0))); err != nil {
		t.Fatal(err)
	}
	first, second := filepath.Join(dir, "new", "first.zip"), filepath.Join(dir, "second.zip")
	if err := errors.Join(ZipFile(first, one), ZipFile(second, other)); err != nil {
		t.Fatal(err)
	}
	if digest(t, first) != digest(t, second) {
		t.Error("the same program makes two zips")
	}
	z, err := zip.OpenReader(first)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 || !z.File[0].Modified.Equal(epoch) {
		t.Errorf("the zip holds %+v", z.File[0].FileHeader)
	}
	r, err := z.Open("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); string(text) != "program" {
		t.Errorf("the program is %q, %v", text, err)
	}
}

// What cannot be packed leaves what was there.
func TestAFailedZipLeavesTheOldOne(t *testing.T) {
	dir := t.TempDir()
	old := write(t, dir, "f.zip", "old")
	if err := ZipFile(old, filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no program: %v", err)
	}
	if err := ZipFile(old, dir); err == nil {
		t.Error("a directory was packed")
	}
	entries, _ := os.ReadDir(dir)
	if text, _ := os.ReadFile(old); string(text) != "old" || len(entries) != 1 {
		t.Errorf("the zip is %q, among %v", text, entries)
	}
}

// module writes a module with one program.
func module(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example\n\ngo 1.26\n")
	write(t, dir, "cmd/main.go", program)
	return dir
}

const (
	plainProgram = "package main\n\nimport \"net\"\n\nfunc main() { _, _ = net.LookupHost(\"localhost\") }\n"
	cgoProgram   = "package main\n\n// int twice(int n) { return 2 * n; }\nimport \"C\"\n\nfunc main() { println(C.twice(21)) }\n"
)

// The bytes of a program do not depend on where it was compiled, and a program
// without C needs no library.
func TestCompilingIsReproducible(t *testing.T) {
	for name, tt := range map[string]struct {
		source string
		cgo    bool
		static bool
	}{
		"without C":        {plainProgram, false, true},
		"no C but allowed": {plainProgram, true, true},
		"with C":           {cgoProgram, true, false},
	} {
		out := t.TempDir()
		var sums [2][32]byte
		for i := range sums {
			path := filepath.Join(out, name, string(rune('a'+i)))
			p := Program{Dir: module(t, tt.source), Package: "./cmd", Arch: "amd64", Cgo: tt.cgo}
			if err := Compile(t.Context(), p, path); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			sums[i] = digest(t, path)
			o, err := readObject(path)
			if err != nil || (o.interpreter == "" && len(o.needed) == 0) != tt.static {
				t.Errorf("%s: interpreter %q, needs %v, %v", name, o.interpreter, o.needed, err)
			}
		}
		if sums[0] != sums[1] {
			t.Errorf("%s: two directories give two programs", name)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	p := Program{Dir: module(t, "package main\n\nfunc main() { undefined() }\n"), Package: "./cmd", Arch: "amd64"}
	var broken *CompileError
	if err := Compile(t.Context(), p, filepath.Join(t.TempDir(), "x")); !errors.As(err, &broken) || !strings.Contains(err.Error(), "undefined") {
		t.Errorf("a program that does not compile: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Compile(ctx, p, filepath.Join(t.TempDir(), "x")); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// shared builds a shared library that needs others in its directory, and no C library.
func shared(t *testing.T, dir, name string, more ...string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	source := write(t, t.TempDir(), "x.c", "int x;\n")
	c := exec.Command("gcc", append([]string{"-shared", "-fPIC", "-nostdlib", "-Wl,--no-as-needed", "-Wl,--build-id=none", "-Wl,-soname," + name, "-o", path, source, "-L" + dir}, more...)...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v: %s", err, out)
	}
	return path
}

func TestClosure(t *testing.T) {
	dir, far := t.TempDir(), t.TempDir()
	shared(t, dir, "libc2.so.1")
	shared(t, far, "libfar.so.1")
	shared(t, dir, "libb.so.1", "-l:libc2.so.1")
	program := shared(t, dir, "program", "-l:libb.so.1", "-L"+far, "-l:libfar.so.1", "-Wl,-rpath,"+far)
	opened := shared(t, dir, "libopened.so.0", "-l:libc2.so.1")
	l := &Libraries{dirs: []string{t.TempDir()}, cache: map[string][]string{
		"libopened.so.0": {write(t, t.TempDir(), "x", "no library"), opened}, // the loader skips what it cannot use
		"libb.so.1":      {filepath.Join(dir, "libb.so.1")}, "libc2.so.1": {filepath.Join(dir, "libc2.so.1")},
	}}
	got, err := l.closure([]string{program}, []string{"libopened.so.0"})
	var names []string
	for _, lib := range got.libraries {
		names = append(names, lib.name)
	}
	if want := "libb.so.1 libc2.so.1 libfar.so.1 libopened.so.0"; err != nil || strings.Join(names, " ") != want {
		t.Errorf("found %v, %v; want %s", names, err, want)
	}
	var missing *MissingLibraryError
	if _, err := l.closure([]string{program}, []string{"libnone.so"}); !errors.As(err, &missing) || missing.Name != "libnone.so" {
		t.Errorf("a library that is not installed: %v", err)
	}
	delete(l.cache, "libc2.so.1")
	if _, err := l.closure([]string{program}, nil); !errors.As(err, &missing) || !strings.HasSuffix(missing.NeededBy, "libb.so.1") {
		t.Errorf("a library of a library that is not installed: %v", err)
	}
	if _, err := l.closure([]string{write(t, dir, "text", "#!/bin/sh\n")}, nil); err == nil {
		t.Error("a script is a program")
	}
}

// The image has what its programs need: the loader finds everything below the
// image's own root.
func TestTheLoaderFindsEverything(t *testing.T) {
	host, err := HostLibraries()
	if err != nil {
		t.Skipf("this machine has no shared libraries: %v", err)
	}
	program := filepath.Join(t.TempDir(), "program")
	p := Program{Dir: module(t, cgoProgram), Package: "./cmd", Arch: "amd64", Cgo: true}
	if err := Compile(t.Context(), p, program); err != nil {
		t.Skipf("no program with C can be compiled for Linux here: %v", err)
	}
	c := Contents{Arch: "amd64", Programs: map[string]string{"program": program}}
	var missing *MissingLibraryError
	const xgboost = "libxgboost.so.0"
	if _, err := host.find(xgboost, object{}); !errors.As(err, &missing) {
		c.Opens = []string{xgboost}
	}
	var content bytes.Buffer
	if err := c.WriteTar(&content, host); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	untar := exec.Command("tar", "-x", "-C", root)
	untar.Stdin = &content
	if out, err := untar.CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	needs, err := host.closure([]string{program}, c.Opens)
	if err != nil {
		t.Fatal(err)
	}
	files := needs.files()
	dir := filepath.Dir(filepath.Join(root, files[0].name))
	loader := filepath.Join(root, needs.interpreter)
	for _, path := range append([]string{filepath.Join(root, "usr/bin/program")}, below(t, dir, c.Opens)...) {
		out, err := exec.Command(loader, "--inhibit-cache", "--library-path", dir, "--list", path).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", path, err, out)
		}
		for line := range strings.Lines(string(out)) {
			if _, to, found := strings.Cut(line, "=> "); found && !strings.HasPrefix(to, root) {
				t.Errorf("%s is outside of the image", strings.TrimSpace(line))
			}
		}
	}
	if out, err := exec.Command(loader, "--inhibit-cache", "--library-path", dir, filepath.Join(root, "usr/bin/program")).CombinedOutput(); err != nil || string(out) != "42\n" {
		t.Errorf("the program says %q, %v", out, err)
	}
}

func below(t *testing.T, dir string, names []string) (paths []string) {
	t.Helper()
	for _, name := range names {
		paths = append(paths, filepath.Join(dir, name))
	}
	return paths
}
