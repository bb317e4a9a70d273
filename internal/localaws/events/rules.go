package events

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"engage/internal/localaws/eventpattern"
	"engage/internal/localaws/schedule"
	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

type tagPair struct {
	Key   string `required:"true" max:"128"`
	Value string `max:"256"`
}

type putRuleInput struct {
	Name               string `required:"true" max:"64"`
	ScheduleExpression string `max:"256"`
	EventPattern       string `max:"4096"`
	State              string `enum:"ENABLED,DISABLED"`
	Description        string `max:"512"`
	RoleArn            string
	Tags               []tagPair
	Bus                string `json:"EventBusName"`
}

type ruleARN struct{ RuleArn string }

var namePattern = regexp.MustCompile(`^[.\-_A-Za-z0-9]+$`)

func (in *putRuleInput) check() error {
	if !namePattern.MatchString(in.Name) {
		return wire.ValidationException("1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+", in.Name)
	}
	if in.EventPattern == "" && in.ScheduleExpression == "" {
		return wire.ValidationException("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	}
	if in.EventPattern != "" {
		if _, err := eventpattern.Parse(in.EventPattern, eventpattern.EventBridge); err != nil {
			return wire.Errorf("InvalidEventPatternException", "Event pattern is not valid. Reason: %v", err)
		}
	}
	if in.ScheduleExpression == "" {
		return nil
	}
	if busName(in.Bus) != defaultBus {
		return wire.ValidationException("ScheduleExpression is supported only on the default event bus.")
	}
	if _, err := schedule.Parse(in.ScheduleExpression); err != nil || strings.HasPrefix(in.ScheduleExpression, "at(") {
		return wire.ValidationException("Parameter ScheduleExpression is not valid: %v", err)
	}
	return nil
}

func (s *Service) putRule(_ context.Context, call *wire.Call, in *putRuleInput) (*ruleARN, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	r := rule{Name: in.Name, Bus: busName(in.Bus), Account: call.Caller.Account, Region: call.Caller.Region, Pattern: in.EventPattern,
		Schedule: in.ScheduleExpression, Description: in.Description, Role: in.RoleArn, Disabled: in.State == "DISABLED",
		Anchor: s.cfg.Clock(), Tags: map[string]string{}}
	for _, t := range in.Tags {
		r.Tags[t.Key] = t.Value
	}
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		if err := checkBus(tx, call, r.Bus); err != nil {
			return err
		}
		if old, err := rules.Get(tx, r.key()); err == nil {
			r.Targets, r.Tags = old.Targets, old.Tags // AWS ignores tags for a rule that is there
		}
		return rules.Put(tx, r.key(), r)
	})
	s.alarm.Tell()
	return &ruleARN{r.arn()}, err
}

type ruleInput struct {
	Name string `required:"true"`
	Bus  string `json:"EventBusName"`
}

func ruleOf(in *ruleInput) (string, string) { return in.Bus, in.Name }

type ruleOutput struct {
	Name, Arn, State, EventBusName string
	EventPattern                   string `json:",omitempty"`
	ScheduleExpression             string `json:",omitempty"`
	Description                    string `json:",omitempty"`
	RoleArn                        string `json:",omitempty"`
	CreatedBy                      string `json:",omitempty"`
}

func (r rule) output() ruleOutput {
	return ruleOutput{r.Name, r.arn(), r.state(), r.Bus, r.Pattern, r.Schedule, r.Description, r.Role, ""}
}

func (s *Service) find(call *wire.Call, bus, name string) (r rule, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		r, err = lookup(tx, call, bus, name)
		return err
	})
	return r, err
}

func (s *Service) describeRule(_ context.Context, call *wire.Call, in *ruleInput) (*ruleOutput, error) {
	r, err := s.find(call, in.Bus, in.Name)
	out := r.output()
	out.CreatedBy = r.Account
	return &out, err
}

type listRulesInput struct {
	NamePrefix string
	Bus        string `json:"EventBusName"`
	NextToken  string
	Limit      *int `min:"1" max:"100"`
}

