package policy

import "strings"

// Request is what is asked: who wants to do what to which resource.
type Request struct {
	Principal Principal
	// Action as AWS writes it: "s3:GetObject".
	Action string
	// Resource is the ARN acted upon, or "*" for actions without one.
	Resource string
	// Keys are the condition keys of the request. May be nil.
	Keys Keys

	action string // lower case, set by Evaluate
}

// Policies are the documents that apply to a request.
type Policies struct {
	// Identity holds the inline and attached policies of the user or role.
	Identity []*Document
	// Boundary limits what Identity grants. None when nil.
	Boundary *Document
	// Session holds the policies passed to AssumeRole. Empty means no limit.
	Session []*Document
	// Resource is the policy of the resource. May be nil.
	Resource *Document
	// ResourceAccount is the account that owns the resource. Empty means the principal's own.
	ResourceAccount string
	// ResourceDecides says that identity policies count only where Resource
	// lets the account decide, and that the account's root has no other right:
	// the rule of KMS key policies and of role trust policies.
	ResourceDecides bool
}

// Source is the kind of policy that decided.
type Source string

// The sources, as AWS's messages name them.
const (
	FromNone     Source = ""
	FromRoot     Source = "root"
	FromIdentity Source = "identity-based"
	FromResource Source = "resource-based"
	FromBoundary Source = "permissions boundary"
	FromSession  Source = "session"
)

// Decision is the outcome for one request.
type Decision struct {
	Allowed bool
	// Explicit is set when a Deny statement matched.
	Explicit bool
	// Source is the kind of policy that allowed, denied, or failed to allow.
	Source Source
	// MatchedSID is the Sid of the statement that decided. Empty when it has none or none matched.
	MatchedSID string
	// Reason is the end of AWS's AccessDenied message, empty when allowed.
	Reason string
}

// Evaluate decides a request as AWS does: an explicit deny anywhere wins, then
// the resource's policy, the boundary, the session's policies and the
// identity's policies are asked in turn.
func Evaluate(r Request, p Policies) Decision {
	e := evaluation{r: &r, p: &p}
	r.action = strings.ToLower(r.Action)
	if d, denied := e.explicitDeny(); denied {
		return d
	}
	e.resourceReach, e.resourceSID = e.allowedBy(p.Resource)
	switch {
	case r.Principal.Kind == Service || r.Principal.Kind == Anonymous:
		return e.byResourceAlone()
	case p.ResourceAccount != "" && p.ResourceAccount != r.Principal.Account:
		return e.acrossAccounts()
	}
	return e.withinAccount()
}

// evaluation is one request under way.
type evaluation struct {
	r             *Request
	p             *Policies
	resourceReach reach
	resourceSID   string
}

func (e *evaluation) explicitDeny() (Decision, bool) {
	for _, d := range e.p.Identity {
		if s := d.deny(e.r, false); s != nil {
			return denied(FromIdentity, s), true
		}
	}
	if s := e.p.Resource.deny(e.r, true); s != nil {
		return denied(FromResource, s), true
	}
	if s := e.p.Boundary.deny(e.r, false); s != nil {
		return denied(FromBoundary, s), true
	}
	for _, d := range e.p.Session {
		if s := d.deny(e.r, false); s != nil {
			return denied(FromSession, s), true
		}
	}
	return Decision{}, false
}

// deny returns the first Deny statement that matches. A resource's policy is
// matched by principal too.
func (d *Document) deny(r *Request, byPrincipal bool) *statement {
	if d == nil {
		return nil
	}
	for _, s := range d.statements {
		if s.deny && (!byPrincipal || s.reach(r.Principal) != reachNone) && s.applies(r) {
			return s
		}
	}
	return nil
}

// allowedBy returns the most direct grant of a resource's policy.
func (e *evaluation) allowedBy(d *Document) (best reach, sid string) {
	if d == nil {
		return reachNone, ""
	}
	for _, s := range d.statements {
		if s.deny {
			continue
		}
		if got := s.reach(e.r.Principal); got > best && s.applies(e.r) {
			best, sid = got, s.sid
		}
	}
	return best, sid
}

// allow returns the first Allow statement of an identity's document that matches.
func (d *Document) allow(r *Request) *statement {
	if d == nil {
		return nil
	}
	for _, s := range d.statements {
		if !s.deny && s.applies(r) {
			return s
		}
	}
	return nil
}

func allowIn(documents []*Document, r *Request) *statement {
	for _, d := range documents {
		if s := d.allow(r); s != nil {
			return s
		}
	}
	return nil
}

// byResourceAlone is for services and anonymous callers, who have no policies of their own.
func (e *evaluation) byResourceAlone() Decision {
	if e.resourceReach == reachDirect {
		return allowed(FromResource, e.resourceSID)
	}
	return e.unallowed(FromResource)
}

// acrossAccounts needs a grant on both sides.
func (e *evaluation) acrossAccounts() Decision {
	if e.resourceReach == reachNone {
		return e.unallowed(FromResource)
	}
	if e.r.Principal.Kind == Root {
		return allowed(FromResource, e.resourceSID)
	}
	if d, limited := e.limited(); limited {
		return d
	}
	if s := allowIn(e.p.Identity, e.r); s != nil {
		return allowed(FromIdentity, s.sid)
	}
	return e.unallowed(FromIdentity)
}

func (e *evaluation) withinAccount() Decision {
	isRoot := e.r.Principal.Kind == Root
	switch {
	case e.resourceReach == reachDirect:
		return allowed(FromResource, e.resourceSID)
	case isRoot && !e.p.ResourceDecides:
		return allowed(FromRoot, "")
	}
	if d, limited := e.limited(); limited {
		return d
	}
	if e.resourceReach == reachRole {
		return allowed(FromResource, e.resourceSID)
	}
	if e.p.ResourceDecides && e.resourceReach == reachNone {
		return e.unallowed(FromResource)
	}
	if s := allowIn(e.p.Identity, e.r); s != nil {
		return allowed(FromIdentity, s.sid)
	}
	return e.unallowed(FromIdentity)
}

// limited asks the boundary and the session's policies, which grant nothing
// but take away what they do not allow.
func (e *evaluation) limited() (Decision, bool) {
	if e.p.Boundary != nil && e.p.Boundary.allow(e.r) == nil {
		return e.unallowed(FromBoundary), true
	}
	if len(e.p.Session) > 0 && allowIn(e.p.Session, e.r) == nil {
		return e.unallowed(FromSession), true
	}
	return Decision{}, false
}

func allowed(from Source, sid string) Decision {
	return Decision{Allowed: true, Source: from, MatchedSID: sid}
}

func denied(from Source, s *statement) Decision {
	return Decision{Explicit: true, Source: from, MatchedSID: s.sid,
		Reason: "with an explicit deny in " + article(from) + " " + from.phrase()}
}

func (e *evaluation) unallowed(from Source) Decision {
	return Decision{Source: from,
		Reason: "because no " + from.phrase() + " allows the " + e.r.Action + " action"}
}

func (s Source) phrase() string {
	if s == FromBoundary {
		return string(s)
	}
	return string(s) + " policy"
}

func article(s Source) string {
	if s == FromIdentity {
		return "an"
	}
	return "a"
}

// Message is the text of AWS's AccessDenied error for a decision that does not allow.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func (d Decision) Message(r Request) string {
	resource := r.Resource
	if strings.HasPrefix(r.Action, "s3:") { // S3 alone puts it in quotes
		resource = `"` + resource + `"`
	}
	return "User: " + r.Principal.String() + " is not authorized to perform: " + r.Action + " on resource: " + resource + " " + d.Reason
}
