package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Versions of the policy language. Variables exist from the second on.
const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)

// Parse reads, checks and compiles a document. The error is always an *Error
// and names every problem, not the first.
func Parse(kind Kind, text string) (*Document, error) {
	root, err := parseTree([]byte(text))
	if err != nil {
		return nil, &Error{Problems: []Problem{{Message: msgSyntax, Detail: err.Error()}}}
	}
	p := &parser{kind: kind}
	doc := p.document(root)
	if len(p.problems) > 0 {
		return nil, &Error{Problems: p.problems}
	}
	return doc, nil
}

// parser collects problems on its way.
type parser struct {
	kind     Kind
	vars     bool
	problems []Problem
}

func (p *parser) fail(at *node, message, detail string, args ...any) {
	p.problems = append(p.problems, Problem{Line: at.line, Message: message, Detail: fmt.Sprintf(detail, args...)})
}

// fields checks that n is an object of known, unrepeated elements and returns them by name.
func (p *parser) fields(n *node, what string, known ...string) map[string]*node {
	if n.kind != objectNode {
		p.fail(n, msgSyntax, "%s must be an object, not %s", what, n.kind)
		return nil
	}
	found := map[string]*node{}
	for _, f := range n.fields {
		switch {
		case found[f.name] != nil:
			p.fail(f.value, msgSyntax, "%s has %s twice", what, f.name)
		case !slices.Contains(known, f.name):
			p.fail(f.value, msgSyntax, "%s has an unknown element %q", what, f.name)
		}
		found[f.name] = f.value
	}
	return found
}

func (p *parser) document(root *node) *Document {
	fields := p.fields(root, "the policy", "Version", "Id", "Statement")
	if fields == nil {
		return nil
	}
	doc := &Document{Version: version2008}
	if n := fields["Id"]; n != nil {
		doc.ID = p.text(n, "Id")
	}
	p.version(doc, root, fields["Version"])
	list := fields["Statement"]
	if list == nil {
		p.fail(root, msgSyntax, "the policy has no Statement")
		return nil
	}
	for _, n := range p.items(list, "Statement") {
		doc.statements = append(doc.statements, p.statement(n))
	}
	p.uniqueSIDs(list, doc.statements)
	return doc
}

// version reads Version. IAM refuses identity policies of the old language.
func (p *parser) version(doc *Document, root, n *node) {
	if n != nil {
		root, doc.Version = n, p.text(n, "Version")
	}
	switch doc.Version {
	case version2012:
		p.vars = true
	case version2008:
		if p.kind == Identity {
			p.fail(root, msgVersion, "Version is %s or missing", version2008)
		}
	default:
		p.fail(root, msgSyntax, "Version %q is neither %s nor %s", doc.Version, version2012, version2008)
	}
}

// items reads a value that may stand alone or in a list.
func (p *parser) items(n *node, what string) []*node {
	if n.kind != listNode {
		return []*node{n}
	}
	if len(n.list) == 0 && what == "Statement" {
		p.fail(n, msgSyntax, "%s is empty", what)
	}
	return n.list
}

func (p *parser) text(n *node, what string) string {
	if n.kind != stringNode {
		p.fail(n, msgSyntax, "%s must be a string, not %s", what, n.kind)
	}
	return n.text
}

// texts reads one string or a list of strings.
func (p *parser) texts(n *node, what string) []string {
	var all []string
	for _, item := range p.items(n, what) {
		all = append(all, p.text(item, what))
	}
	return all
}

func (p *parser) statement(n *node) *statement {
	s := &statement{}
	fields := p.fields(n, "a statement", "Sid", "Effect", "Principal", "NotPrincipal",
		"Action", "NotAction", "Resource", "NotResource", "Condition")
	if fields == nil {
		return s
	}
	if sid := fields["Sid"]; sid != nil {
		s.sid = p.sid(sid)
	}
	p.effect(s, n, fields["Effect"])
	p.principal(s, n, fields)
	p.resource(s, n, fields)
	p.action(s, n, fields)
	if c := fields["Condition"]; c != nil {
		s.conditions = p.conditions(c)
	}
	return s
}

func (p *parser) sid(n *node) string {
	sid := p.text(n, "Sid")
	if p.kind != Resource && strings.ContainsFunc(sid, func(r rune) bool { return !isAlphanumeric(r) }) {
		p.fail(n, msgSIDForm, "Sid is %q", sid)
	}
	return sid
}

func isAlphanumeric(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

func (p *parser) uniqueSIDs(n *node, all []*statement) {
	seen := map[string]bool{"": false}
	for _, s := range all {
		if seen[s.sid] {
			p.fail(n, msgUniqueSID, "Sid %q is used twice", s.sid)
		}
		seen[s.sid] = s.sid != ""
	}
}

func (p *parser) effect(s *statement, at, n *node) {
	if n == nil {
		p.fail(at, msgSyntax, "a statement has no Effect")
		return
	}
	switch text := p.text(n, "Effect"); text {
	case "Allow":
	case "Deny":
		s.deny = true
	default:
		message := msgSyntax
		if strings.EqualFold(text, "Allow") || strings.EqualFold(text, "Deny") {
			message = msgLegacy
		}
		p.fail(n, message, "Effect %q is neither Allow nor Deny", text)
	}
}

// pair reads an element that has a negated twin; both at once are an error.
func (p *parser) pair(at *node, fields map[string]*node, name string) (n *node, negated bool) {
	n, not := fields[name], fields["Not"+name]
	if n != nil && not != nil {
		p.fail(at, msgSyntax, "a statement has both %s and Not%s", name, name)
	}
	if n == nil {
		return not, not != nil
	}
	return n, false
}

func (p *parser) conditions(n *node) []condition {
	var all []condition
	for _, op := range p.objects(n, "Condition") {
		for _, key := range p.objects(op.value, op.name) {
			all = p.condition(all, op.name, key)
		}
	}
	return all
}

// objects returns the fields of an object, each name once.
func (p *parser) objects(n *node, what string) []field {
	if n.kind != objectNode {
		p.fail(n, msgSyntax, "%s must be an object, not %s", what, n.kind)
		return nil
	}
	seen := map[string]bool{}
	for _, f := range n.fields {
		if seen[f.name] {
			p.fail(f.value, msgSyntax, "%s has %s twice", what, f.name)
		}
		seen[f.name] = true
	}
	return n.fields
}

// condition reads the values of one key: strings, numbers or booleans, alone or in a list.
func (p *parser) condition(all []condition, op string, key field) []condition {
	var values []string
	for _, v := range p.items(key.value, key.name) {
		if v.kind != stringNode && v.kind != numberNode && v.kind != boolNode {
			p.fail(v, msgSyntax, "%s %s must be a string, a number or a boolean, not %s", op, key.name, v.kind)
			return all
		}
		values = append(values, v.text)
	}
	c, err := compileCondition(op, key.name, values, p.vars)
	if errors.Is(err, errOperator) {
		p.fail(key.value, msgSyntax, "%v", err)
	} else if err != nil {
		p.fail(key.value, msgLegacy, "%v", err)
	}
	if err != nil {
		return all
	}
	return append(all, c)
}
