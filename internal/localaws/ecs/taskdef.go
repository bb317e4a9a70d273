package ecs

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type registerInput struct {
	Family                  string                `json:"family" required:"true"`
	TaskRoleArn             string                `json:"taskRoleArn"`
	ExecutionRoleArn        string                `json:"executionRoleArn"`
	NetworkMode             string                `json:"networkMode"`
	ContainerDefinitions    []containerDefinition `json:"containerDefinitions" required:"true"`
	Volumes                 []volume              `json:"volumes"`
	RequiresCompatibilities []string              `json:"requiresCompatibilities"`
	CPU                     string                `json:"cpu"`
	Memory                  string                `json:"memory"`
	Tags                    []Tag                 `json:"tags"`
	EphemeralStorage        *ephemeralStorage     `json:"ephemeralStorage"`
	RuntimePlatform         *runtimePlatform      `json:"runtimePlatform"`

	EnableFaultInjection  unsupported `json:"enableFaultInjection"`
	InferenceAccelerators unsupported `json:"inferenceAccelerators"`
	IPCMode               unsupported `json:"ipcMode"`
	PIDMode               unsupported `json:"pidMode"`
	PlacementConstraints  unsupported `json:"placementConstraints"`
	ProxyConfiguration    unsupported `json:"proxyConfiguration"`
}

var namePattern = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)

// check refuses, in AWS's words, what Fargate would refuse, and by name what
// is not done here.
func (in *registerInput) check() error {
	if err := refuse(in); err != nil {
		return err
	}
	if !namePattern.MatchString(in.Family) {
		return clientError("Family contains invalid characters.")
	}
	for _, c := range in.RequiresCompatibilities {
		if c != "FARGATE" {
			return wire.NotImplemented("ecs requiresCompatibilities %s", c)
		}
	}
	if in.NetworkMode != "awsvpc" {
		return clientError("Fargate only supports network mode ‘awsvpc’.")
	}
	_, mib, err := checkSize(in.CPU, in.Memory)
	if err != nil {
		return err
	}
	return in.checkContainers(mib)
}

func (in *registerInput) checkContainers(mib int) error {
	names := map[string]bool{}
	essential := false
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		if names[c.Name] || !namePattern.MatchString(c.Name) {
			return clientError("Container.name '%s' is not valid or not unique.", c.Name)
		}
		names[c.Name] = true
		essential = essential || c.essential()
		if c.Memory > mib || c.MemoryReservation > mib {
			return clientError("Invalid 'memory' setting for container '%s': it exceeds the task's.", c.Name)
		}
		if strings.Contains(c.Image, ".dkr.ecr.") && in.ExecutionRoleArn == "" {
			return clientError("Fargate requires task definition to have execution role ARN to support ECR images.")
		}
		if err := in.checkLogging(c); err != nil {
			return err
		}
		for _, m := range c.MountPoints {
			known := slices.ContainsFunc(in.Volumes, func(v volume) bool { return v.Name == m.SourceVolume })
			if !known || !strings.HasPrefix(m.ContainerPath, "/") {
				return clientError("Unknown volume '%s'.", m.SourceVolume)
			}
		}
	}
	if !essential {
		return clientError("All Task definitions must contain at least one essential container.")
	}
	return in.checkDependencies(names)
}

// logOptions are the options of the awslogs driver that have a meaning here.
var logOptions = []string{"awslogs-group", "awslogs-region", "awslogs-stream-prefix", "awslogs-create-group", "mode", "max-buffer-size"}

