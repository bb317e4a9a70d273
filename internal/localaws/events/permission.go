package events

import (
	"context"
	"encoding/json"
	"slices"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type condition struct {
	Type  string `required:"true"`
	Key   string `required:"true"`
	Value string `required:"true"`
}

type putPermissionInput struct {
	Bus         string `json:"EventBusName"`
	Action      string
	Principal   string
	StatementID string `json:"StatementId" max:"64"`
	Condition   *condition
	Policy      string
}

type document struct {
	Version   string
	Statement []map[string]any
}

// statement is what the permission adds to the bus's policy.
func (in *putPermissionInput) statement(b bus) (map[string]any, error) {
	switch {
	case in.StatementID == "" || in.Principal == "" || in.Action == "":
		return nil, wire.ValidationException("Action, Principal and StatementId are required without a Policy.")
	case in.Action != "events:PutEvents":
		return nil, wire.ValidationException("Provided value in parameter 'action' is not supported.")
	}
	made := map[string]any{"Sid": in.StatementID, "Effect": "Allow", "Action": in.Action, "Resource": b.arn()}
	if in.Principal == "*" {
		made["Principal"] = "*"
	} else {
		made["Principal"] = map[string]any{"AWS": "arn:aws:iam::" + in.Principal + ":root"}
	}
	if c := in.Condition; c != nil {
		made["Condition"] = map[string]any{c.Type: map[string]any{c.Key: c.Value}}
	}
	return made, nil
}

// changeBus changes a bus; the default one is kept from its first change on.
func (s *Service) changeBus(call *wire.Call, name string, change func(*bus) error) error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		b, err := findBus(tx, call, name)
		if err != nil {
			return err
		}
		if err := change(&b); err != nil {
			return err
		}
		b.Modified = s.cfg.Clock()
		return buses.Put(tx, state.Key(b.Account, b.Region, b.Name), b)
	})
}

func findBus(tx state.Tx, call *wire.Call, name string) (bus, error) {
	b, err := buses.Get(tx, state.Key(call.Caller.Account, call.Caller.Region, name))
	if err == state.ErrNotFound && name == defaultBus {
		return bus{Name: name, Account: call.Caller.Account, Region: call.Caller.Region}, nil
	}
	if err == state.ErrNotFound {
		return b, errNoBus(name)
	}
	return b, err
}

func (s *Service) putPermission(_ context.Context, call *wire.Call, in *putPermissionInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.changeBus(call, busName(in.Bus), func(b *bus) error {
		text := in.Policy
		if text == "" {
			made, err := in.statement(*b)
			if err != nil {
				return err
			}
			d, err := b.document()
			if err != nil {
				return err
			}
			d.Statement = slices.DeleteFunc(d.Statement, func(s map[string]any) bool { return s["Sid"] == in.StatementID })
			d.Statement = append(d.Statement, made)
			raw, err := json.Marshal(d)
			if err != nil {
				return err
			}
			text = string(raw)
		}
		if _, err := policy.Parse(policy.Resource, text); err != nil {
			return wire.ValidationException("The policy is not valid: %v", err)
		}
		b.Policy = text
		return nil
	})
}

func (b bus) document() (document, error) {
	d := document{Version: "2012-10-17"}
	if b.Policy == "" {
		return d, nil
	}
	if json.Unmarshal([]byte(b.Policy), &d) == nil {
		return d, nil
	}
	var one struct {
		Version   string
		Statement map[string]any
	}
	err := json.Unmarshal([]byte(b.Policy), &one)
	return document{one.Version, []map[string]any{one.Statement}}, err
}

type removePermissionInput struct {
	Bus         string `json:"EventBusName"`
	StatementID string `json:"StatementId"`
	All         bool   `json:"RemoveAllPermissions"`
}

func (s *Service) removePermission(_ context.Context, call *wire.Call, in *removePermissionInput) (*wire.Empty, error) {
	if in.StatementID == "" && !in.All {
		return nil, wire.ValidationException("Parameter StatementId is required.")
	}
	return &wire.Empty{}, s.changeBus(call, busName(in.Bus), func(b *bus) error {
		d, err := b.document()
		if err != nil {
			return err
		}
		if b.Policy == "" {
			return wire.Errorf("ResourceNotFoundException", "EventBus does not have a policy.")
		}
		kept := slices.DeleteFunc(slices.Clone(d.Statement), func(s map[string]any) bool { return in.All || s["Sid"] == in.StatementID })
		if len(kept) == len(d.Statement) {
			return wire.Errorf("ResourceNotFoundException", "Statement with the provided id does not exist.")
		}
		b.Policy = ""
		if len(kept) == 0 {
			return nil
		}
		d.Statement = kept
		raw, err := json.Marshal(d)
		b.Policy = string(raw)
		return err
	})
}

type byTargetInput struct {
	TargetArn string `required:"true"`
	Bus       string `json:"EventBusName"`
	NextToken string
	Limit     *int `min:"1" max:"100"`
}

type ruleNames struct {
	RuleNames []string
	NextToken string `json:",omitempty"`
}

func (s *Service) namesByTarget(_ context.Context, call *wire.Call, in *byTargetInput) (*ruleNames, error) {
	out, limit := &ruleNames{RuleNames: []string{}}, 100
	if in.Limit != nil {
		limit = *in.Limit
	}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		if err := checkBus(tx, call, busName(in.Bus)); err != nil {
			return err
		}
		all, err := rules.List(tx, state.Prefix(call.Caller.Account, call.Caller.Region, busName(in.Bus)), "", 0)
		for _, e := range all {
			r := e.Value
			if r.Name <= in.NextToken || !slices.ContainsFunc(r.Targets, func(a aim) bool { return a.Arn == in.TargetArn }) {
				continue
			}
			if n := len(out.RuleNames); n == limit {
				out.NextToken = out.RuleNames[n-1]
				break
			}
			out.RuleNames = append(out.RuleNames, r.Name)
		}
		return err
	})
}
