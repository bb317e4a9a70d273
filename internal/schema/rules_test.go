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
