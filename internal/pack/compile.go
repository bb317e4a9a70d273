package pack

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Program is a program to compile.
type Program struct {
	Dir     string // where go runs: the root of the module
	Package string // such as ./lambdas/data-prep/cmd
	Arch    string // GOARCH
	// Cgo allows C. A program that uses none is static all the same: names are
	// looked up by Go's own code.
	Cgo bool
}

// CompileError says why a program could not be compiled.
type CompileError struct {
	Package string
	Said    string // by the compiler
}

func (e *CompileError) Error() string { return fmt.Sprintf("compile %s: %s", e.Package, e.Said) }

// Compile compiles a program for Linux to a file. The same source and compiler
// give the same bytes in any directory. Errors: *CompileError, the context's.
func Compile(ctx context.Context, p Program, to string) error {
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc,netgo,osusergo",
		"-ldflags=-s -w -buildid=", "-o", to, p.Package)
	cgo := "0"
	if p.Cgo {
		cgo = "1"
	}
	c.Dir, c.Env = p.Dir, append(os.Environ(), "GOOS=linux", "GOARCH="+p.Arch, "CGO_ENABLED="+cgo)
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	err := c.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return &CompileError{p.Package, strings.TrimSpace(said.String() + " " + err.Error())}
	}
	return nil
}
