package athena

import (
	"context"
	"errors"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// primary is the work group that every account has.
const primary = "primary"

func orPrimary(name string) string {
	if name == "" {
		return primary
	}
	return name
}

type configuration struct {
	ResultConfiguration             *resultConfiguration `json:",omitempty"`
	EnforceWorkGroupConfiguration   *bool                `json:",omitempty"`
	PublishCloudWatchMetricsEnabled *bool                `json:",omitempty"`
	BytesScannedCutoffPerQuery      *int64               `json:",omitempty" min:"10000000"`
	RequesterPaysEnabled            *bool                `json:",omitempty"`
	EngineVersion                   *engineVersion       `json:",omitempty"`
}

type workGroup struct {
	Name, State, Description string
	Configuration            configuration
	Created                  time.Time
	Tags                     []tag `json:",omitempty"`
}

type tag struct{ Key, Value string }

// enforced is true unless it was set to false, as on AWS.
func (g workGroup) enforced() bool {
	e := g.Configuration.EnforceWorkGroupConfiguration
	if e == nil {
		return g.Name != primary
	}
	return *e
}

func (g workGroup) cutoff() int64 {
	if c := g.Configuration.BytesScannedCutoffPerQuery; c != nil {
		return *c
	}
	return 0
}

var groups = state.NewCollection[workGroup]("athena/workgroups") // account, region, name

func getGroup(tx state.Tx, c wire.Caller, name string) (workGroup, error) {
	g, err := groups.Get(tx, key(c, name))
	if errors.Is(err, state.ErrNotFound) {
		if name == primary {
			return workGroup{Name: primary, State: "ENABLED"}, nil
		}
		return g, invalid("WorkGroup %s is not found.", name)
	}
	return g, err
}

type createWorkGroupInput struct {
	Name          string `required:"true" max:"128"`
	Description   string
	Configuration configuration
	Tags          []tag
}

func (s *Service) createWorkGroup(_ context.Context, call *wire.Call, in *createWorkGroupInput) (*wire.Empty, error) {
	g := workGroup{Name: in.Name, State: "ENABLED", Description: in.Description, Configuration: in.Configuration, Created: s.cfg.Clock(), Tags: in.Tags}
	err := s.cfg.Store.Update(func(tx state.Tx) error { return groups.Create(tx, key(call.Caller, in.Name), g) })
	if errors.Is(err, state.ErrExists) || in.Name == primary {
		return nil, invalid("WorkGroup %s is already created", in.Name)
	}
	return &wire.Empty{}, err
}

type workGroupName struct {
	WorkGroup string `required:"true"`
}

type workGroupOutput struct {
	Name, State   string
	Description   string `json:",omitempty"`
	Configuration configuration
	CreationTime  wire.Time
}

type getWorkGroupOutput struct{ WorkGroup workGroupOutput }

func (s *Service) getWorkGroup(_ context.Context, call *wire.Call, in *workGroupName) (*getWorkGroupOutput, error) {
	out := &getWorkGroupOutput{}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		g, err := getGroup(tx, call.Caller, in.WorkGroup)
		enforced := g.enforced()
		g.Configuration.EnforceWorkGroupConfiguration, g.Configuration.EngineVersion = &enforced, g.Configuration.EngineVersion.effective()
		out.WorkGroup = workGroupOutput{g.Name, g.State, g.Description, g.Configuration, wire.TimeOf(g.Created)}
		return err
	})
}

type resultUpdates struct {
	OutputLocation                *string
	RemoveOutputLocation          *bool
	EncryptionConfiguration       *encryption
	RemoveEncryptionConfiguration *bool
}

type configurationUpdates struct {
	EnforceWorkGroupConfiguration    *bool
	ResultConfigurationUpdates       *resultUpdates
	PublishCloudWatchMetricsEnabled  *bool
	BytesScannedCutoffPerQuery       *int64 `min:"10000000"`
	RemoveBytesScannedCutoffPerQuery *bool
	RequesterPaysEnabled             *bool
	EngineVersion                    *engineVersion
}

type updateWorkGroupInput struct {
	WorkGroup            string `required:"true"`
	Description          *string
	State                string `enum:"ENABLED,DISABLED"`
	ConfigurationUpdates *configurationUpdates
}

func (s *Service) updateWorkGroup(_ context.Context, call *wire.Call, in *updateWorkGroupInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		g, err := getGroup(tx, call.Caller, in.WorkGroup)
		if err != nil {
			return err
		}
		if in.Description != nil {
			g.Description = *in.Description
		}
		if in.State != "" {
			g.State = in.State
		}
		if in.ConfigurationUpdates != nil {
			g.Configuration.apply(in.ConfigurationUpdates)
		}
		return groups.Put(tx, key(call.Caller, g.Name), g)
	})
}

