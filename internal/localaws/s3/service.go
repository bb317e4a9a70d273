// Package s3 keeps objects as plain files and answers S3's REST API.
//
// API: https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
package s3

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"path/filepath"
	"sync"
	"time"

	"engage/internal/localaws/s3/accesslog"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Config says what the service works with.
type Config struct {
	Store *state.Store // metadata; the service does not close it
	// Dir is where objects are kept. The default is s3 beside the store.
	Dir string
	// Clock is for timestamps. The default is time.Now.
	Clock func() time.Time
	// Meter counts requests and bytes. The default counts nothing.
	Meter wire.Meter
	// Authorizer checks the keys of a batch delete, which are in the body.
	// The default allows everything; give the server's.
	Authorizer wire.Authorizer
	// Invoker takes the events of objects to queues, topics, functions and
	// the event bus. Without one no bucket can be told to send any.
	Invoker wire.Invoker
	// Forms verifies browsers' upload forms. Without it there are none.
	Forms Forms
	// CheckPolicy refuses a bucket policy that is not valid. The default
	// refuses what is no JSON object.
	CheckPolicy func(policy []byte) error
	// Refused hears of what the service was refused when nobody waited for
	// it: the delivery of an access log. The default forgets it.
	Refused func(service, action string, caller wire.Caller, err error)
}

// Service is S3. Make it with New, end it with Close.
type Service struct {
	cfg   Config
	store *state.Store
	blobs blobs
	view  *view
	locks keyLocks
	table []operation
	wire  *wire.Service
	wake  chan struct{} // events wait to be told

	spool      *accesslog.Spool
	logWake    chan struct{} // a file of access logs is full
	delivering sync.Mutex
	logFailed  failure
}

// New returns the service, with what an earlier crash left put right.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil {
		return nil, errors.New("s3: no store is set")
	}
	if cfg.Dir == "" {
		cfg.Dir = filepath.Join(cfg.Store.Dir(), "s3")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	if cfg.Authorizer == nil {
		cfg.Authorizer = allowAll{}
	}
	if cfg.CheckPolicy == nil {
		cfg.CheckPolicy = jsonObject
	}
	if cfg.Refused == nil {
		cfg.Refused = func(string, string, wire.Caller, error) {}
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	s := &Service{cfg: cfg, store: cfg.Store, blobs: blobs{dir}, locks: keyLocks{seed: maphash.MakeSeed()}, wake: make(chan struct{}, 1), logWake: make(chan struct{}, 1)}
	if s.spool, err = accesslog.OpenSpool(s.blobs.spoolDir()); err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	s.view = &view{blobs: s.blobs}
	s.table = s.operations()
	s.wire = s.wireService()
	return s, s.recover()
}

// Close delivers what is left of access logs and ends the service.
// REQUIRES: no call is running.
func (s *Service) Close() error {
	return errors.Join(s.deliverLogs(context.Background(), s.cfg.Clock()), s.spool.Close(), s.clean())
}

// Service returns the operations, for the server.
func (s *Service) Service() *wire.Service { return s.wire }

func (s *Service) now() int64 { return s.cfg.Clock().UnixMilli() }

type allowAll struct{}

func (allowAll) Authorize(context.Context, *wire.Call, []wire.Access) error { return nil }
