package accesslog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Line is a rendered entry and where it goes.
type Line struct {
	Target Target
	Source Source
	Time   time.Time
	Text   string
}

// maxSpool is how long a file of the spool gets. One at a time is read into
// memory to be delivered, so it bounds that too.
const maxSpool = 4 << 20

const (
	openName   = "open"
	sealedName = "sealed-"
)

// Spool keeps lines in files until they are delivered: they take no memory,
// and outlive a process that is killed. Its methods may be called concurrently.
type Spool struct {
	dir string

	mu     sync.Mutex
	file   *os.File // nil while there is nothing in it
	size   int64
	oldest time.Time
	sealed int // the last one's number
}

// OpenSpool returns the spool in a directory, with what an earlier process left there.
func OpenSpool(dir string) (*Spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the spool of access logs: %w", err)
	}
	s := &Spool{dir: dir}
	left, err := s.Sealed()
	if err != nil {
		return nil, err
	}
	if len(left) > 0 {
		if _, err := fmt.Sscanf(filepath.Base(left[len(left)-1]), sealedName+"%d", &s.sealed); err != nil {
			return nil, fmt.Errorf("open the spool of access logs: %s is none of its files: remove it", left[len(left)-1])
		}
	}
	err = s.seal()
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return s, err
}

// Add keeps lines, in one write. full says that a file is complete and should
// be delivered soon.
func (s *Spool) Add(lines ...Line) (full bool, err error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	for _, l := range lines {
		if err := encoder.Encode(l); err != nil {
			return false, fmt.Errorf("keep a line of an access log: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(lines[0].Time); err != nil {
		return false, fmt.Errorf("keep a line of an access log: %w", err)
	}
	if _, err := s.file.Write(b.Bytes()); err != nil {
		return false, fmt.Errorf("keep a line of an access log: %w", errors.Join(err, s.file.Truncate(s.size))) // half a line would spoil the next
	}
	if s.size += int64(b.Len()); s.size < maxSpool {
		return false, nil
	}
	return true, s.seal()
}

func (s *Spool) open(now time.Time) (err error) {
	if s.file == nil {
		s.file, err = os.OpenFile(filepath.Join(s.dir, openName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		s.oldest, s.size = now, 0
	}
	return err
}

// Seal completes the file that is written to, if its oldest line came before
// a time.
func (s *Spool) Seal(before time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil || s.oldest.After(before) {
		return nil
	}
	return s.seal()
}

func (s *Spool) seal() error {
	if s.file != nil {
		if err := s.file.Close(); err != nil {
			return fmt.Errorf("complete a file of access logs: %w", err)
		}
		s.file = nil
	}
	s.sealed++
	return os.Rename(filepath.Join(s.dir, openName), filepath.Join(s.dir, fmt.Sprintf("%s%09d", sealedName, s.sealed)))
}

// Sealed returns the paths of the files to be delivered, the oldest first.
func (s *Spool) Sealed() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list the spool of access logs: %w", err)
	}
	var paths []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), sealedName) {
			paths = append(paths, filepath.Join(s.dir, e.Name()))
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// Close completes the file that is written to. What is not delivered stays.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	return s.seal()
}

// Batch are lines that go into one object.
type Batch struct {
	Target Target
	Source Source
	Day    time.Time // of the first line
	Text   []byte
}

// Read returns what a file has to be delivered, in the order of the lines. A
// line that was cut short when its process was killed is left out.
func Read(path string) ([]Batch, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read access logs: %w", err)
	}
	defer f.Close()
	var batches []Batch
	index := map[string]int{}
	lines := bufio.NewReader(f)
	for {
		raw, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return batches, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read access logs: %w", err)
		}
		var l Line
		if json.Unmarshal(raw, &l) != nil {
			continue
		}
		name := l.group()
		i, ok := index[name]
		if !ok {
			i = len(batches)
			index[name] = i
			batches = append(batches, Batch{Target: l.Target, Source: l.Source, Day: l.Time})
		}
		batches[i].Text = append(batches[i].Text, l.Text...)
	}
}

// group names the object that the line goes into.
func (l Line) group() string {
	day := ""
	if l.Target.byDay() {
		day = l.Time.UTC().Format(time.DateOnly)
	}
	target, err := json.Marshal(l.Target)
	if err != nil {
		panic("accesslog: a target is not JSON: " + err.Error())
	}
	return strings.Join([]string{l.Source.Account, l.Source.Region, l.Source.Bucket, day, string(target)}, "\x00")
}
