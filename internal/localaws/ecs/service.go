// Package ecs is Elastic Container Service on Fargate: task definitions, and
// tasks that really run, as processes.
//
// API: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/Welcome.html
package ecs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"engage/internal/localaws/image"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Puller gets images as a caller who needs the permission to pull them.
type Puller interface {
	Pull(ctx context.Context, caller wire.Caller, reference string, platform v1.Platform) (v1.Image, error)
}

// Session is what a role's temporary credentials are.
type Session struct {
	AccessKeyID, SecretAccessKey, Token string
	Expires                             time.Time
	Caller                              wire.Caller // who calls with them
}

// Credentials opens sessions of roles for a service of AWS. Errors:
// AccessDenied when the role does not trust the service.
type Credentials interface {
	Session(ctx context.Context, service, roleARN, sessionName string, tags map[string]string) (Session, error)
}

// LogEvent is one line that a container wrote.
type LogEvent struct {
	Time    time.Time
	Message string
}

// LogSink keeps what containers write. Errors: ResourceNotFoundException for
// a group or stream that is not there.
type LogSink interface {
	Append(ctx context.Context, account, region, group, stream string, events []LogEvent) error
}

// Clock is the time, and what waits for it.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// RealClock is the machine's own.
type RealClock struct{}

// Now returns the time.
func (RealClock) Now() time.Time { return time.Now() }

// After waits.
func (RealClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Config is what the service needs. All but what has a default must be set.
type Config struct {
	Store       *state.Store
	Puller      Puller
	Credentials Credentials
	Logs        LogSink
	// Invoker calls other services as the execution role: it creates log
	// streams, and reads secrets. Without one, streams must be made by the sink
	// and a task with secrets fails to start.
	Invoker wire.Invoker
	// Meter counts what tasks use. The default counts nothing.
	Meter wire.Meter
	// Endpoint returns the URL of this endpoint: AWS_ENDPOINT_URL of every task.
	Endpoint func() string
	// Clock is for timestamps, stop timeouts and the age of stopped tasks. The
	// default is RealClock.
	Clock Clock
	// Limits bound what images unpack to. The defaults are image.Limits'.
	Limits image.Limits
	// Plain runs every task as a plain process, whatever the host allows.
	Plain bool
}

// Service runs tasks.
type Service struct {
	cfg       Config
	store     *state.Store
	images    *image.Store
	wire      *wire.Service
	isolation Isolation
	memory    *memoryWatch

	ctx    context.Context // ends when the service closes
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	noting sync.WaitGroup // that tasks are alive

	mu     sync.Mutex
	live   map[string]*live      // by key
	tokens map[string]*container // by the unguessable part of a container's URLs
	closed bool
}

// New opens the service. Tasks that were running when the last process ended
// become STOPPED, and what is left of their processes is killed.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil || cfg.Puller == nil || cfg.Credentials == nil || cfg.Logs == nil || cfg.Endpoint == nil {
		return nil, fmt.Errorf("ecs: Store, Puller, Credentials, Logs and Endpoint must be set")
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	if cfg.Clock == nil {
		cfg.Clock = RealClock{}
	}
	images, err := image.NewStore(filepath.Join(cfg.Store.Dir(), "ecs", "images"), cfg.Limits)
	if err != nil {
		return nil, fmt.Errorf("open unpacked images: %w", err)
	}
	s := &Service{cfg: cfg, store: cfg.Store, images: images, memory: newMemoryWatch(), live: map[string]*live{}, tokens: map[string]*container{}}
	if err := errors.Join(s.recover(), image.RemoveAll(s.taskDir("")), os.MkdirAll(s.taskDir(""), 0o711)); err != nil {
		return nil, fmt.Errorf("clean up after the last process: %w", err)
	}
	if s.isolation = probe(s.taskDir("")); cfg.Plain {
		s.isolation = plainIsolation("as configured")
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.wire = s.operations()
	s.noting.Go(s.noteAlive)
	return s, nil
}

// Wire returns the service's operations, and the endpoints that containers use.
func (s *Service) Wire() *wire.Service { return s.wire }

// Isolation says how tasks are kept apart from this machine.
func (s *Service) Isolation() Isolation { return s.isolation }

func (s *Service) now() wire.Time { return wire.TimeOf(s.cfg.Clock.Now()) }

func (s *Service) taskDir(id string) string { return filepath.Join(s.store.Dir(), "ecs", "tasks", id) }

// Close stops every task and returns when no process is left. Tasks get
// SIGTERM, and SIGKILL once the context ends.
func (s *Service) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	all := make([]*live, 0, len(s.live))
	for _, t := range s.live {
		all = append(all, t)
	}
	s.mu.Unlock()
	for _, t := range all {
		t.stop("TerminationNotice", "The endpoint was shut down.")
	}
	done := make(chan struct{})
	go func() { s.tasks.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		s.cancel() // kills
		<-done
	}
	s.cancel()
	s.noting.Wait()
	s.memory.close()
	return nil
}

