package plane

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// tasks returns the kinds of ECS.
func tasks(cfg Config, t sdk.Source) []kind.Kind {
	p := taskPlane{Config: cfg, api: ecs.NewFromConfig(cfg.AWS)}
	cluster := t.Kind("aws:ecs/cluster:Cluster", sdk.Overlay{
		Replace: []string{"name"}, Name: map[string]kind.Naming{"name": {Max: 255}}, Set: []string{"settings"}, Computed: []string{"settings"},
		Unused: []string{"serviceConnectDefaults", "configuration.managedStorageConfiguration"},
	})
	cluster.Plane = ops{p.create, p.read(cluster), p.update, p.delete}
	providers := t.Kind("aws:ecs/clusterCapacityProviders:ClusterCapacityProviders", sdk.Overlay{
		Replace: []string{"clusterName"}, Set: []string{"capacityProviders", "defaultCapacityProviderStrategies"},
		Default: map[string]any{"defaultCapacityProviderStrategies.base": 0.0, "defaultCapacityProviderStrategies.weight": 0.0},
	})
	providers.Plane = ops{p.provide, p.readProviders(providers), p.updateProviders, p.unprovide}
	definition := t.Kind("aws:ecs/taskDefinition:TaskDefinition", sdk.Overlay{
		Replace: []string{
			"containerDefinitions", "cpu", "ephemeralStorage", "executionRoleArn", "family", "ipcMode", "memory", "networkMode", "pidMode",
			"placementConstraints", "requiresCompatibilities", "runtimePlatform", "taskRoleArn", "volumes",
		},
		Document: []string{"containerDefinitions"}, Default: map[string]any{"skipDestroy": false, "trackLatest": false}, Computed: []string{"networkMode", "enableFaultInjection"},
		Set: []string{"requiresCompatibilities", "volumes"}, Unused: []string{"inferenceAccelerators", "proxyConfiguration", "enableFaultInjection", "skipDestroy"},
	})
	definition.Plane = ops{p.register, p.readDefinition(definition), p.updateDefinition, p.deregister}
	return []kind.Kind{cluster, providers, definition}
}

type taskPlane struct {
	Config
	api *ecs.Client
}

func taskTag(k, v string) types.Tag            { return types.Tag{Key: &k, Value: &v} }
func taskTagOf(t types.Tag) (key, val *string) { return t.Key, t.Value }

func (p taskPlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	req := &ecs.CreateClusterInput{Tags: tagList(value.StringMap(in, "tags"), taskTag)}
	if err := fill(value.Map{"configuration": in["configuration"], "settings": in["settings"]}, req); err != nil {
		return "", nil, err
	}
	req.ClusterName = text(in, "name")
	res, err := p.api.CreateCluster(ctx, req)
	if err != nil {
		return "", nil, err
	}
	arn := aws.ToString(res.Cluster.ClusterArn)
	return arn, value.Map{"arn": arn}, nil
}

func (p taskPlane) describe(ctx context.Context, id string) (*types.Cluster, error) {
	res, err := p.api.DescribeClusters(ctx, &ecs.DescribeClustersInput{
		Clusters: []string{id}, Include: []types.ClusterField{types.ClusterFieldConfigurations, types.ClusterFieldSettings, types.ClusterFieldTags},
	})
	if err != nil {
		return nil, err
	}
	if len(res.Clusters) == 0 || aws.ToString(res.Clusters[0].Status) == "INACTIVE" {
		return nil, kind.ErrNotFound
	}
	return &res.Clusters[0], nil
}

func (p taskPlane) read(k kind.Kind) func(context.Context, string, value.Map) (value.Map, error) {
	return func(ctx context.Context, id string, _ value.Map) (value.Map, error) {
		c, err := p.describe(ctx, id)
		if err != nil {
			return nil, err
		}
		out, err := tell(k.Inputs, c)
		return value.Merge(out, value.Map{"arn": id, "name": aws.ToString(c.ClusterName), "tags": tagValue(c.Tags, taskTagOf)}), err
	}
}

func (p taskPlane) update(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	req := &ecs.UpdateClusterInput{}
	if err := fill(value.Map{"configuration": in["configuration"], "settings": in["settings"]}, req); err != nil {
		return nil, err
	}
	req.Cluster = &id
	if _, err := p.api.UpdateCluster(ctx, req); err != nil {
		return nil, err
	}
	return value.Map{"arn": id}, p.tag(ctx, id, old, in)
}

func (p taskPlane) tag(ctx context.Context, arn string, old, in value.Map) error {
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		if _, err := p.api.UntagResource(ctx, &ecs.UntagResourceInput{ResourceArn: &arn, TagKeys: drop}); err != nil {
			return err
		}
	}
	if len(set) == 0 {
		return nil
	}
	_, err := p.api.TagResource(ctx, &ecs.TagResourceInput{ResourceArn: &arn, Tags: tagList(set, taskTag)})
	return err
}

func (p taskPlane) delete(ctx context.Context, id string, _ value.Map) error {
	_, err := p.api.DeleteCluster(ctx, &ecs.DeleteClusterInput{Cluster: &id})
	return err
}

