package cloudtrail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Object is a file in a bucket.
type Object struct {
	Bucket, Key string
	Body        []byte
	Metadata    map[string]string
	KMSKey      string // ARN of the key to encrypt with, "" for the bucket's default
}

// Writer puts log files into buckets.
type Writer interface {
	Put(ctx context.Context, caller wire.Caller, o Object) error
	// Check tells whether Put of the key would be allowed, without doing it.
	// Errors: NoSuchBucket, AccessDenied.
	Check(ctx context.Context, caller wire.Caller, bucket, key string) error
}

// Config says what the service works with.
type Config struct {
	// Store keeps trails and events. There is no default.
	Store *state.Store
	// Bucket takes log files. There is no default.
	Bucket Writer
	// Logs takes the events of trails that have a log group. There is no default.
	Logs LogWriter
	// KeyFile has the RSA key that signs digests. When it is missing, it is
	// made as soon as it is needed. The default is cloudtrail-key.pem in the store's directory.
	KeyFile string
	// Clock is for timestamps. The default is time.Now.
	Clock func() time.Time
	// Delivery is how often log files are written. The default is 5 minutes.
	Delivery time.Duration
	// Digest is how often digests are written. The default is an hour.
	Digest time.Duration
}

// Service is CloudTrail.
type Service struct {
	cfg     Config
	signer  signer
	data    atomic.Bool // a trail logs events on data
	mu      sync.Mutex  // of unsaved
	unsaved []stored
	saving  sync.Mutex // one save at a time, so that events keep their order
	flush   sync.Mutex // one delivery at a time
}

// New opens the service.
func New(cfg Config) (*Service, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Delivery == 0 {
		cfg.Delivery = 5 * time.Minute
	}
	if cfg.Digest == 0 {
		cfg.Digest = time.Hour
	}
	if cfg.KeyFile == "" {
		cfg.KeyFile = filepath.Join(cfg.Store.Dir(), "cloudtrail-key.pem")
	}
	s := &Service{cfg: cfg, signer: signer{path: cfg.KeyFile}}
	if err := s.signer.load(); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("cloudtrail: %w", err)
	}
	if err := s.refresh(); err != nil {
		return nil, fmt.Errorf("cloudtrail: %w", err)
	}
	return s, nil
}

// stored is a record and what it is selected and looked up by.
type stored struct {
	Account, Region string
	Time            time.Time
	Username        string
	Record          record
}

type trail struct {
	Name, Account, Region   string
	Bucket, Prefix          string
	Key                     string `json:",omitempty"` // ARN of the KMS key that encrypts log files
	LogGroup, LogRole       string `json:",omitempty"` // ARNs, of a trail that CloudWatch Logs gets too
	Global, Multi, Validate bool
	Logging                 bool
	Started, Stopped        *time.Time `json:",omitempty"`
	Delivered, Digested     *time.Time `json:",omitempty"`
	DeliveryError           string     `json:",omitempty"`
	Cursor                  string     // key of the last event that was delivered
	Undigested              []logFile  `json:",omitempty"`
	LastObject, LastHash    string     // of the last digest
	LastSignature           string
	// What was to be written when a crash or a failure came is written again
	// under the same name, so that no file stays that no digest names.
	Intended       map[string]string `json:",omitempty"` // keys of log files by region
	IntendedDigest *time.Time        `json:",omitempty"`
	Selectors      []selector        `json:",omitempty"`
	Advanced       []advanced        `json:",omitempty"` // or these
	Tags           map[string]string `json:",omitempty"`
}

var (
	trails = state.NewCollection[trail]("cloudtrail/trails")  // account, region, name
	events = state.NewCollection[stored]("cloudtrail/events") // sequence
)

func (t trail) key() string { return state.Key(t.Account, t.Region, t.Name) }

func (t trail) arn() string {
	return "arn:aws:cloudtrail:" + t.Region + ":" + t.Account + ":trail/" + t.Name
}

// maxUnsaved is how many events are kept in memory between two saves.
const maxUnsaved = 500

// Record takes a call that was answered. It does not fail: an event that
// cannot be saved now is saved later. An event on data that no trail asks for
// is not kept.
func (s *Service) Record(_ context.Context, e Event) {
	if e.Data && !s.data.Load() {
		return
	}
	id, err := newID()
	if err != nil {
		return
	}
	if e.Time.IsZero() {
		e.Time = s.cfg.Clock()
	}
	name := e.Caller.SessionName
	if name == "" {
		name = e.Caller.ARN[strings.LastIndexAny(e.Caller.ARN, ":/")+1:]
	}
	s.mu.Lock()
	s.unsaved = append(s.unsaved, stored{e.Caller.Account, e.Caller.Region, e.Time, name, e.record(id)})
	full := len(s.unsaved) >= maxUnsaved
	s.mu.Unlock()
	if full {
		_ = s.save() // they stay in memory
	}
}

func newID() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(rand.Reader, raw[:]); err != nil {
		return "", err
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]), nil
}

// save makes the recorded events durable. Callers of Record do not wait for it.
func (s *Service) save() error {
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	batch := s.unsaved
	s.unsaved = nil
	s.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		for _, e := range batch {
			n, err := events.NextSequence(tx)
			if err != nil {
				return err
			}
			if err := events.Put(tx, state.Ordinal(n), e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.mu.Lock()
		s.unsaved = append(batch, s.unsaved...)
		s.mu.Unlock()
	}
	return err
}

// refresh finds out whether a trail logs events on data.
func (s *Service) refresh() error {
	return s.cfg.Store.View(func(tx state.Tx) error {
		all, err := trails.List(tx, "", "", 0)
		wanted := false
		for _, e := range all {
			wanted = wanted || e.Value.Logging && e.Value.wantsData()
		}
		s.data.Store(wanted)
		return err
	})
}

// Run saves and delivers until the context ends, and then once more.
func (s *Service) Run(ctx context.Context, report func(error)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := s.cfg.Clock()
	if err := s.prune(); err != nil {
		report(err)
	}
	for {
		select {
		case <-ctx.Done():
			if err := s.Flush(context.WithoutCancel(ctx), false); err != nil {
				report(err)
			}
			return
		case <-tick.C:
		}
		err := s.save()
		if now := s.cfg.Clock(); now.Sub(last) >= s.cfg.Delivery {
			last = now
			err = errors.Join(err, s.Flush(ctx, false), s.prune())
		}
		if err != nil {
			report(err)
		}
	}
}
