package ecs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type stopTaskInput struct {
	Cluster string `json:"cluster"`
	Task    string `json:"task" required:"true"`
	Reason  string `json:"reason" max:"1024"`
}

type stopTaskOutput struct {
	Task Task `json:"task"`
}

func taskKey(call *wire.Call, cluster, task string) string {
	return state.Key(clusterKey(call, cluster), clusterName(task))
}

// get returns a task as it is now. Errors: state.ErrNotFound.
func (s *Service) get(key string) (r record, err error) {
	err = s.store.View(func(tx state.Tx) error {
		r, err = tasks.Get(tx, key)
		return err
	})
	return r, err
}

func (s *Service) liveTask(key string) *live {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[key]
}

func (s *Service) stopTask(_ context.Context, call *wire.Call, in *stopTaskInput) (*stopTaskOutput, error) {
	if err := s.checkCluster(call, in.Cluster); err != nil {
		return nil, err
	}
	key := taskKey(call, in.Cluster, in.Task)
	if t := s.liveTask(key); t != nil {
		t.stop("UserInitiated", first(in.Reason, "Task stopped by user"))
	}
	r, err := s.get(key)
	if errors.Is(err, state.ErrNotFound) {
		return nil, invalid("The referenced task was not found.")
	}
	return &stopTaskOutput{r.Task}, err
}

func (s *Service) checkCluster(call *wire.Call, name string) error {
	return s.store.View(func(tx state.Tx) error {
		_, err := getCluster(tx, clusterKey(call, name))
		return err
	})
}

type describeTasksInput struct {
	Cluster string   `json:"cluster"`
	Tasks   []string `json:"tasks" required:"true" max:"100"`
	Include []string `json:"include"`
}

func (s *Service) describeTasks(_ context.Context, call *wire.Call, in *describeTasksInput) (*tasksOutput, error) {
	if err := s.checkCluster(call, in.Cluster); err != nil {
		return nil, err
	}
	out := &tasksOutput{Tasks: []Task{}, Failures: []failure{}}
	for _, name := range in.Tasks {
		r, err := s.get(taskKey(call, in.Cluster, name))
		if errors.Is(err, state.ErrNotFound) {
			missing := call.ARN("ecs", "task/"+clusterName(in.Cluster)+"/"+clusterName(name))
			out.Failures = append(out.Failures, failure{Arn: missing, Reason: "MISSING"})
			continue
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(in.Include, "TAGS") {
			r.Tags = nil
		}
		out.Tasks = append(out.Tasks, r.Task)
	}
	return out, nil
}

type listTasksInput struct {
	listInput
	Cluster           string      `json:"cluster"`
	Family            string      `json:"family"`
	StartedBy         string      `json:"startedBy"`
	DesiredStatus     string      `json:"desiredStatus" enum:"RUNNING,PENDING,STOPPED"`
	LaunchType        string      `json:"launchType"`
	ServiceName       unsupported `json:"serviceName"`
	ContainerInstance unsupported `json:"containerInstance"`
}

type listTasksOutput struct {
	TaskArns  []string `json:"taskArns"`
	NextToken string   `json:"nextToken,omitempty"`
}

func (s *Service) listTasks(_ context.Context, call *wire.Call, in *listTasksInput) (*listTasksOutput, error) {
	if err := errors.Join(refuse(in), s.checkCluster(call, in.Cluster)); err != nil {
		return nil, err
	}
	var arns []string
	err := s.store.View(func(tx state.Tx) error {
		all, err := tasks.List(tx, clusterKey(call, in.Cluster)+"\x00", "", 0)
		for _, e := range all {
			t := &e.Value.Task
			if t.DesiredStatus == first(in.DesiredStatus, "RUNNING") && (in.StartedBy == "" || in.StartedBy == t.StartedBy) &&
				(in.Family == "" || in.Family == familyOf(t.TaskDefinitionArn)) && (in.LaunchType == "" || in.LaunchType == t.LaunchType) {
				arns = append(arns, t.TaskArn)
			}
		}
		return err
	})
	shown, next := page(arns, in.NextToken, in.MaxResults)
	return &listTasksOutput{shown, next}, err
}

func familyOf(definitionARN string) string {
	family, _, _ := strings.Cut(definitionARN[strings.LastIndexByte(definitionARN, '/')+1:], ":")
	return family
}

// splitARN returns account, region, kind and the rest of an ARN of ecs.
func splitARN(text string) (account, region, kind, rest string, ok bool) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) != 6 || parts[2] != "ecs" {
		return "", "", "", "", false
	}
	kind, rest, ok = strings.Cut(parts[5], "/")
	return parts[4], parts[3], kind, rest, ok
}

// Run starts tasks with the input of RunTask, PascalCase or not, without a
// check of permissions: a caller that needs one uses wire.Invoker.
func (s *Service) Run(ctx context.Context, caller wire.Caller, input json.RawMessage) ([]Task, error) {
	op := s.wire.Operation("RunTask")
	in, err := op.Adopt(input)
	if err != nil {
		return nil, err
	}
	out, err := op.Handle(ctx, &wire.Call{Service: s.wire, Operation: "RunTask", Caller: caller}, in)
	if err != nil {
		return nil, err
	}
	return out.(*tasksOutput).Tasks, nil
}

// Wait returns a task once it has stopped. Errors: the context's, state.ErrNotFound.
func (s *Service) Wait(ctx context.Context, taskARN string) (Task, error) {
	account, region, _, rest, _ := splitARN(taskARN)
	name, id, _ := strings.Cut(rest, "/")
	key := state.Key(account, region, name, id)
	if t := s.liveTask(key); t != nil {
		select {
		case <-t.done:
		case <-ctx.Done():
			return Task{}, ctx.Err()
		}
	}
	r, err := s.get(key)
	return r.Task, err
}

// Stop asks a task to stop and does not wait for it. A task that has stopped, or is
// not there, is left alone.
func (s *Service) Stop(taskARN, reason string) {
	account, region, _, rest, _ := splitARN(taskARN)
	name, id, _ := strings.Cut(rest, "/")
	if t := s.liveTask(state.Key(account, region, name, id)); t != nil {
		t.stop("UserInitiated", reason)
	}
}

// Pascal returns a task's JSON as Step Functions shows it: members begin with
// a capital, and times are in milliseconds.
func Pascal(t Task) (json.RawMessage, error) {
	raw, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	for name, value := range doc {
		if n, ok := value.(json.Number); ok && strings.HasSuffix(name, "At") {
			seconds, err := n.Float64()
			if err != nil {
				return nil, err
			}
			doc[name] = int64(seconds*1000 + 0.5)
		}
	}
	return json.Marshal(capitalize(doc))
}

func capitalize(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			runes := []rune(name)
			runes[0] = unicode.ToUpper(runes[0])
			out[string(runes)] = capitalize(value)
		}
		return out
	case []any:
		for i := range v {
			v[i] = capitalize(v[i])
		}
	}
	return v
}
