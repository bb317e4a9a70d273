package ecs

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// alive is when tasks were last known to run. A killed endpoint leaves it
// behind, so that the tasks that ended with it are billed until then.
var alive = state.NewCollection[time.Time]("ecs/alive")

const (
	aliveKey      = "tasks"
	aliveInterval = time.Second
)

// noteAlive writes down that tasks run, once a second while some do, until the
// service closes.
func (s *Service) noteAlive() {
	ticker := time.NewTicker(aliveInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-s.ctx.Done():
			return
		}
		s.mu.Lock()
		running := len(s.live) > 0
		s.mu.Unlock()
		if running {
			_ = s.store.Batch(func(tx state.Tx) error { return alive.Put(tx, aliveKey, s.cfg.Clock.Now()) }) // it is tried again in a second
		}
	}
}

// lastKnown is when a task that a crash ended was last known to run: not
// before it began, and not after now.
func lastKnown(tx state.Tx, r *record, now time.Time) time.Time {
	at, err := alive.Get(tx, aliveKey)
	if err != nil || at.Before(r.PullStartedAt.Time) {
		at = r.PullStartedAt.Time
	}
	if at.After(now) {
		at = now
	}
	return at
}

// bill is what a task is billed by.
type bill struct {
	record   record
	end      time.Time
	platform *runtimePlatform
}

// meter counts what a task used, from the begin of the pull to the end.
// Fargate bills seconds, one minute at least: what the minimum adds is a
// quantity of its own. https://aws.amazon.com/fargate/pricing/
func (s *Service) meter(ctx context.Context, b bill) {
	r := b.record
	if r.PullStartedAt.IsZero() {
		return // it never got as far as costing something
	}
	seconds := max(b.end.Sub(r.PullStartedAt.Time), 0).Seconds()
	missing := max(time.Minute.Seconds()-seconds, 0)
	cpu, _ := strconv.ParseFloat(r.CPU, 64) // checked when the task was made
	memory, _ := strconv.ParseFloat(r.Memory, 64)
	prefix := ""
	if p := b.platform; p != nil && p.CPUArchitecture == "ARM64" {
		prefix = "ARM-"
	}
	if r.CapacityProviderName == "FARGATE_SPOT" {
		prefix += "Spot-"
	}
	add := func(usage string, amount float64) {
		s.cfg.Meter.Add(ctx, wire.Quantity{Service: "ecs", Usage: prefix + usage, Resource: r.family() + "/" + r.ID(), RunID: r.RunID, Amount: amount})
	}
	add("vCPU-Seconds", cpu/1024*seconds)
	add("GB-Seconds", memory/1024*seconds)
	if missing > 0 {
		add("vCPU-Seconds-Minimum", cpu/1024*missing)
		add("GB-Seconds-Minimum", memory/1024*missing)
	}
	if e := r.EphemeralStorage; e != nil && e.SizeInGiB > 20 {
		add("EphemeralStorage-GB-Seconds", float64(e.SizeInGiB-20)*max(seconds, time.Minute.Seconds()))
	}
}

// definitionName is the family and revision of a task's definition.
func (r *record) definitionName() string {
	_, name, _ := strings.Cut(r.TaskDefinitionArn, ":task-definition/")
	return cmp.Or(name, r.TaskDefinitionArn)
}

func (r *record) family() string {
	family, _, _ := strings.Cut(r.definitionName(), ":")
	return family
}
