package target

import "engage/internal/localaws/wire"

// ECSParameters say which task a cluster is to run, as rules and schedules
// have it in their targets.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_EcsParameters.html
type ECSParameters struct {
	TaskDefinitionArn        string        `required:"true"`
	TaskCount                *int          `json:",omitempty" min:"1" max:"10"`
	LaunchType               string        `json:",omitempty" enum:"EC2,FARGATE,EXTERNAL"`
	NetworkConfiguration     *ECSNetwork   `json:",omitempty"`
	PlatformVersion          string        `json:",omitempty"`
	Group                    string        `json:",omitempty"`
	CapacityProviderStrategy []ECSCapacity `json:",omitempty"`
	EnableECSManagedTags     bool          `json:",omitempty"`
	PropagateTags            string        `json:",omitempty" enum:"TASK_DEFINITION"`
	ReferenceID              string        `json:"ReferenceId,omitempty"`
	Tags                     []ECSTag      `json:",omitempty"`
	EnableExecuteCommand     bool          `json:",omitempty"`
	PlacementConstraints     []wire.Empty  `json:",omitempty"`
	PlacementStrategy        []wire.Empty  `json:",omitempty"`
}

// ECSNetwork is where a task is attached.
type ECSNetwork struct {
	VPC *ECSSubnets `json:"awsvpcConfiguration,omitempty"`
}

// ECSSubnets are the subnets and firewalls of a task.
type ECSSubnets struct {
	Subnets        []string `required:"true"`
	SecurityGroups []string `json:",omitempty"`
	AssignPublicIP string   `json:"AssignPublicIp,omitempty"`
}

// ECSCapacity is one capacity provider of a task.
type ECSCapacity struct {
	Provider string `json:"capacityProvider" required:"true"`
	Weight   int    `json:"weight,omitempty"`
	Base     int    `json:"base,omitempty"`
}

// ECSTag is a tag of a task.
type ECSTag struct{ Key, Value string }

// Task is the input of RunTask, but for the cluster and the overrides.
func (p *ECSParameters) Task() map[string]any {
	m := optional(map[string]any{"taskDefinition": p.TaskDefinitionArn}, "launchType", p.LaunchType, "platformVersion", p.PlatformVersion,
		"group", p.Group, "propagateTags", p.PropagateTags, "referenceId", p.ReferenceID)
	if p.TaskCount != nil {
		m["count"] = *p.TaskCount
	}
	if n := p.NetworkConfiguration; n != nil && n.VPC != nil {
		m["networkConfiguration"] = map[string]any{"awsvpcConfiguration": map[string]any{"subnets": n.VPC.Subnets,
			"securityGroups": n.VPC.SecurityGroups, "assignPublicIp": first(n.VPC.AssignPublicIP, "DISABLED")}}
	}
	if len(p.CapacityProviderStrategy) > 0 {
		m["capacityProviderStrategy"] = p.CapacityProviderStrategy
	}
	if p.EnableECSManagedTags {
		m["enableECSManagedTags"] = true
	}
	var tags []map[string]string
	for _, t := range p.Tags {
		tags = append(tags, map[string]string{"key": t.Key, "value": t.Value})
	}
	if tags != nil {
		m["tags"] = tags
	}
	return m
}

// Refuse names the first member that this endpoint's ECS does not have.
func (p *ECSParameters) Refuse() error {
	switch {
	case p.EnableExecuteCommand:
		return wire.NotImplemented("EnableExecuteCommand")
	case len(p.PlacementConstraints) > 0:
		return wire.NotImplemented("PlacementConstraints")
	case len(p.PlacementStrategy) > 0:
		return wire.NotImplemented("PlacementStrategy")
	}
	return nil
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
