package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"engage/internal/localaws/wire"
)

const (
	maxLoggedResources = 20
	ringSize           = 10_000
	logFileName        = "requests.jsonl"
	maxLogFile         = 64 << 20 // then the file is moved to requests.jsonl.1
)

// Record is what the request log keeps of one call.
type Record struct {
	Time       time.Time `json:"time"`
	RequestID  string    `json:"requestId,omitempty"`
	Service    string    `json:"service"`
	Action     string    `json:"action"`
	Resources  []string  `json:"resources,omitempty"`
	Caller     string    `json:"caller,omitempty"` // ARN
	Status     int       `json:"status,omitempty"` // 0 for a call from inside the process
	Code       string    `json:"code,omitempty"`   // of the error
	Message    string    `json:"message,omitempty"`
	Cause      string    `json:"cause,omitempty"` // what the caller was not told
	DurationMS float64   `json:"durationMs"`

	Denied         bool   `json:"denied,omitempty"`
	DeniedAction   string `json:"deniedAction,omitempty"`
	DeniedResource string `json:"deniedResource,omitempty"`
}

func (r *Record) describe(call *wire.Call) {
	r.Service, r.Action = call.Service.Name, call.Operation
	r.Resources, r.Caller = call.Resources, call.Caller.ARN
}

// fail notes why the call failed.
func (r *Record) fail(err error) {
	e := wire.AsError(err)
	r.Code, r.Message = e.Code, e.Message
	if cause := errors.Unwrap(e); cause != nil {
		r.Cause = cause.Error()
	}
	r.Denied = wire.IsAccessDenied(err)
	if access, ok := wire.DeniedAccess(err); ok {
		r.DeniedAction, r.DeniedResource = access.Action, access.Resource
	}
}

// requestLog is a ring in memory and a file of JSON lines.
type requestLog struct {
	mu   sync.Mutex
	ring []Record
	next int // where the oldest record is, once the ring is full
	path string
	file *os.File
	size int64
}

func openRequestLog(dir string) (*requestLog, error) {
	l := &requestLog{path: filepath.Join(dir, logFileName)}
	return l, l.open()
}

func (l *requestLog) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open request log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("open request log: %w", err), f.Close())
	}
	l.file, l.size = f, info.Size()
	return nil
}

// add keeps a record. A log that cannot be written does not fail the call:
// the ring has the record.
func (l *requestLog) add(r Record) {
	line, err := json.Marshal(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < ringSize {
		l.ring = append(l.ring, r)
	} else {
		l.ring[l.next] = r
		l.next = (l.next + 1) % ringSize
	}
	if err != nil || l.file == nil {
		return
	}
	n, _ := l.file.Write(append(line, '\n'))
	if l.size += int64(n); l.size > maxLogFile {
		l.rotate()
	}
}

func (l *requestLog) rotate() {
	l.file.Close()
	l.file = nil
	if os.Rename(l.path, l.path+".1") == nil {
		_ = l.open() // without a file the ring still has the records
	}
}

// Filter selects records. Its zero value selects all.
type Filter struct {
	Service string
	Denied  bool
	Limit   int // the newest ones; 0 is no limit
}

func (f Filter) selects(r Record) bool {
	return (f.Service == "" || f.Service == r.Service) && (!f.Denied || r.Denied)
}

// read returns the selected records of the ring, the oldest first.
func (l *requestLog) read(f Filter) []Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	selected := []Record{}
	for i := range l.ring {
		if r := l.ring[(l.next+i)%len(l.ring)]; f.selects(r) {
			selected = append(selected, r)
		}
	}
	return f.newest(selected)
}

// ReadLog returns the selected records of a state directory's log, the oldest
// first, whether or not a server is running there. A line that a crash cut
// short is left out.
func ReadLog(dir string, f Filter) ([]Record, error) {
	selected := []Record{}
	for _, name := range []string{logFileName + ".1", logFileName} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("read request log: %w", err)
		}
		for line := range bytes.Lines(raw) {
			var r Record
			if json.Unmarshal(line, &r) == nil && f.selects(r) {
				selected = append(selected, r)
			}
		}
	}
	return f.newest(selected), nil
}

func (f Filter) newest(all []Record) []Record {
	if f.Limit > 0 && len(all) > f.Limit {
		return all[len(all)-f.Limit:]
	}
	return all
}

func (l *requestLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
