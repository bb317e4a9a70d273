package policy

import (
	"fmt"
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

// Message is what AWS answers: the first problem in AWS's words.
func (e *Error) Message() string { return e.Problems[0].Message }

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
	msgS3Region       = "Resource %s can not contain region information."
)
