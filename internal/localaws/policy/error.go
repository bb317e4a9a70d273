package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a document.
type Problem struct {
	// Line is where, from 1; 0 when the document cannot be read at all.
	Line int
	// Message is AWS's wording where AWS has one.
	Message string
	// Detail says what exactly is wrong. It may be empty.
	Detail string
}

func (p Problem) String() string {
	text := p.Message
	if p.Detail != "" {
		text += " (" + p.Detail + ")"
	}
	if p.Line > 0 {
		text += fmt.Sprintf(" [line %d]", p.Line)
	}
	return text
}

// Error reports every problem of a document. Services render it as
// MalformedPolicyDocument (IAM, STS), MalformedPolicy (S3) or
// MalformedPolicyDocumentException (KMS).
type Error struct {
	Problems []Problem
}

// Message is what AWS answers: one problem in AWS's words, of the kind that AWS looks for first.
func (e *Error) Message() string {
	first := slices.MinFunc(e.Problems, func(a, b Problem) int { return rank(a.Message) - rank(b.Message) })
	return first.Message
}

// rank is the place of a message in the order of AWS's checks.
func rank(message string) int {
	order := []string{msgSyntax, msgVersion, msgLegacy, msgUniqueSID, msgNoActions}
	if i := slices.Index(order, message); i >= 0 {
		return i
	}
	if message == msgNoResources {
		return len(order) + 1 // after what is wrong with single actions and resources
	}
	return len(order)
}

// Error lists every problem, AWS's wording first.
func (e *Error) Error() string {
	all := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		all[i] = p.String()
	}
	return strings.Join(all, "; ")
}

// AWS's wordings. Recorded from IAM and S3.
const (
	msgSyntax         = "Syntax errors in policy."
	msgVersion        = "Policy document must be version 2012-10-17 or greater."
	msgLegacy         = "The policy failed legacy parsing"
	msgNoActions      = "Policy statement must contain actions."
	msgNoResources    = "Policy statement must contain resources."
	msgUniqueSID      = "Statement IDs (SID) in a single policy must be unique."
	msgSIDForm        = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
	msgHasPrincipal   = "Policy document should not specify a principal."
	msgNoPrincipal    = "Missing required field Principal"
	msgHasResource    = "Has prohibited field Resource"
	msgTrustActions   = "AssumeRole policy may only specify STS AssumeRole actions."
	msgNoVendor       = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	msgColons         = "Actions/Condition can contain only one colon."
	msgResourceVendor = "Resource vendor must be fully qualified and cannot contain regexes."
	msgNotPrincipal   = "Allow with NotPrincipal is not allowed."
	msgPrincipal      = "Invalid principal in policy: %q:%q"
	msgVendor         = "Vendor %s is not valid"
	msgARNForm        = `Resource %s must be in ARN format or "*".`
	msgPartition      = "Partition %q is not valid for resource %q."
	msgIAMRegion      = "IAM resource %s cannot contain region information."
	msgIAMPath        = `IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`
	msgS3Region       = "Resource %s can not contain region information."
)
