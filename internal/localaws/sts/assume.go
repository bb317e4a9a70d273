package sts

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"strings"
	"time"

	"engage/internal/localaws/iam"
	"engage/internal/localaws/policy"
	"engage/internal/localaws/wire"
)

// Limits of https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	defaultDuration  = 3600
	chainedDuration  = 3600
	maxSessionPolicy = 2048
	maxPolicyARNs    = 10
	maxSessionTags   = 50
)

// Tag is a session tag.
type Tag struct {
	Key   string `required:"true" min:"1" max:"128"`
	Value string `max:"256"`
}

// PolicyArn names a managed policy that limits the session.
type PolicyArn struct {
	Arn string `xml:"arn" required:"true"`
}

// AssumeRoleInput is what AssumeRole takes. MFA, transitive tags and provided
// contexts are refused by name.
type AssumeRoleInput struct {
	RoleArn         string `required:"true" min:"20" max:"2048"`
	RoleSessionName string `required:"true" min:"2" max:"64"`
	DurationSeconds *int   `min:"900" max:"43200"`
	ExternalId      string `max:"1224"`
	Policy          string
	PolicyArns      []PolicyArn
	Tags            []Tag
	SourceIdentity  string `max:"64"`
}

// AssumeRoleOutput is a session.
type AssumeRoleOutput struct {
	Credentials      credentials
	AssumedRoleUser  assumedRole
	PackedPolicySize *int
	SourceIdentity   string
	SessionTokenSize int
}

type assumedRole struct{ AssumedRoleId, Arn string }

// assumes gives the role's trust policy to the permission check. A role that
// is not there looks like one that trusts nobody, as on AWS.
func (s *Service) assumes(call *wire.Call, in *AssumeRoleInput) []wire.Access {
	conditions := map[string][]string{"sts:RoleSessionName": {in.RoleSessionName}}
	if in.ExternalId != "" {
		conditions["sts:ExternalId"] = []string{in.ExternalId}
	}
	for _, t := range in.Tags {
		conditions["aws:RequestTag/"+t.Key] = []string{t.Value}
		conditions["aws:TagKeys"] = append(conditions["aws:TagKeys"], t.Key)
	}
	identity := cmp.Or(in.SourceIdentity, call.Caller.SourceIdentity)
	if identity != "" {
		conditions["sts:SourceIdentity"] = []string{identity}
	}
	access := wire.Access{Action: "sts:AssumeRole", Resource: in.RoleArn, Conditions: conditions}
	if parts := strings.SplitN(in.RoleArn, ":", 6); len(parts) == 6 {
		access.Owner = parts[4]
	}
	if role, err := s.roles.Role(in.RoleArn); err == nil {
		access.Policy = role.Trust
	}
	all := []wire.Access{access}
	if len(in.Tags) > 0 {
		access.Action = "sts:TagSession"
		all = append(all, access)
	}
	if identity != "" {
		access.Action = "sts:SetSourceIdentity"
		all = append(all, access)
	}
	return all
}

func (s *Service) assumeRole(_ context.Context, call *wire.Call, in *AssumeRoleInput) (*AssumeRoleOutput, error) {
	role, err := s.roles.Role(in.RoleArn)
	if err != nil {
		return nil, err
	}
	if err := checkForm(in); err != nil {
		return nil, err
	}
	life, err := duration(call.Caller, role, in.DurationSeconds)
	if err != nil {
		return nil, err
	}
	policies, err := s.sessionPolicies(role, in)
	if err != nil {
		return nil, err
	}
	tags, err := sessionTags(role, in.Tags)
	if err != nil {
		return nil, err
	}
	caller := sessionCaller(call.Caller, role, in.RoleSessionName, tags)
	if caller.SourceIdentity, err = sourceIdentity(call.Caller, in.SourceIdentity); err != nil {
		return nil, err
	}
	session, err := s.sessions.Issue(caller, policies, life)
	if err != nil {
		return nil, err
	}
	out := &AssumeRoleOutput{Credentials: credentialsOf(session), AssumedRoleUser: assumedRole{session.Caller.UserID, session.Caller.ARN},
		SessionTokenSize: len(session.Token), SourceIdentity: caller.SourceIdentity}
	if len(policies) > 0 || len(in.Tags) > 0 {
		out.PackedPolicySize = packedSize(in)
	}
	return out, nil
}

// sessionCaller is who the session is.
func sessionCaller(by wire.Caller, role iam.Role, name string, tags map[string]string) wire.Caller {
	c := wire.Caller{
		Account: role.Account, RoleARN: role.ARN, SessionName: name, Tags: tags, UserID: role.ID + ":" + name,
		ARN:   "arn:aws:sts::" + role.Account + ":assumed-role/" + role.Name + "/" + name,
		RunID: by.RunID,
	}
	if run := tags["RunId"]; run != "" {
		c.RunID = run
	}
	return c
}

