package states

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// alias leads to one version of a machine, or to two by weights.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-alias.html
type alias struct {
	Name, Description string
	Routes            routes
	Created, Updated  time.Time
}

type route struct {
	ARN    string `json:"stateMachineVersionArn" required:"true"`
	Weight int    `json:"weight" min:"0" max:"100"`
}

type routes []route

// String writes routes as AWS's messages do.
func (r routes) String() string {
	items := make([]string, len(r))
	for i, e := range r {
		items[i] = fmt.Sprintf("RoutingConfigurationListItem(stateMachineVersionArn=%s, weight=%d)", e.ARN, e.Weight)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func (r routes) numbers() []int {
	out := make([]int, len(r))
	for i, e := range r {
		out[i], _ = versionNumber(e.ARN[strings.LastIndexByte(e.ARN, ':')+1:]) // checked when it was accepted
	}
	return out
}

// pick chooses a version's number by the weights.
func (s *Service) pick(r routes) int {
	at := int(s.cfg.Random() % 100)
	for i, n := range r.numbers() {
		if at < r[i].Weight {
			return n
		}
		at -= r[i].Weight
	}
	return 0 // the weights make 100
}

func first(r routes) int { return r.numbers()[0] }

// check refuses routes that do not lead to versions of one machine with weights that make 100.
func (r routes) check(tx state.Tx) (machine string, err error) {
	arns, weights, sum := make([]string, len(r)), make([]string, len(r)), 0
	for i, e := range r {
		arns[i], weights[i], sum = e.ARN, fmt.Sprint(e.Weight), sum+e.Weight
	}
	received := "Received: [" + strings.Join(arns, ", ") + "]"
	for i, arn := range arns {
		key, qualifier, err := qualifiedKey(arn)
		if _, ok := versionNumber(qualifier); err != nil || !ok {
			return "", wire.ValidationException("Routing configuration must contain state machine version ARNs. %s", received)
		}
		if i > 0 && key != machine {
			return "", wire.ValidationException("Routing configuration must contain versions of the same state machine. %s", received)
		}
		machine = key
	}
	switch {
	case len(r) == 2 && arns[0] == arns[1]:
		return "", wire.ValidationException("Routing configuration must contain distinct state machine version ARNs. %s", received)
	case sum != 100:
		return "", wire.ValidationException("Sum of routing configuration weights must equal 100. Received: [%s]", strings.Join(weights, ", "))
	}
	for _, n := range r.numbers() {
		if !versions.Has(tx, versionKey(machine, n)) {
			return "", noAlias()
		}
	}
	return machine, nil
}

func noAlias() error {
	return wire.Errorf("ResourceNotFound", "Request references a resource that does not exist.")
}

// aliasesTo names the aliases that lead to a version.
func aliasesTo(tx state.Tx, machine string, number int) (names []string, err error) {
	found, err := aliases.List(tx, state.Prefix(machine), "", 0)
	for _, a := range found {
		if slices.Contains(a.Value.Routes.numbers(), number) {
			names = append(names, a.Value.Name)
		}
	}
	return names, err
}

// aliasName is AWS's pattern: a number alone would be a version.
var aliasName = regexp.MustCompile(`^[a-zA-Z0-9_\-.]*[a-zA-Z_\-.][a-zA-Z0-9_\-.]*$`)

type createAliasInput struct {
	Name        string `json:"name" required:"true" max:"80"`
	Description string `json:"description" max:"256"`
	Routes      routes `json:"routingConfiguration" required:"true" min:"1" max:"2"`
}

// machineARN is the machine that the first route is a version of.
func (i *createAliasInput) machineARN() string {
	if len(i.Routes) == 0 {
		return "*"
	}
	arn := i.Routes[0].ARN
	if strings.Count(arn, ":") == 7 {
		arn = arn[:strings.LastIndexByte(arn, ':')]
	}
	return arn
}

type createAliasOutput struct {
	ARN     string    `json:"stateMachineAliasArn"`
	Created wire.Time `json:"creationDate"`
}

func (s *Service) createAlias(_ context.Context, _ *wire.Call, in *createAliasInput) (*createAliasOutput, error) {
	if !aliasName.MatchString(in.Name) {
		return nil, wire.ValidationException(`1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$`, in.Name)
	}
	now := s.cfg.Clock.Now()
	a := alias{Name: in.Name, Description: in.Description, Routes: in.Routes, Created: now, Updated: now}
	var out *createAliasOutput
	err := s.store.Update(func(tx state.Tx) error {
		key, err := a.Routes.check(tx)
		if err != nil {
			return err
		}
		m, err := activeMachine(tx, key, a.Routes[0].ARN)
		if err != nil {
			return err
		}
		old, err := aliases.Get(tx, state.Key(key, a.Name))
		switch {
		case errors.Is(err, state.ErrNotFound):
			err = aliases.Put(tx, state.Key(key, a.Name), a)
		case err == nil && (old.Description != a.Description || !slices.Equal(old.Routes, a.Routes)):
			err = wire.Errorf("ConflictException", "Failed to create alias because an alias with the same name and a different routing configuration already exists.")
		case err == nil:
			a = old
		}
		out = &createAliasOutput{m.arn() + ":" + a.Name, wire.TimeOf(a.Created)}
		return err
	})
	return out, err
}

type aliasRef struct {
	ARN string `json:"stateMachineAliasArn" required:"true"`
}

func (r *aliasRef) target() string { return r.ARN }

// aliasKey reads the ARN of an alias.
func aliasKey(arn string) (string, error) {
	key, qualifier, err := qualifiedKey(arn)
	if err == nil && !aliasName.MatchString(qualifier) {
		err = wire.Errorf("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: stateMachine'")
	}
	return state.Key(key, qualifier), err
}

type aliasDescription struct {
	ARN         string    `json:"stateMachineAliasArn"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Routes      routes    `json:"routingConfiguration"`
	Created     wire.Time `json:"creationDate"`
	Updated     wire.Time `json:"updateDate"`
}

func (s *Service) describeAlias(_ context.Context, _ *wire.Call, in *aliasRef) (*aliasDescription, error) {
	key, err := aliasKey(in.ARN)
	if err != nil {
		return nil, err
	}
	var a alias
	err = s.store.View(func(tx state.Tx) error {
		a, err = aliases.Get(tx, key)
		return err
	})
	if errors.Is(err, state.ErrNotFound) {
		err = noAlias()
	}
	return &aliasDescription{in.ARN, a.Name, a.Description, a.Routes, wire.TimeOf(a.Created), wire.TimeOf(a.Updated)}, err
}

type updateAliasInput struct {
	ARN         string  `json:"stateMachineAliasArn" required:"true"`
	Description *string `json:"description" max:"256"`
	Routes      routes  `json:"routingConfiguration" min:"1" max:"2"`
}

func (i *updateAliasInput) target() string { return i.ARN }

type updateAliasOutput struct {
	Updated wire.Time `json:"updateDate"`
}

func (s *Service) updateAlias(_ context.Context, _ *wire.Call, in *updateAliasInput) (*updateAliasOutput, error) {
	key, err := aliasKey(in.ARN)
	if err != nil {
		return nil, err
	}
	if in.Description == nil && in.Routes == nil {
		return nil, wire.ValidationException("Either the description or the RoutingConfiguration must be specified")
	}
	now := s.cfg.Clock.Now()
	err = s.store.Update(func(tx state.Tx) error {
		a, err := aliases.Get(tx, key)
		if err != nil {
			return err
		}
		if in.Routes != nil {
			machine, err := in.Routes.check(tx)
			if err != nil {
				return err
			}
			if state.Key(machine, a.Name) != key {
				return wire.ValidationException("Routing configuration must contain versions of the alias's own state machine")
			}
			a.Routes = in.Routes
		}
		if in.Description != nil {
			a.Description = *in.Description
		}
		a.Updated = now
		return aliases.Put(tx, key, a)
	})
	if errors.Is(err, state.ErrNotFound) {
		err = noAlias()
	}
	return &updateAliasOutput{wire.TimeOf(now)}, err
}

// deleteAlias deletes an alias. One that is not there is deleted.
func (s *Service) deleteAlias(_ context.Context, _ *wire.Call, in *aliasRef) (*wire.Empty, error) {
	key, err := aliasKey(in.ARN)
	if err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.store.Update(func(tx state.Tx) error {
		if err := aliases.Delete(tx, key); !errors.Is(err, state.ErrNotFound) {
			return err
		}
		return nil
	})
}

type aliasItem struct {
	ARN     string    `json:"stateMachineAliasArn"`
	Created wire.Time `json:"creationDate"`
}

type listAliasesOutput struct {
	Aliases []aliasItem `json:"stateMachineAliases"`
	Token   string      `json:"nextToken,omitempty"`
}

// listAliases lists the aliases of a machine, or those that lead to one version of it.
func (s *Service) listAliases(_ context.Context, _ *wire.Call, in *listVersionsInput) (*listAliasesOutput, error) {
	key, qualifier, err := qualifiedKey(in.ARN)
	if err != nil {
		return nil, err
	}
	after, err := pageStart(in.Token)
	if err != nil {
		return nil, err
	}
	out := &listAliasesOutput{Aliases: []aliasItem{}}
	return out, s.store.View(func(tx state.Tx) error {
		m, err := machines.Get(tx, key)
		if err != nil {
			return noneIs(err, in.ARN)
		}
		number, _ := versionNumber(qualifier)
		last := ""
		for raw := range aliases.Scan(tx, state.Prefix(key), after) {
			a, err := raw.Value()
			if err != nil {
				return err
			}
			if qualifier != "" && !slices.Contains(a.Routes.numbers(), number) {
				continue
			}
			if len(out.Aliases) == pageSize(in.Max) {
				out.Token = pageToken(last)
				return nil
			}
			last = raw.Key()
			out.Aliases = append(out.Aliases, aliasItem{m.arn() + ":" + a.Name, wire.TimeOf(a.Created)})
		}
		return nil
	})
}
