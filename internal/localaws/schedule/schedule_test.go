package schedule_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"engage/internal/localaws/schedule"
)

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestNext(t *testing.T) {
	for _, c := range []struct{ expression, zone, after, want string }{
		{"cron(0 10 * * ? *)", "UTC", "2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z 2026-01-03T10:00:00Z"},
		{"cron(0/15 * * * ? *)", "UTC", "2026-01-01T10:07:30Z", "2026-01-01T10:15:00Z 2026-01-01T10:30:00Z"},
		{"cron(5,35 8-9 ? * MON-FRI *)", "UTC", "2026-01-02T09:35:00Z", "2026-01-05T08:05:00Z 2026-01-05T08:35:00Z"},
		{"cron(0 0 L * ? *)", "UTC", "2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z 2026-03-31T00:00:00Z"},
		{"cron(0 0 29 2 ? *)", "UTC", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z"},
		{"cron(0 0 1W * ? *)", "UTC", "2026-07-15T00:00:00Z", "2026-08-03T00:00:00Z 2026-09-01T00:00:00Z"}, // 1 August 2026 is a Saturday
		{"cron(0 0 LW * ? *)", "UTC", "2026-05-01T00:00:00Z", "2026-05-29T00:00:00Z 2026-06-30T00:00:00Z"}, // 31 May 2026 is a Sunday
		{"cron(0 0 15W * ? *)", "UTC", "2026-08-01T00:00:00Z", "2026-08-14T00:00:00Z 2026-09-15T00:00:00Z"},
		{"cron(0 0 31W * ? *)", "UTC", "2026-02-01T00:00:00Z", "2026-03-31T00:00:00Z 2026-05-29T00:00:00Z"},
		{"cron(0 0 ? * 3#2 *)", "UTC", "2026-01-01T00:00:00Z", "2026-01-13T00:00:00Z 2026-02-10T00:00:00Z"},
		{"cron(0 0 ? * 6L *)", "UTC", "2026-01-01T00:00:00Z", "2026-01-30T00:00:00Z 2026-02-27T00:00:00Z"},
		{"cron(0 0 ? * L *)", "UTC", "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z 2026-01-10T00:00:00Z"},
		{"cron(0 0 1 1 ? 2026)", "UTC", "2026-01-01T00:00:00Z", "never never"},
		{"cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z 2026-03-31T00:30:00Z"}, // 29 March has no 02:30
		{"cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z"}, // 25 October has it twice
		{"cron(0 9 * * ? *)", "America/New_York", "2026-03-07T20:00:00Z", "2026-03-08T13:00:00Z 2026-03-09T13:00:00Z"},
		{"cron(0 0 * * ? *)", "America/Santiago", "2026-09-05T12:00:00Z", "2026-09-07T03:00:00Z 2026-09-08T03:00:00Z"}, // no midnight on 6 September
		{"rate(5 minutes)", "UTC", "2026-01-01T00:07:00Z", "2026-01-01T00:10:00Z 2026-01-01T00:15:00Z"},
		{"rate(1 day)", "UTC", "2025-12-01T00:00:00Z", "2026-01-02T00:00:00Z 2026-01-03T00:00:00Z"}, // before it was made
		{"at(2026-03-01T09:00:00)", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-03-01T08:00:00Z never"},
	} {
		s, err := schedule.Parse(c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		at, _ := time.Parse(time.RFC3339, c.after)
		var got []string
		for range 2 {
			at = s.Next(at, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), location(t, c.zone))
			if at.IsZero() {
				got = append(got, "never")
				continue
			}
			got = append(got, at.UTC().Format(time.RFC3339))
			if len(got) == 2 {
				break
			}
		}
		if strings.Join(got, " ") != c.want && c.want != "never never" || len(got) > 0 && c.want == "never never" && got[0] != "never" {
			t.Errorf("%s in %s: got %v, want %s", c.expression, c.zone, got, c.want)
		}
	}
}

func TestBadExpressions(t *testing.T) {
	for expression, want := range map[string]string{
		"": "is not rate", "cron(0 10 * * ?)": "5 fields", "cron(0 10 * * * *)": "one of", "cron(0 10 ? * ? *)": "one of",
		"cron(60 0 * * ? *)": "between 0 and 59", "cron(0 0 0 * ? *)": "between 1 and 31", "cron(0 0 ? * 2#6 *)": "between 1 and 5",
		"cron(0 0 ? * FUN *)": "between 1 and 7", "cron(5-1 0 * * ? *)": "backwards", "cron(0/0 0 * * ? *)": "the step",
		"rate(0 minutes)": "above 0", "rate(1 minutes)": "singular", "rate(5 minute)": "plural", "rate(5 seconds)": "above 0",
		"rate(9999999 days)": "100 years", "at(2026-01-01)": "yyyy", "every(1 day)": "is not rate",
	} {
		if _, err := schedule.Parse(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", expression, err, want)
		}
	}
}

func FuzzNextIsLater(f *testing.F) {
	for _, e := range []string{"cron(0/5 8-17 ? * MON-FRI *)", "cron(0 0 LW 2 ? 2026-2030)", "cron(1 1 ? * 3#5 2199)", "rate(3 hours)", "at(2030-01-01T00:00:00)"} {
		f.Add(e, int64(1_767_225_600))
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, expression string, unix int64) {
		after := time.Unix(unix%7_000_000_000, 0)
		if s, err := schedule.Parse(expression); err == nil {
			for range 3 {
				next := s.Next(after, time.Unix(0, 0), berlin)
				if next.IsZero() {
					return
				}
				if !next.After(after) {
					t.Fatalf("%s: %v is not after %v", expression, next, after)
				}
				after = next
			}
		}
	})
}
