package iam

import (
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Grants are the policies of a role, a user or a group.
type Grants struct {
	Inline   map[string]string // documents by name
	Attached []string          // ARNs of managed policies, in order of attachment
}

// total is what counts against the quota of inline policies.
func (g *Grants) total() int {
	n := 0
	for _, document := range g.Inline {
		n += size(document)
	}
	return n
}

// empty refuses the deletion of who has policies.
func (g *Grants) empty() error {
	switch {
	case len(g.Attached) > 0:
		return conflict("Cannot delete entity, must detach all policies first.")
	case len(g.Inline) > 0:
		return conflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}

// names are the members that say whose policies an input is about: one of
// them, by the operation.
type names struct{ role, user, group string }

// kind is a kind of entity that has policies: the operations on them are the
// same but for its name.
type kind[E any] struct {
	title  string // "Role", as in operations
	member string // "roleName"
	inline int    // quota of inline policies, in characters
	named  func(names) string
	find   func(state.Tx, string, string) (E, error) // by account and name
	put    func(state.Tx, E) error
	arn    func(E) string
	grants func(*E) *Grants
}

var (
	roleKind = kind[Role]{"Role", "roleName", 10240, func(n names) string { return n.role }, findRole,
		func(tx state.Tx, r Role) error { return roles.Put(tx, roleKey(r.Account, r.Name), r) },
		func(r Role) string { return r.ARN }, func(r *Role) *Grants { return &r.Grants }}
	userKind = kind[User]{"User", "userName", 2048, func(n names) string { return n.user }, findUser,
		func(tx state.Tx, u User) error { return users.Put(tx, userKey(u.Account, u.Name), u) },
		func(u User) string { return u.ARN }, func(u *User) *Grants { return &u.Grants }}
	groupKind = kind[Group]{"Group", "groupName", 5120, func(n names) string { return n.group }, findGroup,
		func(tx state.Tx, g Group) error { return groups.Put(tx, userKey(g.Account, g.Name), g) },
		func(g Group) string { return g.ARN }, func(g *Group) *Grants { return &g.Grants }}
)

// name returns the name that the input gives, and refuses one of another kind.
func (k kind[E]) name(n names) (string, error) {
	name := k.named(n)
	if name == "" {
		return "", wire.ValidationException("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", k.member)
	}
	if n.role+n.user+n.group != name {
		return "", wire.ValidationException("only %s says whose policies these are", k.member)
	}
	return name, nil
}

func load[E any](s *Service, k kind[E], call *wire.Call, n names) (e E, err error) {
	name, err := k.name(n)
	if err != nil {
		return e, err
	}
	return e, s.Store.View(func(tx state.Tx) error {
		e, err = k.find(tx, call.Caller.Account, name)
		return err
	})
}

// editGrants changes the policies of one entity in a transaction.
func editGrants[E any](s *Service, k kind[E], call *wire.Call, n names, edit func(state.Tx, *Grants) error) (*wire.Empty, error) {
	name, err := k.name(n)
	if err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.change(func(tx state.Tx) error {
		e, err := k.find(tx, call.Caller.Account, name)
		if err != nil {
			return err
		}
		if err := edit(tx, k.grants(&e)); err != nil {
			return err
		}
		return k.put(tx, e)
	})
}

// grantOperations are the operations on the policies of a kind.
func grantOperations[E any](s *Service, k kind[E]) []wire.Operation {
	return []wire.Operation{
		onGrants(s, k, "Put"+k.title+"Policy", putInline[E]),
		onGrants(s, k, "Get"+k.title+"Policy", getInline[E]),
		onGrants(s, k, "Delete"+k.title+"Policy", deleteInline[E]),
		onGrants(s, k, "List"+k.title+"Policies", listInline[E]),
		onGrants(s, k, "Attach"+k.title+"Policy", attach[E]),
		onGrants(s, k, "Detach"+k.title+"Policy", detach[E]),
		onGrants(s, k, "ListAttached"+k.title+"Policies", listAttached[E]),
	}
}

// onGrants makes an operation whose resource is an entity that may be there.
func onGrants[E, I, O any](s *Service, k kind[E], name string, handle func(*Service, kind[E], *wire.Call, *I) (*O, error)) wire.Operation {
	return wire.Form(name, handler(s, k, handle), func(c *wire.Call, in *I) []wire.Access {
		whose := k.named(any(in).(interface{ whose() names }).whose())
		arn := "arn:aws:iam::" + c.Caller.Account + ":" + strings.ToLower(k.title) + "/" + whose
		_ = s.Store.View(func(tx state.Tx) error {
			if e, err := k.find(tx, c.Caller.Account, whose); err == nil {
				arn = k.arn(e)
			}
			return nil
		}) // an unknown one is the handler's to refuse
		all := access(name, arn)
		if p, ok := any(in).(ofPolicy); ok {
			all[0].Conditions = map[string][]string{"iam:PolicyARN": {p.arn()}}
		}
		return all
	})
}
