package policy

import (
	"regexp"
	"strings"
)

// PrincipalKind says what kind of identity makes a request.
type PrincipalKind int

// The kinds of principal.
const (
	Anonymous PrincipalKind = iota
	Root
	User
	AssumedRole
	Service
)

// Principal is who makes a request.
type Principal struct {
	Kind PrincipalKind
	// ARN is what AWS prints in messages: the session's ARN for an assumed role.
	ARN string
	// RoleARN is the ARN of the assumed role, with its path.
	RoleARN string
	// Account holds the principal. Empty for services and anonymous callers.
	Account string
	// Service is the name of a service principal, as "lambda.amazonaws.com".
	Service string
	// ID is the unique identifier (AIDA..., AROA...:session).
	ID string
}

// String is how AWS names the principal in a message.
func (p Principal) String() string {
	switch p.Kind {
	case Anonymous:
		return "anonymous"
	case Service:
		return p.Service
	}
	return p.ARN
}

// reach says how directly a Principal element names a principal. What is
// granted directly needs no identity policy; what is granted to an account only
// lets that account's own policies decide.
type reach int

const (
	reachNone    reach = iota
	reachAccount       // by account number or root ARN
	reachRole          // by role ARN: session policies and boundaries still limit
	reachDirect        // by "*", user, session or service: nothing else limits
)

// principals is a compiled Principal element.
type principals struct {
	everyone bool
	accounts map[string]bool
	names    map[string]bool // ARNs, service names, unique and canonical ids
}

// reach of the element to p; every way of naming p is tried and the most direct counts.
func (s *principals) reach(p Principal) reach {
	switch {
	case s == nil:
		return reachNone
	case s.everyone:
		return reachDirect
	case p.Kind == Anonymous:
		return reachNone
	case p.Kind == Service:
		return directIf(s.names[p.Service])
	case s.names[p.ARN] || s.names[p.ID]:
		return reachDirect
	case p.RoleARN != "" && (s.names[p.RoleARN] || s.names[roleID(p.ID)]):
		return reachRole
	case p.Account != "" && s.accounts[p.Account]:
		if p.Kind == Root {
			return reachDirect
		}
		return reachAccount
	}
	return reachNone
}

func directIf(named bool) reach {
	if named {
		return reachDirect
	}
	return reachNone
}

// roleID is the role's part of a session's unique id.
func roleID(id string) string {
	id, _, _ = strings.Cut(id, ":")
	return id
}

var (
	accountNumber = regexp.MustCompile(`^[0-9]{12}$`)
	rootARN       = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):root$`)
	iamARN        = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:(user|role|saml-provider|oidc-provider)/[!-~]+$`)
	sessionARN    = regexp.MustCompile(`^arn:aws[a-z-]*:sts::[0-9]{12}:(assumed-role/[^/*?]+/[^/*?]+|federated-user/[^/*?]+)$`)
	uniqueID      = regexp.MustCompile(`^A(IDA|ROA|SIA)[A-Z0-9]{12,}$`)
	serviceName   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)$`)
	canonicalID   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// add compiles one value of the element; kind is "AWS", "Service", "Federated" or "CanonicalUser".
// It reports false for a value that names no principal.
func (s *principals) add(kind, value string) bool {
	if value == "*" && kind == "AWS" {
		s.everyone = true
		return true
	}
	if root := rootARN.FindStringSubmatch(value); kind == "AWS" && root != nil {
		s.accounts[root[1]] = true
		return true
	}
	if kind == "AWS" && accountNumber.MatchString(value) {
		s.accounts[value] = true
		return true
	}
	if !principalForm(kind, value) {
		return false
	}
	s.names[value] = true
	return true
}

func principalForm(kind, value string) bool {
	switch kind {
	case "AWS":
		plain := !strings.ContainsAny(value, "*?")
		return plain && (iamARN.MatchString(value) || sessionARN.MatchString(value) || uniqueID.MatchString(value))
	case "Service":
		return serviceName.MatchString(value)
	case "Federated":
		return iamARN.MatchString(value) || value != "" && strings.Contains(value, ".") && !strings.ContainsAny(value, "*? ")
	default:
		return canonicalID.MatchString(value)
	}
}
