package iam

import (
	"maps"
	"slices"
	"strings"

	"engage/internal/localaws/auth"
	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// compiledRole is what the permission check needs of a role.
type compiledRole struct {
	policies auth.RolePolicies
	found    bool
}

// PoliciesOf implements auth.Roles.
func (s *Service) PoliciesOf(arn string) (auth.RolePolicies, bool, error) {
	s.mu.RLock()
	c, cached := s.compiled[arn]
	s.mu.RUnlock()
	if cached {
		return c.policies, c.found, nil
	}
	// The lock is held while the role is read, so that no change comes
	// between reading and remembering.
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.compile(arn)
	if err == nil {
		s.compiled[arn] = c
	}
	return c.policies, c.found, err
}

func (s *Service) compile(arn string) (compiledRole, error) {
	r, err := s.Role(arn)
	if wire.IsCode(err, "NoSuchEntity") {
		return compiledRole{}, nil
	}
	if err != nil {
		return compiledRole{}, err
	}
	c := compiledRole{found: true, policies: auth.RolePolicies{ID: r.ID}}
	for _, name := range slices.Sorted(maps.Keys(r.Inline)) {
		document, err := policy.Parse(policy.Identity, r.Inline[name])
		if err != nil {
			return c, err
		}
		c.policies.Identity = append(c.policies.Identity, document)
	}
	for _, attached := range r.Attached {
		document, _, err := s.managed(r.Account, attached)
		if err != nil {
			return c, err
		}
		c.policies.Identity = append(c.policies.Identity, document)
	}
	if r.Boundary != "" {
		c.policies.Boundary, _, err = s.managed(r.Account, r.Boundary)
	}
	return c, err
}

// Managed implements auth.Roles.
func (s *Service) Managed(arn string) (*policy.Document, bool, error) {
	account := strings.Split(arn+":::::", ":")[4]
	return s.managed(account, arn)
}

func (s *Service) managed(account, arn string) (document *policy.Document, found bool, err error) {
	var p Policy
	err = s.Store.View(func(tx state.Tx) error {
		p, err = findPolicy(tx, account, arn)
		return err
	})
	if wire.IsCode(err, "NoSuchEntity") {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	document, err = policy.Parse(policy.Identity, p.Versions[p.Default].Document)
	return document, err == nil, err
}
