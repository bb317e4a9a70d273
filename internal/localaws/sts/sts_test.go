package sts_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/auth/authtest"
	"engage/internal/localaws/server"
	localsts "engage/internal/localaws/sts"
	"engage/internal/localaws/wire"
)

const (
	account   = "000000000000"
	workerARN = "arn:aws:iam::000000000000:role/app/worker"
)

// thing is a service with one resource that has a policy of its own. It speaks
// the query protocol so that the SDK's STS client can call it.
func thing(resourcePolicy *string) *wire.Service {
	type input struct {
		Name string `required:"true"`
	}
	return &wire.Service{Name: "thing", Protocol: wire.Query, Namespace: "urn:thing", Operations: []wire.Operation{
		wire.Form("GetThing", func(context.Context, *wire.Call, *input) (*wire.Empty, error) { return &wire.Empty{}, nil },
			func(_ *wire.Call, in *input) []wire.Access {
				return []wire.Access{{Action: "thing:GetThing", Resource: "arn:aws:thing:eu-west-1:000000000000:thing/" + in.Name, Policy: *resourcePolicy}}
			}),
	}}
}

func statement(rest string) string {
	return `{"Version":"2012-10-17","Statement":[{` + rest + `}]}`
}

func allow(action string) string {
	return statement(`"Effect":"Allow","Action":"` + action + `","Resource":"*"`)
}

func makeRole(t *testing.T, e *authtest.Endpoint, name, trust string, inline ...string) {
	t.Helper()
	c := iam.NewFromConfig(e.Root(t))
	_, err := c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, Path: aws.String("/app/"), AssumeRolePolicyDocument: &trust})
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range inline {
		if _, err := c.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("p"), PolicyDocument: &document}); err != nil {
			t.Fatal(err)
		}
	}
}

func trust(principal string, extra string) string {
	return statement(`"Effect":"Allow","Principal":` + principal + `,"Action":["sts:AssumeRole","sts:TagSession"]` + extra)
}

var trustRoot = trust(`{"AWS":"000000000000"}`, "")

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func assume(t *testing.T, c *sts.Client, role string, edit func(*sts.AssumeRoleInput)) (*sts.AssumeRoleOutput, error) {
	t.Helper()
	in := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::000000000000:role/app/" + role), RoleSessionName: aws.String("run")}
	if edit != nil {
		edit(in)
	}
	return c.AssumeRole(t.Context(), in)
}

