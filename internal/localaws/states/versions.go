package states

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// version is a revision of a machine under a number that is never used again.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-version.html
type version struct {
	Number      int
	Revision    string
	Description string
	Created     time.Time
}

func versionKey(machine string, number int) string {
	return state.Key(machine, state.Ordinal(uint64(number)))
}

func (m machine) versionARN(number int) string { return m.arn() + ":" + strconv.Itoa(number) }

// publish makes a version of the machine's revision, or finds the one that there is.
func (m *machine) publish(tx state.Tx, description string, now time.Time) (version, error) {
	all, err := versionsOf(tx, m.key())
	if err != nil {
		return version{}, err
	}
	if len(all) > 0 && all[0].Revision == m.Revision {
		return all[0], nil
	}
	m.Published++
	v := version{Number: m.Published, Revision: m.Revision, Description: description, Created: now}
	return v, errors.Join(versions.Put(tx, versionKey(m.key(), v.Number), v), machines.Put(tx, m.key(), *m))
}

// versionsOf lists a machine's versions, the last first.
func versionsOf(tx state.Tx, machine string) ([]version, error) {
	found, err := versions.List(tx, state.Prefix(machine), "", 0)
	out := make([]version, len(found))
	for i, e := range found {
		out[len(found)-1-i] = e.Value
	}
	return out, err
}

// versionNumber reads a qualifier; false when it is an alias's name, which is never a number.
func versionNumber(qualifier string) (int, bool) {
	n, err := strconv.Atoi(qualifier)
	return n, err == nil && n > 0 && strconv.Itoa(n) == qualifier
}

type publishInput struct {
	ARN         string  `json:"stateMachineArn" required:"true"`
	Revision    *string `json:"revisionId"`
	Description string  `json:"description" max:"256"`
}

func (i *publishInput) target() string { return i.ARN }

type publishOutput struct {
	Created wire.Time `json:"creationDate"`
	ARN     string    `json:"stateMachineVersionArn"`
}

func (s *Service) publishVersion(_ context.Context, _ *wire.Call, in *publishInput) (*publishOutput, error) {
	key, err := machineKey(in.ARN)
	if err != nil {
		return nil, err
	}
	var out *publishOutput
	err = s.store.Update(func(tx state.Tx) error {
		m, err := activeMachine(tx, key, in.ARN)
		if err != nil {
			return err
		}
		current := m.public()
		if current == "" {
			current = "INITIAL"
		}
		if in.Revision != nil && *in.Revision != current {
			return wire.Errorf("ConflictException", "Failed to publish the State Machine version for revision %s. The current State Machine revision is %s.", *in.Revision, current)
		}
		v, err := m.publish(tx, in.Description, s.cfg.Clock.Now())
		out = &publishOutput{wire.TimeOf(v.Created), m.versionARN(v.Number)}
		return err
	})
	return out, err
}

// activeMachine reads a machine that can be changed or started.
func activeMachine(tx state.Tx, key, arn string) (machine, error) {
	m, err := machines.Get(tx, key)
	switch {
	case errors.Is(err, state.ErrNotFound):
		return m, noMachine(arn)
	case err == nil && m.Status == deleting:
		return m, wire.Errorf("StateMachineDeleting", "State Machine is being deleted: '%s'", arn)
	}
	return m, err
}

type listVersionsInput struct {
	ARN string `json:"stateMachineArn" required:"true"`
	listInput
}

func (i *listVersionsInput) target() string { return i.ARN }

type versionItem struct {
	ARN     string    `json:"stateMachineVersionArn"`
	Created wire.Time `json:"creationDate"`
}

type listVersionsOutput struct {
	Versions []versionItem `json:"stateMachineVersions"`
	Token    string        `json:"nextToken,omitempty"`
}

func (s *Service) listVersions(_ context.Context, _ *wire.Call, in *listVersionsInput) (*listVersionsOutput, error) {
	m, err := s.machine(in.ARN)
	if err != nil {
		return nil, err
	}
	after, err := pageStart(in.Token)
	if err != nil {
		return nil, err
	}
	out := &listVersionsOutput{Versions: []versionItem{}}
	return out, s.store.View(func(tx state.Tx) error {
		all, err := versionsOf(tx, m.key())
		if before, ok := versionNumber(after); ok {
			all = slices.DeleteFunc(all, func(v version) bool { return v.Number >= before })
		}
		for i, v := range all {
			if i == pageSize(in.Max) {
				out.Token = pageToken(strconv.Itoa(all[i-1].Number))
				break
			}
			out.Versions = append(out.Versions, versionItem{m.versionARN(v.Number), wire.TimeOf(v.Created)})
		}
		return err
	})
}

type versionRef struct {
	ARN string `json:"stateMachineVersionArn" required:"true"`
}

func (r *versionRef) target() string { return r.ARN }

// deleteVersion deletes a version unless an alias leads to it. One that is not there is deleted.
func (s *Service) deleteVersion(_ context.Context, _ *wire.Call, in *versionRef) (*wire.Empty, error) {
	key, qualifier, err := qualifiedKey(in.ARN)
	if err != nil {
		return nil, err
	}
	number, ok := versionNumber(qualifier)
	if !ok {
		return nil, wire.ValidationException("Invalid state machine version ARN: '%s'", in.ARN)
	}
	return &wire.Empty{}, s.store.Update(func(tx state.Tx) error {
		used, err := aliasesTo(tx, key, number)
		if err != nil {
			return err
		}
		if len(used) > 0 {
			return wire.Errorf("ConflictException", "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: [%s]", strings.Join(used, ", "))
		}
		if err := versions.Delete(tx, versionKey(key, number)); !errors.Is(err, state.ErrNotFound) {
			return err
		}
		return nil
	})
}

// resolved is what an ARN leads to.
type resolved struct {
	machine  machine
	revision revision
	version  *version
	alias    string // its ARN
}

// resolve finds the machine, the version or the alias that an ARN names; pick chooses among an alias's versions.
func (s *Service) resolve(tx state.Tx, arn string, pick func(routes) int) (r resolved, err error) {
	key, qualifier, err := qualifiedKey(arn)
	if err != nil {
		return r, err
	}
	if r.machine, err = machines.Get(tx, key); err != nil || qualifier == "" {
		r.revision = r.machine.revision
		return r, noneIs(err, arn)
	}
	number, ok := versionNumber(qualifier)
	if !ok {
		a, err := aliases.Get(tx, state.Key(key, qualifier))
		if err != nil {
			return r, noneIs(err, arn)
		}
		number, r.alias = pick(a.Routes), arn
	}
	v, err := versions.Get(tx, versionKey(key, number))
	if err == nil {
		r.revision, err = revisions.Get(tx, state.Key(key, v.Revision))
	}
	r.version = &v
	return r, noneIs(err, arn)
}

func noneIs(err error, arn string) error {
	if errors.Is(err, state.ErrNotFound) {
		return noMachine(arn)
	}
	return err
}
