package states_test

import (
	"strings"
	"testing"

	"engage/internal/localaws/states"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// says is a machine whose output is a word.
func says(word string) string { return single(`{"Type":"Pass","Result":"` + word + `","End":true}`) }

func (e *endpoint) update(machine *string, definition string, publish bool) *sfn.UpdateStateMachineOutput {
	e.t.Helper()
	out, err := e.sfn.UpdateStateMachine(e.t.Context(), &sfn.UpdateStateMachineInput{StateMachineArn: machine, Definition: &definition, Publish: publish})
	if err != nil {
		e.t.Fatal(err)
	}
	return out
}

func (e *endpoint) versionsOf(machine *string) string {
	e.t.Helper()
	var names []string
	in := &sfn.ListStateMachineVersionsInput{StateMachineArn: machine, MaxResults: 1}
	for {
		out, err := e.sfn.ListStateMachineVersions(e.t.Context(), in)
		if err != nil {
			e.t.Fatal(err)
		}
		for _, v := range out.StateMachineVersions {
			names = append(names, strings.TrimPrefix(*v.StateMachineVersionArn, *machine))
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return strings.Join(names, " ")
		}
	}
}

func TestVersions(t *testing.T) {
	e, ctx := boot(t, t.TempDir(), nil), t.Context()
	created, err := e.sfn.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: aws.String("m"), Definition: aws.String(says("one")), RoleArn: aws.String(role), Publish: true, VersionDescription: aws.String("first")})
	if err != nil {
		t.Fatal(err)
	}
	m := created.StateMachineArn
	if aws.ToString(created.StateMachineVersionArn) != *m+":1" {
		t.Errorf("%+v", created)
	}
	if out := e.update(m, says("one"), true); out.RevisionId != nil || *out.StateMachineVersionArn != *m+":1" {
		t.Errorf("an update without a change: %+v", out)
	}
	second := e.update(m, says("two"), true)
	if second.RevisionId == nil || *second.StateMachineVersionArn != *m+":2" {
		t.Errorf("%+v", second)
	}
	if again := e.update(m, says("two"), false); *again.RevisionId != *second.RevisionId || again.StateMachineVersionArn != nil {
		t.Errorf("%+v", again)
	}
	e.update(m, says("three"), false)
	_, err = e.sfn.PublishStateMachineVersion(ctx, &sfn.PublishStateMachineVersionInput{StateMachineArn: m, RevisionId: second.RevisionId})
	wantCode(t, err, "ConflictException", "Failed to publish the State Machine version for revision "+*second.RevisionId)
	if _, err := e.sfn.DeleteStateMachineVersion(ctx, &sfn.DeleteStateMachineVersionInput{StateMachineVersionArn: second.StateMachineVersionArn}); err != nil {
		t.Error(err)
	}
	third, err := e.sfn.PublishStateMachineVersion(ctx, &sfn.PublishStateMachineVersionInput{StateMachineArn: m})
	if err != nil || *third.StateMachineVersionArn != *m+":3" {
		t.Errorf("a number was used again: %+v %v", third, err)
	}
	if got := e.versionsOf(m); got != ":3 :1" {
		t.Errorf("versions %q", got)
	}
	d, err := e.sfn.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: created.StateMachineVersionArn})
	if err != nil || *d.Definition != says("one") || *d.Description != "first" || *d.StateMachineArn != *m+":1" || d.RevisionId != nil {
		t.Errorf("%+v %v", d, err)
	}
	x := e.end(e.start(created.StateMachineVersionArn, "by-version", "{}"))
	if *x.Output != `"one"` || *x.StateMachineVersionArn != *m+":1" || *x.StateMachineArn != *m {
		t.Errorf("%+v", x)
	}
	_, err = e.sfn.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: second.StateMachineVersionArn})
	wantCode(t, err, "StateMachineDoesNotExist", *m+":2")
	_, err = e.sfn.UpdateStateMachine(ctx, &sfn.UpdateStateMachineInput{StateMachineArn: created.StateMachineVersionArn, Definition: aws.String(pass)})
	wantCode(t, err, "StateMachineDoesNotExist", *m+":1")
	_, err = e.sfn.TagResource(ctx, &sfn.TagResourceInput{ResourceArn: created.StateMachineVersionArn, Tags: []types.Tag{}})
	wantCode(t, err, "ResourceNotFound", "Resource not found: '"+*m+":1'")
}

