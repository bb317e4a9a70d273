package auth

import (
	"maps"
	"net"
	"strconv"
	"strings"
	"time"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/wire"
)

// globalKeys are the condition keys that every request has.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
//
// aws:SecureTransport is true although the endpoint speaks HTTP: requests do
// not leave the machine, and policies that demand TLS have to work unchanged.
func (a *Authorizer) globalKeys(call *wire.Call, s Session) policy.Keys {
	now, c := a.now().UTC(), call.Caller
	keys := policy.Keys{
		"aws:currenttime":           {now.Format(time.RFC3339)},
		"aws:epochtime":             {strconv.FormatInt(now.Unix(), 10)},
		"aws:securetransport":       {"true"},
		"aws:requestedregion":       {c.Region},
		"aws:viaawsservice":         {strconv.FormatBool(call.HTTP == nil && c.Service == "")},
		"aws:principalisawsservice": {strconv.FormatBool(c.Service != "")},
	}
	principalKeys(keys, c)
	if !s.Issued.IsZero() {
		keys["aws:tokenissuetime"] = []string{s.Issued.Format(time.RFC3339)}
		keys["aws:multifactorauthpresent"] = []string{"false"}
	}
	requestKeys(keys, call)
	return keys
}

func principalKeys(keys policy.Keys, c wire.Caller) {
	switch {
	case c.Service != "":
		keys["aws:principalservicename"] = []string{c.Service}
		keys["aws:sourceaccount"] = []string{c.Account}
		if c.ARN != "" { // the resource for which the service acts
			keys["aws:sourcearn"] = []string{c.ARN}
		}
		return
	case c.Anonymous() && c.RoleARN == "":
		keys["aws:principaltype"] = []string{"Anonymous"}
		return
	case c.RoleARN != "":
		keys["aws:principaltype"] = []string{"AssumedRole"}
		keys["aws:principalarn"] = []string{c.RoleARN}
	case isUser(c):
		keys["aws:principaltype"] = []string{"User"}
		keys["aws:principalarn"] = []string{c.ARN}
		keys["aws:username"] = []string{c.ARN[strings.LastIndexByte(c.ARN, '/')+1:]}
	default:
		keys["aws:principaltype"] = []string{"Account"}
		keys["aws:principalarn"] = []string{c.ARN}
	}
	keys["aws:principalaccount"] = []string{c.Account}
	keys["aws:userid"] = []string{c.UserID}
	if c.SourceIdentity != "" {
		keys["aws:sourceidentity"] = []string{c.SourceIdentity}
	}
	for name, value := range c.Tags {
		keys.Set("aws:PrincipalTag/"+name, value)
	}
}

// loopback is where calls from inside the process come from: a policy that lets
// in addresses of this machine alone has to let services in too.
const loopback = "127.0.0.1"

// requestKeys are those of the HTTP request. A call from inside has an address only.
func requestKeys(keys policy.Keys, call *wire.Call) {
	keys["aws:sourceip"] = []string{loopback}
	if call.HTTP == nil {
		return
	}
	if host, _, err := net.SplitHostPort(call.HTTP.RemoteAddr); err == nil {
		keys["aws:sourceip"] = []string{host}
	}
	if agent := call.HTTP.UserAgent(); agent != "" {
		keys["aws:useragent"] = []string{agent}
	}
	if referer := call.HTTP.Referer(); referer != "" {
		keys["aws:referer"] = []string{referer}
	}
}

// keysFor adds the keys of one access to the global ones.
func keysFor(call *wire.Call, access wire.Access, global policy.Keys) policy.Keys {
	keys := maps.Clone(global)
	keys["aws:resourceaccount"] = []string{owner(call.Caller, access)}
	if service, _, ok := strings.Cut(access.Action, ":"); ok && service == "kms" {
		keys["kms:calleraccount"] = []string{call.Caller.Account}
	}
	for name, values := range access.Conditions {
		keys.Set(name, values...)
	}
	return keys
}
