package iam

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"engage/internal/localaws/auth"
	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// compiledRole is what the permission check needs of a role or a user.
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
	p, err := s.principal(arn)
	if wire.IsCode(err, "NoSuchEntity") {
		return compiledRole{}, nil
	}
	if err != nil {
		return compiledRole{}, err
	}
	c := compiledRole{found: true, policies: auth.RolePolicies{ID: p.id}}
	for _, g := range p.grants {
		documents, err := s.compileGrants(p.account, g)
		if err != nil {
			return c, err
		}
		c.policies.Identity = append(c.policies.Identity, documents...)
	}
	if p.boundary != "" {
		c.policies.Boundary, _, err = s.managed(p.account, p.boundary)
	}
	return c, err
}

// principal is who acts, with all that grants: a user's groups too.
type principal struct {
	account, id, arn, boundary string
	tags                       map[string]string
	grants                     []Grants
}

// principal returns a role or a user by its ARN. Errors: NoSuchEntity.
func (s *Service) principal(arn string) (principal, error) {
	if !strings.Contains(arn, ":user/") {
		r, err := s.Role(arn)
		return principal{r.Account, r.ID, r.ARN, r.Boundary, r.Tags, []Grants{r.Grants}}, err
	}
	var p principal
	return p, s.Store.View(func(tx state.Tx) error {
		account := strings.Split(arn+":::::", ":")[4]
		u, err := findUser(tx, account, arn[strings.LastIndexByte(arn, '/')+1:])
		if err == nil && u.ARN != arn {
			err = noSuchEntity("The user with name %s cannot be found.", u.Name)
		}
		p = principal{u.Account, u.ID, u.ARN, u.Boundary, u.Tags, []Grants{u.Grants}}
		for _, name := range u.Groups {
			g, findErr := findGroup(tx, account, name)
			p.grants, err = append(p.grants, g.Grants), cmp.Or(err, findErr)
		}
		return err
	})
}

func (s *Service) compileGrants(account string, g Grants) ([]*policy.Document, error) {
	var all []*policy.Document
	for _, name := range slices.Sorted(maps.Keys(g.Inline)) {
		document, err := policy.Parse(policy.Identity, g.Inline[name])
		if err != nil {
			return nil, err
		}
		all = append(all, document)
	}
	for _, attached := range g.Attached {
		document, _, err := s.managed(account, attached)
		if err != nil {
			return nil, err
		}
		all = append(all, document)
	}
	return all, nil
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
