package iam_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/auth/authtest"
)

const (
	trustLambda = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	readBucket  = `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`
	basic       = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
)

func client(t *testing.T) *iam.Client {
	return iam.NewFromConfig(authtest.Boot(t).Root(t))
}

// code is the error code that AWS answered, "" for none.
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

func createRole(t *testing.T, c *iam.Client, name string) *types.Role {
	t.Helper()
	out, err := c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trustLambda)})
	if err != nil {
		t.Fatal(err)
	}
	return out.Role
}

func TestRoleLifecycle(t *testing.T) {
	c, ctx := client(t), t.Context()
	name := aws.String("worker")
	created, err := c.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: name, Path: aws.String("/app/"), AssumeRolePolicyDocument: aws.String(trustLambda), Description: aws.String("d & d"),
		MaxSessionDuration: aws.Int32(7200), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if *created.Role.Arn != "arn:aws:iam::000000000000:role/app/worker" || !strings.HasPrefix(*created.Role.RoleId, "AROA") || len(*created.Role.RoleId) != 21 {
		t.Errorf("created %+v", created.Role)
	}
	got, err := c.GetRole(ctx, &iam.GetRoleInput{RoleName: name})
	if err != nil {
		t.Fatal(err)
	}
	document, _ := url.QueryUnescape(*got.Role.AssumeRolePolicyDocument)
	if document != trustLambda || *got.Role.Description != "d & d" || *got.Role.MaxSessionDuration != 7200 || len(got.Role.Tags) != 1 {
		t.Errorf("got %+v", got.Role)
	}
	if _, err := c.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: name, Description: aws.String("x")}); err != nil {
		t.Error(err)
	}
	if _, err := c.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: aws.String(strings.Replace(trustLambda, "lambda", "ecs-tasks", 1))}); err != nil {
		t.Error(err)
	}
	if _, err := c.TagRole(ctx, &iam.TagRoleInput{RoleName: name, Tags: []types.Tag{{Key: aws.String("Env"), Value: aws.String("e")}}}); err != nil {
		t.Error(err)
	}
	if _, err := c.UntagRole(ctx, &iam.UntagRoleInput{RoleName: name, TagKeys: []string{"team"}}); err != nil {
		t.Error(err)
	}
	tags, err := c.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: name})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "Env" {
		t.Errorf("tags %+v, %v", tags, err)
	}
	if _, err := c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name}); err != nil {
		t.Error(err)
	}
	if _, err = c.GetRole(ctx, &iam.GetRoleInput{RoleName: name}); code(err) != "NoSuchEntity" {
		t.Errorf("after deletion: %v", err)
	}
}

func TestInlineAndAttachedPolicies(t *testing.T) {
	c, ctx := client(t), t.Context()
	role := createRole(t, c, "r").RoleName
	if _, err := c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: role, PolicyName: aws.String("in"), PolicyDocument: aws.String(readBucket)}); err != nil {
		t.Fatal(err)
	}
	inline, err := c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: role, PolicyName: aws.String("in")})
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := url.QueryUnescape(*inline.PolicyDocument); text != readBucket {
		t.Errorf("inline %s", text)
	}
	names, err := c.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: role})
	if err != nil || len(names.PolicyNames) != 1 {
		t.Errorf("%+v, %v", names, err)
	}
	for range 2 {
		if _, err := c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: aws.String(basic)}); err != nil {
			t.Fatal(err)
		}
	}
	attached, err := c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: role})
	if err != nil || len(attached.AttachedPolicies) != 1 || *attached.AttachedPolicies[0].PolicyName != "AWSLambdaBasicExecutionRole" {
		t.Errorf("%+v, %v", attached, err)
	}
	if _, err = c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: role}); code(err) != "DeleteConflict" {
		t.Errorf("with policies: %v", err)
	}
	sim, err := c.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String("arn:aws:iam::000000000000:role/r"), ActionNames: []string{"s3:GetObject", "s3:PutObject", "logs:PutLogEvents"},
		ResourceArns: []string{"arn:aws:s3:::b/k"}})
	if err != nil || len(sim.EvaluationResults) != 3 || sim.EvaluationResults[0].EvalDecision != "allowed" ||
		sim.EvaluationResults[1].EvalDecision != "implicitDeny" || sim.EvaluationResults[2].EvalDecision != "allowed" {
		t.Errorf("%+v, %v", sim, err)
	}
	if _, err := c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: role, PolicyArn: aws.String(basic)}); err != nil {
		t.Error(err)
	}
	if _, err := c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: role, PolicyArn: aws.String(basic)}); code(err) != "NoSuchEntity" {
		t.Errorf("detached twice: %v", err)
	}
	if _, err := c.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: role, PolicyName: aws.String("in")}); err != nil {
		t.Error(err)
	}
	if _, err := c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: role}); err != nil {
		t.Error(err)
	}
}

