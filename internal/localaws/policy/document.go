package policy

import (
	"slices"
	"sort"
)

// Kind says what a document is attached to, which decides the elements it must and must not have.
type Kind int

// The kinds of document.
const (
	// Identity is a policy of a role or user, a permissions boundary or a session policy.
	Identity Kind = iota
	// Trust is a role's trust policy.
	Trust
	// Resource is a policy of a bucket, key, queue, function ...
	Resource
	// Repository is a policy of an image repository, whose statements may
	// leave out the resource: it is the repository.
	Repository
)

// Document is a parsed and compiled policy. It is immutable and safe for concurrent use.
type Document struct {
	Version    string
	ID         string
	statements []*statement
}

// statement is one compiled statement. Order of the elements does not matter to evaluation.
type statement struct {
	sid          string
	deny         bool
	principals   *principals
	notPrincipal bool
	actions      []pattern
	notAction    bool
	resources    []pattern // none where what has the policy is the resource: a role, a repository
	notResource  bool
	conditions   []condition
}

// Len is the number of statements.
func (d *Document) Len() int {
	if d == nil {
		return 0
	}
	return len(d.statements)
}

// PrincipalARNs lists, sorted, every role, user and session that the document
// names, for a service that refuses principals that do not exist.
func (d *Document) PrincipalARNs() []string {
	var all []string
	for _, s := range d.statements {
		if s.principals == nil {
			continue
		}
		for name := range s.principals.names {
			if iamARN.MatchString(name) || sessionARN.MatchString(name) {
				all = append(all, name)
			}
		}
	}
	sort.Strings(all)
	return slices.Compact(all)
}

// Public reports whether a statement allows something to everyone without a
// condition, which S3 calls a public policy.
func (d *Document) Public() bool {
	return slices.ContainsFunc(d.statements, func(s *statement) bool {
		open := s.principals != nil && (s.principals.everyone || s.notPrincipal)
		return !s.deny && open && len(s.conditions) == 0
	})
}

// applies reports whether everything but the principal of the statement fits the request.
func (s *statement) applies(r *Request) bool {
	if matchAny(s.actions, r.action, r.Keys) == s.notAction {
		return false
	}
	if s.resources != nil && matchAny(s.resources, r.Resource, r.Keys) == s.notResource {
		return false
	}
	for i := range s.conditions {
		if !s.conditions[i].holds(r.Keys) {
			return false
		}
	}
	return true
}

// reach is how directly the statement names the principal. NotPrincipal names
// everyone whom its list does not.
func (s *statement) reach(p Principal) reach {
	named := s.principals.reach(p)
	if !s.notPrincipal {
		return named
	}
	return directIf(named == reachNone)
}

func matchAny(patterns []pattern, s string, keys Keys) bool {
	for i := range patterns {
		if patterns[i].match(s, keys) {
			return true
		}
	}
	return false
}
