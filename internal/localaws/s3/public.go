package s3

import (
	"encoding/json"
	"encoding/xml"
	"net/netip"
	"slices"
	"strings"

	"engage/internal/localaws/wire"
)

// publicAccessBlock says which public access a bucket forbids. A new bucket
// forbids all of it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
type publicAccessBlock struct {
	BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
}

func (bk Bucket) publicAccess() (b publicAccessBlock) {
	doc, ok := bk.Settings["publicAccessBlock"]
	switch {
	case ok:
		_ = xml.Unmarshal([]byte(doc), &b) // it was read before it was kept
	case !bk.Deleted["publicAccessBlock"]:
		b = publicAccessBlock{true, true, true, true}
	}
	return b
}

// policyFor returns the bucket's policy as far as it holds for a caller: when
// public access is restricted, a public policy gives nothing to other
// accounts' users and to those who do not sign.
func (s *Service) policyFor(bk Bucket, c wire.Caller) string {
	text := bk.Settings["policy"]
	outsider := c.Service == "" && (c.Anonymous() && c.RoleARN == "" || c.Account != bk.Account)
	if text == "" || !outsider || !isPublic(text) {
		return text
	}
	if block, err := s.publicAccess(bk); err != nil || block.RestrictPublicBuckets {
		return ""
	}
	return text
}

// checkPublicPolicy refuses a public policy in AWS's words where it is blocked.
func (r *request) checkPublicPolicy(bk Bucket, text []byte) error {
	if !isPublic(string(text)) {
		return nil
	}
	if block, err := r.publicAccess(bk); err != nil || !block.BlockPublicPolicy {
		return err
	}
	access := r.access("s3:PutBucketPolicy", bk.Name, "")
	e := wire.Denied(r.call.Caller, access, "")
	e.Message = "User: " + r.call.Caller.ARN + ` is not authorized to perform: s3:PutBucketPolicy on resource: "` + access.Resource +
		`" because public policies are blocked by the BlockPublicPolicy block public access setting.`
	return e
}

type policyStatement struct {
	Effect       string
	Principal    json.RawMessage
	NotPrincipal json.RawMessage
	Condition    map[string]map[string]json.RawMessage
}

// isPublic reports whether a policy allows something to everyone.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
func isPublic(text string) bool {
	var document struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(text), &document) != nil {
		return false
	}
	var statements []policyStatement
	if json.Unmarshal(document.Statement, &statements) != nil {
		statements = make([]policyStatement, 1)
		if json.Unmarshal(document.Statement, &statements[0]) != nil {
			return false
		}
	}
	return slices.ContainsFunc(statements, policyStatement.public)
}

func (s policyStatement) public() bool {
	everyone := s.NotPrincipal != nil || slices.Contains(texts(s.Principal), "*")
	var byKind map[string]json.RawMessage
	if json.Unmarshal(s.Principal, &byKind) == nil {
		everyone = everyone || slices.Contains(texts(byKind["AWS"]), "*")
	}
	return s.Effect == "Allow" && everyone && !s.fixed()
}

// fixed reports whether a condition limits the statement to certain callers.
func (s policyStatement) fixed() bool {
	for operator, keys := range s.Condition {
		for key, raw := range keys {
			values := texts(raw)
			if len(values) > 0 && !slices.ContainsFunc(values, func(v string) bool { return !isFixed(operator, key, v) }) {
				return true
			}
		}
	}
	return false
}

// fixedKeys are the condition keys by which callers can be told, in lower case.
var fixedKeys = strings.Fields(`aws:principalarn aws:principalaccount aws:principalorgid aws:principalorgpaths aws:sourcearn aws:sourcevpc aws:sourcevpce
	aws:sourceowner aws:sourceaccount aws:userid s3:dataaccesspointarn s3:dataaccesspointaccount s3:x-amz-server-side-encryption-aws-kms-key-id`)

func isFixed(operator, key, value string) bool {
	switch strings.ToLower(operator) {
	case "ipaddress":
		network, err := netip.ParsePrefix(value)
		if err != nil {
			_, err = netip.ParseAddr(value)
			return strings.EqualFold(key, "aws:SourceIp") && err == nil
		}
		least := 8
		if network.Addr().Is6() {
			least = 32
		}
		return strings.EqualFold(key, "aws:SourceIp") && network.Bits() >= least
	case "stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike":
		return slices.Contains(fixedKeys, strings.ToLower(key)) && !strings.ContainsAny(value, "*?$")
	}
	return false
}

// texts reads a text or a list of them.
func texts(raw json.RawMessage) (all []string) {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	return all
}

// getPolicyStatus tells whether the bucket's policy is public.
func getPolicyStatus(r *request) error {
	bk, err := r.find(r.bucket)
	if err != nil {
		return err
	}
	text := bk.Settings["policy"]
	if text == "" {
		return noSuchPolicy(bk.Name)
	}
	return r.writeXML(struct {
		XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ PolicyStatus"`
		IsPublic bool
	}{IsPublic: isPublic(text)})
}