// sourceIdentity is what a chain of sessions keeps: it is set once.
func sourceIdentity(by wire.Caller, asked string) (string, error) {
	switch {
	case asked != "" && (len(asked) < 2 || !sessionName.MatchString(asked) || strings.HasPrefix(strings.ToLower(asked), "aws:")):
		return "", wire.ValidationException("1 validation error detected: Value '%s' at 'sourceIdentity' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", asked)
	case asked != "" && by.SourceIdentity != "" && asked != by.SourceIdentity:
		return "", wire.AccessDenied("The source identity of the session, %s, cannot be changed to %s", by.SourceIdentity, asked)
	}
	return cmp.Or(asked, by.SourceIdentity), nil
}

var (
	sessionName = regexp.MustCompile(`^[\w+=,.@-]*$`)
	externalID  = regexp.MustCompile(`^[\w+=,.@:/-]*$`)
)

func checkForm(in *AssumeRoleInput) error {
	const text = "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: %s"
	if !sessionName.MatchString(in.RoleSessionName) {
		return wire.ValidationException(text, in.RoleSessionName, "roleSessionName", `[\w+=,.@-]*`)
	}
	if len(in.ExternalId) == 1 || !externalID.MatchString(in.ExternalId) {
		return wire.ValidationException(text, in.ExternalId, "externalId", `[\w+=,.@:\/-]*`)
	}
	return nil
}

// duration is how long the session lives: at most what the role allows, and
// one hour when a role's session assumes another role.
func duration(by wire.Caller, role iam.Role, asked *int) (time.Duration, error) {
	seconds := defaultDuration
	if asked != nil {
		seconds = *asked
	}
	switch {
	case by.RoleARN != "" && seconds > chainedDuration:
		return 0, wire.ValidationException("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	case seconds > role.MaxSession:
		return 0, wire.ValidationException("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return time.Duration(seconds) * time.Second, nil
}

// sessionPolicies checks the policies that limit the session.
func (s *Service) sessionPolicies(role iam.Role, in *AssumeRoleInput) ([]string, error) {
	var all []string
	if in.Policy != "" {
		if _, err := policy.Parse(policy.Identity, in.Policy); err != nil {
			return nil, wire.Errorf("MalformedPolicyDocument", "%v", err)
		}
		if len(in.Policy) > maxSessionPolicy {
			return nil, wire.Errorf("PackedPolicyTooLarge", "Packed size of session policies consumes %d%% of allotted space for session policies", 100*len(in.Policy)/maxSessionPolicy)
		}
		all = append(all, in.Policy)
	}
	if len(in.PolicyArns) > maxPolicyARNs {
		return nil, wire.ValidationException("a session takes at most %d policy ARNs, got %d", maxPolicyARNs, len(in.PolicyArns))
	}
	for _, p := range in.PolicyArns {
		account := strings.Split(p.Arn+":::::", ":")[4]
		_, found, err := s.roles.Managed(p.Arn)
		if err != nil {
			return nil, err
		}
		if !found || account != "aws" && account != role.Account {
			return nil, wire.Errorf("MalformedPolicyDocument", "PolicyArn %s is not a managed policy of account %s", p.Arn, role.Account)
		}
		all = append(all, p.Arn)
	}
	return all, nil
}

// sessionTags are the role's tags, overridden by the session's own.
func sessionTags(role iam.Role, own []Tag) (map[string]string, error) {
	if len(own) > maxSessionTags {
		return nil, wire.ValidationException("a session takes at most %d tags, got %d", maxSessionTags, len(own))
	}
	tags, seen := maps.Clone(role.Tags), map[string]bool{}
	if tags == nil {
		tags = map[string]string{}
	}
	for _, t := range own {
		key := strings.ToLower(t.Key)
		if seen[key] || strings.HasPrefix(key, "aws:") {
			return nil, wire.Errorf("InvalidParameterValue", "Duplicate or reserved tag key %q", t.Key)
		}
		seen[key] = true
		maps.DeleteFunc(tags, func(k, _ string) bool { return strings.EqualFold(k, t.Key) })
		tags[t.Key] = t.Value
	}
	return tags, nil
}

// packedSize is the share of the allotted space, in percent, that policies and tags take.
func packedSize(in *AssumeRoleInput) *int {
	size := len(in.Policy)
	for _, t := range in.Tags {
		size += len(t.Key) + len(t.Value)
	}
	percent := max(1, min(100, 100*size/maxSessionPolicy))
	return &percent
}

type sessionTokenInput struct {
	DurationSeconds *int `min:"900" max:"129600"`
}

type sessionTokenOutput struct{ Credentials credentials }

// getSessionToken gives an account's root temporary credentials of its own, for an hour at most.
func (s *Service) getSessionToken(_ context.Context, call *wire.Call, in *sessionTokenInput) (*sessionTokenOutput, error) {
	c := call.Caller
	switch {
	case c.Anonymous():
		return nil, wire.MissingToken("Request is missing Authentication Token")
	case c.Service != "" || c.RoleARN != "" || strings.HasPrefix(c.AccessKey, "ASIA"):
		return nil, wire.AccessDenied("Cannot call GetSessionToken with session credentials")
	}
	seconds := defaultDuration
	if in.DurationSeconds != nil {
		seconds = min(*in.DurationSeconds, defaultDuration)
	}
	session, err := s.sessions.Issue(c, nil, time.Duration(seconds)*time.Second)
	if err != nil {
		return nil, err
	}
	return &sessionTokenOutput{credentialsOf(session)}, nil
}
