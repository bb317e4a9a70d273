// Package daemon runs one endpoint in the background for each state directory:
// it starts it, waits until it is healthy, finds it again and stops it. Who owns
// a directory is told by a lock that the operating system releases when its
// process ends, however that comes.
package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"engage/internal/localaws/state"
)

// The files of a state directory that belong to this package.
const (
	lockFile = "lock"
	infoFile = "endpoint.json"
	LogFile  = "endpoint.log" // what the background process says
)

// Info says where an endpoint listens.
type Info struct {
	PID int    `json:"pid"`
	URL string `json:"url"`
	// Provider is the port of Pulumi's resource-provider protocol; 0 for none.
	Provider int       `json:"provider_port,omitempty"`
	Started  time.Time `json:"started"`
}

// ErrNotRunning says that no endpoint owns the directory.
var ErrNotRunning = errors.New("no endpoint is running; start one with \"engage local up\"")

// BusyError says that an endpoint owns the directory already.
type BusyError struct{ Dir string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("an endpoint is already running on %s: stop it with \"engage local down\", or name another directory with --dir", e.Dir)
}

// Lease is the ownership of a state directory.
type Lease struct {
	dir  string
	file *os.File
}

// Own makes this process the owner of the directory, made if it is not there,
// until Release or its end. Errors: *BusyError, the file system's.
func Own(dir string) (*Lease, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &BusyError{dir}
		}
		return nil, fmt.Errorf("lock state directory: %w", err)
	}
	return &Lease{dir, f}, nil
}

// Announce writes down where the endpoint listens.
func (l *Lease) Announce(url string, provider int, started time.Time) error {
	text, err := json.Marshal(Info{PID: os.Getpid(), URL: url, Provider: provider, Started: started.UTC()})
	if err != nil {
		return err
	}
	return state.WriteFile(filepath.Join(l.dir, infoFile), text, 0o600)
}

// Release gives the directory up.
func (l *Lease) Release() error {
	err := os.Remove(filepath.Join(l.dir, infoFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.file.Close())
}

// Find returns where the endpoint of a directory listens. The error is
// ErrNotRunning if none runs, also if one was killed.
func Find(dir string) (Info, error) {
	lease, err := probe(dir)
	if err != nil {
		return Info{}, err
	}
	if lease != nil {
		return Info{}, errors.Join(ErrNotRunning, lease.file.Close())
	}
	var info Info
	text, err := os.ReadFile(filepath.Join(dir, infoFile))
	if err != nil {
		return Info{}, fmt.Errorf("an endpoint is starting on %s: try again in a moment", dir)
	}
	if err := json.Unmarshal(text, &info); err != nil || info.PID <= 0 {
		return Info{}, fmt.Errorf("%s is damaged: end the endpoint's process, then start it again", filepath.Join(dir, infoFile))
	}
	return info, nil
}

// probe takes the lock if nobody holds it, without making anything.
func probe(dir string) (*Lease, error) {
	if _, err := os.Stat(filepath.Join(dir, lockFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotRunning
	}
	lease, err := Own(dir)
	var busy *BusyError
	if errors.As(err, &busy) {
		return nil, nil
	}
	return lease, err
}
