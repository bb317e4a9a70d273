package auth

import (
	"crypto/rand"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// fakeRoles is one role with the given documents.
type fakeRoles struct{ policies RolePolicies }

func (f fakeRoles) PoliciesOf(string) (RolePolicies, bool, error) { return f.policies, true, nil }

func (f fakeRoles) Managed(string) (*policy.Document, bool, error) { return nil, false, nil }

func document(t *testing.T, text string) *policy.Document {
	t.Helper()
	d, err := policy.Parse(policy.Identity, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func one(rest string) string {
	return `{"Version":"2012-10-17","Statement":{` + rest + `}}`
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newSessions(t *testing.T, now func() time.Time) *Sessions {
	t.Helper()
	store, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return NewSessions(store, now, rand.Reader)
}

var worker = wire.Caller{Account: "000000000000", Region: "eu-west-1", RoleARN: "arn:aws:iam::000000000000:role/w", UserID: "AROAW:run",
	ARN: "arn:aws:sts::000000000000:assumed-role/w/run", Tags: map[string]string{"Team": "a"}}

func TestConditionKeysOfARequest(t *testing.T) {
	now := func() time.Time { return noon }
	sessions := newSessions(t, now)
	issued, err := sessions.Issue(worker, nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	caller := issued.Caller
	caller.Region = "eu-west-1"
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "127.0.0.1:5000"
	r.Header.Set("User-Agent", "sdk/1")
	call := &wire.Call{Service: &wire.Service{Name: "thing"}, Caller: caller, HTTP: r}
	for _, c := range []struct {
		condition string
		want      bool
	}{
		{`"StringEquals":{"aws:PrincipalTag/team":"a"}`, true},
		{`"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/w"}`, true},
		{`"StringEquals":{"aws:PrincipalAccount":"000000000000","aws:PrincipalType":"AssumedRole","aws:userid":"AROAW:run"}`, true},
		{`"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}`, true},
		{`"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`, false},
		{`"Bool":{"aws:SecureTransport":"true","aws:ViaAWSService":"false","aws:MultiFactorAuthPresent":"false"}`, true},
		{`"StringEquals":{"aws:RequestedRegion":"eu-west-1"}`, true},
		{`"StringEquals":{"aws:RequestedRegion":"us-east-1"}`, false},
		{`"DateGreaterThan":{"aws:CurrentTime":"2026-11-23T11:59:59Z"},"NumericLessThan":{"aws:EpochTime":1900000000}`, true},
		{`"DateEquals":{"aws:TokenIssueTime":"2026-11-23T12:00:00Z"}`, true},
		{`"StringLike":{"aws:UserAgent":"sdk/*"},"Null":{"aws:Referer":"true"}`, true},
		{`"StringEquals":{"thing:Colour":"red","aws:ResourceAccount":"000000000000"}`, true},
	} {
		roles := fakeRoles{RolePolicies{ID: "AROAW", Identity: []*policy.Document{
			document(t, one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{`+c.condition+`}`))}}}
		err := NewAuthorizer(sessions, roles, now).Authorize(t.Context(), call,
			[]wire.Access{{Action: "thing:Get", Resource: "*", Conditions: map[string][]string{"thing:Colour": {"red"}}}})
		if (err == nil) != c.want {
			t.Errorf("%s: %v", c.condition, err)
		}
	}
}

func TestBoundaryAndKeyPolicy(t *testing.T) {
	now := func() time.Time { return noon }
	sessions := newSessions(t, now)
	all := document(t, one(`"Effect":"Allow","Action":"*","Resource":"*"`))
	plain := fakeRoles{RolePolicies{ID: "AROAW", Identity: []*policy.Document{all}}}
	bounded := plain
	bounded.policies.Boundary = document(t, one(`"Effect":"Allow","Action":"s3:*","Resource":"*"`))
	delegating := one(`"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"kms:*","Resource":"*"`)
	closed := one(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:role/other"},"Action":"kms:*","Resource":"*"`)
	decrypt := func(policy string) wire.Access {
		return wire.Access{Action: "kms:Decrypt", Resource: "arn:aws:kms:eu-west-1:000000000000:key/k", Policy: policy}
	}
	stranger := worker
	stranger.UserID = "AROAOTHER:run" // of a role of the same name that is gone
	for _, c := range []struct {
		name   string
		caller wire.Caller
		roles  fakeRoles
		access wire.Access
		want   bool
	}{
		{"plain", worker, plain, wire.Access{Action: "sqs:SendMessage", Resource: "*"}, true},
		{"bounded", worker, bounded, wire.Access{Action: "sqs:SendMessage", Resource: "*"}, false},
		{"within bounds", worker, bounded, wire.Access{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}, true},
		{"key delegates", worker, plain, decrypt(delegating), true},
		{"key does not", worker, plain, decrypt(closed), false},
		{"root and a closed key", wire.Root("000000000000", "eu-west-1"), plain, decrypt(closed), false},
		{"root and its key", wire.Root("000000000000", "eu-west-1"), plain, decrypt(delegating), true},
		{"another role of the name", stranger, plain, wire.Access{Action: "sqs:SendMessage", Resource: "*"}, false},
		{"another account's queue", worker, plain, wire.Access{Action: "sqs:SendMessage", Resource: "*", Owner: "111111111111"}, false},
	} {
		call := &wire.Call{Service: &wire.Service{Name: "thing"}, Caller: c.caller}
		err := NewAuthorizer(sessions, c.roles, now).Authorize(t.Context(), call, []wire.Access{c.access})
		if (err == nil) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
		if access, ok := wire.DeniedAccess(err); err != nil && (!ok || access.Action != c.access.Action) {
			t.Errorf("%s: denied access %+v", c.name, access)
		}
	}
}

func TestOldSessionsAreRemoved(t *testing.T) {
	at := noon
	sessions := newSessions(t, func() time.Time { return at })
	first, err := sessions.Issue(worker, nil, 15*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		later time.Duration
		there bool
	}{{30 * time.Minute, true}, {2 * time.Hour, false}} {
		at = noon.Add(step.later)
		if _, err := sessions.Issue(worker, nil, time.Hour); err != nil {
			t.Fatal(err)
		}
		if _, err := sessions.Find(first.AccessKey); errors.Is(err, state.ErrNotFound) == step.there {
			t.Errorf("after %v: %v", step.later, err)
		}
	}
	call := &wire.Call{Service: &wire.Service{Name: "thing"}, Caller: worker}
	call.Caller.AccessKey = first.AccessKey
	err = NewAuthorizer(sessions, fakeRoles{}, func() time.Time { return at }).Authorize(t.Context(), call, []wire.Access{{Action: "a:b", Resource: "*"}})
	if !wire.IsCode(err, "InvalidClientTokenId") {
		t.Errorf("a session that is gone: %v", err)
	}
}
