package states

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"engage/internal/localaws/asl/intrinsic"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Statuses of a state machine.
const (
	active   = "ACTIVE"
	deleting = "DELETING"
)

type createMachineInput struct {
	Name        string          `json:"name" required:"true"`
	Definition  string          `json:"definition" required:"true"`
	RoleARN     string          `json:"roleArn" required:"true"`
	Type        string          `json:"type" enum:"STANDARD,EXPRESS"`
	Tags        []Tag           `json:"tags"`
	Publish     bool            `json:"publish"`
	Description string          `json:"versionDescription" max:"256"`
	Logging     json.RawMessage `json:"loggingConfiguration"`
	Tracing     json.RawMessage `json:"tracingConfiguration"`
	Encryption  json.RawMessage `json:"encryptionConfiguration"`
}

type createMachineOutput struct {
	ARN     string    `json:"stateMachineArn"`
	Created wire.Time `json:"creationDate"`
	Version string    `json:"stateMachineVersionArn,omitempty"`
}

func (s *Service) createMachine(_ context.Context, call *wire.Call, in *createMachineInput) (*createMachineOutput, error) {
	if err := validName(in.Name); err != nil {
		return nil, err
	}
	switch {
	case in.Type == "EXPRESS":
		return nil, wire.NotImplemented("a state machine of type EXPRESS")
	case in.Description != "" && !in.Publish:
		return nil, wire.ValidationException("Version description can only be set when publish is true")
	}
	logs, err := s.acceptable(call.Caller, in.RoleARN, in.Logging, in.Tracing, in.Encryption)
	if err != nil {
		return nil, err
	}
	if _, err := s.parse(in.Definition); err != nil {
		return nil, err
	}
	now := s.cfg.Clock.Now()
	m := machine{Account: call.Caller.Account, Region: call.Caller.Region, Name: in.Name, Status: active, Type: "STANDARD", Created: now, Tags: in.Tags,
		revision: revision{ID: intrinsic.NewUUID(s.cfg.Random), Definition: in.Definition, RoleARN: in.RoleARN, Updated: now, Logging: logs, Tracing: in.Tracing, First: true}}
	m.Revision = m.ID
	var out createMachineOutput
	err = s.store.Update(func(tx state.Tx) error {
		old, err := machines.Get(tx, m.key())
		switch {
		case err == nil:
			err = same(old, m)
			m = old
		case errors.Is(err, state.ErrNotFound):
			err = errors.Join(machines.Put(tx, m.key(), m), revisions.Put(tx, state.Key(m.key(), m.ID), m.revision))
		}
		out = createMachineOutput{ARN: m.arn(), Created: wire.TimeOf(m.Created)}
		if err == nil && in.Publish {
			var v version
			v, err = m.publish(tx, in.Description, now)
			out.Version = m.versionARN(v.Number)
		}
		return err
	})
	return &out, err
}

// same lets a create be repeated: name, definition and settings decide, role and tags do not.
func same(old, m machine) error {
	switch {
	case old.Status == deleting:
		return wire.Errorf("StateMachineDeleting", "State Machine is being deleted: '%s'", old.arn())
	case old.Definition != m.Definition || !bytes.Equal(old.Logging, m.Logging) || !bytes.Equal(old.Tracing, m.Tracing):
		return wire.Errorf("StateMachineAlreadyExists", "State Machine Already Exists: '%s'", old.arn())
	}
	return nil
}

// acceptable refuses settings that nothing here would act on, and completes the loggingConfiguration.
func (s *Service) acceptable(owner wire.Caller, role string, logs, tracing, encryption json.RawMessage) (json.RawMessage, error) {
	if role != "" && (!strings.HasPrefix(role, "arn:aws:iam::") || !strings.Contains(role, ":role/")) {
		return nil, wire.Errorf("InvalidArn", "Invalid Role Arn: '%s'", role)
	}
	var t struct {
		Enabled bool `json:"enabled"`
	}
	var e struct {
		Type string `json:"type"`
	}
	for text, into := range map[*json.RawMessage]any{&tracing: &t, &encryption: &e} {
		if len(*text) > 0 && json.Unmarshal(*text, into) != nil {
			return nil, wire.Errorf("SerializationException", "a configuration is not of its type")
		}
	}
	switch {
	case t.Enabled && s.cfg.Traces == nil:
		return nil, wire.NotImplemented("tracingConfiguration that is enabled")
	case e.Type != "" && e.Type != "AWS_OWNED_KEY":
		return nil, wire.NotImplemented("encryptionConfiguration of the type %s", e.Type)
	}
	return s.loggable(owner, logs)
}

