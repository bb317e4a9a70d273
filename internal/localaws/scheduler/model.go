package scheduler

import (
	"regexp"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

const defaultGroup = "default"

// plan is what is kept of a schedule.
type plan struct {
	Name, Group, Account, Region string
	Expression, Timezone         string
	Description, State           string
	After                        string     // what happens when it is done: NONE or DELETE
	Token                        string     // of the request that made it
	Start, End                   *time.Time `json:",omitempty"`
	Window                       window
	Target                       aim
	Created, Modified            time.Time
	Anchor                       time.Time // from which a rate without a start counts

	At   time.Time // for when the next invocation is planned, the zero time for never
	Fire time.Time // when it happens: within the flexible window
}

type window struct {
	Mode    string `required:"true" enum:"OFF,FLEXIBLE"`
	Minutes *int   `json:"MaximumWindowInMinutes,omitempty" min:"1" max:"1440"`
}

// aim is AWS's Target.
type aim struct {
	Arn                   string                `required:"true" max:"1600"`
	RoleArn               string                `required:"true" max:"1600"`
	Input                 string                `json:",omitempty"`
	DeadLetterConfig      *deadLetters          `json:",omitempty"`
	RetryPolicy           *retries              `json:",omitempty"`
	EcsParameters         *target.ECSParameters `json:",omitempty"`
	EventBridgeParameters *eventParameters      `json:",omitempty"`
	SqsParameters         *queueParameters      `json:",omitempty"`
}

type deadLetters struct {
	Arn string `json:",omitempty"`
}

type retries struct {
	Age      *int `json:"MaximumEventAgeInSeconds,omitempty" min:"60" max:"86400"`
	Attempts *int `json:"MaximumRetryAttempts,omitempty" min:"0" max:"185"`
}

type eventParameters struct {
	DetailType string `required:"true" max:"128"`
	Source     string `required:"true" max:"256"`
}

type queueParameters struct {
	MessageGroupID string `json:"MessageGroupId,omitempty" max:"128"`
}

type group struct {
	Name, Account, Region string
	Token                 string
	Created, Modified     time.Time
	Tags                  map[string]string `json:",omitempty"`
}

var (
	plans  = state.NewCollection[plan]("scheduler/schedules") // account, region, group, name
	groups = state.NewCollection[group]("scheduler/groups")   // account, region, name; the default one is kept when it has tags
)

func (p plan) key() string { return state.Key(p.Account, p.Region, p.Group, p.Name) }

func (p plan) arn() string {
	return "arn:aws:scheduler:" + p.Region + ":" + p.Account + ":schedule/" + p.Group + "/" + p.Name
}

func (g group) key() string { return state.Key(g.Account, g.Region, g.Name) }

func (g group) arn() string {
	return "arn:aws:scheduler:" + g.Region + ":" + g.Account + ":schedule-group/" + g.Name
}

func groupName(name string) string {
	if name == "" {
		return defaultGroup
	}
	return name
}

var namePattern = regexp.MustCompile(`^[0-9a-zA-Z\-_.]{1,64}$`)

func checkName(member, name string) error {
	if namePattern.MatchString(name) {
		return nil
	}
	return wire.ValidationException("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9a-zA-Z-_.]+ and have length between 1 and 64", name, member)
}

func errNoSchedule(name string) error {
	return wire.StatusErrorf(404, "ResourceNotFoundException", "Schedule %s does not exist.", name)
}

func errNoGroup(name string) error {
	return wire.StatusErrorf(404, "ResourceNotFoundException", "Schedule group %s does not exist.", name)
}

func errExists(what, name string) error {
	return wire.StatusErrorf(409, "ConflictException", "%s %s already exists.", what, name)
}

// findGroup returns a group. The default one is always there.
func findGroup(tx state.Tx, call *wire.Call, name string) (group, error) {
	g, err := groups.Get(tx, state.Key(call.Caller.Account, call.Caller.Region, name))
	if err == state.ErrNotFound && name == defaultGroup {
		return group{Name: name, Account: call.Caller.Account, Region: call.Caller.Region}, nil
	}
	if err == state.ErrNotFound {
		return g, errNoGroup(name)
	}
	return g, err
}

func findPlan(tx state.Tx, call *wire.Call, groupText, name string) (plan, error) {
	p, err := plans.Get(tx, state.Key(call.Caller.Account, call.Caller.Region, groupName(groupText), name))
	if err == state.ErrNotFound {
		return p, errNoSchedule(name)
	}
	return p, err
}