// recover ends the tasks of a process that is gone, and counts what they used.
func (s *Service) recover() error {
	var secrets []string
	var bills []bill
	err := s.store.Update(func(tx state.Tx) error {
		all, err := tasks.List(tx, "", "", 0)
		if err != nil {
			return err
		}
		for _, e := range all {
			r := e.Value
			if r.LastStatus == "STOPPED" {
				continue
			}
			secrets = append(secrets, r.Secrets...)
			d, _, _ := findDefinition(tx, r.Account, r.Region, r.definitionName()) // one that is gone says nothing of a platform
			bills = append(bills, bill{r, lastKnown(tx, &r, s.cfg.Clock.Now()), d.RuntimePlatform})
			r.DesiredStatus, r.StopCode = "STOPPED", "TerminationNotice"
			r.StoppedReason = "The endpoint ended while the task was " + r.LastStatus + "; its processes were killed."
			r.LastStatus = "STOPPED"
			r.StoppingAt, r.StoppedAt, r.ExecutionStoppedAt = s.now(), s.now(), s.now()
			for i := range r.Containers {
				if c := &r.Containers[i]; c.LastStatus != "STOPPED" {
					c.LastStatus, c.Reason = "STOPPED", "The endpoint ended."
				}
			}
			if err := tasks.Put(tx, e.Key, r); err != nil {
				return err
			}
		}
		return nil
	})
	killLeftovers(secrets)
	if err != nil {
		return err
	}
	for _, b := range bills {
		s.meter(context.Background(), b)
	}
	return nil
}

func (s *Service) operations() *wire.Service {
	return &wire.Service{
		Name: "ecs", Protocol: wire.JSON11, ValidationCode: "InvalidParameterException",
		Targets: []string{"AmazonEC2ContainerServiceV20141113"},
		Foreign: []wire.Foreign{{Name: "container", Matches: isContainer, Handler: &containerEndpoint{s}}},
		Operations: []wire.Operation{
			wire.JSON("CreateCluster", s.createCluster, onCluster("CreateCluster")),
			wire.JSON("UpdateCluster", s.updateCluster, onCluster("UpdateCluster")),
			wire.JSON("UpdateClusterSettings", s.updateClusterSettings, onCluster("UpdateClusterSettings")),
			wire.JSON("PutClusterCapacityProviders", s.putClusterCapacityProviders, onCluster("PutClusterCapacityProviders")),
			wire.JSON("DeleteCluster", s.deleteCluster, onCluster("DeleteCluster")),
			wire.JSON("DescribeClusters", s.describeClusters, func(call *wire.Call, in *describeClustersInput) []wire.Access {
				var all []wire.Access
				for _, name := range in.Clusters {
					all = append(all, wire.Access{Action: "ecs:DescribeClusters", Resource: call.ARN("ecs", "cluster/"+clusterName(name))})
				}
				return all
			}),
			wire.JSON("ListClusters", s.listClusters, nil),
			wire.JSON("RegisterTaskDefinition", s.registerTaskDefinition, func(call *wire.Call, in *registerInput) []wire.Access {
				return append([]wire.Access{{Action: "ecs:RegisterTaskDefinition", Resource: call.ARN("ecs", "task-definition/"+in.Family+":*")}},
					passRoles(in.TaskRoleArn, in.ExecutionRoleArn)...)
			}),
			wire.JSON("DescribeTaskDefinition", s.describeTaskDefinition, nil),
			wire.JSON("DeregisterTaskDefinition", s.deregisterTaskDefinition, nil),
			wire.JSON("DeleteTaskDefinitions", s.deleteTaskDefinitions, nil),
			wire.JSON("ListTaskDefinitions", s.listTaskDefinitions, nil),
			wire.JSON("ListTaskDefinitionFamilies", s.listTaskDefinitionFamilies, nil),
			wire.JSON("RunTask", s.runTask, s.touchRunTask),
			wire.JSON("StopTask", s.stopTask, func(call *wire.Call, in *stopTaskInput) []wire.Access {
				return onTasks(call, "StopTask", in.Cluster, []string{in.Task})
			}),
			wire.JSON("DescribeTasks", s.describeTasks, func(call *wire.Call, in *describeTasksInput) []wire.Access {
				return onTasks(call, "DescribeTasks", in.Cluster, in.Tasks)
			}),
			wire.JSON("ListTasks", s.listTasks, func(call *wire.Call, in *listTasksInput) []wire.Access {
				return []wire.Access{{Action: "ecs:ListTasks", Resource: "*", Conditions: onlyCluster(call, in.Cluster)}}
			}),
			tagging("TagResource", s.tagResource),
			tagging("UntagResource", s.untagResource),
			tagging("ListTagsForResource", s.listTagsForResource),
		},
	}
}

func onCluster(action string) wire.Touches[clusterInput] {
	return func(call *wire.Call, in *clusterInput) []wire.Access {
		return []wire.Access{{Action: "ecs:" + action, Resource: call.ARN("ecs", "cluster/"+clusterName(in.name()))}}
	}
}

func onlyCluster(call *wire.Call, name string) map[string][]string {
	return map[string][]string{"ecs:cluster": {call.ARN("ecs", "cluster/"+clusterName(name))}}
}

func onTasks(call *wire.Call, action, cluster string, ids []string) []wire.Access {
	var all []wire.Access
	for _, id := range ids {
		all = append(all, wire.Access{Action: "ecs:" + action, Conditions: onlyCluster(call, cluster),
			Resource: call.ARN("ecs", "task/"+clusterName(cluster)+"/"+clusterName(id))})
	}
	return all
}

// passRoles are the permissions to hand roles to tasks.
func passRoles(roles ...string) []wire.Access {
	var all []wire.Access
	for _, role := range roles {
		if role != "" {
			all = append(all, wire.Access{Action: "iam:PassRole", Resource: role,
				Conditions: map[string][]string{"iam:PassedToService": {"ecs-tasks.amazonaws.com"}}})
		}
	}
	return all
}