type listRulesOutput struct {
	Rules     []ruleOutput
	NextToken string `json:",omitempty"`
}

func (s *Service) listRules(_ context.Context, call *wire.Call, in *listRulesInput) (*listRulesOutput, error) {
	out, limit := &listRulesOutput{Rules: []ruleOutput{}}, 100
	if in.Limit != nil {
		limit = *in.Limit
	}
	at := func(name string) string {
		return state.Key(call.Caller.Account, call.Caller.Region, busName(in.Bus), name)
	}
	after := ""
	if in.NextToken != "" {
		after = at(in.NextToken)
	}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		found, err := rules.List(tx, at(in.NamePrefix), after, limit+1)
		for i, e := range found {
			if i == limit {
				out.NextToken = found[i-1].Value.Name
				break
			}
			out.Rules = append(out.Rules, e.Value.output())
		}
		return err
	})
}

func (s *Service) enableRule(_ context.Context, call *wire.Call, in *ruleInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(call, in.Bus, in.Name, func(r *rule) error {
		r.Disabled, r.Anchor = false, s.cfg.Clock()
		return nil
	})
}

func (s *Service) disableRule(_ context.Context, call *wire.Call, in *ruleInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(call, in.Bus, in.Name, func(r *rule) error {
		r.Disabled = true
		return nil
	})
}

type deleteRuleInput struct {
	Name  string `required:"true"`
	Bus   string `json:"EventBusName"`
	Force bool
}

func (s *Service) deleteRule(_ context.Context, call *wire.Call, in *deleteRuleInput) (*wire.Empty, error) {
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		r, err := lookup(tx, call, in.Bus, in.Name)
		if wire.IsCode(err, "ResourceNotFoundException") {
			return nil // idempotent, as AWS
		}
		if err != nil {
			return err
		}
		if len(r.Targets) > 0 {
			return wire.ValidationException("Rule can't be deleted since it has targets.")
		}
		return rules.Delete(tx, r.key())
	})
	s.alarm.Tell()
	return &wire.Empty{}, err
}

type putTargetsInput struct {
	Rule    string `required:"true"`
	Bus     string `json:"EventBusName"`
	Targets []aim  `required:"true" min:"1" max:"100"`
}

type failure struct{ TargetId, ErrorCode, ErrorMessage string }

type targetsOutput struct {
	FailedEntryCount int
	FailedEntries    []failure
}

const maxTargets = 5

func (s *Service) putTargets(_ context.Context, call *wire.Call, in *putTargetsInput) (*targetsOutput, error) {
	for _, a := range in.Targets {
		if !target.Supports(a.Arn) {
			return nil, wire.NotImplemented("the target %s", a.Arn)
		}
		if a.RoleArn != "" && s.cfg.Assume == nil {
			return nil, wire.NotImplemented("a target's RoleArn without IAM")
		}
		if err := a.check(); err != nil {
			return nil, asValidation(err)
		}
		if service, _ := target.Split(a.Arn); service == "states" && a.RoleArn == "" {
			return nil, wire.ValidationException("RoleArn is required for target %s.", a.Arn)
		}
	}
	return &targetsOutput{FailedEntries: []failure{}}, s.change(call, in.Bus, in.Rule, func(r *rule) error {
		for _, a := range in.Targets {
			r.Targets = slices.DeleteFunc(r.Targets, func(have aim) bool { return have.ID == a.ID })
			r.Targets = append(r.Targets, a)
		}
		if len(r.Targets) > maxTargets {
			return wire.Errorf("LimitExceededException", "The requested resource exceeds the maximum number allowed: a rule has at most %d targets", maxTargets)
		}
		return nil
	})
}

// asValidation keeps an error that has a code of its own.
func asValidation(err error) error {
	var coded *wire.Error
	if errors.As(err, &coded) {
		return coded
	}
	return wire.ValidationException("%v", err)
}

