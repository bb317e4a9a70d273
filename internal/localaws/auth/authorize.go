package auth

import (
	"context"
	"strings"
	"sync"
	"time"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/wire"
)

// RolePolicies are the documents that apply to a role or a user, compiled.
type RolePolicies struct {
	ID       string // unique id: another role of the same name is another role
	Identity []*policy.Document
	Boundary *policy.Document
}

// Roles finds the policies of roles and users, and documents of managed policies.
type Roles interface {
	// PoliciesOf returns false when there is no such role or user.
	PoliciesOf(arn string) (RolePolicies, bool, error)
	// Managed returns a managed policy's default version, false when there is none.
	Managed(policyARN string) (*policy.Document, bool, error)
}

// Authorizer decides by the policies of the caller, of its session and of the
// resource. It implements wire.Authorizer.
type Authorizer struct {
	sessions *Sessions
	roles    Roles
	now      func() time.Time
	compiled cache
}

// NewAuthorizer returns an Authorizer.
func NewAuthorizer(s *Sessions, roles Roles, now func() time.Time) *Authorizer {
	return &Authorizer{sessions: s, roles: roles, now: now}
}

// Authorize refuses the first access that the policies do not allow.
func (a *Authorizer) Authorize(_ context.Context, call *wire.Call, accesses []wire.Access) error {
	own, session, err := a.policiesOf(call.Caller)
	if err != nil {
		return err
	}
	global := a.globalKeys(call, session)
	for _, access := range accesses {
		if err := a.check(call, access, own, global); err != nil {
			return err
		}
	}
	return nil
}

func (a *Authorizer) check(call *wire.Call, access wire.Access, p policy.Policies, global policy.Keys) error {
	request := policy.Request{Principal: principalOf(call.Caller), Action: access.Action, Resource: access.Resource, Keys: keysFor(call, access, global)}
	if rescues(request, access) || tellsOwnBus(call.Caller, access) {
		return nil
	}
	// The trust policy of a role that is assumed is its resource policy.
	assumes := strings.HasPrefix(access.Action, "sts:") && strings.Contains(access.Resource, ":role/")
	if access.Policy != "" {
		document, err := a.compiled.get(kindOf(access.Action, assumes), access.Policy)
		if err != nil {
			return wire.InternalFailure(err)
		}
		p.Resource = document
	}
	p.ResourceAccount = owner(call.Caller, access)
	p.ResourceDecides = assumes || strings.HasPrefix(access.Action, "kms:") && access.Policy != ""
	decision := policy.Evaluate(request, p)
	if decision.Allowed {
		return nil
	}
	if call.Caller.Anonymous() && call.Caller.RoleARN == "" && !call.Service.Default {
		return wire.MissingToken("Request is missing Authentication Token")
	}
	refused := wire.Denied(call.Caller, access, decision.Reason)
	refused.Message = decision.Message(request)
	return refused
}

// kindOf is the kind of policy that what is acted upon has.
func kindOf(action string, assumes bool) policy.Kind {
	switch {
	case assumes:
		return policy.Trust
	case strings.HasPrefix(action, "ecr:"):
		return policy.Repository
	}
	return policy.Resource
}

func owner(c wire.Caller, access wire.Access) string {
	if access.Owner == "" {
		return c.Account
	}
	return access.Owner
}

// rescues says that an account's root may always read, replace and remove its
// buckets' policies, so that nobody can lock everybody out.
func rescues(r policy.Request, access wire.Access) bool {
	if r.Principal.Kind != policy.Root || access.Owner != "" && access.Owner != r.Principal.Account {
		return false
	}
	switch access.Action {
	case "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy":
		return true
	}
	return false
}

// tellsOwnBus says that a service needs nobody's permission to put an event on
// the default bus of the account that the event is about.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events.html
func tellsOwnBus(c wire.Caller, access wire.Access) bool {
	return c.Service != "" && access.Action == "events:PutEvents" && owner(c, access) == c.Account && strings.HasSuffix(access.Resource, ":event-bus/default")
}

func principalOf(c wire.Caller) policy.Principal {
	p := policy.Principal{ARN: c.ARN, Account: c.Account, ID: c.UserID}
	switch {
	case c.Service != "":
		return policy.Principal{Kind: policy.Service, Service: c.Service}
	case c.RoleARN != "":
		p.Kind, p.RoleARN = policy.AssumedRole, c.RoleARN
	case c.Anonymous():
		return policy.Principal{}
	case strings.HasSuffix(c.ARN, ":root"):
		p.Kind = policy.Root
	default:
		p.Kind = policy.User
	}
	return p
}

// policiesOf collects the policies of the caller's own side.
func (a *Authorizer) policiesOf(c wire.Caller) (p policy.Policies, s Session, err error) {
	who := c.RoleARN
	if who == "" && isUser(c) {
		who = c.ARN
	}
	if who == "" {
		return p, s, nil
	}
	role, found, err := a.roles.PoliciesOf(who)
	if err != nil {
		return p, s, wire.InternalFailure(err)
	}
	// A role that was deleted, and perhaps made again, grants its old sessions nothing.
	if id, _, _ := strings.Cut(c.UserID, ":"); found && (id == role.ID || c.UserID == "") {
		p.Identity, p.Boundary = role.Identity, role.Boundary
	}
	if c.AccessKey == "" || strings.HasPrefix(c.AccessKey, "AKIA") { // a key of a user's own is no session
		return p, s, nil
	}
	if s, err = a.sessions.Find(c.AccessKey); err != nil {
		return p, s, wire.UnknownAccessKey("The security token included in the request is invalid")
	}
	if !a.now().Before(s.Expires) {
		return p, s, wire.ExpiredToken("The security token included in the request is expired")
	}
	p.Session, err = a.sessionPolicies(s)
	return p, s, err
}

// isUser reports whether a caller is a user, with a key or a session of its own.
func isUser(c wire.Caller) bool { return c.RoleARN == "" && strings.Contains(c.ARN, ":user/") }

func (a *Authorizer) sessionPolicies(s Session) ([]*policy.Document, error) {
	var all []*policy.Document
	for _, text := range s.Policies {
		if strings.HasPrefix(text, "arn:") {
			document, found, err := a.roles.Managed(text)
			if err != nil {
				return nil, wire.InternalFailure(err)
			}
			if !found {
				document = &policy.Document{} // one that is gone grants nothing, and limits still
			}
			all = append(all, document)
			continue
		}
		document, err := a.compiled.get(policy.Identity, text)
		if err != nil {
			return nil, wire.InternalFailure(err)
		}
		all = append(all, document)
	}
	return all, nil
}

// cache keeps compiled documents by their text.
type cache struct {
	mu  sync.Mutex
	all map[cacheKey]*policy.Document
}

type cacheKey struct {
	kind policy.Kind
	text string
}

// maxCached bounds the cache; it is emptied when full, since documents are few.
const maxCached = 1024

func (c *cache) get(kind policy.Kind, text string) (*policy.Document, error) {
	key := cacheKey{kind, text}
	c.mu.Lock()
	document := c.all[key]
	c.mu.Unlock()
	if document != nil {
		return document, nil
	}
	document, err := policy.Parse(kind, text)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil || len(c.all) >= maxCached {
		c.all = map[cacheKey]*policy.Document{}
	}
	c.all[key] = document
	return document, nil
}