func TestManagedPolicies(t *testing.T) {
	c, ctx := client(t), t.Context()
	role := createRole(t, c, "r").RoleName
	made, err := c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("p"), Path: aws.String("/x/"), PolicyDocument: aws.String(readBucket),
		Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
	if err != nil {
		t.Fatal(err)
	}
	arn := made.Policy.Arn
	if *arn != "arn:aws:iam::000000000000:policy/x/p" || *made.Policy.DefaultVersionId != "v1" {
		t.Errorf("made %+v", made.Policy)
	}
	for i := 2; i <= 5; i++ {
		v, err := c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(strings.Replace(readBucket, ":::b", fmt.Sprint(":::b", i), 1)), SetAsDefault: i == 3})
		if err != nil || *v.PolicyVersion.VersionId != fmt.Sprint("v", i) || v.PolicyVersion.IsDefaultVersion != (i == 3) {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	if _, err = c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(readBucket)}); code(err) != "LimitExceeded" {
		t.Errorf("sixth version: %v", err)
	}
	v, err := c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v3")})
	if err != nil || !v.PolicyVersion.IsDefaultVersion || !strings.Contains(*v.PolicyVersion.Document, "b3") {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v3")}); code(err) != "DeleteConflict" {
		t.Errorf("default version deleted: %v", err)
	}
	if _, err := c.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")}); err != nil {
		t.Error(err)
	}
	if _, err := c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: arn}); err != nil {
		t.Fatal(err)
	}
	entities, err := c.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: arn})
	if err != nil || len(entities.PolicyRoles) != 1 {
		t.Errorf("%+v, %v", entities, err)
	}
	got, err := c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn})
	if err != nil || *got.Policy.AttachmentCount != 1 || *got.Policy.DefaultVersionId != "v1" || len(got.Policy.Tags) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}); code(err) != "DeleteConflict" {
		t.Errorf("attached policy deleted: %v", err)
	}
	if _, err := c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: role, PolicyArn: arn}); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"v2", "v3", "v4", "v5"} {
		if _, err := c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: &id}); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}); err != nil {
		t.Error(err)
	}
	local, err := c.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal})
	if err != nil || len(local.Policies) != 0 {
		t.Errorf("%+v, %v", local, err)
	}
	if own, err := c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: aws.String(basic), VersionId: aws.String("v1")}); err != nil || !strings.Contains(*own.PolicyVersion.Document, "PutLogEvents") {
		t.Errorf("%+v, %v", own, err)
	}
	if _, err := c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: aws.String(basic)}); code(err) != "AccessDenied" {
		t.Errorf("AWS's policy deleted: %v", err)
	}
}

func TestBoundary(t *testing.T) {
	c, ctx := client(t), t.Context()
	role := createRole(t, c, "r").RoleName
	if _, err := c.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: role, PermissionsBoundary: aws.String(basic)}); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetRole(ctx, &iam.GetRoleInput{RoleName: role})
	if err != nil || got.Role.PermissionsBoundary == nil || *got.Role.PermissionsBoundary.PermissionsBoundaryArn != basic {
		t.Errorf("%+v, %v", got, err)
	}
	for _, want := range []string{"", "NoSuchEntity"} {
		if _, err := c.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: role}); code(err) != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	c, ctx := client(t), t.Context()
	role := createRole(t, c, "r").RoleName
	create := func(name, trust string, edit func(*iam.CreateRoleInput)) error {
		in := &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}
		if edit != nil {
			edit(in)
		}
		_, err := c.CreateRole(ctx, in)
		return err
	}
	put := func(document string) error {
		_, err := c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: role, PolicyName: aws.String("p"), PolicyDocument: &document})
		return err
	}
	attach := func(arn string) error {
		_, err := c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: &arn})
		return err
	}
	_, missing := c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: role, PolicyName: aws.String("nope")})
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"twice", create("r", trustLambda, nil), "EntityAlreadyExists"},
		{"twice, other case", create("R", trustLambda, nil), "EntityAlreadyExists"},
		{"name", create("a b", trustLambda, nil), "ValidationError"},
		{"long name", create(strings.Repeat("a", 65), trustLambda, nil), "ValidationError"},
		{"path", create("x", trustLambda, func(in *iam.CreateRoleInput) { in.Path = aws.String("app") }), "ValidationError"},
		{"session", create("x", trustLambda, func(in *iam.CreateRoleInput) { in.MaxSessionDuration = aws.Int32(60) }), "ValidationError"},
		{"trust", create("x", readBucket, nil), "MalformedPolicyDocument"},
		{"trust syntax", create("x", "{", nil), "MalformedPolicyDocument"},
		{"trust unknown role", create("x", strings.Replace(trustLambda, `"Service":"lambda.amazonaws.com"`, `"AWS":"arn:aws:iam::000000000000:role/ghost"`, 1), nil), "MalformedPolicyDocument"},
		{"boundary", create("x", trustLambda, func(in *iam.CreateRoleInput) { in.PermissionsBoundary = aws.String("arn:aws:iam::aws:policy/Nope") }), "NoSuchEntity"},
		{"tags", create("x", trustLambda, func(in *iam.CreateRoleInput) {
			in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("A"), Value: aws.String("2")}}
		}), "InvalidInput"},
		{"inline", put("{}"), "MalformedPolicyDocument"},
		{"inline with principal", put(strings.Replace(readBucket, `"Sid"`, `"Principal":"*","Sid"`, 1)), "MalformedPolicyDocument"},
		{"inline size", put(strings.Replace(readBucket, "Read", strings.Repeat("R", 11000), 1)), "LimitExceeded"},
		{"attach", attach("arn:aws:iam::aws:policy/Nope"), "NoSuchEntity"},
		{"attach no arn", attach("AWSLambdaBasicExecutionRole"), "ValidationError"},
		{"missing inline", missing, "NoSuchEntity"},
	} {
		if code(test.err) != test.want {
			t.Errorf("%s: %v, want %s", test.name, test.err, test.want)
		}
	}
}

func TestListRolesPages(t *testing.T) {
	c := client(t)
	for _, name := range []string{"b", "A", "c", "D", "e"} {
		createRole(t, c, name)
	}
	var names []string
	pages := iam.NewListRolesPaginator(c, &iam.ListRolesInput{MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Roles {
			names = append(names, *r.RoleName)
		}
	}
	if got := strings.Join(names, " "); got != "A b c D e" {
		t.Errorf("listed %s", got)
	}
}
