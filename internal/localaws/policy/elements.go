package policy

import (
	"fmt"
	"regexp"
	"strings"
)

func (p *parser) principal(s *statement, at *node, fields map[string]*node) {
	n, negated := p.pair(at, fields, "Principal")
	switch {
	case p.kind == Identity && n != nil:
		p.fail(n, msgHasPrincipal, "")
		return
	case p.kind == Identity:
		return
	case n == nil:
		p.fail(at, msgNoPrincipal, "")
		return
	case negated && !s.deny:
		p.fail(n, msgNotPrincipal, "NotPrincipal needs Effect Deny")
	}
	s.notPrincipal = negated
	s.principals = &principals{accounts: map[string]bool{}, names: map[string]bool{}}
	p.principalValues(s.principals, n)
}

func (p *parser) principalValues(set *principals, n *node) {
	if n.kind == stringNode {
		if set.everyone = n.text == "*"; !set.everyone {
			p.fail(n, fmt.Sprintf(msgPrincipal, "AWS", n.text), "")
		}
		return
	}
	kinds := []string{"AWS", "Service", "Federated", "CanonicalUser"}
	fields := p.fields(n, "Principal", kinds...)
	for _, kind := range kinds {
		value := fields[kind]
		if value == nil {
			continue
		}
		for _, text := range p.texts(value, kind) {
			if !set.add(kind, text) {
				p.fail(value, fmt.Sprintf(msgPrincipal, kind, text), "")
			}
		}
	}
}

func (p *parser) action(s *statement, at *node, fields map[string]*node) {
	n, negated := p.pair(at, fields, "Action")
	if n == nil || n.kind == listNode && len(n.list) == 0 {
		p.fail(at, msgNoActions, "")
		return
	}
	s.notAction = negated
	for _, text := range p.texts(n, "Action") {
		if message := checkAction(text); message != "" {
			p.fail(n, message, "%q", text)
		} else if p.kind == Trust && !trustAction(text) {
			p.fail(n, msgTrustActions, "%q", text)
		}
		// Actions hold no variables and their case does not matter.
		compiled, _ := compilePattern(strings.ToLower(text), wildcards, false)
		s.actions = append(s.actions, compiled)
	}
}

var vendor = regexp.MustCompile(`^[a-zA-Z0-9.-]+$`)

// checkAction returns AWS's message for an action that cannot be, or "".
func checkAction(text string) string {
	service, name, found := strings.Cut(text, ":")
	switch {
	case text == "*":
		return ""
	case !found:
		return msgNoVendor
	case strings.Contains(name, ":"):
		return msgColons
	case service != "*" && !vendor.MatchString(service):
		return fmt.Sprintf(msgVendor, service)
	case name == "":
		return msgNoVendor
	}
	return ""
}

func trustAction(text string) bool {
	text = strings.ToLower(text)
	return strings.HasPrefix(text, "sts:assumerole") ||
		text == "sts:tagsession" || text == "sts:setsourceidentity" || text == "sts:setcontext"
}

func (p *parser) resource(s *statement, at *node, fields map[string]*node) {
	n, negated := p.pair(at, fields, "Resource")
	switch {
	case p.kind == Trust && n != nil:
		p.fail(n, msgHasResource, "")
		return
	case p.kind == Trust || p.kind == Repository && n == nil:
		return
	case n == nil || n.kind == listNode && len(n.list) == 0:
		p.fail(at, msgNoResources, "")
		return
	}
	s.notResource = negated
	for _, text := range p.texts(n, "Resource") {
		if message := checkResource(text); message != "" {
			p.fail(n, message, "")
		}
		compiled, err := compilePattern(text, arnLike, p.vars)
		if err != nil {
			p.fail(n, msgSyntax, "%v", err)
		}
		s.resources = append(s.resources, compiled)
	}
}

var partition = regexp.MustCompile(`^(aws[a-z-]*|\*)$`)

// checkResource returns AWS's message for a resource that cannot be, or "".
func checkResource(text string) string {
	parts := strings.SplitN(text, ":", arnParts)
	switch {
	case text == "*":
		return ""
	case len(parts) == 1:
		return fmt.Sprintf(msgARNForm, text)
	case !partition.MatchString(parts[1]):
		return fmt.Sprintf(msgPartition, parts[1], normalARN(parts))
	case parts[0] != "arn":
		return fmt.Sprintf(msgARNForm, text)
	case len(parts) == 2 && parts[1] == "*":
		return ""
	case len(parts) == 2 || strings.ContainsAny(parts[2], "*?") && !(len(parts) == 3 && parts[2] == "*"):
		return msgResourceVendor
	case parts[2] == "":
		return msgLegacy
	}
	return checkParts(text, parts)
}

// checkParts looks at what follows the vendor.
func checkParts(text string, parts []string) string {
	n := len(parts)
	regional := n > 3 && parts[3] != "" && parts[3] != "*"
	switch {
	case parts[2] == "iam" && regional:
		return fmt.Sprintf(msgIAMRegion, text)
	case parts[2] == "s3" && regional:
		return fmt.Sprintf(msgS3Region, text)
	case (n == 4 || n == 5) && !strings.HasSuffix(text, "*"):
		return msgLegacy
	case parts[2] == "iam" && n == arnParts && !iamPath.MatchString(parts[5]):
		return msgIAMPath
	}
	return ""
}

// normalARN is how AWS prints an ARN that lacks parts.
func normalARN(parts []string) string {
	full := append([]string{"arn"}, parts[1:]...)
	for len(full) < arnParts {
		full = append(full, "*")
	}
	return strings.Join(full, ":")
}

// iamPath is what the last part of an IAM ARN may begin with; wildcards and variables may stand for it.
var iamPath = regexp.MustCompile(`^(root$|[^/]*[*?$]|(user|federated-user|role|group|instance-profile|mfa|server-certificate|policy|sms-mfa|saml-provider|oidc-provider|report|access-report)/)`)
