package states

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"engage/internal/localaws/asl"
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
	Description string          `json:"versionDescription"`
	Logging     json.RawMessage `json:"loggingConfiguration"`
	Tracing     json.RawMessage `json:"tracingConfiguration"`
	Encryption  json.RawMessage `json:"encryptionConfiguration"`
}

type createMachineOutput struct {
	ARN     string    `json:"stateMachineArn"`
	Created wire.Time `json:"creationDate"`
}

func (s *Service) createMachine(_ context.Context, call *wire.Call, in *createMachineInput) (*createMachineOutput, error) {
	if err := validName(in.Name); err != nil {
		return nil, err
	}
	switch {
	case in.Type == "EXPRESS":
		return nil, wire.NotImplemented("a state machine of type EXPRESS")
	case in.Publish || in.Description != "":
		return nil, wire.NotImplemented("publishing versions of a state machine")
	}
	if err := s.acceptable(in.RoleARN, in.Logging, in.Tracing, in.Encryption); err != nil {
		return nil, err
	}
	if _, err := s.parse(in.Definition); err != nil {
		return nil, err
	}
	now := s.cfg.Clock.Now()
	m := machine{Account: call.Caller.Account, Region: call.Caller.Region, Name: in.Name, Status: active, Type: "STANDARD", Created: now, Tags: in.Tags,
		revision: revision{ID: intrinsic.NewUUID(s.cfg.Random), Definition: in.Definition, RoleARN: in.RoleARN, Updated: now, Logging: in.Logging, Tracing: in.Tracing}}
	m.Revision = m.ID
	var out createMachineOutput
	err := s.store.Update(func(tx state.Tx) error {
		old, err := machines.Get(tx, m.key())
		switch {
		case err == nil:
			out = createMachineOutput{old.arn(), wire.TimeOf(old.Created)}
			return same(old, m)
		case !errors.Is(err, state.ErrNotFound):
			return err
		}
		out = createMachineOutput{m.arn(), wire.TimeOf(m.Created)}
		return errors.Join(machines.Put(tx, m.key(), m), revisions.Put(tx, state.Key(m.key(), m.ID), m.revision))
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

// acceptable refuses settings that nothing here would act on.
func (s *Service) acceptable(role string, logs, tracing, encryption json.RawMessage) error {
	if role != "" && (!strings.HasPrefix(role, "arn:aws:iam::") || !strings.Contains(role, ":role/")) {
		return wire.Errorf("InvalidArn", "Invalid Role Arn: '%s'", role)
	}
	var l logging
	var t struct {
		Enabled bool `json:"enabled"`
	}
	var e struct {
		Type string `json:"type"`
	}
	for text, into := range map[*json.RawMessage]any{&logs: &l, &tracing: &t, &encryption: &e} {
		if len(*text) > 0 && json.Unmarshal(*text, into) != nil {
			return wire.Errorf("SerializationException", "a configuration is not of its type")
		}
	}
	switch {
	case l.on() && s.cfg.Logs == nil:
		return wire.NotImplemented("loggingConfiguration with the level %s", l.Level)
	case l.on() && (l.Level != "ALL" && l.Level != "ERROR" && l.Level != "FATAL" || len(l.Destinations) != 1 || !strings.Contains(l.group(), ":log-group:")):
		return wire.Errorf("InvalidLoggingConfiguration", "Invalid Logging Configuration: a level other than OFF needs one destination, the ARN of a log group")
	case t.Enabled:
		return wire.NotImplemented("tracingConfiguration that is enabled")
	case e.Type != "" && e.Type != "AWS_OWNED_KEY":
		return wire.NotImplemented("encryptionConfiguration of the type %s", e.Type)
	}
	return nil
}

// parse compiles a definition, refusing integrations that nothing runs.
func (s *Service) parse(definition string) (*asl.Machine, error) {
	m, err := asl.Parse([]byte(definition), asl.Options{CheckResource: s.check})
	if err != nil {
		return nil, wire.Errorf("InvalidDefinition", "%s", err)
	}
	return m, nil
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
}

func describe(m machine, r revision) *machineDescription {
	d := &machineDescription{ARN: m.arn(), Name: m.Name, Definition: r.Definition, RoleARN: r.RoleARN, Logging: r.Logging, Tracing: r.Tracing}
	if len(d.Logging) == 0 {
		d.Logging = json.RawMessage(`{"includeExecutionData":false,"level":"OFF"}`)
	}
	if len(d.Tracing) == 0 {
		d.Tracing = json.RawMessage(`{"enabled":false}`)
	}
	return d
}

func (s *Service) describeMachine(_ context.Context, _ *wire.Call, in *machineRef) (*machineDescription, error) {
	m, err := s.machine(in.ARN)
	if err != nil {
		return nil, err
	}
	d := describe(m, m.revision)
	created := wire.TimeOf(m.Created)
	d.Status, d.Type, d.Created = m.Status, m.Type, &created
	if m.Revision != "" && m.Updated != m.Created {
		d.Revision = m.Revision
	}
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
	Description string          `json:"versionDescription"`
	Logging     json.RawMessage `json:"loggingConfiguration"`
	Tracing     json.RawMessage `json:"tracingConfiguration"`
	Encryption  json.RawMessage `json:"encryptionConfiguration"`
}

type updateMachineOutput struct {
	Updated  wire.Time `json:"updateDate"`
	Revision string    `json:"revisionId"`
}

func (s *Service) updateMachine(_ context.Context, _ *wire.Call, in *updateMachineInput) (*updateMachineOutput, error) {
	key, err := machineKey(in.ARN)
	if err != nil {
		return nil, err
	}
	if in.Publish || in.Description != "" {
		return nil, wire.NotImplemented("publishing versions of a state machine")
	}
	if in.Definition == "" && in.RoleARN == "" && in.Logging == nil && in.Tracing == nil && in.Encryption == nil {
		return nil, wire.Errorf("MissingRequiredParameter", "Either the definition, the role ARN, the LoggingConfiguration, the TracingConfiguration or the EncryptionConfiguration must be specified")
	}
	if err := s.acceptable(in.RoleARN, in.Logging, in.Tracing, in.Encryption); err != nil {
		return nil, err
	}
	if in.Definition != "" {
		if _, err := s.parse(in.Definition); err != nil {
			return nil, err
		}
	}
	var m machine
	err = s.store.Update(func(tx state.Tx) error {
		if m, err = machines.Get(tx, key); err != nil {
			return err
		}
		if m.Status == deleting {
			return wire.Errorf("StateMachineDeleting", "State Machine is being deleted: '%s'", in.ARN)
		}
		m.change(in)
		m.ID, m.Updated = intrinsic.NewUUID(s.cfg.Random), s.cfg.Clock.Now()
		m.Revision = m.ID
		return errors.Join(machines.Put(tx, key, m), revisions.Put(tx, state.Key(key, m.ID), m.revision))
	})
	if errors.Is(err, state.ErrNotFound) {
		err = noMachine(in.ARN)
	}
	return &updateMachineOutput{wire.TimeOf(m.Updated), m.Revision}, err
}

func (m *machine) change(in *updateMachineInput) {
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
}

// deleteMachine deletes a machine at once, or with the end of its last execution. A machine that is not there is deleted.
func (s *Service) deleteMachine(_ context.Context, _ *wire.Call, in *machineRef) (*wire.Empty, error) {
	key, err := machineKey(in.ARN)
	if err != nil {
		return nil, err
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
	err := errors.Join(inFlight.DeletePrefix(tx, children), machines.Delete(tx, m.key()), revisions.DeletePrefix(tx, prefix), mapRuns.DeletePrefix(tx, prefix))
	for _, p := range []string{prefix, children} {
		err = errors.Join(err, executions.DeletePrefix(tx, p), order.DeletePrefix(tx, p), events.DeletePrefix(tx, p))
	}
	return err
}

type listInput struct {
	Max   int    `json:"maxResults" min:"0" max:"1000"`
	Token string `json:"nextToken"`
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

type validateInput struct {
	Definition string `json:"definition" required:"true"`
	Type       string `json:"type" enum:"STANDARD,EXPRESS"`
	Severity   string `json:"severity" enum:"ERROR,WARNING"`
	Max        int    `json:"maxResults" min:"0" max:"100"`
}

type diagnostic struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Location string `json:"location,omitempty"`
}

type validateOutput struct {
	Result      string       `json:"result"`
	Diagnostics []diagnostic `json:"diagnostics"`
	Truncated   bool         `json:"truncated"`
}

func (s *Service) validate(_ context.Context, _ *wire.Call, in *validateInput) (*validateOutput, error) {
	out := &validateOutput{Result: "OK", Diagnostics: []diagnostic{}}
	_, err := asl.Parse([]byte(in.Definition), asl.Options{CheckResource: s.check})
	var invalid *asl.InvalidError
	if !errors.As(err, &invalid) {
		return out, err
	}
	out.Result = "FAIL"
	for _, p := range invalid.Problems {
		if out.Truncated = len(out.Diagnostics) == pageSize(in.Max); out.Truncated {
			break
		}
		out.Diagnostics = append(out.Diagnostics, diagnostic{"ERROR", p.Code, p.Message, p.Location})
	}
	return out, nil
}
