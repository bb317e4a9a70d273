package states

import (
	"context"
	"errors"
	"time"

	"engage/internal/localaws/asl/value"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// activity is work that is done elsewhere: workers ask for its tasks.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-activities.html
type activity struct {
	Account, Region, Name string
	Created               time.Time
	Tags                  []Tag
}

func (a activity) key() string { return state.Key(a.Account, a.Region, a.Name) }

func (a activity) arn() string {
	return "arn:aws:states:" + a.Region + ":" + a.Account + ":activity:" + a.Name
}

func activityKey(arn string) (string, error) {
	account, region, rest, err := splitARN(arn, "activity", 1)
	if err != nil {
		return "", err
	}
	return state.Key(account, region, rest[0]), nil
}

func noActivity(arn string) error {
	return wire.Errorf("ActivityDoesNotExist", "Activity Does Not Exist: '%s'", arn)
}

func (s *Service) findActivity(arn string) (a activity, err error) {
	key, err := activityKey(arn)
	if err != nil {
		return a, err
	}
	err = s.store.View(func(tx state.Tx) error {
		a, err = activities.Get(tx, key)
		return err
	})
	if errors.Is(err, state.ErrNotFound) {
		err = noActivity(arn)
	}
	return a, err
}

type createActivityInput struct {
	Name string `json:"name" required:"true"`
	Tags []Tag  `json:"tags"`

	Encryption *struct {
		Type string `json:"type"`
	} `json:"encryptionConfiguration"`
}

type createActivityOutput struct {
	ARN     string    `json:"activityArn"`
	Created wire.Time `json:"creationDate"`
}

// createActivity makes an activity, or finds the one with this name.
func (s *Service) createActivity(_ context.Context, call *wire.Call, in *createActivityInput) (*createActivityOutput, error) {
	if err := validName(in.Name); err != nil {
		return nil, err
	}
	if in.Encryption != nil && in.Encryption.Type != "AWS_OWNED_KEY" {
		return nil, wire.NotImplemented("encryptionConfiguration of the type %s", in.Encryption.Type)
	}
	a := activity{call.Caller.Account, call.Caller.Region, in.Name, s.cfg.Clock.Now(), in.Tags}
	err := s.store.Update(func(tx state.Tx) error {
		old, err := activities.Get(tx, a.key())
		if errors.Is(err, state.ErrNotFound) {
			return activities.Put(tx, a.key(), a)
		}
		if err == nil {
			a = old
		}
		return err
	})
	return &createActivityOutput{a.arn(), wire.TimeOf(a.Created)}, err
}

type activityRef struct {
	ARN string `json:"activityArn" required:"true"`
}

func (r *activityRef) target() string { return r.ARN }

type activityItem struct {
	ARN     string    `json:"activityArn"`
	Name    string    `json:"name"`
	Created wire.Time `json:"creationDate"`
}

func (s *Service) describeActivity(_ context.Context, _ *wire.Call, in *activityRef) (*activityItem, error) {
	a, err := s.findActivity(in.ARN)
	return &activityItem{a.arn(), a.Name, wire.TimeOf(a.Created)}, err
}

// deleteActivity deletes an activity. One that is not there is deleted.
func (s *Service) deleteActivity(_ context.Context, _ *wire.Call, in *activityRef) (*wire.Empty, error) {
	key, err := activityKey(in.ARN)
	if err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.store.Update(func(tx state.Tx) error {
		if err := activities.Delete(tx, key); !errors.Is(err, state.ErrNotFound) {
			return err
		}
		return nil
	})
}

type listActivitiesOutput struct {
	Activities []activityItem `json:"activities"`
	Token      string         `json:"nextToken,omitempty"`
}

func (s *Service) listActivities(_ context.Context, call *wire.Call, in *listInput) (*listActivitiesOutput, error) {
	after, err := pageStart(in.Token)
	if err != nil {
		return nil, err
	}
	out := &listActivitiesOutput{Activities: []activityItem{}}
	size := pageSize(in.Max)
	return out, s.store.View(func(tx state.Tx) error {
		found, err := activities.List(tx, state.Prefix(call.Caller.Account, call.Caller.Region), after, size+1)
		for i, e := range found {
			if i == size {
				out.Token = pageToken(found[i-1].Key)
				break
			}
			out.Activities = append(out.Activities, activityItem{e.Value.arn(), e.Value.Name, wire.TimeOf(e.Value.Created)})
		}
		return err
	})
}

// offer is a task that waits for a worker.
type offer struct {
	token, input string
	taken        chan string   // the worker's name, from who took it
	recorded     chan struct{} // closed once the history tells that it was taken
}

// offers is where an activity's tasks are handed over, in the order in which they were scheduled.
func (s *Service) offers(arn string) chan offer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.activity[arn] == nil {
		s.activity[arn] = make(chan offer)
	}
	return s.activity[arn]
}

// offer waits until a worker has taken the task. Its token then waits for the worker's answer.
func (s *Service) offer(ctx context.Context, t Task) (any, error) {
	o := offer{token: t.Token, input: value.String(t.Parameters), taken: make(chan string, 1), recorded: make(chan struct{})}
	select {
	case s.offers(t.Resource.ARN) <- o:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	t.Started(<-o.taken)
	close(o.recorded)
	return nil, nil
}

// pollTime is how long AWS holds a worker's request when there is no task.
const pollTime = time.Minute

type activityTaskInput struct {
	ARN    string `json:"activityArn" required:"true"`
	Worker string `json:"workerName" max:"80"`
}

func (i *activityTaskInput) target() string { return i.ARN }

type activityTaskOutput struct {
	Token string `json:"taskToken,omitempty"`
	Input string `json:"input,omitempty"`
}

// activityTask waits for a task; its answer is empty when none came.
func (s *Service) activityTask(ctx context.Context, _ *wire.Call, in *activityTaskInput) (*activityTaskOutput, error) {
	if _, err := s.findActivity(in.ARN); err != nil {
		return nil, err
	}
	late, release := s.cfg.Clock.NewTimer(pollTime)
	defer release()
	select {
	case o := <-s.offers(in.ARN):
		o.taken <- in.Worker
		<-o.recorded
		return &activityTaskOutput{o.token, o.input}, nil
	case <-late:
	case <-s.stopping:
	case <-ctx.Done():
	}
	return &activityTaskOutput{}, nil
}