type machineRef struct {
	ARN  string `json:"stateMachineArn" required:"true"`
	Data string `json:"includedData" enum:"ALL_DATA,METADATA_ONLY"`
}

func (r *machineRef) target() string { return r.ARN }

type machineDescription struct {
	ARN        string          `json:"stateMachineArn"`
	Name       string          `json:"name"`
	Status     string          `json:"status,omitempty"`
	Definition string          `json:"definition"`
	RoleARN    string          `json:"roleArn"`
	Type       string          `json:"type,omitempty"`
	Created    *wire.Time      `json:"creationDate,omitempty"`
	Updated    *wire.Time      `json:"updateDate,omitempty"`
	Logging    json.RawMessage `json:"loggingConfiguration"`
	Tracing    json.RawMessage `json:"tracingConfiguration"`
	Revision   string          `json:"revisionId,omitempty"`
	About      string          `json:"description,omitempty"` // of a version
	MapRun     string          `json:"mapRunArn,omitempty"`   // of a child execution's machine
	Label      string          `json:"label,omitempty"`
}

func describe(m machine, r revision) *machineDescription {
	d := &machineDescription{ARN: m.arn(), Name: m.Name, Definition: r.Definition, RoleARN: r.RoleARN, Logging: r.Logging, Tracing: r.Tracing, Revision: r.public()}
	if len(d.Logging) == 0 {
		d.Logging = json.RawMessage(`{"includeExecutionData":false,"level":"OFF"}`)
	}
	if len(d.Tracing) == 0 {
		d.Tracing = json.RawMessage(`{"enabled":false}`)
	}
	return d
}

func (s *Service) describeMachine(_ context.Context, _ *wire.Call, in *machineRef) (*machineDescription, error) {
	var r resolved
	err := s.store.View(func(tx state.Tx) (err error) {
		r, err = s.resolve(tx, in.ARN, first)
		return err
	})
	if err != nil {
		return nil, err
	}
	d := describe(r.machine, r.revision)
	created := wire.TimeOf(r.machine.Created)
	if r.version != nil {
		created = wire.TimeOf(r.version.Created)
		d.ARN, d.About = r.machine.versionARN(r.version.Number), r.version.Description
	}
	d.Status, d.Type, d.Created = r.machine.Status, r.machine.Type, &created
	return d, nil
}

func (s *Service) machine(arn string) (m machine, err error) {
	key, err := machineKey(arn)
	if err != nil {
		return m, err
	}
	err = s.store.View(func(tx state.Tx) error {
		m, err = machines.Get(tx, key)
		return err
	})
	if errors.Is(err, state.ErrNotFound) {
		err = noMachine(arn)
	}
	return m, err
}

type updateMachineInput struct {
	ARN         string          `json:"stateMachineArn" required:"true"`
	Definition  string          `json:"definition"`
	RoleARN     string          `json:"roleArn"`
	Publish     bool            `json:"publish"`
	Description string          `json:"versionDescription" max:"256"`
	Logging     json.RawMessage `json:"loggingConfiguration"`
	Tracing     json.RawMessage `json:"tracingConfiguration"`
	Encryption  json.RawMessage `json:"encryptionConfiguration"`
}

type updateMachineOutput struct {
	Updated  wire.Time `json:"updateDate"`
	Revision string    `json:"revisionId,omitempty"`
	Version  string    `json:"stateMachineVersionArn,omitempty"`
}

func (s *Service) updateMachine(_ context.Context, call *wire.Call, in *updateMachineInput) (*updateMachineOutput, error) {
	key, err := machineKey(in.ARN)
	if err != nil {
		return nil, err
	}
	switch {
	case in.Description != "" && !in.Publish:
		return nil, wire.ValidationException("Version description can only be set when publish is true")
	case in.Definition == "" && in.RoleARN == "" && in.Logging == nil && in.Tracing == nil && in.Encryption == nil && !in.Publish:
		return nil, wire.Errorf("MissingRequiredParameter", "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified")
	}
	if in.Logging, err = s.acceptable(call.Caller, in.RoleARN, in.Logging, in.Tracing, in.Encryption); err != nil {
		return nil, err
	}
	if in.Definition != "" {
		if _, err := s.parse(in.Definition); err != nil {
			return nil, err
		}
	}
	var out *updateMachineOutput
	err = s.store.Update(func(tx state.Tx) error {
		m, err := activeMachine(tx, key, in.ARN)
		if err == nil {
			out, err = s.revise(tx, m, in)
		}
		return err
	})
	return out, err
}

