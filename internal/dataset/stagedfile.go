package dataset

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
)

// StagedFile counts and hashes what is written to it.
type StagedFile struct {
	name   string
	file   *os.File
	buffer *bufio.Writer
	sum    hash.Hash
	bytes  int64
	closed bool
}

// sink is below a staged file's buffer.
type sink struct{ f *StagedFile }

func (s sink) Write(p []byte) (int, error) {
	n, err := s.f.file.Write(p)
	s.f.sum.Write(p[:n])
	s.f.bytes += int64(n)
	return n, err
}

// Write adds to the file.
func (f *StagedFile) Write(p []byte) (int, error) { return f.buffer.Write(p) }

// Close brings the file to the disk. Calling it again does nothing.
func (f *StagedFile) Close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	err := f.buffer.Flush()
	if err == nil {
		err = f.file.Sync()
	}
	if closeErr := f.file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.name, plain(err))
	}
	return nil
}

func (f *StagedFile) entry(m *Manifest) File {
	e := File{Name: f.name, Table: tableOf(f.name), Rows: m.Rows, Bytes: f.bytes, SHA256: hex.EncodeToString(f.sum.Sum(nil))}
	if f.name == ConnectionsCSV || f.name == ConnectionsParquet {
		e.Rows = m.Edges
	}
	return e
}
