// Package athena is the Athena service: query executions, work groups and prepared statements
// over the engine, with tables from Glue and objects from S3.
//
// API: https://docs.aws.amazon.com/athena/latest/APIReference/Welcome.html
package athena

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"engage/internal/localaws/athena/engine"
	"engage/internal/localaws/glue"
	"engage/internal/localaws/s3"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Config says what the service works with. Store, Glue and S3 must be set.
type Config struct {
	Store *state.Store
	Glue  *glue.Service
	S3    *s3.Service
	// Clock is for timestamps. The default is time.Now.
	Clock func() time.Time
	// Random makes ids of executions. The default is crypto/rand.Reader.
	Random io.Reader
	// Meter counts queries and bytes scanned. The default counts nothing.
	Meter wire.Meter
	// Refused hears what a query was refused after its start was answered. The default is silence.
	Refused func(service, action string, caller wire.Caller, err error)
	// Engine sets memory, threads, directory and strictness; its Catalog and Objects are not used.
	Engine engine.Config
}

// Service is Athena. Make it with New, end it with Close.
type Service struct {
	cfg    Config
	engine *engine.Engine

	mu      sync.Mutex
	running map[string]*inFlight // by id
	closed  bool
	wg      sync.WaitGroup
}

// inFlight is an execution that has not ended.
type inFlight struct {
	cancel context.CancelFunc
	begun  bool
	done   chan struct{} // is closed when it has ended
}

// New returns the service. Executions that an earlier process left unfinished are FAILED.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil || cfg.Glue == nil || cfg.S3 == nil {
		return nil, errors.New("athena: a store, Glue and S3 are needed")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	if cfg.Refused == nil {
		cfg.Refused = func(string, string, wire.Caller, error) {}
	}
	cfg.Engine.Now = cfg.Clock
	e, err := engine.New(cfg.Engine)
	if err != nil {
		return nil, fmt.Errorf("athena: %w", err)
	}
	s := &Service{cfg: cfg, engine: e, running: map[string]*inFlight{}}
	return s, s.recover()
}

// recover fails the executions that were in flight.
func (s *Service) recover() error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		all, err := executions.List(tx, "", "", 0)
		for _, e := range all {
			if x := e.Value; !x.ended() {
				x.State, x.Reason, x.Completed = failed, "The endpoint was stopped while the query ran", s.cfg.Clock()
				err = errors.Join(err, executions.Put(tx, e.Key, x))
			}
		}
		return err
	})
}

// Close cancels what runs and waits for it.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	for _, f := range s.running {
		f.cancel()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return s.engine.Close()
}

// API returns the operations.
func (s *Service) API() *wire.Service {
	return &wire.Service{Name: "athena", Targets: []string{"AmazonAthena"}, Protocol: wire.JSON11, ValidationCode: "InvalidRequestException", Operations: s.operations()}
}

// newID makes a random UUID.
func (s *Service) newID() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(s.cfg.Random, b[:]); err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}

func key(c wire.Caller, parts ...string) string {
	return state.Key(append([]string{c.Account, c.Region}, parts...)...)
}

func prefix(c wire.Caller, parts ...string) string {
	return state.Prefix(append([]string{c.Account, c.Region}, parts...)...)
}

func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf("InvalidRequestException", format, args...)
}
