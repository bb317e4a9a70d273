// Package localaws is an AWS endpoint in one process: it puts the services
// together over one store, one identity and one listener. It knows nothing of
// what runs on it.
package localaws

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"engage/internal/localaws/auth"
	"engage/internal/localaws/iam"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/sts"
)

// Config says where the endpoint listens and keeps its state.
type Config struct {
	Addr string // a loopback address; port 0 takes a free one. The default is 127.0.0.1:4566
	Dir  string // state directory, owned by this process. There is no default
	// Report hears of what fails with nobody waiting for it, such as the
	// delivery of a schedule. The default forgets it.
	Report func(error)
}

// maxBody bounds a request that is not streamed, in bytes: a Lambda zip fits.
const maxBody = 100 << 20

// Endpoint is a running set of services. Make it with Open, end it with Close.
type Endpoint struct {
	server   *server.Server
	store    *state.Store
	report   func(error)
	starters []func() error                // what goes on with what an earlier process left, once the endpoint listens
	stoppers []func(context.Context) error // what runs code or waits; ended while the listener still answers it
	closers  []func(context.Context) error // what keeps state; closed when nobody calls any more
}

// Open makes every service over the state that the directory holds, and puts
// right what a crash left. Errors: *state.CorruptError, *state.LockedError, the
// file system's.
func Open(cfg Config) (_ *Endpoint, err error) {
	e := &Endpoint{report: cfg.Report}
	if e.report == nil {
		e.report = func(error) {}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close(context.Background()))
		}
	}()
	store, err := state.Open(cfg.Dir)
	if err != nil {
		return nil, err
	}
	e.store = store
	e.onClose(func(context.Context) error { return store.Close() })
	id := newIdentity(store)
	e.server, err = server.New(server.Config{
		Addr: cfg.Addr, Dir: cfg.Dir, MaxBody: maxBody, Authenticator: id.authenticator, Authorizer: id.authorizer,
	})
	if err != nil {
		return nil, err
	}
	e.server.Register(id.roles.Wire(), sts.New(id.roles, id.sessions).Wire())
	return e, (&wiring{Endpoint: e, identity: id, store: store, meter: e.server.Meter()}).open()
}

func (e *Endpoint) onStart(f func() error)                { e.starters = append(e.starters, f) }
func (e *Endpoint) onStop(f func(context.Context) error)  { e.stoppers = append(e.stoppers, f) }
func (e *Endpoint) onClose(f func(context.Context) error) { e.closers = append(e.closers, f) }

// identity is who may do what.
type identity struct {
	sessions      *auth.Sessions
	roles         *iam.Service
	authenticator *auth.Authenticator
	authorizer    *auth.Authorizer
}

func newIdentity(store *state.Store) identity {
	id := identity{
		sessions: auth.NewSessions(store, time.Now, rand.Reader),
		roles:    iam.New(iam.Config{Store: store, Now: time.Now, Rand: rand.Reader}),
	}
	id.sessions.WithUsers(id.roles)
	id.authenticator = auth.NewAuthenticator(id.sessions, time.Now, maxBody)
	id.authorizer = auth.NewAuthorizer(id.sessions, id.roles, time.Now)
	return id
}

// Start listens, and goes on with what an earlier process left undone.
// Errors: *server.PortTakenError.
func (e *Endpoint) Start(ctx context.Context) error {
	if err := e.server.Start(ctx); err != nil {
		return err
	}
	var errs []error
	for _, start := range e.starters {
		errs = append(errs, start())
	}
	return errors.Join(errs...)
}

// URL returns where the endpoint listens. REQUIRES: it has started.
func (e *Endpoint) URL() string { return e.server.URL() }

// Supported returns the operations of each service, sorted.
func (e *Endpoint) Supported() map[string][]string { return e.server.Supported() }

// Close stops what the services run, lets running calls end until the context
// does, and closes the store. Each list is run last to first.
func (e *Endpoint) Close(ctx context.Context) error {
	var errs []error
	for _, stop := range slices.Backward(e.stoppers) {
		errs = append(errs, stop(ctx))
	}
	if e.server != nil {
		errs = append(errs, e.server.Shutdown(ctx))
	}
	for _, c := range slices.Backward(e.closers) {
		errs = append(errs, c(ctx))
	}
	e.stoppers, e.closers = nil, nil
	return errors.Join(errs...)
}
