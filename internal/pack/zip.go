package pack

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// bootstrap is the file that a function's runtime starts.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
const bootstrap = "bootstrap"

// zipProgram writes a program as a zip for Lambda's provided.al2023 runtime.
func zipProgram(w io.Writer, program io.Reader) error {
	z := zip.NewWriter(w)
	h := &zip.FileHeader{Name: bootstrap, Method: zip.Deflate, Modified: epoch}
	h.SetMode(0o755)
	entry, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	if _, err := io.Copy(entry, program); err != nil {
		return err
	}
	return z.Close()
}

// ZipFile packs the program in a file as a function, into another file, which
// has its old content or the new one.
func ZipFile(to, program string) error {
	in, err := os.Open(program)
	if err != nil {
		return fmt.Errorf("zip a function: %w", err)
	}
	defer in.Close()
	if err := replace(to, func(w io.Writer) error { return zipProgram(w, in) }); err != nil {
		return fmt.Errorf("zip %s: %w", filepath.Base(to), err)
	}
	return nil
}