func (in *registerInput) checkLogging(c *containerDefinition) error {
	l := c.LogConfiguration
	if l == nil {
		return nil
	}
	if l.LogDriver != "awslogs" {
		return wire.NotImplemented("ecs logDriver %s", l.LogDriver)
	}
	for option := range l.Options {
		if !slices.Contains(logOptions, option) {
			return wire.NotImplemented("ecs log option %s", option)
		}
	}
	for _, option := range []string{"awslogs-group", "awslogs-region", "awslogs-stream-prefix"} {
		if l.Options[option] == "" {
			return clientError("Log driver awslogs requires options: awslogs-region, awslogs-group, awslogs-stream-prefix; container '%s' has no %s.", c.Name, option)
		}
	}
	if in.ExecutionRoleArn == "" {
		return clientError("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
	}
	return nil
}

// checkDependencies refuses unknown containers and cycles.
func (in *registerInput) checkDependencies(names map[string]bool) error {
	done := map[string]bool{}
	for range in.ContainerDefinitions {
		for _, c := range in.ContainerDefinitions {
			ready := true
			for _, d := range c.DependsOn {
				if !names[d.ContainerName] {
					return clientError("Container '%s' depends on '%s', which the task definition does not have.", c.Name, d.ContainerName)
				}
				ready = ready && done[d.ContainerName]
			}
			done[c.Name] = done[c.Name] || ready
		}
	}
	for _, c := range in.ContainerDefinitions {
		if !done[c.Name] {
			return clientError("The dependencies of container '%s' are circular.", c.Name)
		}
	}
	return nil
}

func definitionKey(account, region, family string, revision int) string {
	return state.Key(account, region, family, state.Ordinal(uint64(revision)))
}

type definitionOutput struct {
	TaskDefinition taskDefinition `json:"taskDefinition"`
	Tags           []Tag          `json:"tags,omitempty"`
}

func (s *Service) registerTaskDefinition(_ context.Context, call *wire.Call, in *registerInput) (*definitionOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		c.PortMappings, c.Environment, c.MountPoints = orEmpty(c.PortMappings), orEmpty(c.Environment), orEmpty(c.MountPoints)
		yes := c.essential()
		c.Essential = &yes
	}
	units, mib, err := checkSize(in.CPU, in.Memory)
	if err != nil {
		return nil, err
	}
	d := storedDefinition{Tags: in.Tags, taskDefinition: taskDefinition{
		ContainerDefinitions: in.ContainerDefinitions, Family: in.Family, TaskRoleArn: in.TaskRoleArn, ExecutionRoleArn: in.ExecutionRoleArn,
		NetworkMode: in.NetworkMode, Volumes: orEmpty(in.Volumes), Status: "ACTIVE", PlacementConstraints: []string{},
		Compatibilities: []string{"EC2", "FARGATE"}, RequiresCompatibilities: in.RequiresCompatibilities, CPU: strconv.Itoa(units), Memory: strconv.Itoa(mib),
		EphemeralStorage: in.EphemeralStorage, RuntimePlatform: in.RuntimePlatform, RegisteredAt: s.now(), RegisteredBy: call.Caller.ARN}}
	err = s.store.Update(func(tx state.Tx) error {
		counter := state.Key(call.Caller.Account, call.Caller.Region, in.Family)
		last, err := revisions.Get(tx, counter)
		if err != nil && !errors.Is(err, state.ErrNotFound) {
			return err
		}
		d.Revision = last + 1
		d.TaskDefinitionArn = call.ARN("ecs", "task-definition/"+in.Family+":"+strconv.Itoa(d.Revision))
		return errors.Join(revisions.Put(tx, counter, d.Revision),
			definitions.Put(tx, definitionKey(call.Caller.Account, call.Caller.Region, in.Family, d.Revision), d))
	})
	return &definitionOutput{d.taskDefinition, d.Tags}, err
}

// findDefinition returns the definition that "family", "family:revision" or an
// ARN names; a family is its latest active revision.
func findDefinition(tx state.Tx, account, region, name string) (storedDefinition, string, error) {
	name = name[strings.LastIndexByte(name, '/')+1:]
	family, number, exact := strings.Cut(name, ":")
	if exact {
		revision, err := strconv.Atoi(number)
		if err != nil {
			return storedDefinition{}, "", clientError("Invalid revision number. Number: %s", number)
		}
		key := definitionKey(account, region, family, revision)
		d, err := definitions.Get(tx, key)
		return d, key, err
	}
	all, err := definitions.List(tx, state.Prefix(account, region, family), "", 0)
	if err != nil {
		return storedDefinition{}, "", err
	}
	for _, e := range slices.Backward(all) {
		if e.Value.Status == "ACTIVE" {
			return e.Value, e.Key, nil
		}
	}
	return storedDefinition{}, "", state.ErrNotFound
}

type definitionInput struct {
	TaskDefinition string   `json:"taskDefinition" required:"true"`
	Include        []string `json:"include"`
}

func (s *Service) describeTaskDefinition(_ context.Context, call *wire.Call, in *definitionInput) (*definitionOutput, error) {
	out := &definitionOutput{}
	return out, s.store.View(func(tx state.Tx) error {
		d, _, err := findDefinition(tx, call.Caller.Account, call.Caller.Region, in.TaskDefinition)
		if errors.Is(err, state.ErrNotFound) {
			return clientError("Unable to describe task definition.")
		}
		out.TaskDefinition = d.taskDefinition
		if slices.Contains(in.Include, "TAGS") {
			out.Tags = d.Tags
		}
		return err
	})
}

