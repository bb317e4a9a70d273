package datagen

import (
	"context"
	"errors"
	"math"
	"reflect"
	"regexp"
	"testing"

	"engage/internal/schema"
)

// What was asked of the population. Tolerances are at least four standard errors
// of a sample of sampleRows, communities taken into account. Activity is counted
// over 30 days, of which those since the last login, 18 % on average, are empty.
func TestMarginals(t *testing.T) {
	s := theSample(t)
	tests := []struct {
		column                    schema.Name
		mean, within, sd, missing float64 // sd 0: not stated
	}{
		{schema.AccountType, 0.30, 0.012, 0, 0}, // share of premium
		{schema.Age, 32, 0.4, 9, 0},
		{schema.AvgDailyLogins, 3.7, 0.12, 3.25, 0},                     // log-normal: 3.5 exp(0.65²/2), less the empty days
		{schema.AvgSessionDurationMin, 16.8, 0.4, 11.1, 0},              // log-normal: 14 exp(0.6²/2)
		{schema.MatchSuccessRate, 2.0 / 7, 0.02, 0.16, 1 - datingShare}, // Beta(2, 5), then the premium plan
		{schema.NotificationClickRate, 0.2, 0.005, 0.137, 0},            // Beta(1.5, 6)
		{schema.NumEventsJoinedMonth, 1.73, 0.08, 2.14, 0},
		{schema.ProfileViewsReceivedWeek, 40, 1.5, 45.2, 0}, // sd² = 40 + 1600/0.8
		{schema.ContentPostsPerWeek, 3.38, 0.13, 4.1, 0},
		{schema.AvgReactionsPerPost, 23, 3, 0, 0.25},
		{schema.AvgJobCompletionRating, 4.25, 0.06, 0.46, 1 - earnerShare},
		{schema.TimeSinceFirstTransactionDays, 430, 90, 0, 1 - earnerShare},
		{schema.AvgSentimentScore, 0.194, 0.012, 0.27, 0.04},
		{schema.ResponseTimeAvgHours, 5.6, 0.3, 0, 0.06},
		{schema.Churn30Day, 0.225, 0.02, 0, 0},
	}
	for _, tt := range tests {
		mean, sd, missing := moments(numbers(s.customers, tt.column))
		near(t, string(tt.column)+" mean", mean, tt.mean, tt.within)
		if tt.sd > 0 {
			near(t, string(tt.column)+" sd", sd, tt.sd, 0.06*tt.sd)
		}
		near(t, string(tt.column)+" missing share", missing, tt.missing, 0.012)
	}
}

func TestCategoriesAndCycles(t *testing.T) {
	s := theSample(t)
	count := func(name schema.Name) map[string]int {
		counts := map[string]int{}
		for _, v := range s.customers.Column(name).Strings {
			counts[v]++
		}
		return counts
	}
	for _, c := range schema.Customers.Columns {
		if c.Categorical() {
			if got := len(count(c.Name)); got != len(c.Enum) {
				t.Errorf("%s takes %d values, want all %d", c.Name, got, len(c.Enum))
			}
		}
	}
	for category, n := range count(schema.ContentCategoryPrimary) {
		near(t, "share of "+category, float64(n)/sampleRows, 1.0/12, 0.02)
	}
	hours := make([]float64, 24)
	for _, h := range s.customers.Column(schema.PeakActivityHour).Ints {
		hours[h]++
	}
	if evening, morning := hours[19], hours[7]; evening < 3*morning {
		t.Errorf("peak hours: %g customers at 19 h and %g at 7 h, want a daily cycle", evening, morning)
	}
	if hours[12]+hours[13] < 1.5*(hours[15]+hours[14])/2 {
		t.Errorf("peak hours at midday %v, want a second peak", hours[11:16])
	}
}