func config(t *testing.T, e *authtest.Endpoint, c *types.Credentials) aws.Config {
	return e.Config(t, *c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

// invoke calls thing as a session, from inside, through the permission check.
func invoke(t *testing.T, e *authtest.Endpoint, caller wire.Caller) error {
	t.Helper()
	_, err := e.Invoke(t.Context(), caller, "thing", "GetThing", map[string]any{"Name": "x"})
	return err
}

func callerOf(role string, c *types.Credentials, id string) wire.Caller {
	return wire.Caller{Account: account, Region: "eu-west-1", AccessKey: *c.AccessKeyId, UserID: id,
		ARN: "arn:aws:sts::000000000000:assumed-role/" + role + "/run", RoleARN: "arn:aws:iam::000000000000:role/app/" + role}
}

func TestIdentities(t *testing.T) {
	e := authtest.Boot(t)
	for _, c := range []struct{ key, secret, account, code string }{
		{"test", "test", account, ""},
		{"123456789012", "test", "123456789012", ""},
		{"test", "wrong", "", "SignatureDoesNotMatch"},
		{"AKIANOBODY0000000000", "x", "", "InvalidClientTokenId"},
	} {
		who, err := sts.NewFromConfig(e.Config(t, c.key, c.secret, "")).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if code(err) != c.code {
			t.Errorf("%s/%s: %v, want %q", c.key, c.secret, err, c.code)
		} else if err == nil && (*who.Account != c.account || *who.Arn != "arn:aws:iam::"+c.account+":root" || *who.UserId != c.account) {
			t.Errorf("%s: %+v", c.key, who)
		}
	}
	anonymous := e.Root(t)
	anonymous.Credentials = aws.AnonymousCredentials{}
	if _, err := sts.NewFromConfig(anonymous).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); code(err) != "MissingAuthenticationToken" {
		t.Errorf("anonymous: %v", err)
	}
}

func TestSessionSurvivesRestartUntilItExpires(t *testing.T) {
	e := authtest.Boot(t)
	makeRole(t, e, "worker", trustRoot)
	out, err := assume(t, sts.NewFromConfig(e.Root(t)), "worker", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(900) })
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(*out.Credentials.AccessKeyId, "ASIA") || *out.AssumedRoleUser.Arn != "arn:aws:sts::000000000000:assumed-role/worker/run" {
		t.Errorf("%+v", out)
	}
	identity := func() (*sts.GetCallerIdentityOutput, error) {
		return sts.NewFromConfig(config(t, e, out.Credentials)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	}
	for range 2 {
		if who, err := identity(); err != nil || *who.Arn != *out.AssumedRoleUser.Arn || *who.UserId != *out.AssumedRoleUser.AssumedRoleId {
			t.Errorf("%+v, %v", who, err)
		}
		e.Restart(t)
	}
	e.Clock.Advance(14 * time.Minute)
	if _, err := identity(); err != nil {
		t.Error(err)
	}
	e.Clock.Advance(time.Minute)
	if _, err := identity(); code(err) != "ExpiredToken" && code(err) != "SignatureDoesNotMatch" {
		t.Errorf("expired: %v", err)
	}
	wrong := e.Config(t, *out.Credentials.AccessKeyId, "guess", *out.Credentials.SessionToken)
	if _, err := sts.NewFromConfig(wrong).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err == nil {
		t.Error("a guessed secret is accepted")
	}
}

func TestTrust(t *testing.T) {
	e := authtest.Boot(t)
	makeRole(t, e, "worker", trustRoot, allow("sts:AssumeRole"))
	makeRole(t, e, "lambda", trust(`{"Service":"lambda.amazonaws.com"}`, ""))
	makeRole(t, e, "chained", trust(`{"AWS":"`+workerARN+`"}`, ""))
	makeRole(t, e, "guarded", trust(`{"AWS":"000000000000"}`, `,"Condition":{"StringEquals":{"sts:ExternalId":"sesame"}}`))
	root := sts.NewFromConfig(e.Root(t))
	first, err := assume(t, root, "worker", nil)
	if err != nil {
		t.Fatal(err)
	}
	worker := sts.NewFromConfig(config(t, e, first.Credentials))
	foreign := sts.NewFromConfig(e.Config(t, "111111111111", "test", ""))
	for _, c := range []struct {
		name   string
		client *sts.Client
		role   string
		edit   func(*sts.AssumeRoleInput)
		want   string
	}{
		{"not trusted", root, "lambda", nil, "AccessDenied"},
		{"no such role", root, "ghost", nil, "AccessDenied"},
		{"foreign account", foreign, "worker", nil, "AccessDenied"},
		{"named role", worker, "chained", nil, ""},
		{"root is not that role", root, "chained", nil, "AccessDenied"},
		{"no external id", root, "guarded", nil, "AccessDenied"},
		{"external id", root, "guarded", func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("sesame") }, ""},
		{"long chain", worker, "chained", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7200) }, "ValidationError"},
		{"too long", root, "worker", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7200) }, "ValidationError"},
		{"too short", root, "worker", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(60) }, "ValidationError"},
		{"session name", root, "worker", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") }, "ValidationError"},
		{"policy", root, "worker", func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{}") }, "MalformedPolicyDocument"},
		{"policy arn", root, "worker", func(in *sts.AssumeRoleInput) {
			in.PolicyArns = []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/Nope")}}
		}, "MalformedPolicyDocument"},
		{"mfa", root, "worker", func(in *sts.AssumeRoleInput) { in.TokenCode = aws.String("123456") }, "NotImplemented"},
	} {
		if _, err := assume(t, c.client, c.role, c.edit); code(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	lambda := wire.Caller{Service: "lambda.amazonaws.com", Account: account, Region: "eu-west-1"}
	in := &localsts.AssumeRoleInput{RoleArn: strings.Replace(workerARN, "worker", "lambda", 1), RoleSessionName: "fn"}
	if _, err := e.Invoke(t.Context(), lambda, "sts", "AssumeRole", in); err != nil {
		t.Errorf("a trusted service: %v", err)
	}
	lambda.Service = "ecs-tasks.amazonaws.com"
	if _, err := e.Invoke(t.Context(), lambda, "sts", "AssumeRole", in); !wire.IsAccessDenied(err) {
		t.Errorf("another service: %v", err)
	}
}

func TestEnforcement(t *testing.T) {
	resource := ""
	e := authtest.Boot(t, authtest.Given(thing(&resource)))
	makeRole(t, e, "worker", trustRoot, allow("thing:*"))
	makeRole(t, e, "idle", trustRoot)
	root := sts.NewFromConfig(e.Root(t))
	session := func(role string, edit func(*sts.AssumeRoleInput)) wire.Caller {
		out, err := assume(t, root, role, edit)
		if err != nil {
			t.Fatal(err)
		}
		return callerOf(role, out.Credentials, *out.AssumedRoleUser.AssumedRoleId)
	}
	worker, idle := session("worker", nil), session("idle", nil)
	limited := session("worker", func(in *sts.AssumeRoleInput) { in.Policy = aws.String(allow("sqs:*")) })
	managed := session("worker", func(in *sts.AssumeRoleInput) {
		in.PolicyArns = []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}}
	})
	const arn = "arn:aws:thing:eu-west-1:000000000000:thing/x"
	forAll := func(effect string) string {
		return statement(`"Effect":"` + effect + `","Principal":"*","Action":"thing:*","Resource":"` + arn + `"`)
	}
	const refused = "User: arn:aws:sts::000000000000:assumed-role/%/run is not authorized to perform: thing:GetThing on resource: " + arn + " "
	for _, c := range []struct {
		name     string
		caller   wire.Caller
		resource string
		want     string
	}{
		{"worker", worker, "", ""},
		{"managed session policy", managed, "", ""},
		{"idle", idle, "", strings.Replace(refused, "%", "idle", 1) + "because no identity-based policy allows the thing:GetThing action"},
		{"limited", limited, "", strings.Replace(refused, "%", "worker", 1) + "because no session policy allows the thing:GetThing action"},
		{"idle, resource allows", idle, forAll("Allow"), ""},
		{"worker, resource denies", worker, forAll("Deny"), strings.Replace(refused, "%", "worker", 1) + "with an explicit deny in a resource-based policy"},
		{"root, resource denies", wire.Root(account, "eu-west-1"), forAll("Deny"), "User: arn:aws:iam::000000000000:root is not authorized to perform: thing:GetThing on resource: " + arn + " with an explicit deny in a resource-based policy"},
		{"root", wire.Root(account, "eu-west-1"), "", ""},
		{"service, not named", wire.Caller{Service: "logs.amazonaws.com"}, "", "User: logs.amazonaws.com is not authorized to perform: thing:GetThing on resource: " + arn + " because no resource-based policy allows the thing:GetThing action"},
	} {
		resource = c.resource
		err := invoke(t, e, c.caller)
		got := ""
		if err != nil {
			got = wire.AsError(err).Message
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	denied := e.Requests(server.Filter{Denied: true, Service: "thing"})
	if len(denied) != 5 || denied[0].DeniedAction != "thing:GetThing" || denied[0].DeniedResource != arn || denied[0].Caller != idle.ARN {
		t.Errorf("denied calls %+v", denied)
	}
}

func TestChangesTakeEffectAtOnce(t *testing.T) {
	none := ""
	e := authtest.Boot(t, authtest.Given(thing(&none)))
	makeRole(t, e, "worker", trustRoot, allow("thing:*"))
	out, err := assume(t, sts.NewFromConfig(e.Root(t)), "worker", nil)
	if err != nil {
		t.Fatal(err)
	}
	caller := callerOf("worker", out.Credentials, *out.AssumedRoleUser.AssumedRoleId)
	if err := invoke(t, e, caller); err != nil {
		t.Fatal(err)
	}
	c, name := iam.NewFromConfig(e.Root(t)), aws.String("worker")
	if _, err := c.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("p")}); err != nil {
		t.Fatal(err)
	}
	if err := invoke(t, e, caller); !wire.IsAccessDenied(err) {
		t.Errorf("after the policy was deleted: %v", err)
	}
	if _, err := c.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: name}); err != nil {
		t.Fatal(err)
	}
	makeRole(t, e, "worker", trustRoot, allow("thing:*"))
	if err := invoke(t, e, caller); !wire.IsAccessDenied(err) {
		t.Errorf("a session of the role that was: %v", err)
	}
}

