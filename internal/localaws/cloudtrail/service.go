package cloudtrail

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Object is a file in a bucket.
type Object struct {
	Bucket, Key string
	Body        []byte
	Metadata    map[string]string
}

// Writer puts log files into buckets.
type Writer interface {
	Put(ctx context.Context, caller wire.Caller, o Object) error
}

// Config says what the service works with.
type Config struct {
	// Store keeps trails and events. There is no default.
	Store *state.Store
	// Bucket takes log files. There is no default.
	Bucket Writer
	// KeyFile has the RSA key that signs digests. It is made when it is
	// missing. The default is cloudtrail-key.pem in the store's directory.
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
	key     *rsa.PrivateKey
	mu      sync.Mutex
	unsaved []stored
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
	key, err := loadKey(cfg.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("cloudtrail: %w", err)
	}
	return &Service{cfg: cfg, key: key}, nil
}

func loadKey(path string) (*rsa.PrivateKey, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("make signing key: %w", err)
		}
		block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
		return key, state.WriteFile(path, pem.EncodeToMemory(block), 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("the signing key %s is no PEM file: restore it, or remove it to begin a new chain", path)
	}
	return x509.ParsePKCS1PrivateKey(block.Bytes)
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
	Global, Multi, Validate bool
	Logging                 bool
	Started, Stopped        *time.Time `json:",omitempty"`
	Delivered, Digested     *time.Time `json:",omitempty"`
	DeliveryError           string     `json:",omitempty"`
	Cursor                  string     // key of the last event that was delivered
	Undigested              []logFile  `json:",omitempty"`
	LastObject, LastHash    string     // of the last digest
	LastSignature           string
	Selectors               []selector        `json:",omitempty"`
	Tags                    map[string]string `json:",omitempty"`
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
// cannot be saved now is saved later.
func (s *Service) Record(_ context.Context, e Event) {
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

// save makes the recorded events durable.
func (s *Service) save() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unsaved) == 0 {
		return nil
	}
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		for _, e := range s.unsaved {
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
	if err == nil {
		s.unsaved = nil
	}
	return err
}

// Run saves and delivers until the context ends, and then once more.
func (s *Service) Run(ctx context.Context, report func(error)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := s.cfg.Clock()
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
			err = errors.Join(err, s.Flush(ctx, false))
		}
		if err != nil {
			report(err)
		}
	}
}
