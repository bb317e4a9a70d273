package ecs

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type awsvpc struct {
	Subnets        []string `json:"subnets" max:"16"`
	SecurityGroups []string `json:"securityGroups" max:"5"`
	AssignPublicIP string   `json:"assignPublicIp" enum:"ENABLED,DISABLED"`
}

type networkConfiguration struct {
	Awsvpc *awsvpc `json:"awsvpcConfiguration"`
}

type runTaskInput struct {
	TaskDefinition  string                `json:"taskDefinition" required:"true"`
	Cluster         string                `json:"cluster"`
	Count           *int                  `json:"count" min:"1" max:"10"`
	LaunchType      string                `json:"launchType"`
	Strategy        []strategyItem        `json:"capacityProviderStrategy" max:"6"`
	Network         *networkConfiguration `json:"networkConfiguration"`
	Overrides       overrides             `json:"overrides"`
	Group           string                `json:"group"`
	StartedBy       string                `json:"startedBy" max:"128"`
	ClientToken     string                `json:"clientToken" max:"64"`
	Tags            []Tag                 `json:"tags" max:"50"`
	PropagateTags   string                `json:"propagateTags" enum:"TASK_DEFINITION,SERVICE,NONE"`
	ManagedTags     bool                  `json:"enableECSManagedTags"`
	PlatformVersion string                `json:"platformVersion"`

	ExecuteCommand       unsupported `json:"enableExecuteCommand"`
	PlacementConstraints unsupported `json:"placementConstraints"`
	PlacementStrategy    unsupported `json:"placementStrategy"`
	ReferenceID          string      `json:"referenceId"`
	VolumeConfigurations unsupported `json:"volumeConfigurations"`
}

type tasksOutput struct {
	Tasks    []Task    `json:"tasks"`
	Failures []failure `json:"failures"`
}