// revise makes a new revision if anything changes, and publishes it if asked to.
func (s *Service) revise(tx state.Tx, m machine, in *updateMachineInput) (out *updateMachineOutput, err error) {
	now := s.cfg.Clock.Now()
	if m.change(in) {
		m.ID, m.Updated, m.First = intrinsic.NewUUID(s.cfg.Random), now, false
		m.Revision = m.ID
		err = errors.Join(machines.Put(tx, m.key(), m), revisions.Put(tx, state.Key(m.key(), m.ID), m.revision))
	}
	out = &updateMachineOutput{Updated: wire.TimeOf(now), Revision: m.public()}
	if err == nil && in.Publish {
		var v version
		v, err = m.publish(tx, in.Description, now)
		out.Version = m.versionARN(v.Number)
	}
	return out, err
}

// change tells whether an update says anything new.
func (m *machine) change(in *updateMachineInput) bool {
	old := m.revision
	if in.Definition != "" {
		m.Definition = in.Definition
	}
	if in.RoleARN != "" {
		m.RoleARN = in.RoleARN
	}
	if in.Logging != nil {
		m.Logging = in.Logging
	}
	if in.Tracing != nil {
		m.Tracing = in.Tracing
	}
	return m.Definition != old.Definition || m.RoleARN != old.RoleARN || !bytes.Equal(m.Logging, old.Logging) || !bytes.Equal(m.Tracing, old.Tracing)
}

// deleteMachine deletes a machine at once, or with the end of its last execution. A machine that is not there is deleted.
func (s *Service) deleteMachine(_ context.Context, _ *wire.Call, in *machineRef) (*wire.Empty, error) {
	key, qualifier, err := qualifiedKey(in.ARN)
	if err != nil {
		return nil, err
	}
	if qualifier != "" {
		return nil, wire.ValidationException("The state machine ARN must not be qualified: '%s'", in.ARN)
	}
	return &wire.Empty{}, s.store.Update(func(tx state.Tx) error {
		m, err := machines.Get(tx, key)
		if errors.Is(err, state.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		m.Status = deleting
		if err := machines.Put(tx, key, m); err != nil {
			return err
		}
		return removeIfIdle(tx, m)
	})
}

// removeIfIdle removes a machine and everything of it unless an execution runs.
func removeIfIdle(tx state.Tx, m machine) error {
	prefix := state.Prefix(m.key())
	for range inFlight.Scan(tx, prefix, "") {
		return nil
	}
	children := m.key() + "/" // of distributed Maps; a machine's own name has no slash
	err := errors.Join(inFlight.DeletePrefix(tx, children), machines.Delete(tx, m.key()), revisions.DeletePrefix(tx, prefix),
		versions.DeletePrefix(tx, prefix), aliases.DeletePrefix(tx, prefix), mapRuns.DeletePrefix(tx, prefix))
	for _, p := range []string{prefix, children} {
		err = errors.Join(err, executions.DeletePrefix(tx, p), order.DeletePrefix(tx, p), events.DeletePrefix(tx, p))
	}
	return err
}

type listInput struct {
	Max   int    `json:"maxResults" min:"0" max:"1000"`
	Token string `json:"nextToken" max:"1024"`
}

type machineItem struct {
	ARN     string    `json:"stateMachineArn"`
	Name    string    `json:"name"`
	Type    string    `json:"type"`
	Created wire.Time `json:"creationDate"`
}

type listMachinesOutput struct {
	Machines []machineItem `json:"stateMachines"`
	Token    string        `json:"nextToken,omitempty"`
}

func (s *Service) listMachines(_ context.Context, call *wire.Call, in *listInput) (*listMachinesOutput, error) {
	after, err := pageStart(in.Token)
	if err != nil {
		return nil, err
	}
	out := &listMachinesOutput{Machines: []machineItem{}}
	size := pageSize(in.Max)
	return out, s.store.View(func(tx state.Tx) error {
		found, err := machines.List(tx, state.Prefix(call.Caller.Account, call.Caller.Region), after, size+1)
		for i, e := range found {
			if i == size {
				out.Token = pageToken(found[i-1].Key)
				break
			}
			out.Machines = append(out.Machines, machineItem{e.Value.arn(), e.Value.Name, e.Value.Type, wire.TimeOf(e.Value.Created)})
		}
		return err
	})
}