// The correlations that the owner asked for, and those that make the data a
// population rather than independent columns.
func TestCorrelations(t *testing.T) {
	s := theSample(t)
	tests := []struct {
		a, b      schema.Name
		low, high float64
	}{
		{schema.AccountType, schema.EngagementScore, 0.25, 0.60},
		{schema.MatchSuccessRate, schema.AvgDailyLogins, 0.15, 0.50},
		{schema.AvgDailyLogins, schema.EngagementScore, 0.40, 0.80},
		{schema.AvgDailyLogins, schema.DaysSinceLastLogin, -0.50, -0.15},
		{schema.AvgReactionsPerPost, schema.AvgCommentsPerPost, 0.15, 0.60},
		{schema.TotalConnections, schema.NetworkCentrality, 0.50, 0.95},
		{schema.TotalConnections, schema.SocialInfluenceScore, 0.30, 0.80},
		{schema.DaysSinceLastLogin, schema.Churn30Day, 0.10, 0.50},
		{schema.AccountType, schema.LifetimeValueUSD, 0.30, 0.80},
		{schema.Age, schema.AccountType, 0.02, 0.30}, // a proxy: fairness has something to find
		{schema.DeviceType, schema.AccountType, 0.02, 0.30},
	}
	for _, tt := range tests {
		if r := correlation(numbers(s.customers, tt.a), numbers(s.customers, tt.b)); !(r > tt.low && r < tt.high) {
			t.Errorf("correlation of %s and %s = %.3f, want %g to %g", tt.a, tt.b, r, tt.low, tt.high)
		}
	}
}

// A row is the same whatever rows it is made with, by whomever.
func TestRowsDoNotDependOnTheirNeighbours(t *testing.T) {
	s := theSample(t)
	customers, truth, _ := s.population.Customers(100, 110)
	for k := range customers.Columns {
		whole, part := s.customers.Columns[k], customers.Columns[k]
		for i := range 10 {
			if whole.Present(100+i) != part.Present(i) ||
				part.Floats != nil && whole.Floats[100+i] != part.Floats[i] ||
				part.Strings != nil && whole.Strings[100+i] != part.Strings[i] ||
				part.Ints != nil && whole.Ints[100+i] != part.Ints[i] {
				t.Errorf("row %d of %s depends on the rows it is made with", 100+i, schema.Customers.Columns[k].Name)
			}
		}
	}
	for i, id := range truth.Column(schema.CustomerID).Strings {
		if id != s.customers.Column(schema.CustomerID).Strings[100+i] {
			t.Errorf("truth row %d is of %s", i, id)
		}
	}
}

func TestPopulationDependsOnTheSeedAlone(t *testing.T) {
	make := func(seed uint64, workers int) *Population {
		p, err := New(t.Context(), Config{Rows: 9000, Seed: seed, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	one, many, other := make(3, 1), make(3, 5), make(4, 1)
	if !reflect.DeepEqual(one.graph, many.graph) || !reflect.DeepEqual(one.centrality, many.centrality) {
		t.Error("the graph depends on the number of workers")
	}
	if reflect.DeepEqual(one.graph, other.graph) {
		t.Error("the graph does not depend on the seed")
	}
}

func TestEveryColumnHasOneFiller(t *testing.T) {
	if len(fillers) != len(schema.Customers.Columns) {
		t.Fatalf("%d fillers for %d columns", len(fillers), len(schema.Customers.Columns))
	}
	for i, f := range fillers {
		if want := schema.Customers.Columns[i].Name; f.name != want {
			t.Errorf("filler %d is of %s, want %s", i, f.name, want)
		}
	}
	if len(categoryPull) != len(schema.Categories) || actions != len(schema.NextActions) || len(states) != len(schema.States) {
		t.Error("the model's categories are not those of the schema")
	}
	if err := Truth.Validate(); err != nil {
		t.Error(err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, rows := range []int{math.MinInt, -1, 0, MaxRows + 1} {
		if _, err := New(t.Context(), Config{Rows: rows}); !errors.Is(err, ErrRows) {
			t.Errorf("%d rows: error %v, want ErrRows", rows, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(ctx, Config{Rows: 1000}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

// Invented people must not be real ones.
func TestPersonsAreInvented(t *testing.T) {
	b := theSample(t).population.Persons(0, 500)
	seen := map[string]bool{}
	for i := range b.Rows {
		name, email, phone := b.Column(schema.FullName).Strings[i], b.Column(schema.Email).Strings[i], b.Column(schema.Phone).Strings[i]
		if len(name) < 5 || seen[email] {
			t.Errorf("row %d: name %q, email %q: want a name and an email of its own", i, name, email)
		}
		seen[email] = true
		if !reserved.MatchString(email) {
			t.Errorf("email %q is not at a reserved domain", email)
		}
		if !fictional.MatchString(phone) {
			t.Errorf("phone %q is not a fictional number", phone)
		}
	}
	if len(seen) != 500 {
		t.Errorf("%d emails for 500 people", len(seen))
	}
}

var (
	reserved  = regexp.MustCompile(`^[a-z]+\.[a-z]+[0-9]+@example\.(com|net|org)$`)
	fictional = regexp.MustCompile(`^\+1-[2-9][0-9]{2}-555-01[0-9]{2}$`)
)
