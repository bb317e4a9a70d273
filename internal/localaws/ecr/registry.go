package ecr

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// registry serves the OCI distribution protocol.
type registry struct{ s *Service }

// The paths of the protocol. /v2/ is API Gateway's and others' too: theirs
// are signed, or do not look like these.
var registryPath = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs|tags|referrers)/(.*)$`)

func isRegistry(r *http.Request) bool {
	if _, signed := wire.ScopeOf(r); signed {
		return false
	}
	path := r.URL.Path
	return path == "/v2/" || path == "/v2" || path == "/v2/_catalog" || registryPath.MatchString(path)
}

// ociError is an error of the protocol.
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
type ociError struct {
	status        int
	code, message string
}

func (e *ociError) Error() string { return e.code + ": " + e.message }

func oci(status int, code, format string, args ...any) *ociError {
	return &ociError{status, code, fmt.Sprintf(format, args...)}
}

// request is one request to the registry.
type request struct {
	*http.Request
	w         http.ResponseWriter
	caller    wire.Caller
	repo      repoID
	kind      string // "manifests", "blobs" ...
	reference string // what follows the kind
}

func (g *registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	if err := g.serve(w, r); err != nil {
		writeOCIError(w, err)
	}
}

func (g *registry) serve(w http.ResponseWriter, r *http.Request) error {
	caller, ok := g.s.owner(r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="ecr",service="ecr.amazonaws.com"`)
		return oci(http.StatusUnauthorized, "UNAUTHORIZED", "log in as AWS with the password that ecr:GetAuthorizationToken returns")
	}
	m := registryPath.FindStringSubmatch(r.URL.Path)
	if m == nil {
		if strings.HasSuffix(r.URL.Path, "_catalog") {
			return unsupported(r)
		}
		w.WriteHeader(http.StatusOK)
		return nil
	}
	account, region := g.s.place(r.Host, caller)
	q := &request{r, w, caller, repoID{account, region, m[1]}, m[2], m[3]}
	if !repositoryPattern.MatchString(q.repo.name) {
		return oci(http.StatusBadRequest, "NAME_INVALID", "the repository name %q is not valid", q.repo.name)
	}
	return g.route(q)
}

func unsupported(r *http.Request) error {
	return oci(http.StatusMethodNotAllowed, "UNSUPPORTED", "%s %s is not implemented by this registry", r.Method, r.URL.Path)
}

// actions are the permissions of each kind of request.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/security_iam_id-based-policy-examples.html
var actions = map[string]string{
	"GET manifests": "BatchGetImage", "HEAD manifests": "BatchGetImage", "PUT manifests": "PutImage",
	"GET blobs": "GetDownloadUrlForLayer", "HEAD blobs": "BatchCheckLayerAvailability", "GET tags": "ListImages",
	"POST uploads": "InitiateLayerUpload", "PATCH uploads": "UploadLayerPart", "GET uploads": "UploadLayerPart",
	"PUT uploads": "CompleteLayerUpload", "DELETE uploads": "InitiateLayerUpload",
}

func (g *registry) route(q *request) error {
	kind := q.kind
	upload, isUpload := strings.CutPrefix(q.reference, "uploads/")
	if q.kind == "blobs" && (isUpload || q.reference == "uploads") {
		kind, q.reference = "uploads", strings.TrimPrefix(upload, "uploads")
	}
	key := q.Method + " " + kind
	action, ok := actions[key]
	if !ok {
		return unsupported(q.Request)
	}
	if err := g.s.authorize(q.Context(), q.caller, []string{action}, q.repo); err != nil {
		g.s.cfg.Refused("ecr", action, q.caller, err)
		return err
	}
	if err := g.s.view(q.repo, func(state.Tx, *repository) error { return nil }); err != nil {
		return err
	}
	switch key {
	case "GET manifests", "HEAD manifests":
		return g.getManifest(q)
	case "PUT manifests":
		return g.putManifest(q)
	case "GET blobs", "HEAD blobs":
		return g.getBlob(q)
	case "GET tags":
		return g.listTags(q)
	case "POST uploads":
		return g.beginUpload(q)
	}
	return g.continueUpload(q)
}

func writeOCIError(w http.ResponseWriter, err error) {
	var known *ociError
	var awsError *wire.Error
	switch {
	case errors.As(err, &known):
	case wire.IsCode(err, "RepositoryNotFoundException"):
		errors.As(err, &awsError)
		known = oci(http.StatusNotFound, "NAME_UNKNOWN", "%s", awsError.Message)
	case wire.IsAccessDenied(err):
		errors.As(err, &awsError)
		known = oci(http.StatusForbidden, "DENIED", "%s", awsError.Message)
	default:
		known = oci(http.StatusInternalServerError, "UNKNOWN", "the registry failed: %v", err)
	}
	body, _ := json.Marshal(map[string]any{"errors": []map[string]string{{"code": known.code, "message": known.message}}})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(known.status)
	w.Write(append(body, '\n')) //nolint:errcheck // the caller has gone; there is nobody to tell
}

// uploadLife is how long an upload may rest before it is forgotten.
const uploadLife = time.Hour

// open begins an upload and forgets those that nobody goes on with.
func (s *Service) openUpload(repo repoID) (string, error) {
	u, err := s.blobs.begin(repo)
	if err != nil {
		return "", err
	}
	id := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, last := range s.parts {
		if s.now().Sub(last) > uploadLife {
			err = errors.Join(err, s.uploads[old].discard())
			delete(s.uploads, old)
			delete(s.parts, old)
		}
	}
	s.uploads[id], s.parts[id] = u, s.now()
	return id, err
}

// takeUpload returns an upload of a repository, locked.
func (s *Service) takeUpload(repo repoID, id string) (*upload, bool) {
	s.mu.Lock()
	u, ok := s.uploads[id]
	ok = ok && u.repo == repo
	if ok {
		s.parts[id] = s.now()
	}
	s.mu.Unlock()
	if ok {
		u.mu.Lock()
	}
	return u, ok
}

func (s *Service) forgetUpload(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.uploads, id)
	delete(s.parts, id)
}