func TestSessionTagsArePrincipalTags(t *testing.T) {
	none := ""
	e := authtest.Boot(t, authtest.Given(thing(&none)))
	makeRole(t, e, "worker", trustRoot, statement(`"Effect":"Allow","Action":"iam:GetRole","Resource":"arn:aws:iam::*:role/app/${aws:PrincipalTag/role}"`))
	out, err := assume(t, sts.NewFromConfig(e.Root(t)), "worker", func(in *sts.AssumeRoleInput) {
		in.Tags = []types.Tag{{Key: aws.String("role"), Value: aws.String("worker")}}
	})
	if err != nil {
		t.Fatal(err)
	}
	c := iam.NewFromConfig(config(t, e, out.Credentials))
	if _, err := c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("worker")}); err != nil {
		t.Error(err)
	}
	if _, err := c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("other")}); code(err) != "AccessDenied" {
		t.Errorf("another role: %v", err)
	}
}

func TestSessionToken(t *testing.T) {
	e := authtest.Boot(t)
	out, err := sts.NewFromConfig(e.Root(t)).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	session := sts.NewFromConfig(config(t, e, out.Credentials))
	if who, err := session.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil || *who.Arn != "arn:aws:iam::000000000000:root" {
		t.Errorf("%+v, %v", who, err)
	}
	if _, err := session.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{}); code(err) != "AccessDenied" {
		t.Errorf("a session's session: %v", err)
	}
	key, err := session.GetAccessKeyInfo(t.Context(), &sts.GetAccessKeyInfoInput{AccessKeyId: out.Credentials.AccessKeyId})
	if err != nil || *key.Account != account {
		t.Errorf("%+v, %v", key, err)
	}
}
