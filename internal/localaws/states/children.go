package states

import (
	"context"
	"strings"

	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/asl/value"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// child keeps the record and the history of a child execution of a distributed Map. Everything of it is written
// by the journal, in order, and is touched by nothing else.
func (s *Service) child(parent execution) func(e interp.Execution, mapRun string) (func(interp.Event), func(interp.Outcome)) {
	return func(e interp.Execution, mapRun string) (func(interp.Event), func(interp.Outcome)) {
		c := execution{Account: e.Account, Region: e.Region, Machine: e.MachineName, Name: e.Name, Revision: parent.Revision, RoleARN: e.RoleARN,
			Status: runningStatus, Start: e.Start, Input: value.String(e.Input), RunID: parent.RunID, MapRun: mapRun}
		key := c.key()
		s.journal.add(func(tx state.Tx) error { return create(tx, &c) })
		record := func(ev interp.Event) {
			s.journal.add(func(tx state.Tx) error { return putEvent(tx, key, ev) })
		}
		return record, func(out interp.Outcome) {
			stop := s.cfg.Clock.Now()
			s.journal.add(func(tx state.Tx) error {
				c.Stop = stop
				return c.end(tx, out)
			})
		}
	}
}

// end writes how an execution ended.
func (e execution) end(tx state.Tx, out interp.Outcome) error {
	e.Status, e.Error, e.Cause = out.Status, out.Error, out.Cause
	if out.Status == interp.Succeeded {
		e.Output = value.String(out.Output)
	}
	if out.Status == interp.Interrupted {
		return failInterrupted(tx, e)
	}
	return finish(tx, e)
}

// parentMachine is the name of the machine whose definition an execution runs: a child's is its parent's.
func (e execution) parentMachine() string {
	name, _, _ := strings.Cut(e.Machine, "/")
	return name
}

// listChildren lists the child executions of a map run, the last started first.
func (s *Service) listChildren(_ context.Context, in *listExecutionsInput) (*listExecutionsOutput, error) {
	account, region, rest, err := splitARN(in.MapRun, "mapRun", 2)
	if err != nil {
		return nil, err
	}
	after, err := pageStart(in.Token)
	if err != nil {
		return nil, err
	}
	if err := s.journal.flush(); err != nil {
		return nil, err
	}
	name, _, _ := strings.Cut(rest[0], "/")
	if _, err := s.mapRun(state.Prefix(account, region, name), in.MapRun); err != nil {
		return nil, err
	}
	out := &listExecutionsOutput{Executions: []executionItem{}}
	return out, s.store.View(func(tx state.Tx) error {
		return pageOfExecutions(tx, state.Prefix(account, region, rest[0]), in, after, out)
	})
}

// stopChild refuses what would otherwise do nothing.
func stopChild(e execution) error {
	if e.MapRun != "" && e.Status == runningStatus {
		return wire.NotImplemented("StopExecution of a map run's child execution")
	}
	return nil
}
