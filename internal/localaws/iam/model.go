package iam

import (
	"cmp"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Role is a stored role.
type Role struct {
	Name        string
	Path        string
	ID          string
	ARN         string
	Account     string
	Trust       string
	Description string
	MaxSession  int // seconds
	Created     time.Time
	Boundary    string // ARN of a managed policy
	Tags        map[string]string
	Grants
}

// Policy is a stored managed policy.
type Policy struct {
	Name        string
	Path        string
	ID          string
	ARN         string
	Description string
	Created     time.Time
	Updated     time.Time
	Default     int
	Last        int // highest version so far
	Versions    map[int]Version
	Tags        map[string]string
}

// Version is one version of a managed policy's document.
type Version struct {
	Document string
	Created  time.Time
}

// Names differ by more than case, so keys are in lower case.
var (
	roles    = state.NewCollection[Role]("iam/roles")
	policies = state.NewCollection[Policy]("iam/policies")
)

func roleKey(account, name string) string   { return state.Key(account, strings.ToLower(name)) }
func policyKey(account, name string) string { return state.Key(account, strings.ToLower(name)) }

func roleARN(account, path, name string) string {
	return "arn:aws:iam::" + account + ":role" + path + name
}

func policyARN(account, path, name string) string {
	return "arn:aws:iam::" + account + ":policy" + path + name
}

func pathOr(path string) string { return cmp.Or(path, "/") }

// Quotas of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxRoles       = 1000
	maxPolicies    = 1500
	maxAttached    = 10
	maxVersions    = 5
	maxTags        = 50
	maxTrustSize   = 2048
	maxManagedSize = 6144
	maxDescription = 1000
	minSession     = 3600
	maxSession     = 43200
)

func noSuchEntity(format string, args ...any) error {
	return wire.StatusErrorf(404, "NoSuchEntity", format, args...)
}

func exists(format string, args ...any) error {
	return wire.StatusErrorf(409, "EntityAlreadyExists", format, args...)
}

func conflict(format string, args ...any) error {
	return wire.StatusErrorf(409, "DeleteConflict", format, args...)
}

func limitExceeded(format string, args ...any) error {
	return wire.StatusErrorf(409, "LimitExceeded", format, args...)
}

// findRole returns a role. Errors: NoSuchEntity.
func findRole(tx state.Tx, account, name string) (Role, error) {
	r, err := roles.Get(tx, roleKey(account, name))
	if errors.Is(err, state.ErrNotFound) || err == nil && r.Name != name {
		return r, noSuchEntity("The role with name %s cannot be found.", name)
	}
	return r, err
}

// editRole changes one role in a transaction.
func (s *Service) editRole(call *wire.Call, name string, edit func(state.Tx, *Role) error) error {
	return s.change(func(tx state.Tx) error {
		r, err := findRole(tx, call.Caller.Account, name)
		if err != nil {
			return err
		}
		if err := edit(tx, &r); err != nil {
			return err
		}
		return roles.Put(tx, roleKey(r.Account, r.Name), r)
	})
}

var (
	nameForm = regexp.MustCompile(`^[\w+=,.@-]+$`)
	pathForm = regexp.MustCompile(`^/([!-~]*/)?$`)
	tagForm  = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
)

func checkName(member, name string, longest int) error {
	switch {
	case !nameForm.MatchString(name):
		return wire.ValidationException("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", member)
	case len(name) > longest:
		return wire.ValidationException("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", name, member, longest)
	}
	return nil
}

func checkPath(path string) error {
	if len(path) > 512 || !pathForm.MatchString(path) {
		return wire.ValidationException("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return nil
}

// newID makes a unique id with the prefix of its kind.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
func (s *Service) newID(prefix string) (string, error) {
	raw := make([]byte, 11)
	if _, err := io.ReadFull(s.Rand, raw); err != nil {
		return "", fmt.Errorf("make unique id: %w", err)
	}
	return prefix + base32.StdEncoding.EncodeToString(raw)[:17], nil
}

// tag is a tag on the wire.
type tag struct {
	Key   string `required:"true" min:"1" max:"128"`
	Value string
}

// mergeTags adds tags, which must be well-formed, unrepeated and not too many.
func mergeTags(old map[string]string, more []tag) (map[string]string, error) {
	merged, lower := maps.Clone(old), map[string]bool{}
	if merged == nil {
		merged = map[string]string{}
	}
	for _, t := range more {
		switch key := strings.ToLower(t.Key); {
		case lower[key]:
			return nil, wire.Errorf("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		case strings.HasPrefix(key, "aws:"):
			return nil, wire.Errorf("InvalidInput", "Tag keys beginning with aws: are reserved: %s", t.Key)
		case len(t.Value) > 256 || !tagForm.MatchString(t.Key) || !tagForm.MatchString(t.Value):
			return nil, wire.ValidationException("the tag %q is invalid: keys and values hold letters, digits, spaces and _.:/=+-@, a value at most 256", t.Key)
		default:
			lower[key] = true
		}
		maps.DeleteFunc(merged, func(k, _ string) bool { return strings.EqualFold(k, t.Key) })
		merged[t.Key] = t.Value
	}
	if len(merged) > maxTags {
		return nil, limitExceeded("The number of tags has reached the maximum limit.")
	}
	return merged, nil
}

func listTags(tags map[string]string) []tag {
	all := []tag{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, tag{key, tags[key]})
	}
	return all
}

// page is how lists are cut.
type page struct {
	Marker   string
	MaxItems *int `min:"1" max:"1000"`
}

type pageOutput struct {
	IsTruncated bool
	Marker      string
}

// pageOf cuts sorted items; the marker is the name of the last one that was sent.
func pageOf[T any](items []T, name func(T) string, p page) ([]T, pageOutput) {
	start := 0
	if p.Marker != "" {
		start, _ = slices.BinarySearchFunc(items, p.Marker+"\x00", func(item T, after string) int { return strings.Compare(name(item), after) })
	}
	items = items[start:]
	if limit := limitOf(p.MaxItems); len(items) > limit {
		return items[:limit], pageOutput{true, name(items[limit-1])}
	}
	return items, pageOutput{}
}

// limitOf is the length of a page: a hundred when the caller does not say.
func limitOf(maxItems *int) int {
	if maxItems == nil {
		return 100
	}
	return *maxItems
}

// encodeDocument is how documents are answered: RFC 3986, no plus signs.
func encodeDocument(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
