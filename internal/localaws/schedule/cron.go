package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cron is a compiled cron(minutes hours day-of-month month day-of-week year).
type cron struct {
	minutes, hours, months, years []bool
	day                           func(time.Time) bool
}

const (
	firstYear = 1970
	lastYear  = 2199
)

var monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
var dayNames = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

func parseCron(body string) (Schedule, error) {
	f := strings.Fields(body)
	if len(f) != 6 {
		return nil, fmt.Errorf("cron(%s): there are %d fields, not 6: minutes hours day-of-month month day-of-week year", body, len(f))
	}
	if (f[2] == "?") == (f[4] == "?") {
		return nil, fmt.Errorf("cron(%s): one of day-of-month and day-of-week is ?, and not both", body)
	}
	var c cron
	var err error
	for _, part := range []struct {
		into      *[]bool
		text      string
		low, high int
		names     []string
	}{
		{&c.minutes, f[0], 0, 59, nil}, {&c.hours, f[1], 0, 23, nil},
		{&c.months, f[3], 1, 12, monthNames}, {&c.years, f[5], firstYear, lastYear, nil},
	} {
		if *part.into, err = parseField(part.text, part.low, part.high, part.names); err != nil {
			return nil, fmt.Errorf("cron(%s): %w", body, err)
		}
	}
	if f[4] == "?" {
		c.day, err = dayOfMonth(f[2])
	} else {
		c.day, err = dayOfWeek(f[4])
	}
	if err != nil {
		return nil, fmt.Errorf("cron(%s): %w", body, err)
	}
	return &c, nil
}

// parseField reads a list of values, ranges and steps. The set has the
// value v at v.
func parseField(text string, low, high int, names []string) ([]bool, error) {
	set := make([]bool, high+1)
	for _, item := range strings.Split(text, ",") {
		span, stepText, stepped := strings.Cut(item, "/")
		step := 1
		if stepped {
			n, err := strconv.Atoi(stepText)
			if err != nil || n < 1 || n > high {
				return nil, fmt.Errorf("the step %q is not between 1 and %d", stepText, high)
			}
			step = n
		}
		from, to, err := parseSpan(span, low, high, names)
		if err != nil {
			return nil, err
		}
		if stepped && from == to && span != "*" {
			to = high // 5/15 goes on to the end
		}
		for v := from; v <= to; v += step {
			set[v] = true
		}
	}
	return set, nil
}

func parseSpan(text string, low, high int, names []string) (from, to int, err error) {
	if text == "*" {
		return low, high, nil
	}
	first, last, ranged := strings.Cut(text, "-")
	if from, err = parseValue(first, low, high, names); err != nil || !ranged {
		return from, from, err
	}
	if to, err = parseValue(last, low, high, names); err == nil && to < from {
		err = fmt.Errorf("the range %s runs backwards", text)
	}
	return from, to, err
}

func parseValue(text string, low, high int, names []string) (int, error) {
	if i := slices.Index(names, strings.ToUpper(text)); i >= 0 {
		return i + low, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%q is not between %d and %d", text, low, high)
	}
	return n, nil
}

// daysIn returns how many days the month of t has.
func daysIn(t time.Time) int { return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() }

// dayOfMonth reads a list of days, L (the last), nW (the weekday nearest to
// the n-th) or LW (the last weekday).
func dayOfMonth(text string) (func(time.Time) bool, error) {
	if text == "L" {
		return func(t time.Time) bool { return t.Day() == daysIn(t) }, nil
	}
	if base, ok := strings.CutSuffix(text, "W"); ok {
		day := 0 // the last
		if base != "L" {
			var err error
			if day, err = parseValue(base, 1, 31, nil); err != nil {
				return nil, err
			}
		}
		return func(t time.Time) bool { return t.Day() == nearestWeekday(t, day) }, nil
	}
	set, err := parseField(text, 1, 31, nil)
	return func(t time.Time) bool { return set[t.Day()] }, err
}

// nearestWeekday returns the day of t's month that is nearest to a day, the
// last one for 0, and a weekday. It does not leave the month; a month without
// that day has none.
func nearestWeekday(t time.Time, day int) int {
	last := daysIn(t)
	if day == 0 {
		day = last
	}
	if day > last {
		return 0
	}
	switch time.Date(t.Year(), t.Month(), day, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == last {
			return day - 2
		}
		return day + 1
	}
	return day
}

// dayOfWeek reads a list of days (1 is Sunday), L (Saturday), nL (the last of
// the month) or n#k (the k-th of the month).
func dayOfWeek(text string) (func(time.Time) bool, error) {
	if text == "L" {
		text = "7"
	}
	if base, ok := strings.CutSuffix(text, "L"); ok {
		day, err := parseValue(base, 1, 7, dayNames)
		return func(t time.Time) bool { return int(t.Weekday())+1 == day && t.Day() > daysIn(t)-7 }, err
	}
	if base, ordinal, ok := strings.Cut(text, "#"); ok {
		day, err := parseValue(base, 1, 7, dayNames)
		if err != nil {
			return nil, err
		}
		k, err := parseValue(ordinal, 1, 5, nil)
		return func(t time.Time) bool { return int(t.Weekday())+1 == day && (t.Day()-1)/7+1 == k }, err
	}
	set, err := parseField(text, 1, 7, dayNames)
	return func(t time.Time) bool { return set[int(t.Weekday())+1] }, err
}

// Next walks over the days of the wall clock. A time that a change of the
// clocks leaves out is skipped; one that it repeats counts once.
func (c *cron) Next(after, _ time.Time, in *time.Location) time.Time {
	local := after.In(in)
	// Noon exists on every day, whatever the clocks do at night.
	day := time.Date(max(local.Year(), firstYear), local.Month(), local.Day(), 12, 0, 0, 0, time.UTC)
	for day.Year() <= lastYear {
		switch {
		case !c.years[day.Year()]:
			day = time.Date(day.Year()+1, 1, 1, 12, 0, 0, 0, time.UTC)
		case !c.months[day.Month()]:
			day = time.Date(day.Year(), day.Month()+1, 1, 12, 0, 0, 0, time.UTC)
		default:
			if c.day(day) {
				if at := c.on(day, after, in); !at.IsZero() {
					return at
				}
			}
			day = day.AddDate(0, 0, 1)
		}
	}
	return time.Time{}
}

// on returns the first time of a day that is after a time.
func (c *cron) on(day, after time.Time, in *time.Location) time.Time {
	for h, hour := range c.hours {
		for m, minute := range c.minutes {
			if !hour || !minute {
				continue
			}
			at := earlier(time.Date(day.Year(), day.Month(), day.Day(), h, m, 0, 0, in))
			if at.Hour() == h && at.Minute() == m && at.After(after) {
				return at
			}
		}
	}
	return time.Time{}
}

// earlier returns the first of the two times that a wall clock shows alike
// when it is put back.
func earlier(at time.Time) time.Time {
	_, offset := at.Zone()
	_, before := at.Add(-3 * time.Hour).Zone() // no clock is put back by more
	first := at.Add(time.Duration(offset-before) * time.Second)
	if before > offset && first.Hour() == at.Hour() && first.Minute() == at.Minute() {
		return first
	}
	return at
}