type listTargetsInput struct {
	Rule      string `required:"true"`
	Bus       string `json:"EventBusName"`
	NextToken string
	Limit     *int `min:"1" max:"100"`
}

type listTargetsOutput struct{ Targets []aim }

// listTargets has one page: a rule has fewer targets than a page.
func (s *Service) listTargets(_ context.Context, call *wire.Call, in *listTargetsInput) (*listTargetsOutput, error) {
	r, err := s.find(call, in.Bus, in.Rule)
	return &listTargetsOutput{append([]aim{}, r.Targets...)}, err
}

type removeTargetsInput struct {
	Rule  string   `required:"true"`
	Bus   string   `json:"EventBusName"`
	IDs   []string `json:"Ids" required:"true" min:"1"`
	Force bool
}

func (s *Service) removeTargets(_ context.Context, call *wire.Call, in *removeTargetsInput) (*targetsOutput, error) {
	return &targetsOutput{FailedEntries: []failure{}}, s.change(call, in.Bus, in.Rule, func(r *rule) error {
		r.Targets = slices.DeleteFunc(r.Targets, func(a aim) bool { return slices.Contains(in.IDs, a.ID) })
		return nil
	})
}

type testInput struct {
	EventPattern string `required:"true"`
	Event        string `required:"true"`
}

type testOutput struct{ Result bool }

func (s *Service) testPattern(_ context.Context, _ *wire.Call, in *testInput) (*testOutput, error) {
	p, err := eventpattern.Parse(in.EventPattern, eventpattern.EventBridge)
	if err != nil {
		return nil, wire.Errorf("InvalidEventPatternException", "Event pattern is not valid. Reason: %v", err)
	}
	return &testOutput{p.MatchJSON([]byte(in.Event))}, nil
}

// tagged changes the tags of the rule or bus of an ARN.
func (s *Service) tagged(call *wire.Call, arn string, f func(map[string]string)) error {
	_, resource := target.Split(arn)
	return s.cfg.Store.Update(func(tx state.Tx) error {
		if name, ok := strings.CutPrefix(resource, "event-bus/"); ok {
			at := state.Key(call.Caller.Account, call.Caller.Region, name)
			b, err := buses.Get(tx, at)
			if err != nil {
				return errNoBus(name)
			}
			b.Tags = with(b.Tags, f)
			return buses.Put(tx, at, b)
		}
		path := strings.TrimPrefix(resource, "rule/")
		bus, name, ok := strings.Cut(path, "/")
		if !ok {
			bus, name = defaultBus, path
		}
		r, err := lookup(tx, call, bus, name)
		if err != nil {
			return err
		}
		r.Tags = with(r.Tags, f)
		return rules.Put(tx, r.key(), r)
	})
}

func with(tags map[string]string, f func(map[string]string)) map[string]string {
	if tags == nil {
		tags = map[string]string{}
	}
	f(tags)
	return tags
}

type tagInput struct {
	ResourceARN string    `required:"true"`
	Tags        []tagPair `required:"true"`
}

func (s *Service) tag(_ context.Context, call *wire.Call, in *tagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.tagged(call, in.ResourceARN, func(tags map[string]string) {
		for _, t := range in.Tags {
			tags[t.Key] = t.Value
		}
	})
}

type untagInput struct {
	ResourceARN string   `required:"true"`
	TagKeys     []string `required:"true"`
}

func (s *Service) untag(_ context.Context, call *wire.Call, in *untagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.tagged(call, in.ResourceARN, func(tags map[string]string) {
		for _, name := range in.TagKeys {
			delete(tags, name)
		}
	})
}

type tagsInput struct {
	ResourceARN string `required:"true"`
}

type tagsOutput struct{ Tags []tagPair }

func (s *Service) tags(_ context.Context, call *wire.Call, in *tagsInput) (*tagsOutput, error) {
	out := &tagsOutput{[]tagPair{}}
	return out, s.tagged(call, in.ResourceARN, func(tags map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(tags)) {
			out.Tags = append(out.Tags, tagPair{name, tags[name]})
		}
	})
}