// touchRunTask asks for the definition and for every role that the task gets.
func (s *Service) touchRunTask(call *wire.Call, in *runTaskInput) []wire.Access {
	resource := call.ARN("ecs", "task-definition/"+in.TaskDefinition[strings.LastIndexByte(in.TaskDefinition, '/')+1:])
	var d storedDefinition
	err := s.store.View(func(tx state.Tx) (err error) {
		d, _, err = findDefinition(tx, call.Caller.Account, call.Caller.Region, in.TaskDefinition)
		return err
	})
	if err == nil {
		resource = d.TaskDefinitionArn
	}
	return append([]wire.Access{{Action: "ecs:RunTask", Resource: resource, Conditions: onlyCluster(call, in.Cluster)}},
		passRoles(first(in.Overrides.TaskRoleArn, d.TaskRoleArn), first(in.Overrides.ExecutionRoleArn, d.ExecutionRoleArn))...)
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// runTask records the tasks and starts them.
func (s *Service) runTask(_ context.Context, call *wire.Call, in *runTaskInput) (*tasksOutput, error) {
	if err := refuse(in); err != nil {
		return nil, err
	}
	if s.isClosed() {
		return nil, wire.StatusErrorf(503, "ServerException", "The endpoint is shutting down.")
	}
	var started []*live
	out := &tasksOutput{Tasks: []Task{}, Failures: []failure{}}
	err := s.store.Update(func(tx state.Tx) error {
		started, out.Tasks = nil, []Task{}
		again, err := s.repeated(tx, call, in, out)
		if err != nil || again {
			return err
		}
		if err := forgetStopped(tx, s.cfg.Clock.Now()); err != nil {
			return err
		}
		c, err := getCluster(tx, clusterKey(call, in.Cluster))
		if err != nil {
			return err
		}
		d, _, err := findDefinition(tx, call.Caller.Account, call.Caller.Region, in.TaskDefinition)
		if errors.Is(err, state.ErrNotFound) || err == nil && d.Status != "ACTIVE" {
			return clientError("TaskDefinition not found.")
		}
		if err != nil {
			return err
		}
		if started, err = s.newTasks(call, in, &c, &d); err != nil {
			return err
		}
		return s.keepStarted(tx, call, in, started, out)
	})
	if err != nil {
		return nil, err
	}
	for _, t := range started {
		s.launch(t)
	}
	return out, nil
}

// Two calls with the same client token and input are one.
func (s *Service) repeated(tx state.Tx, call *wire.Call, in *runTaskInput, out *tasksOutput) (bool, error) {
	if in.ClientToken == "" {
		return false, nil
	}
	before, err := clientCalls.Get(tx, state.Key(clusterKey(call, in.Cluster), in.ClientToken))
	if errors.Is(err, state.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if before.Hash != hashOf(in) {
		return false, wire.Errorf("ConflictException", "The clientToken was used with another request.")
	}
	for _, key := range before.Tasks {
		r, err := tasks.Get(tx, key)
		if err == nil {
			out.Tasks = append(out.Tasks, r.Task)
		}
	}
	return true, nil
}

func hashOf(in *runTaskInput) string {
	raw, _ := json.Marshal(in) // a decoded input can be encoded
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func (s *Service) keepStarted(tx state.Tx, call *wire.Call, in *runTaskInput, started []*live, out *tasksOutput) error {
	var keys []string
	for _, t := range started {
		if err := tasks.Put(tx, t.record.key(), t.record); err != nil {
			return err
		}
		kept, err := tasks.Get(tx, t.record.key()) // a copy: the task goes on while the answer is written
		if err != nil {
			return err
		}
		keys = append(keys, t.record.key())
		out.Tasks = append(out.Tasks, kept.Task)
	}
	if in.ClientToken == "" {
		return nil
	}
	return clientCalls.Put(tx, state.Key(clusterKey(call, in.Cluster), in.ClientToken), given{hashOf(in), keys})
}

// keptFor is how long a stopped task can be described, as on AWS.
const keptFor = time.Hour

func forgetStopped(tx state.Tx, now time.Time) error {
	all, err := tasks.List(tx, "", "", 0)
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.Value.LastStatus == "STOPPED" && now.Sub(e.Value.StoppedAt.Time) > keptFor {
			if err := tasks.Delete(tx, e.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// newTasks checks a call against its cluster and definition.
func (s *Service) newTasks(call *wire.Call, in *runTaskInput, c *cluster, d *storedDefinition) ([]*live, error) {
	if in.Network == nil || in.Network.Awsvpc == nil {
		return nil, invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	}
	if len(in.Network.Awsvpc.Subnets) == 0 {
		return nil, invalid("subnets can not be empty.")
	}
	if in.PropagateTags == "SERVICE" {
		return nil, invalid("propagateTags SERVICE is not valid for a task without a service.")
	}
	if in.PlatformVersion != "" && in.PlatformVersion != "LATEST" && in.PlatformVersion != "1.4.0" {
		return nil, wire.NotImplemented("ecs platformVersion %s", in.PlatformVersion)
	}
	for _, o := range in.Overrides.ContainerOverrides {
		if !slices.ContainsFunc(d.ContainerDefinitions, func(c containerDefinition) bool { return c.Name == o.Name }) {
			return nil, invalid("Override for container named %s is not a container in the TaskDefinition.", o.Name)
		}
	}
	units, mib, err := checkSize(first(in.Overrides.CPU, d.CPU), first(in.Overrides.Memory, d.Memory))
	if err != nil {
		return nil, err
	}
	count := 1
	if in.Count != nil {
		count = *in.Count
	}
	providers, err := placement(in, c, count)
	if err != nil {
		return nil, err
	}
	var all []*live
	for _, provider := range providers {
		all = append(all, s.newTask(call, in, c, d, provider, units, mib))
	}
	return all, nil
}

// placement returns the capacity provider of each task, "" for the launch type.
func placement(in *runTaskInput, c *cluster, count int) ([]string, error) {
	strategy := in.Strategy
	if in.LaunchType != "" && len(strategy) > 0 {
		return nil, invalid("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	}
	if in.LaunchType == "" && len(strategy) == 0 {
		strategy = c.Strategy
	}
	if len(strategy) == 0 {
		if in.LaunchType != "FARGATE" {
			return nil, wire.NotImplemented("ecs launchType %s", first(in.LaunchType, "EC2"))
		}
		return make([]string, count), nil
	}
	for _, item := range strategy {
		if item.CapacityProvider != "FARGATE" && item.CapacityProvider != "FARGATE_SPOT" {
			return nil, wire.NotImplemented("ecs capacity provider %s", item.CapacityProvider)
		}
		if !slices.Contains(c.Providers, item.CapacityProvider) {
			return nil, invalid("The specified capacity provider %s was not found.", item.CapacityProvider)
		}
	}
	return spread(strategy, count)
}

// spread fills bases first and shares the rest by weight.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html
func spread(strategy []strategyItem, count int) ([]string, error) {
	placed := make([]int, len(strategy))
	var all []string
	for _, item := range strategy { // a base does not count for the weights
		for range min(item.Base, count-len(all)) {
			all = append(all, item.CapacityProvider)
		}
	}
	for len(all) < count {
		best := -1
		for i, item := range strategy {
			// The next task goes where its share is smallest: placed/weight.
			if item.Weight > 0 && (best < 0 || (placed[i]+1)*strategy[best].Weight < (placed[best]+1)*item.Weight) {
				best = i
			}
		}
		if best < 0 {
			return nil, invalid("The capacity provider strategy must have a capacity provider with a weight greater than 0.")
		}
		placed[best]++
		all = append(all, strategy[best].CapacityProvider)
	}
	return all, nil
}

func newID() string {
	var raw [16]byte
	rand.Read(raw[:]) //nolint:errcheck // never fails
	return hex.EncodeToString(raw[:])
}

func (s *Service) newTask(call *wire.Call, in *runTaskInput, c *cluster, d *storedDefinition, provider string, units, mib int) *live {
	id := newID()
	taskARN := call.ARN("ecs", "task/"+c.Name+"/"+id)
	eni := Attachment{ID: newID(), Type: "ElasticNetworkInterface", Status: "PRECREATED", Details: []KeyValue{{"subnetId", in.Network.Awsvpc.Subnets[0]}}}
	architecture := "x86_64"
	if p := d.RuntimePlatform; p != nil && p.CPUArchitecture == "ARM64" {
		architecture = "arm64"
	}
	over := in.Overrides
	over.ContainerOverrides = orEmpty(over.ContainerOverrides)
	t := Task{Attachments: []Attachment{eni}, Attributes: []KeyValue{{"ecs.cpu-architecture", architecture}},
		AvailabilityZone: call.Caller.Region + "a", CapacityProviderName: provider, ClusterArn: c.arn(), CPU: strconv.Itoa(units), CreatedAt: s.now(),
		DesiredStatus: "RUNNING", EphemeralStorage: d.EphemeralStorage, Group: first(in.Group, "family:"+d.Family), LastStatus: "PROVISIONING",
		LaunchType: "FARGATE", Memory: strconv.Itoa(mib), Overrides: over, PlatformVersion: "1.4.0", PlatformFamily: "Linux", StartedBy: in.StartedBy,
		Tags: slices.Clone(in.Tags), TaskArn: taskARN, TaskDefinitionArn: d.TaskDefinitionArn, Version: 1}
	if over.EphemeralStorage != nil {
		t.EphemeralStorage = over.EphemeralStorage
	}
	if in.PropagateTags == "TASK_DEFINITION" {
		t.Tags = append(t.Tags, d.Tags...)
	}
	r := record{Account: c.Account, Region: c.Region, Cluster: c.Name, RunID: call.Caller.RunID}
	for i := range d.ContainerDefinitions {
		def := &d.ContainerDefinitions[i]
		r.Secrets = append(r.Secrets, rand.Text()+rand.Text())
		own := Container{ContainerArn: arn(c.Account, c.Region, "container/"+c.Name+"/"+id+"/"+newID()), TaskArn: taskARN, Name: def.Name, Image: def.Image,
			RuntimeID: id + "-" + strconv.Itoa(i), LastStatus: "PENDING", NetworkBindings: []string{}, NetworkInterfaces: []NetworkInterface{},
			HealthStatus: "UNKNOWN", CPU: strconv.Itoa(def.CPU)}
		if def.Memory > 0 {
			own.Memory = strconv.Itoa(def.Memory)
		}
		t.Containers = append(t.Containers, own)
	}
	r.Task = t
	return newLive(s, r, d)
}
