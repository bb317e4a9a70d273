package engine

import (
	"bufio"
	"bytes"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

var anonymousName = regexp.MustCompile(`^` + anonymous + `(_\d+)?$`)

// describe reads the columns of a result; one without a name is called by its place.
func describe(rows driver.Rows) ([]Column, []*shape) {
	names := rows.Columns()
	columns, shapes := make([]Column, len(names)), make([]*shape, len(names))
	typed := rows.(driver.RowsColumnTypeDatabaseTypeName)
	for i, name := range names {
		shapes[i] = parseShape(typed.ColumnTypeDatabaseTypeName(i))
		columns[i] = shapes[i].athena()
		columns[i].Name = columnName(name, i)
	}
	return columns, shapes
}

func columnName(name string, i int) string {
	if anonymousName.MatchString(name) {
		return fmt.Sprintf("_col%d", i)
	}
	return name
}

// writeCSV writes the header and all rows: every value in quotes, null as nothing at all.
func writeCSV(w *bufio.Writer, rows driver.Rows, columns []Column, shapes []*shape) (int64, error) {
	for i, c := range columns {
		writeField(w, i, []byte(c.Name))
	}
	w.WriteByte('\n')
	dest, buf := make([]driver.Value, len(columns)), []byte{}
	for n := int64(0); ; n++ {
		switch err := rows.Next(dest); {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		}
		for i, v := range dest {
			if v == nil {
				if i > 0 {
					w.WriteByte(',')
				}
				continue
			}
			buf = appendValue(buf[:0], v, shapes[i])
			writeField(w, i, buf)
		}
		if err := w.WriteByte('\n'); err != nil {
			return n, fmt.Errorf("write result: %w", err)
		}
	}
}

func writeField(w *bufio.Writer, i int, field []byte) {
	if i > 0 {
		w.WriteByte(',')
	}
	w.WriteByte('"')
	for _, c := range field {
		if c == '"' {
			w.WriteByte('"')
		}
		w.WriteByte(c)
	}
	w.WriteByte('"')
}

// writeFile writes the result file and its .metadata.
func (r *run) writeFile(suffix string, f func(*bufio.Writer) error) error {
	tmp := &spool{dir: r.cfg.Dir}
	defer tmp.Close()
	w := bufio.NewWriterSize(tmp, 1<<16)
	if err := f(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	r.res.Bytes = tmp.size
	body, err := tmp.content()
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return r.publish(suffix, body)
}

// publish puts both files at once: what takes time is waiting for the disk.
func (r *run) publish(suffix string, body io.Reader) error {
	uri := r.outputURI(suffix)
	described := make(chan error, 1)
	go func() {
		described <- r.cfg.Objects.Put(r.ctx, uri+".metadata", bytes.NewReader(metadata(r.req.ID, r.res.Columns)))
	}()
	err := r.cfg.Objects.Put(r.ctx, uri, body)
	if derr := <-described; derr != nil {
		return fmt.Errorf("write %s.metadata: %w", uri, derr)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", uri, err)
	}
	r.res.Output = uri
	return nil
}

func (r *run) outputURI(suffix string) string {
	base := r.req.Output
	if !strings.HasSuffix(base, "/") {
		base += "/"
	}
	return base + r.req.ID + suffix
}

// maxSpool is how much of a result is held in memory.
const maxSpool = 1 << 20

// spool holds what is written to it in memory, and in a file once that is too much.
type spool struct {
	dir    string
	memory bytes.Buffer
	file   *os.File
	size   int64
}

func (s *spool) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	if s.file == nil && s.memory.Len()+len(p) > maxSpool {
		f, err := os.CreateTemp(s.dir, "result-*")
		if err != nil {
			return 0, err
		}
		s.file = f
		if _, err := s.memory.WriteTo(f); err != nil {
			return 0, err
		}
	}
	if s.file != nil {
		return s.file.Write(p)
	}
	return s.memory.Write(p)
}

// content is what was written, from its beginning.
func (s *spool) content() (io.Reader, error) {
	if s.file == nil {
		return &s.memory, nil
	}
	_, err := s.file.Seek(0, io.SeekStart)
	return s.file, err
}

// Close removes the file.
func (s *spool) Close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}
