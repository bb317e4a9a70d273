package events

import (
	"errors"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

type rule struct {
	Name, Bus, Account, Region           string
	Pattern, Schedule, Description, Role string
	Disabled                             bool
	Anchor                               time.Time         // from which a rate counts: when it was set or enabled
	Tags                                 map[string]string `json:",omitempty"`
	Targets                              []aim
}

// aim is AWS's Target.
type aim struct {
	ID               string       `json:"Id" required:"true" max:"64"`
	Arn              string       `required:"true"`
	RoleArn          string       `json:",omitempty"`
	Input            string       `json:",omitempty" max:"8192"`
	InputPath        string       `json:",omitempty" max:"256"`
	InputTransformer *transformer `json:",omitempty"`
	SqsParameters    *struct {
		MessageGroupID string `json:"MessageGroupId,omitempty"`
	} `json:",omitempty"`
	EcsParameters    *target.ECSParameters `json:",omitempty"`
	DeadLetterConfig *struct {
		Arn string `json:",omitempty"`
	} `json:",omitempty"`
	RetryPolicy *struct {
		MaximumRetryAttempts     *int `json:",omitempty" min:"0" max:"185"`
		MaximumEventAgeInSeconds *int `json:",omitempty" min:"60" max:"86400"`
	} `json:",omitempty"`
}

type transformer struct {
	InputPathsMap map[string]string `json:",omitempty"`
	InputTemplate string            `required:"true" max:"8192"`
}

type bus struct {
	Name, Account, Region string
	Created, Modified     time.Time
	Description           string            `json:",omitempty"`
	Policy                string            `json:",omitempty"`
	Tags                  map[string]string `json:",omitempty"`
}

var (
	rules = state.NewCollection[rule]("events/rules") // account, region, bus, name
	buses = state.NewCollection[bus]("events/buses")  // account, region, name; the default one is kept when it was changed
)

const defaultBus = "default"

func (r rule) key() string { return state.Key(r.Account, r.Region, r.Bus, r.Name) }

func (r rule) arn() string {
	return "arn:aws:events:" + r.Region + ":" + r.Account + ":rule/" + r.path()
}

func (r rule) path() string {
	if r.Bus == defaultBus {
		return r.Name
	}
	return r.Bus + "/" + r.Name
}

func (r rule) state() string {
	if r.Disabled {
		return "DISABLED"
	}
	return "ENABLED"
}

func (b bus) arn() string {
	return "arn:aws:events:" + b.Region + ":" + b.Account + ":event-bus/" + b.Name
}

// busName is the name in a bus's name or ARN.
func busName(text string) string {
	if text == "" {
		return defaultBus
	}
	return text[strings.LastIndex(text, "/")+1:]
}

func lookup(tx state.Tx, call *wire.Call, busText, name string) (rule, error) {
	r, err := rules.Get(tx, state.Key(call.Caller.Account, call.Caller.Region, busName(busText), name))
	if errors.Is(err, state.ErrNotFound) {
		return r, wire.Errorf("ResourceNotFoundException", "Rule %s does not exist on EventBus %s.", name, busName(busText))
	}
	return r, err
}

func checkBus(tx state.Tx, call *wire.Call, name string) error {
	if name != defaultBus && !buses.Has(tx, state.Key(call.Caller.Account, call.Caller.Region, name)) {
		return errNoBus(name)
	}
	return nil
}

func errNoBus(name string) error {
	return wire.Errorf("ResourceNotFoundException", "Event bus %s does not exist.", name)
}
