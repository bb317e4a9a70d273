package depcheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Load lists the packages of the module that dir lies in, with the go command,
// which must be on the path.
func Load(dir string) ([]Package, error) {
	out, err := goOutput(dir, "env", "GOMOD")
	if err != nil {
		return nil, fmt.Errorf("find module: %w", err)
	}
	gomod := strings.TrimSpace(string(out))
	if gomod == "" || gomod == os.DevNull {
		return nil, fmt.Errorf("find module: %s lies in none", dir)
	}
	// -e: a package that does not compile still has imports to check.
	listing, err := goOutput(filepath.Dir(gomod), "list", "-e",
		"-json=ImportPath,Name,Imports,TestImports,XTestImports", "./...")
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	return decode(bytes.NewReader(listing))
}

func goOutput(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w: %s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}

// decode reads the run of JSON objects that "go list -json" writes.
func decode(r io.Reader) ([]Package, error) {
	var packages []Package
	for d := json.NewDecoder(r); ; {
		var p struct {
			ImportPath, Name                   string
			Imports, TestImports, XTestImports []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("read package list: %w", err)
		}
		packages = append(packages, Package{
			Path:        p.ImportPath,
			Name:        p.Name,
			Imports:     p.Imports,
			TestImports: append(p.TestImports, p.XTestImports...),
		})
	}
}
