package ecs_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"engage/internal/localaws/ecs"
	"engage/internal/localaws/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

type noPuller struct{}

func (noPuller) Pull(context.Context, wire.Caller, string, v1.Platform) (v1.Image, error) {
	return nil, errors.New("nothing to pull")
}

func TestRunForStepFunctions(t *testing.T) {
	f := boot(t, nil)
	if _, err := f.client.RegisterTaskDefinition(t.Context(), definition(f.container("exit", "4"))); err != nil {
		t.Fatal(err)
	}
	input := `{"Cluster":"c","TaskDefinition":"job","LaunchType":"FARGATE","NetworkConfiguration":{"AwsvpcConfiguration":{"Subnets":["s"]}},
		"Overrides":{"ContainerOverrides":[{"Name":"main","Environment":[{"Name":"A","Value":"b"}]}]}}`
	caller := wire.Root(account, region)
	caller.RunID = "run-1"
	all, err := f.Run(t.Context(), caller, json.RawMessage(input))
	if err != nil {
		t.Fatal(err)
	}
	task, err := f.Wait(t.Context(), all[0].TaskArn)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := ecs.Pascal(task)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Containers []struct{ ExitCode int }
		StoppedAt  int64
		LastStatus string
		Overrides  struct {
			ContainerOverrides []struct {
				Environment []struct{ Name, Value string }
			}
		}
	}
	if err := json.Unmarshal(raw, &got); err != nil || got.Containers[0].ExitCode != 4 || got.StoppedAt < 1e12 || got.Overrides.ContainerOverrides[0].Environment[0].Value != "b" {
		t.Errorf("got %s %v", raw, err)
	}
}

func TestClustersAndDefinitions(t *testing.T) {
	f := boot(t, nil)
	ctx := t.Context()
	if _, err := f.client.PutClusterCapacityProviders(ctx, &sdk.PutClusterCapacityProvidersInput{Cluster: aws.String("c"), CapacityProviders: []string{"FARGATE", "FARGATE_SPOT"},
		DefaultCapacityProviderStrategy: []types.CapacityProviderStrategyItem{{CapacityProvider: aws.String("FARGATE"), Base: 1, Weight: 1}, {CapacityProvider: aws.String("FARGATE_SPOT"), Weight: 3}}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := f.client.RegisterTaskDefinition(ctx, definition(f.container("exit", "0"))); err != nil {
			t.Fatal(err)
		}
	}
	run := runInput("job")
	run.LaunchType, run.Count, run.ClientToken = "", aws.Int32(5), aws.String("once")
	out, err := f.client.RunTask(ctx, run)
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.client.RunTask(ctx, run)
	if err != nil || len(again.Tasks) != 5 || *again.Tasks[0].TaskArn != *out.Tasks[0].TaskArn {
		t.Errorf("the same client token started other tasks: %v", err)
	}
	providers := map[string]int{}
	for _, task := range out.Tasks {
		providers[*task.CapacityProviderName]++
		f.await(t, *task.TaskArn)
	}
	if providers["FARGATE"] != 2 || providers["FARGATE_SPOT"] != 3 { // one by base, then 1 to 3
		t.Errorf("got %v", providers)
	}
	stopped, err := f.client.ListTasks(ctx, &sdk.ListTasksInput{Cluster: aws.String("c"), Family: aws.String("job"), DesiredStatus: types.DesiredStatusStopped})
	if err != nil || len(stopped.TaskArns) != 5 {
		t.Errorf("got %+v %v", stopped, err)
	}
	list, err := f.client.ListTaskDefinitions(ctx, &sdk.ListTaskDefinitionsInput{Sort: types.SortOrderDesc, MaxResults: aws.Int32(1)})
	if err != nil || len(list.TaskDefinitionArns) != 1 || id(list.TaskDefinitionArns[0]) != "job:2" || list.NextToken == nil {
		t.Errorf("got %+v %v", list, err)
	}
	if _, err := f.client.DeregisterTaskDefinition(ctx, &sdk.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("job:2")}); err != nil {
		t.Error(err)
	}
	gone, err := f.client.DeleteTaskDefinitions(ctx, &sdk.DeleteTaskDefinitionsInput{TaskDefinitions: []string{"job:1", "job:2"}})
	if err != nil || len(gone.TaskDefinitions) != 1 || len(gone.Failures) != 1 {
		t.Errorf("got %+v %v", gone, err)
	}
	latest, err := f.client.DescribeTaskDefinition(ctx, &sdk.DescribeTaskDefinitionInput{TaskDefinition: aws.String("job")})
	if err != nil || latest.TaskDefinition.Revision != 1 {
		t.Errorf("got %+v %v", latest, err)
	}
	arn := aws.String("arn:aws:ecs:" + region + ":" + account + ":cluster/c")
	if _, err := f.client.TagResource(ctx, &sdk.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}); err != nil {
		t.Error(err)
	}
	tags, err := f.client.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceArn: arn})
	if err != nil || len(tags.Tags) != 1 {
		t.Errorf("got %+v %v", tags, err)
	}
	if _, err := f.client.DeleteCluster(ctx, &sdk.DeleteClusterInput{Cluster: arn}); err != nil {
		t.Error(err)
	}
	described, err := f.client.DescribeClusters(ctx, &sdk.DescribeClustersInput{Clusters: []string{"c"}})
	if err != nil || len(described.Failures) != 1 {
		t.Errorf("got %+v %v", described, err)
	}
}