func (s *Service) deregisterTaskDefinition(_ context.Context, call *wire.Call, in *definitionInput) (*definitionOutput, error) {
	if !strings.Contains(in.TaskDefinition[strings.LastIndexByte(in.TaskDefinition, '/')+1:], ":") {
		return nil, invalid("Invalid task definition: a revision is needed.")
	}
	out := &definitionOutput{}
	return out, s.store.Update(func(tx state.Tx) error {
		d, key, err := findDefinition(tx, call.Caller.Account, call.Caller.Region, in.TaskDefinition)
		if errors.Is(err, state.ErrNotFound) {
			return clientError("The specified task definition does not exist.")
		}
		if err != nil {
			return err
		}
		d.Status, d.DeregisteredAt = "INACTIVE", s.now()
		out.TaskDefinition = d.taskDefinition
		return definitions.Put(tx, key, d)
	})
}

type deleteDefinitionsInput struct {
	TaskDefinitions []string `json:"taskDefinitions" required:"true" max:"10"`
}

type deleteDefinitionsOutput struct {
	TaskDefinitions []taskDefinition `json:"taskDefinitions"`
	Failures        []failure        `json:"failures"`
}

func (s *Service) deleteTaskDefinitions(_ context.Context, call *wire.Call, in *deleteDefinitionsInput) (*deleteDefinitionsOutput, error) {
	out := &deleteDefinitionsOutput{TaskDefinitions: []taskDefinition{}, Failures: []failure{}}
	return out, s.store.Update(func(tx state.Tx) error {
		for _, name := range in.TaskDefinitions {
			d, key, err := findDefinition(tx, call.Caller.Account, call.Caller.Region, name)
			switch {
			case errors.Is(err, state.ErrNotFound):
				out.Failures = append(out.Failures, failure{Arn: name, Reason: "The specified task definition does not exist."})
			case err != nil:
				return err
			case d.Status == "ACTIVE":
				out.Failures = append(out.Failures, failure{Arn: name, Reason: "The specified task definition is still in ACTIVE status. Please deregister the target and try again."})
			default:
				d.Status = "DELETE_IN_PROGRESS"
				out.TaskDefinitions = append(out.TaskDefinitions, d.taskDefinition)
				if err := definitions.Delete(tx, key); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

type listDefinitionsInput struct {
	listInput
	FamilyPrefix string `json:"familyPrefix"`
	Status       string `json:"status"`
	Sort         string `json:"sort" enum:"ASC,DESC"`
}

type listDefinitionsOutput struct {
	TaskDefinitionArns []string `json:"taskDefinitionArns"`
	NextToken          string   `json:"nextToken,omitempty"`
}

func (s *Service) eachDefinition(call *wire.Call, f func(storedDefinition)) error {
	return s.store.View(func(tx state.Tx) error {
		all, err := definitions.List(tx, state.Prefix(call.Caller.Account, call.Caller.Region), "", 0)
		for _, e := range all {
			f(e.Value)
		}
		return err
	})
}

func (s *Service) listTaskDefinitions(_ context.Context, call *wire.Call, in *listDefinitionsInput) (*listDefinitionsOutput, error) {
	var arns []string
	err := s.eachDefinition(call, func(d storedDefinition) {
		status := in.Status
		if status == "" {
			status = "ACTIVE"
		}
		if d.Status == status && (in.FamilyPrefix == "" || d.Family == in.FamilyPrefix) {
			arns = append(arns, d.TaskDefinitionArn)
		}
	})
	if in.Sort == "DESC" {
		slices.Reverse(arns)
	}
	shown, next := page(arns, in.NextToken, in.MaxResults)
	return &listDefinitionsOutput{shown, next}, err
}

type listFamiliesOutput struct {
	Families  []string `json:"families"`
	NextToken string   `json:"nextToken,omitempty"`
}

func (s *Service) listTaskDefinitionFamilies(_ context.Context, call *wire.Call, in *listDefinitionsInput) (*listFamiliesOutput, error) {
	var families []string
	err := s.eachDefinition(call, func(d storedDefinition) {
		wanted := in.Status == "" || in.Status == "ALL" || in.Status == d.Status
		if wanted && strings.HasPrefix(d.Family, in.FamilyPrefix) && !slices.Contains(families, d.Family) {
			families = append(families, d.Family)
		}
	})
	shown, next := page(families, in.NextToken, in.MaxResults)
	return &listFamiliesOutput{shown, next}, err
}
