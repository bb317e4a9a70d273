package scheduler

import (
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // the machine may have no zones

	"engage/internal/localaws/schedule"
	"engage/internal/localaws/wire"
)

// anyUnit lets the unit of a rate be singular or plural: unlike a rule's, a
// schedule's rate(2 minute) is taken, as recorded on AWS.
var anyUnit = regexp.MustCompile(`^rate\(([1-9][0-9]*) (minute|hour|day)s?\)$`)

func parse(expression string) (schedule.Schedule, error) {
	text := expression
	if m := anyUnit.FindStringSubmatch(expression); m != nil {
		text = "rate(" + m[1] + " " + m[2] + "s)"
		if m[1] == "1" {
			text = "rate(1 " + m[2] + ")"
		}
	}
	parsed, err := schedule.Parse(text)
	if err != nil {
		return nil, wire.ValidationException("Invalid Schedule Expression %s.", expression)
	}
	return parsed, nil
}

// once reports whether the schedule has one invocation.
func (p plan) once() bool { return strings.HasPrefix(p.Expression, "at(") }

// location is that of the schedule's clock on the wall.
func location(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		name = "UTC"
	}
	in, err := time.LoadLocation(name)
	if err != nil {
		return nil, wire.ValidationException("Invalid ScheduleExpressionTimezone %s.", name)
	}
	return in, nil
}

// due returns for when the first invocation after a time is planned, the zero
// time for never. A start and an end bound schedules that recur, not at().
func (p plan) due(after time.Time) (time.Time, error) {
	if p.State == "DISABLED" {
		return time.Time{}, nil
	}
	parsed, err := parse(p.Expression)
	if err != nil {
		return time.Time{}, err
	}
	in, err := location(p.Timezone)
	if err != nil {
		return time.Time{}, err
	}
	if p.once() {
		return parsed.Next(after, p.Anchor, in), nil
	}
	anchor := p.Anchor
	if p.Start != nil {
		anchor = *p.Start
		if after.Before(anchor) && strings.HasPrefix(p.Expression, "rate(") {
			return p.bounded(anchor), nil // the first period begins with an invocation
		}
		if after.Before(anchor) {
			after = anchor.Add(-1)
		}
	}
	return p.bounded(parsed.Next(after, anchor, in)), nil
}

func (p plan) bounded(at time.Time) time.Time {
	if p.End != nil && at.After(*p.End) {
		return time.Time{}
	}
	return at
}

// arm sets the schedule's next invocation after a time.
func (s *Service) arm(p *plan, after time.Time) (err error) {
	if p.At, err = p.due(after); err != nil || p.At.IsZero() {
		p.Fire = time.Time{}
		return err
	}
	spread, err := s.within(p.Window)
	p.Fire = p.At.Add(spread)
	return err
}

// within returns a time in the flexible window, each second as likely as the others.
func (s *Service) within(w window) (time.Duration, error) {
	if w.Mode != "FLEXIBLE" || w.Minutes == nil {
		return 0, nil
	}
	var raw [8]byte
	if _, err := io.ReadFull(s.cfg.Random, raw[:]); err != nil {
		return 0, fmt.Errorf("place an invocation in its window: %w", err)
	}
	seconds := uint64(*w.Minutes) * 60
	return time.Duration(binary.BigEndian.Uint64(raw[:])%seconds) * time.Second, nil
}
