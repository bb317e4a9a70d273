// Package schedule computes when rate(), cron() and at() expressions fire. It
// is pure.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Schedule says when something happens.
type Schedule interface {
	// Next returns the first time after a time, the zero time when there is
	// none. The anchor is when the schedule was made, from which rates count;
	// the location is that of the clock on the wall.
	Next(after, anchor time.Time, in *time.Location) time.Time
}

// Parse reads an expression. The error says what is wrong with it.
func Parse(expression string) (Schedule, error) {
	kind, rest, ok := strings.Cut(expression, "(")
	body, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed {
		return nil, fmt.Errorf("the schedule %q is not rate(...), cron(...) or at(...)", expression)
	}
	switch kind {
	case "rate":
		return parseRate(body)
	case "cron":
		return parseCron(body)
	case "at":
		at, err := time.Parse("2006-01-02T15:04:05", body)
		if err != nil {
			return nil, fmt.Errorf("at(%s): the time is written yyyy-mm-ddThh:mm:ss", body)
		}
		return once(at), nil
	}
	return nil, fmt.Errorf("the schedule %q is not rate(...), cron(...) or at(...)", expression)
}

// once is the time of an at(), as the wall clock of its location shows it.
type once time.Time

// Next returns the time itself until it has passed.
func (o once) Next(after, _ time.Time, in *time.Location) time.Time {
	t := time.Time(o)
	at := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, in)
	if at.After(after) {
		return at
	}
	return time.Time{}
}

type rate time.Duration

var ratePattern = regexp.MustCompile(`^([1-9][0-9]{0,6}) (minute|hour|day)(s?)$`)

var units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// maxRate keeps sums of times from overflowing.
const maxRate = 100 * 365 * 24 * time.Hour

func parseRate(body string) (Schedule, error) {
	m := ratePattern.FindStringSubmatch(body)
	if m == nil {
		return nil, fmt.Errorf("rate(%s): a rate is a number above 0 and minute(s), hour(s) or day(s)", body)
	}
	n, _ := strconv.Atoi(m[1]) // the pattern has digits only
	if (n == 1) != (m[3] == "") {
		return nil, fmt.Errorf("rate(%s): the unit is singular for 1 and plural for more", body)
	}
	if time.Duration(n) > maxRate/units[m[2]] {
		return nil, fmt.Errorf("rate(%s): the rate is longer than 100 years", body)
	}
	return rate(time.Duration(n) * units[m[2]]), nil
}

// Next returns the next multiple of the rate since the anchor.
func (r rate) Next(after, anchor time.Time, _ *time.Location) time.Time {
	period := time.Duration(r)
	if after.Before(anchor) {
		return anchor.Add(period)
	}
	return anchor.Add((after.Sub(anchor)/period + 1) * period)
}
