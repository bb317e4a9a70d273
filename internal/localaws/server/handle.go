package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"

	"engage/internal/localaws/wire"
)

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.checkOrigin(w, r) {
		return
	}
	s.watchBody(w, r)
	if s.serveInternal(w, r) || s.serveForeign(w, r) {
		return
	}
	s.serveCall(w, r)
}

// serveForeign hands a request in a protocol of its own to its service.
func (s *Server) serveForeign(w http.ResponseWriter, r *http.Request) bool {
	name, f := s.foreign(r)
	if f == nil {
		return false
	}
	rec := s.begin(name, f.Name)
	rw := &responseWriter{ResponseWriter: w, clock: s.cfg.Clock}
	err := s.guard(func() error {
		f.Handler.ServeHTTP(rw, r)
		return nil
	})
	if err != nil && !rw.begun() {
		http.Error(rw, wire.AsError(err).Message, http.StatusInternalServerError)
	}
	s.finish(rec, rw, err)
	return true
}

// foreign returns the protocol of its own that a request is in, and the name
// of its service; nil for none.
func (s *Server) foreign(r *http.Request) (service string, f *wire.Foreign) {
	for _, svc := range s.services {
		for i := range svc.Foreign {
			if svc.Foreign[i].Matches(r) {
				return svc.Name, &svc.Foreign[i]
			}
		}
	}
	return "", nil
}

func (s *Server) serveCall(w http.ResponseWriter, r *http.Request) {
	rt := s.route(r)
	call := &wire.Call{Service: rt.service, HTTP: r, RequestID: requestID(), Vars: rt.vars}
	rec := s.begin(rt.service.Name, "")
	rec.RequestID = call.RequestID
	rw := &responseWriter{ResponseWriter: w, clock: s.cfg.Clock}
	setRequestID(rw.Header(), call.RequestID)
	err := s.guard(func() error { return s.answer(rw, call, rt) })
	begun := rw.begun()
	if err != nil && !begun {
		wire.WriteError(rw, r, call.Service, call.RequestID, err)
	}
	rec.describe(call)
	s.finish(rec, rw, err)
	call.Answer = &wire.Answer{Received: rec.Time, Begun: rw.first, Ended: s.cfg.Clock(), Status: rw.status, Sent: rw.written, Header: rw.Header()}
	s.observe(call, rec, err)
	if err != nil && begun && rw.truncated() {
		panic(http.ErrAbortHandler) // the only way left to tell the caller
	}
}

// guard turns a panic into an error.
func (s *Server) guard(f func() error) (err error) {
	defer func() {
		if p := recovered(recover()); p != nil {
			err = p
		}
	}()
	return f()
}

// recovered returns what a panic was about as an error, with its stack for the log.
func recovered(p any) error {
	if p == nil {
		return nil
	}
	return wire.InternalFailure(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
}

// answer runs a call from its authentication to its answer.
func (s *Server) answer(w http.ResponseWriter, call *wire.Call, rt route) error {
	if err := s.readBody(w, call, rt); err != nil {
		return err
	}
	if rt.deferred {
		rt = s.resolveForm(rt, call.HTTP, call.Body)
		call.Service = rt.service
	}
	call.Operation = rt.what
	if rt.operation == nil {
		return wire.NotImplemented("%s %s", rt.service.Name, rt.what)
	}
	call.Operation = rt.operation.Name
	if !rt.operation.Unsigned {
		caller, err := s.cfg.Authenticator.Authenticate(call.HTTP)
		if err != nil {
			return err
		}
		call.Caller = caller
	}
	return s.execute(call.HTTP.Context(), w, call, rt.operation)
}

func (s *Server) execute(ctx context.Context, w http.ResponseWriter, call *wire.Call, op *wire.Operation) error {
	var in any
	if !op.IsRaw() {
		var err error
		if in, err = op.Decode(call); err != nil {
			return err
		}
	}
	if err := s.authorize(ctx, call, op, in); err != nil {
		return err
	}
	if op.IsRaw() {
		return op.ServeRaw(ctx, call, w)
	}
	out, err := op.Handle(ctx, call, in)
	if err != nil {
		return err
	}
	return op.Encode(w, call, out)
}

func (s *Server) authorize(ctx context.Context, call *wire.Call, op *wire.Operation, in any) error {
	accesses := op.Accesses(call, in)
	for _, a := range accesses {
		if len(call.Resources) < maxLoggedResources {
			call.Resources = append(call.Resources, a.Resource)
		}
	}
	if len(accesses) == 0 {
		return nil
	}
	return s.cfg.Authorizer.Authorize(ctx, call, accesses)
}

// readBody reads the body of a call that does not stream it.
func (s *Server) readBody(w http.ResponseWriter, call *wire.Call, rt route) error {
	if rt.operation == nil && !rt.deferred || rt.operation != nil && rt.operation.Stream {
		return nil
	}
	r := call.HTTP
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.cfg.MaxBody))
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return wire.TooLarge(s.cfg.MaxBody)
	}
	var own *wire.Error
	if errors.As(err, &own) {
		return own
	}
	if err != nil {
		return wire.Errorf("IncompleteBody", "the request body ended early: %v", err)
	}
	call.Body = body
	r.Body = newBody(body)
	return nil
}

// Invoke runs an operation for a caller from inside the process, with that
// caller's permissions. See wire.Invoker.
func (s *Server) Invoke(ctx context.Context, caller wire.Caller, service, operation string, input any) (out any, err error) {
	svc := s.named(service)
	if svc == nil || svc.Operation(operation) == nil || svc.Operation(operation).IsRaw() {
		return nil, wire.NotImplemented("%s %s called from another service", service, operation)
	}
	op := svc.Operation(operation)
	call := &wire.Call{Service: svc, Operation: operation, Caller: caller, RequestID: requestID()}
	rec := s.begin(service, operation)
	rec.RequestID = call.RequestID
	defer func() {
		rec.describe(call)
		s.finish(rec, nil, err)
		s.observe(call, rec, err)
	}()
	err = s.guard(func() error {
		in, err := op.Adopt(input)
		if err != nil {
			return err
		}
		call.Input = in
		if err := s.authorize(ctx, call, op, in); err != nil {
			return err
		}
		out, err = op.Handle(ctx, call, in)
		return err
	})
	return out, err
}

func (s *Server) named(name string) *wire.Service {
	for _, svc := range s.services {
		if svc.Name == name {
			return svc
		}
	}
	return nil
}
