package server

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// Handle adds an internal route below /_localaws/: a pattern of http.ServeMux,
// "GET /_localaws/executions". REQUIRES: the server has not started.
func (s *Server) Handle(pattern string, h http.Handler) { s.internal.Handle(pattern, h) }

func (s *Server) serveInternal(w http.ResponseWriter, r *http.Request) bool {
	if !isInternal(r) {
		return false
	}
	s.internal.ServeHTTP(w, r)
	return true
}

func isInternal(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/_localaws/") || strings.HasPrefix(r.URL.Path, "/_localstack/")
}

func (s *Server) internalRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_localstack/health", s.health)
	mux.HandleFunc("GET /_localaws/requests", s.requests)
	mux.HandleFunc("GET /_localaws/usage", s.readUsage)
	mux.HandleFunc("GET /_localaws/operations", s.operations)
	return mux
}

// health answers as LocalStack does: which services run.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	running := map[string]string{}
	for _, svc := range s.services {
		running[svc.Name] = "running"
	}
	writeJSON(w, map[string]any{"services": running})
}

func (s *Server) requests(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f := Filter{Service: q.Get("service"), Denied: q.Get("denied") == "true"}
	if text := q.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 0 {
			http.Error(w, "limit is no number of records: "+strconv.Quote(text), http.StatusBadRequest)
			return
		}
		f.Limit = limit
	}
	writeJSON(w, map[string]any{"requests": s.log.read(f)})
}

func (s *Server) readUsage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	writeJSON(w, map[string]any{"usage": s.usage.Read(Query{q.Get("service"), q.Get("resource"), q.Get("run")})})
}

// operations lists what is supported, a list a service.
func (s *Server) operations(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Supported()) }

// Supported returns the operations of each service, sorted.
func (s *Server) Supported() map[string][]string {
	supported := map[string][]string{}
	for _, svc := range s.services {
		supported[svc.Name] = svc.Supported()
	}
	return supported
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the caller has gone; there is nobody to tell
}
