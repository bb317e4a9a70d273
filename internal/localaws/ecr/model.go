package ecr

import (
	"encoding/base64"
	"path"
	"regexp"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// repoID names a repository.
type repoID struct{ account, region, name string }

func (id repoID) key(parts ...string) string {
	return state.Key(append([]string{id.account, id.region, id.name}, parts...)...)
}

func (id repoID) prefix() string { return state.Prefix(id.account, id.region, id.name) }

func (id repoID) arn() string {
	return "arn:aws:ecr:" + id.region + ":" + id.account + ":repository/" + id.name
}

// repository is what is kept of a repository beside its images.
type repository struct {
	Account, Region, Name string
	Created               wire.Time
	Mutability            string
	Exclusions            []exclusionFilter
	ScanOnPush            bool
	Encryption            encryption
	Lifecycle             string // JSON, as it was given
	LifecycleEvaluated    wire.Time
	Policy                string // JSON, as it was given
	Tags                  []tag
}

type exclusionFilter struct {
	Filter     string `json:"filter" required:"true"`
	FilterType string `json:"filterType" required:"true" enum:"WILDCARD"`
}

type encryption struct {
	EncryptionType string `json:"encryptionType" required:"true" enum:"AES256,KMS,KMS_DSSE"`
	KmsKey         string `json:"kmsKey,omitempty"`
}

type tag struct {
	Key   string `json:"Key" required:"true"`
	Value string `json:"Value"`
}

// immutable reports whether a tag, once set, may not move.
func (r *repository) immutable(tag string) bool {
	excluded := false
	for _, f := range r.Exclusions {
		if ok, err := path.Match(f.Filter, tag); ok && err == nil {
			excluded = true
		}
	}
	switch r.Mutability {
	case "IMMUTABLE":
		return true
	case "IMMUTABLE_WITH_EXCLUSION":
		return !excluded
	case "MUTABLE_WITH_EXCLUSION":
		return excluded
	}
	return false
}

// storedImage is a manifest and what it refers to.
type storedImage struct {
	Digest       string
	MediaType    string
	ArtifactType string
	Pushed       wire.Time
	Pulled       wire.Time
	Size         int64 // of what it refers to, and of itself
	Manifest     []byte
	Blobs        []string // digests of configuration and layers
	Children     []string // digests of the manifests of an index
}

var (
	repositories = state.NewCollection[repository]("ecr/repositories")
	images       = state.NewCollection[storedImage]("ecr/images") // repository, digest
	imageTags    = state.NewCollection[string]("ecr/tags")        // repository, tag -> digest
	blobLinks    = state.NewCollection[int64]("ecr/blobs")        // repository, digest -> size
	blobUsers    = state.NewCollection[bool]("ecr/blob-users")    // digest, repository
	tokens       = state.NewCollection[token]("ecr/tokens")       // SHA-256 of the token
)

// repositoryPattern is ECR's own.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
var repositoryPattern = regexp.MustCompile(`^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`)

// tagPattern: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
var tagPattern = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

var digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func noRepository(id repoID) *wire.Error {
	return wire.Errorf("RepositoryNotFoundException", "The repository with name '%s' does not exist in the registry with id '%s'", id.name, id.account)
}

func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf("InvalidParameterException", format, args...)
}

// page cuts one page out of sorted items. A token is the name of the last one returned.
func page[T any](items []T, name func(T) string, token string, limit, most int) ([]T, string, error) {
	after, err := base64.URLEncoding.DecodeString(token)
	if err != nil {
		return nil, "", invalid("Invalid parameter at 'nextToken': it is not one that this operation returned")
	}
	start := 0
	for start < len(items) && len(after) > 0 && name(items[start]) <= string(after) {
		start++
	}
	items = items[start:]
	if limit <= 0 || limit > most {
		limit = most
	}
	if len(items) <= limit {
		return items, "", nil
	}
	return items[:limit], base64.URLEncoding.EncodeToString([]byte(name(items[limit-1]))), nil
}
