package segment

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"engage/internal/localaws/state"
)

// Batch is where a batch of events is kept.
type Batch struct {
	path        string
	offset      int64
	length      int // of the payload
	ordinal     uint64
	First, Last int64 // the earliest and the latest time in it
	Ingested    int64
}

// Stream is the events of one log stream. Its methods may be called concurrently.
type Stream struct {
	dir         string
	segmentSize int64

	mu      sync.Mutex
	batches []Batch
	next    uint64 // ordinal of the next batch
	path    string // of the file that is written to
	size    int64  // of that file
	bytes   int64  // of messages
	gone    error  // set once the stream can take no more
}

// ErrRemoved is returned by a stream that was removed.
var ErrRemoved = errors.New("segment: the stream was removed")

// CorruptError says that a file was damaged after it was written.
type CorruptError struct {
	Path   string
	Offset int64
	Reason string
}

// Error names the file, the place and the way out.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("log segment %s is damaged at byte %d: %s; restore it or delete it", e.Path, e.Offset, e.Reason)
}

// DefaultSegmentSize is when a new file is begun, in bytes.
const DefaultSegmentSize = 8 << 20

// Open reads the stream in a directory, which need not exist. A segmentSize
// of 0 is DefaultSegmentSize. Errors: *CorruptError.
func Open(dir string, segmentSize int64) (*Stream, error) {
	if segmentSize == 0 {
		segmentSize = DefaultSegmentSize
	}
	s := &Stream{dir: dir, segmentSize: segmentSize}
	names, err := segmentNames(dir)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		if err := s.load(filepath.Join(dir, name), i == len(names)-1); err != nil {
			return nil, err
		}
	}
	return s, nil
}

const suffix = ".log"

func segmentNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("open log stream: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// load indexes a file; a torn record at the end of the last one is cut off.
func (s *Stream) load(path string, last bool) error {
	first, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(path), suffix), 16, 64)
	if err != nil {
		return &CorruptError{path, 0, "its name is not that of a segment"}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("open log stream: %w", err)
	}
	s.next, s.path, s.size = max(s.next, first), path, 0
	for s.size < int64(len(data)) {
		payload, reason := nextRecord(data[s.size:])
		if reason == torn && last {
			return truncate(path, s.size)
		}
		if reason != "" {
			return &CorruptError{path, s.size, reason}
		}
		events, err := decode(payload, s.next)
		if err != nil {
			return &CorruptError{path, s.size, err.Error()}
		}
		s.index(events, len(payload))
	}
	return nil
}

func truncate(path string, size int64) error {
	if err := os.Truncate(path, size); err != nil {
		return fmt.Errorf("cut a torn record off a log segment: %w", err)
	}
	return nil
}

// index notes a batch that is at the end of the current file.
func (s *Stream) index(events []Stored, length int) {
	b := Batch{path: s.path, offset: s.size, length: length, ordinal: s.next}
	for i, e := range events {
		if i == 0 || e.Time < b.First {
			b.First = e.Time
		}
		if i == 0 || e.Time > b.Last {
			b.Last = e.Time
		}
		b.Ingested = e.Ingested
		s.bytes += int64(len(e.Message))
	}
	s.batches = append(s.batches, b)
	s.next++
	s.size += int64(headerSize + length)
}

// Append adds a batch. It is durable once Append returned nil; on an error
// nothing of it is there. REQUIRES: at most MaxEvents events.
func (s *Stream) Append(ingested int64, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	record := encode(ingested, events)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone != nil {
		return s.gone
	}
	if err := s.rotate(); err != nil {
		return err
	}
	if err := s.write(record); err != nil {
		// What was written of the record must not stay before a later one.
		if undo := os.Truncate(s.path, s.size); undo != nil && !errors.Is(undo, os.ErrNotExist) {
			s.gone = fmt.Errorf("log stream takes no more events: %w", errors.Join(err, undo))
		}
		return fmt.Errorf("append to log stream: %w", err)
	}
	stored, err := decode(record[headerSize:], s.next)
	if err != nil {
		return err
	}
	s.index(stored, len(record)-headerSize)
	return nil
}

// rotate begins a new file where there is none or the current one is full.
func (s *Stream) rotate() error {
	if s.path != "" && s.size < s.segmentSize {
		return nil
	}
	path := filepath.Join(s.dir, fmt.Sprintf("%016x%s", s.next, suffix))
	if err := state.WriteFile(path, nil, 0o600); err != nil {
		return fmt.Errorf("begin log segment: %w", err)
	}
	s.path, s.size = path, 0
	return nil
}

func (s *Stream) write(record []byte) error {
	f, err := os.OpenFile(s.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(record, s.size)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Batches returns all batches, in the order in which they were added.
func (s *Stream) Batches() []Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.batches)
}

// Read returns the events of a batch.
func (s *Stream) Read(b Batch) ([]Stored, error) {
	f, err := os.Open(b.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // expired, or removed with its stream, meanwhile
	}
	if err != nil {
		return nil, fmt.Errorf("read log segment: %w", err)
	}
	defer f.Close()
	data := make([]byte, headerSize+b.length)
	if _, err := f.ReadAt(data, b.offset); err != nil && err != io.EOF {
		return nil, fmt.Errorf("read log segment: %w", err)
	}
	payload, reason := nextRecord(data)
	if reason != "" {
		return nil, &CorruptError{b.path, b.offset, reason}
	}
	return decode(payload, b.ordinal)
}

// Stats is what a stream's description tells.
type Stats struct {
	First, Last, Ingested int64 // milliseconds since 1970; 0 without events
	Bytes                 int64
}

// Stats describes the events from a time on.
func (s *Stream) Stats(from int64) Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := Stats{Bytes: s.bytes}
	for _, b := range s.batches {
		if b.Last < from {
			continue
		}
		if stats.First == 0 || b.First < stats.First {
			stats.First = max(b.First, from)
		}
		stats.Last, stats.Ingested = max(stats.Last, b.Last), max(stats.Ingested, b.Ingested)
	}
	return stats
}

// DropBefore removes the files all of whose events are older than a time; the
// file that is written to stays.
func (s *Stream) DropBefore(t int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	keep := map[string]bool{s.path: true}
	for _, b := range s.batches {
		if b.Last >= t {
			keep[b.path] = true
		}
	}
	var errs []error
	s.batches = slices.DeleteFunc(s.batches, func(b Batch) bool {
		if keep[b.path] {
			return false
		}
		if err := os.Remove(b.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
			return false
		}
		s.bytes -= int64(b.length)
		return true
	})
	s.bytes = max(s.bytes, 0)
	return errors.Join(errs...)
}

// Remove deletes the stream's files. It takes no more events.
func (s *Stream) Remove() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone, s.batches = ErrRemoved, nil
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("remove log stream: %w", err)
	}
	return nil
}
