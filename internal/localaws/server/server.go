package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"engage/internal/localaws/wire"
)

// Server is the endpoint. Make it with New, begin with Start, end with Shutdown.
type Server struct {
	cfg         Config
	services    []*wire.Service
	internal    *http.ServeMux
	crossOrigin *http.CrossOriginProtection
	log         *requestLog
	usage       *Usage
	observers   []Observer

	http     *http.Server
	listener net.Listener
	done     chan error
	stop     sync.Once
	stopErr  error
}

const (
	maxHeader         = 128 << 10
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
)

// New returns a server that has not started. Shutdown ends it in any case.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	s := &Server{cfg: cfg, crossOrigin: http.NewCrossOriginProtection()}
	s.internal = s.internalRoutes()
	if s.log, err = openRequestLog(cfg.Dir); err != nil {
		return nil, err
	}
	if s.usage, err = OpenUsage(cfg.Dir); err != nil {
		return nil, errors.Join(err, s.log.close())
	}
	s.Register(cfg.Services...)
	return s, nil
}

// Register adds services. REQUIRES: the server has not started. A service may
// need the server's Meter or Invoke, so it can be made after it.
func (s *Server) Register(services ...*wire.Service) { s.services = append(s.services, services...) }

// Observer hears of an answered call. The error is what the caller was told, nil
// when the call succeeded. It must not change the call and should not block:
// the connection of the call waits for it.
type Observer func(call *wire.Call, r Record, err error)

// Observe has f called after each answered call, from the wire and from Invoke,
// by the goroutine that ran it; requests in a service's own protocol are not
// calls. A call whose sender was not found out has no account.
// REQUIRES: the server has not started.
func (s *Server) Observe(f Observer) { s.observers = append(s.observers, f) }

func (s *Server) observe(call *wire.Call, r *Record, err error) {
	for _, f := range s.observers {
		f(call, *r, err)
	}
}

// Meter returns where services count what they use.
func (s *Server) Meter() wire.Meter { return s.usage }

// Usage returns the counted usage.
func (s *Server) Usage() *Usage { return s.usage }

// Requests returns the logged calls that a filter selects, the oldest first.
func (s *Server) Requests(f Filter) []Record { return s.log.read(f) }

// PortTakenError says that another process listens where the endpoint should.
type PortTakenError struct{ Addr string }

// Error names the address and the way out.
func (e *PortTakenError) Error() string {
	return fmt.Sprintf("%s is taken by another process: stop it, or choose another port with --port", e.Addr)
}

// Start listens and answers requests until Shutdown. Errors: *PortTakenError.
func (s *Server) Start(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.cfg.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return &PortTakenError{s.cfg.Addr}
	}
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.listener = l
	s.http = &http.Server{Handler: s, MaxHeaderBytes: maxHeader, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout}
	s.done = make(chan error, 1)
	go func() { s.done <- s.http.Serve(l) }()
	return nil
}

// Addr returns where the server listens. REQUIRES: it has started.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL returns the endpoint's URL. REQUIRES: it has started.
func (s *Server) URL() string { return "http://" + s.Addr() }

// Shutdown lets running calls end until the context does, then cuts them off,
// and closes the logs. Further calls return what the first did.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop.Do(func() {
		var served error
		if s.http != nil {
			if err := s.http.Shutdown(ctx); err != nil {
				served = errors.Join(fmt.Errorf("end running calls: %w", err), s.http.Close())
			}
			if err := <-s.done; !errors.Is(err, http.ErrServerClosed) {
				served = errors.Join(served, err)
			}
		}
		s.stopErr = errors.Join(served, s.usage.Close(), s.log.close())
	})
	return s.stopErr
}

func (s *Server) begin(service, action string) *Record {
	return &Record{Time: s.cfg.Clock().UTC(), Service: service, Action: action}
}

// finish logs the record. w is nil for a call from inside.
func (s *Server) finish(r *Record, w *responseWriter, err error) {
	r.DurationMS = float64(s.cfg.Clock().Sub(r.Time).Microseconds()) / 1000
	if w != nil {
		r.Status = w.status
	}
	if err != nil {
		r.fail(err)
	}
	s.log.add(*r)
}

// LogRefusal keeps a record of what a service was refused when it worked for a
// caller whose call was answered before: a query, say.
func (s *Server) LogRefusal(service, action string, caller wire.Caller, err error) {
	r := s.begin(service, action)
	r.Caller = caller.ARN
	s.finish(r, nil, err)
}