func TestAliases(t *testing.T) {
	var turn uint64
	e := boot(t, t.TempDir(), func(cfg *states.Config) { cfg.Random = func() uint64 { turn += 1_000_003; return turn } })
	ctx := t.Context()
	m := e.create("m", says("one"))
	v := []*string{e.update(m, says("A"), true).StateMachineVersionArn, e.update(m, says("B"), true).StateMachineVersionArn}
	create := func(name string, routes ...types.RoutingConfigurationListItem) (*sfn.CreateStateMachineAliasOutput, error) {
		return e.sfn.CreateStateMachineAlias(ctx, &sfn.CreateStateMachineAliasInput{Name: &name, RoutingConfiguration: routes})
	}
	to := func(arn *string, weight int32) types.RoutingConfigurationListItem {
		return types.RoutingConfigurationListItem{StateMachineVersionArn: arn, Weight: weight}
	}
	for _, c := range []struct {
		name   string
		routes []types.RoutingConfigurationListItem
		want   string
	}{
		{"123", []types.RoutingConfigurationListItem{to(v[0], 100)}, "Value '123' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern"},
		{"a b", []types.RoutingConfigurationListItem{to(v[0], 100)}, "regular expression pattern"},
		{"a", []types.RoutingConfigurationListItem{to(m, 100)}, "Routing configuration must contain state machine version ARNs. Received: [" + *m + "]"},
		{"a", []types.RoutingConfigurationListItem{to(v[0], 50), to(v[0], 50)}, "must contain distinct state machine version ARNs. Received: [" + *v[0] + ", " + *v[0] + "]"},
		{"a", []types.RoutingConfigurationListItem{to(v[0], 70), to(v[1], 29)}, "Sum of routing configuration weights must equal 100. Received: [70, 29]"},
		{"a", []types.RoutingConfigurationListItem{to(v[0], 101)}, "Value '101' at 'routingConfiguration.1.member.weight' failed to satisfy constraint: Member must have value less than or equal to 100"},
		{"a", []types.RoutingConfigurationListItem{to(v[0], 50), to(v[1], 30), to(v[1], 20)}, "RoutingConfigurationListItem(stateMachineVersionArn=" + *v[1] + ", weight=20)]' at 'routingConfiguration' failed to satisfy constraint: Member must have length less than or equal to 2"},
	} {
		_, err := create(c.name, c.routes...)
		wantCode(t, err, "ValidationException", c.want)
	}
	a, err := create("prod", to(v[0], 100))
	if err != nil || *a.StateMachineAliasArn != *m+":prod" {
		t.Fatalf("%+v %v", a, err)
	}
	if _, err := create("prod", to(v[0], 100)); err != nil {
		t.Error("the same again:", err)
	}
	_, err = create("prod", to(v[1], 100))
	wantCode(t, err, "ConflictException", "an alias with the same name and a different routing configuration already exists.")
	_, err = e.sfn.DeleteStateMachineVersion(ctx, &sfn.DeleteStateMachineVersionInput{StateMachineVersionArn: v[0]})
	wantCode(t, err, "ConflictException", "Current list of aliases referencing this version: [prod]")

	if x := e.end(e.start(a.StateMachineAliasArn, "x", "{}")); *x.Output != `"A"` || *x.StateMachineAliasArn != *a.StateMachineAliasArn || *x.StateMachineVersionArn != *v[0] {
		t.Errorf("%+v", x)
	}
	if _, err := e.sfn.UpdateStateMachineAlias(ctx, &sfn.UpdateStateMachineAliasInput{StateMachineAliasArn: a.StateMachineAliasArn, RoutingConfiguration: []types.RoutingConfigurationListItem{to(v[0], 50), to(v[1], 50)}}); err != nil {
		t.Fatal(err)
	}
	d, err := e.sfn.DescribeStateMachineAlias(ctx, &sfn.DescribeStateMachineAliasInput{StateMachineAliasArn: a.StateMachineAliasArn})
	if err != nil || len(d.RoutingConfiguration) != 2 || *d.Name != "prod" || d.Description != nil {
		t.Errorf("%+v %v", d, err)
	}
	said := map[string]int{}
	for i := range 40 {
		said[*e.end(e.start(a.StateMachineAliasArn, "y"+strings.Repeat("y", i), "{}")).Output]++
	}
	if said[`"A"`] < 5 || said[`"B"`] < 5 {
		t.Errorf("two versions at 50 to 50 said %v", said)
	}
	list, err := e.sfn.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: v[0]})
	if err != nil || len(list.Executions) != said[`"A"`]+1 {
		t.Errorf("%d executions of version 1, %v", len(list.Executions), err)
	}
	of, err := e.sfn.ListStateMachineAliases(ctx, &sfn.ListStateMachineAliasesInput{StateMachineArn: v[1]})
	if err != nil || len(of.StateMachineAliases) != 1 {
		t.Errorf("%+v %v", of, err)
	}
	for range 2 { // the second finds nothing
		if _, err := e.sfn.DeleteStateMachineAlias(ctx, &sfn.DeleteStateMachineAliasInput{StateMachineAliasArn: a.StateMachineAliasArn}); err != nil {
			t.Error(err)
		}
	}
	_, err = e.sfn.UpdateStateMachineAlias(ctx, &sfn.UpdateStateMachineAliasInput{StateMachineAliasArn: a.StateMachineAliasArn, Description: aws.String("d")})
	wantCode(t, err, "ResourceNotFound", "Request references a resource that does not exist.")
}
