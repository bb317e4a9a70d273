package lambda

import (
	"crypto/rand"
	"fmt"
	"regexp"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// ref names a function.
type ref struct{ account, region, name, qualifier string }

func (r ref) key() string { return state.Key(r.account, r.region, r.name) }

func (r ref) arn() string {
	arn := "arn:aws:lambda:" + r.region + ":" + r.account + ":function:" + r.name
	if r.qualifier != "" {
		arn += ":" + r.qualifier
	}
	return arn
}

const namePattern = `(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`

var (
	nameExpr      = regexp.MustCompile("^" + namePattern + "$")
	qualifierExpr = regexp.MustCompile(`^[a-zA-Z0-9$_-]{1,128}$`)
)

// parseRef reads a name, a partial ARN (123456789012:function:f) or an ARN,
// each with or without a qualifier: a version's number, $LATEST or an alias.
func parseRef(c wire.Caller, name, qualifier string) (ref, error) {
	m := nameExpr.FindStringSubmatch(name)
	if m == nil || len(name) > 170 {
		return ref{}, wire.ValidationException("1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", name, namePattern)
	}
	r := ref{account: c.Account, region: c.Region, name: m[7], qualifier: m[9]}
	if m[3] != "" {
		r.region = m[3][:len(m[3])-1]
	}
	if m[5] != "" {
		r.account = m[5][:len(m[5])-1]
	}
	if qualifier != "" {
		if !qualifierExpr.MatchString(qualifier) {
			return r, wire.ValidationException("1 validation error detected: Value '%s' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)", qualifier)
		}
		if r.qualifier != "" && r.qualifier != qualifier {
			return r, invalid("The derived qualifier from the function name does not match the specified qualifier.")
		}
		r.qualifier = qualifier
	}
	return r, nil
}

// on is the permission on the function that an input names.
func on[I any](action string, name func(*I) string) wire.Touches[I] {
	return func(call *wire.Call, in *I) []wire.Access {
		r, err := parseRef(call.Caller, name(in), "")
		if err != nil {
			r = ref{account: call.Caller.Account, region: call.Caller.Region, name: name(in)}
		}
		r.qualifier = ""
		return []wire.Access{{Action: "lambda:" + action, Resource: r.arn(), Owner: r.account}}
	}
}

// newUUID returns a random version 4 UUID: request and revision ids.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