func isTrue(b *bool) bool { return b != nil && *b }

func (c *configuration) apply(u *configurationUpdates) {
	if u.EnforceWorkGroupConfiguration != nil {
		c.EnforceWorkGroupConfiguration = u.EnforceWorkGroupConfiguration
	}
	if u.PublishCloudWatchMetricsEnabled != nil {
		c.PublishCloudWatchMetricsEnabled = u.PublishCloudWatchMetricsEnabled
	}
	if u.BytesScannedCutoffPerQuery != nil || isTrue(u.RemoveBytesScannedCutoffPerQuery) {
		c.BytesScannedCutoffPerQuery = u.BytesScannedCutoffPerQuery
	}
	if u.RequesterPaysEnabled != nil {
		c.RequesterPaysEnabled = u.RequesterPaysEnabled
	}
	if u.EngineVersion != nil {
		c.EngineVersion = u.EngineVersion
	}
	r := u.ResultConfigurationUpdates
	if r == nil {
		return
	}
	var next resultConfiguration
	if c.ResultConfiguration != nil {
		next = *c.ResultConfiguration
	}
	if r.OutputLocation != nil {
		next.OutputLocation = *r.OutputLocation
	}
	if isTrue(r.RemoveOutputLocation) {
		next.OutputLocation = ""
	}
	if r.EncryptionConfiguration != nil || isTrue(r.RemoveEncryptionConfiguration) {
		next.EncryptionConfiguration = r.EncryptionConfiguration
	}
	c.ResultConfiguration = &next
}

type deleteWorkGroupInput struct {
	WorkGroup             string `required:"true"`
	RecursiveDeleteOption *bool
}

func (s *Service) deleteWorkGroup(_ context.Context, call *wire.Call, in *deleteWorkGroupInput) (*wire.Empty, error) {
	if in.WorkGroup == primary {
		return nil, invalid("The primary workgroup cannot be deleted.")
	}
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := getGroup(tx, call.Caller, in.WorkGroup); err != nil {
			return err
		}
		left, err := statements.List(tx, prefix(call.Caller, in.WorkGroup), "", 1)
		if err != nil {
			return err
		}
		saved, err := namedOf(tx, call.Caller, in.WorkGroup)
		if err != nil {
			return err
		}
		if len(left)+len(saved) > 0 && !isTrue(in.RecursiveDeleteOption) {
			return invalid("WorkGroup %s is not empty", in.WorkGroup)
		}
		for _, q := range saved {
			if err := namedQueries.Delete(tx, key(call.Caller, q.NamedQueryID)); err != nil {
				return err
			}
		}
		return errors.Join(statements.DeletePrefix(tx, prefix(call.Caller, in.WorkGroup)), groups.Delete(tx, key(call.Caller, in.WorkGroup)))
	})
}

type listGroupsInput struct {
	MaxResults *int `min:"1" max:"50"`
	NextToken  string
}

type workGroupSummary struct {
	Name, State   string
	Description   string `json:",omitempty"`
	CreationTime  wire.Time
	EngineVersion engineVersion
}

type listGroupsOutput struct {
	WorkGroups []workGroupSummary
	NextToken  string `json:",omitempty"`
}

// listWorkGroups gives the groups by name; the token is the last name that was given.
func (s *Service) listWorkGroups(_ context.Context, call *wire.Call, in *listGroupsInput) (*listGroupsOutput, error) {
	out, most := &listGroupsOutput{WorkGroups: []workGroupSummary{}}, 50
	if in.MaxResults != nil {
		most = *in.MaxResults
	}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		es, err := groups.List(tx, prefix(call.Caller), "", 0)
		if err != nil {
			return err
		}
		all := []workGroup{}
		for _, e := range es {
			all = append(all, e.Value)
		}
		if !groups.Has(tx, key(call.Caller, primary)) {
			all = append([]workGroup{{Name: primary, State: "ENABLED"}}, all...)
		}
		started := in.NextToken == ""
		for _, g := range all {
			if !started {
				started = g.Name == in.NextToken
				continue
			}
			if len(out.WorkGroups) == most {
				out.NextToken = out.WorkGroups[most-1].Name
				break
			}
			out.WorkGroups = append(out.WorkGroups, workGroupSummary{g.Name, g.State, g.Description, wire.TimeOf(g.Created), theEngine})
		}
		return nil
	})
}
