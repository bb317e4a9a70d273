package server

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// ourDomains are the domains whose names, and whose subdomains, a request may
// have in its Host header. Any other name could be a page in a browser that
// was led here by its own DNS.
var ourDomains = []string{"localhost", "localhost.localstack.cloud", "amazonaws.com"}

// hostName returns a Host header without its port, in lower case.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

func (s *Server) hostAllowed(host string) bool {
	name := hostName(host)
	if ip := net.ParseIP(name); ip != nil {
		return ip.IsLoopback()
	}
	inDomain := func(domain string) bool { return name == domain || strings.HasSuffix(name, "."+domain) }
	return slices.ContainsFunc(ourDomains, inDomain) || slices.Contains(s.cfg.Hosts, name)
}

// checkOrigin refuses a Host that is not ours and what another site's page
// makes a browser send.
func (s *Server) checkOrigin(w http.ResponseWriter, r *http.Request) bool {
	if !s.hostAllowed(r.Host) {
		http.Error(w, fmt.Sprintf("the Host %q is not one of this endpoint: use localhost, 127.0.0.1 or a name below localhost", r.Host), http.StatusForbidden)
		return false
	}
	if s.crosses(r, w.Header()) {
		return true
	}
	if err := s.crossOrigin.Check(r); err != nil {
		http.Error(w, "a page of another origin may not call this endpoint: "+err.Error(), http.StatusForbidden)
		return false
	}
	return true
}

// crosses reports whether the service that a page's request is for lets it
// through. A preflight is answered like a call.
func (s *Server) crosses(r *http.Request, answer http.Header) bool {
	if r.Header.Get("Origin") == "" || r.Method == http.MethodOptions || isInternal(r) {
		return false
	}
	if _, f := s.foreign(r); f != nil {
		return false
	}
	svc := s.route(r).service
	return svc.CrossOrigin != nil && svc.CrossOrigin(r, answer)
}

// hostService returns the service that a host name such as
// sts.us-east-1.amazonaws.com or sts.localhost names, "" when it names none.
func hostService(host string) string {
	name := hostName(host)
	for _, domain := range ourDomains {
		if rest, ok := strings.CutSuffix(name, "."+domain); ok {
			first, _, _ := strings.Cut(rest, ".")
			return first
		}
	}
	return ""
}
