package schema_test

import (
	"math"
	"testing"

	"engage/internal/schema"
)

func TestInfluenceTierBounds(t *testing.T) {
	cases := map[float64]string{0: "micro", 0.2499: "micro", 0.25: "mid", 0.4999: "mid", 0.5: "macro", math.Nextafter(0.75, 0): "macro", 0.75: "mega", 1: "mega"}
	for score, want := range cases {
		if got := schema.InfluenceTier(score); got != want {
			t.Errorf("%v: got %s, want %s", score, got, want)
		}
	}
}

func TestTimeOfDayCoversTheDay(t *testing.T) {
	want := []string{4: "night", 11: "morning", 16: "afternoon", 21: "evening", 23: "night"}
	from := 0
	for to, part := range want {
		if part == "" {
			continue
		}
		for hour := from; hour <= to; hour++ {
			if got := schema.TimeOfDay(hour); got != part {
				t.Errorf("%d h: got %s, want %s", hour, got, part)
			}
		}
		from = to + 1
	}
}

func TestWindowActivityIsOfTheCustomersAndMayBeNone(t *testing.T) {
	for _, name := range schema.WindowActivity {
		c, ok := schema.Customers.Column(name)
		if !ok || !c.Numeric() || c.Nullable || !c.Range.Contains(0) {
			t.Errorf("%s cannot be 0 for who did not log in", name)
		}
	}
	if schema.TrendWindowDays > schema.ActivityWindowDays || schema.MaxDailyMinutes > 24*60 {
		t.Error("the trend outlasts the activity, or a day its hours")
	}
}
