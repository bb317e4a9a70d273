package server

import (
	"net/http"
	"net/url"
	"strings"

	"engage/internal/localaws/wire"
)

// route is what a request is for. The operation is nil when the service has
// none for it; then what names what was asked.
type route struct {
	service   *wire.Service
	operation *wire.Operation
	vars      map[string]string
	what      string
	deferred  bool // the operation's name is in the body, a form
}

// route finds the service from signals outside of the body, the most precise
// protocol first and S3, which takes any path, last.
func (s *Server) route(r *http.Request) route {
	scope, signed := wire.ScopeOf(r)
	if prefix, name, ok := wire.TargetOf(r); ok {
		return s.routeTarget(r, prefix, name)
	}
	if svc := s.formService(r, scope.Service); svc != nil {
		return route{service: svc, deferred: true}
	}
	name := scope.Service
	if !signed {
		name = hostService(r.Host)
	}
	if rt, ok := s.routeREST(r, name); ok {
		return rt
	}
	def := s.defaultService()
	if def == nil || signed && !def.Signs(scope.Service) {
		return unknownService(r, scope.Service)
	}
	return match(def, r)
}

func (s *Server) routeTarget(r *http.Request, prefix, name string) route {
	for _, svc := range s.services {
		for _, target := range svc.Targets {
			if target == prefix {
				return route{service: svc, operation: svc.Operation(name), what: name}
			}
		}
	}
	p := wire.JSON11
	if strings.Contains(r.Header.Get("Content-Type"), "json-1.0") {
		p = wire.JSON10
	}
	return route{service: &wire.Service{Name: prefix, Protocol: p}, what: name}
}

// formService returns the query service that a request is for: by its scope,
// by its host, or, since anonymous STS calls have neither, by the service that
// alone speaks the protocol.
func (s *Server) formService(r *http.Request, signingName string) *wire.Service {
	inQuery := r.URL.Query().Has("Action")
	if !inQuery && !(r.Method == http.MethodPost && wire.IsForm(r)) {
		return nil
	}
	name := signingName
	if name == "" {
		name = hostService(r.Host)
	}
	for _, svc := range s.services {
		if isForm(svc) && svc.Signs(name) {
			return svc
		}
	}
	if signingName == "" && !inQuery {
		return &wire.Service{Protocol: wire.Query} // by the operation's name
	}
	if inQuery || s.serviceByName(signingName) != nil {
		return nil
	}
	return &wire.Service{Name: signingName, Protocol: wire.Query}
}

func isForm(svc *wire.Service) bool { return svc.Protocol == wire.Query || svc.Protocol == wire.EC2 }

// resolveForm finds the operation of a query request in its body.
func (s *Server) resolveForm(rt route, r *http.Request, body []byte) route {
	name := r.URL.Query().Get("Action")
	if form, err := url.ParseQuery(string(body)); err == nil && name == "" {
		name = form.Get("Action")
	}
	rt.what = name
	if rt.service.Name != "" {
		rt.operation = rt.service.Operation(name)
		return rt
	}
	for _, svc := range s.services {
		if op := svc.Operation(name); isForm(svc) && op != nil {
			rt.service, rt.operation = svc, op
			return rt
		}
	}
	return rt
}

// routeREST routes to the REST services, S3 apart, that sign as name.
func (s *Server) routeREST(r *http.Request, name string) (route, bool) {
	var last route
	found := false
	for _, svc := range s.services {
		if svc.Protocol.IsRPC() || svc.Default || !svc.Signs(name) || svc.Claims != nil && !svc.Claims(r) {
			continue
		}
		last, found = match(svc, r), true
		if last.operation != nil {
			break
		}
	}
	return last, found
}

func match(svc *wire.Service, r *http.Request) route {
	op, vars := svc.Match(r)
	return route{service: svc, operation: op, vars: vars, what: r.Method + " " + r.URL.RequestURI()}
}

func (s *Server) defaultService() *wire.Service {
	for _, svc := range s.services {
		if svc.Default {
			return svc
		}
	}
	return nil
}

func (s *Server) serviceByName(signingName string) *wire.Service {
	for _, svc := range s.services {
		if svc.Signs(signingName) {
			return svc
		}
	}
	return nil
}

// unknownService answers for a service that is not here, in the protocol that
// its request seems to be in.
func unknownService(r *http.Request, name string) route {
	p := wire.RestJSON
	if strings.HasPrefix(name, "s3") || strings.Contains(r.Header.Get("Content-Type"), "xml") {
		p = wire.RestXML
	}
	return route{service: &wire.Service{Name: name, Protocol: p}, what: r.Method + " " + r.URL.Path}
}