func (p taskPlane) provide(ctx context.Context, in value.Map) (string, value.Map, error) {
	id := value.String(in, "clusterName")
	out, err := p.updateProviders(ctx, id, nil, in)
	if err != nil {
		return "", nil, err
	}
	return id, out, nil
}

func (p taskPlane) updateProviders(ctx context.Context, id string, _, in value.Map) (value.Map, error) {
	req := &ecs.PutClusterCapacityProvidersInput{Cluster: &id, CapacityProviders: value.Strings(in, "capacityProviders")}
	if req.CapacityProviders == nil {
		req.CapacityProviders = []string{}
	}
	req.DefaultCapacityProviderStrategy = []types.CapacityProviderStrategyItem{}
	for _, v := range value.List(in, "defaultCapacityProviderStrategies") {
		item := types.CapacityProviderStrategyItem{}
		m, _ := v.(value.Map)
		if err := fill(m, &item); err != nil {
			return nil, err
		}
		req.DefaultCapacityProviderStrategy = append(req.DefaultCapacityProviderStrategy, item)
	}
	_, err := p.api.PutClusterCapacityProviders(ctx, req)
	return nil, err
}

func (p taskPlane) readProviders(k kind.Kind) func(context.Context, string, value.Map) (value.Map, error) {
	return func(ctx context.Context, id string, _ value.Map) (value.Map, error) {
		c, err := p.describe(ctx, id)
		if err != nil {
			return nil, err
		}
		out, err := tell(k.Inputs, map[string]any{
			"capacityProviders": c.CapacityProviders, "defaultCapacityProviderStrategies": c.DefaultCapacityProviderStrategy,
		})
		return value.Merge(out, value.Map{"clusterName": id}), err
	}
}

func (p taskPlane) unprovide(ctx context.Context, id string, _ value.Map) error {
	_, err := p.updateProviders(ctx, id, nil, value.Map{})
	return err
}

// register registers a revision. Its identifier is the family; the state's ARN
// says which revision it is.
func (p taskPlane) register(ctx context.Context, in value.Map) (string, value.Map, error) {
	req := &ecs.RegisterTaskDefinitionInput{}
	members := value.Merge(in)
	for _, name := range []string{"containerDefinitions", "tags", "volumes"} {
		delete(members, name)
	}
	if err := fill(members, req); err != nil {
		return "", nil, err
	}
	if err := json.Unmarshal([]byte(value.String(in, "containerDefinitions")), &req.ContainerDefinitions); err != nil {
		return "", nil, fmt.Errorf("containerDefinitions: %w", err)
	}
	for _, v := range value.List(in, "volumes") {
		m, _ := v.(value.Map)
		volume := types.Volume{Name: text(m, "name")}
		if path := value.String(m, "hostPath"); path != "" {
			volume.Host = &types.HostVolumeProperties{SourcePath: &path}
		}
		req.Volumes = append(req.Volumes, volume)
	}
	req.Tags = tagList(value.StringMap(in, "tags"), taskTag)
	res, err := p.api.RegisterTaskDefinition(ctx, req)
	if err != nil {
		return "", nil, err
	}
	return value.String(in, "family"), definitionOutputs(res.TaskDefinition), nil
}

func definitionOutputs(d *types.TaskDefinition) value.Map {
	arn := aws.ToString(d.TaskDefinitionArn)
	return value.Map{
		"arn": arn, "arnWithoutRevision": arn[:strings.LastIndex(arn, ":")], "revision": int(d.Revision), "networkMode": string(d.NetworkMode),
		"enableFaultInjection": aws.ToBool(d.EnableFaultInjection),
	}
}

// readDefinition tells whether the revision is still there. What a revision is
// never changes, so its containers are as they were declared.
func (p taskPlane) readDefinition(kind.Kind) func(context.Context, string, value.Map) (value.Map, error) {
	return func(ctx context.Context, id string, state value.Map) (value.Map, error) {
		arn := value.String(state, "arn")
		if arn == "" {
			arn = id
		}
		res, err := p.api.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &arn, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags}})
		if coded(err, "ClientException") || err == nil && res.TaskDefinition.Status == types.TaskDefinitionStatusInactive {
			return nil, kind.ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		return value.Merge(definitionOutputs(res.TaskDefinition), value.Map{"family": id, "tags": tagValue(res.Tags, taskTagOf)}), nil
	}
}

// updateDefinition changes the tags: all else makes a new revision.
func (p taskPlane) updateDefinition(ctx context.Context, _ string, old, in value.Map) (value.Map, error) {
	return nil, p.tag(ctx, value.String(old, "arn"), old, in)
}

func (p taskPlane) deregister(ctx context.Context, _ string, state value.Map) error {
	_, err := p.api.DeregisterTaskDefinition(ctx, &ecs.DeregisterTaskDefinitionInput{TaskDefinition: text(state, "arn")})
	if coded(err, "ClientException") { // it is inactive already
		return nil
	}
	return err
}
