package dataset_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"engage/internal/csvfile"
	"engage/internal/dataset"
	"engage/internal/frame"
	"engage/internal/parquetfile"
	"engage/internal/schema"
)

// truth stands for the generator's table of expected values.
var truth = &schema.Table{Name: "truth", Description: "Expected values.", Columns: []schema.Column{
	schema.Customers.Columns[0],
	{Name: "expected", Type: schema.Double, Unit: "score", Decimals: 6, Role: schema.Derived},
	{Name: "chance", Type: schema.Double, Unit: "probability", Decimals: 6, Role: schema.Derived},
	{Name: "effect", Type: schema.Double, Unit: "probability", Range: &schema.Range{Min: -1, Max: 1}, Decimals: 6, Role: schema.Derived},
}}

// world is a small population in which no rule is broken.
type world struct{ customers, personal, connections, truth *frame.Batch }

func id(i int) string { return fmt.Sprintf("CUST_%08d", i) }

// newWorld makes n customers, each connected to the next two on a ring.
func newWorld(n int) world {
	w := world{frame.New(&schema.Customers, n), frame.New(&schema.Persons, n), frame.New(&schema.Connections, 2*n-3), frame.New(truth, n)}
	rng := rand.New(rand.NewPCG(9, 1))
	for i := range schema.Customers.Columns {
		plausible(rng, &schema.Customers.Columns[i], &w.customers.Columns[i], n)
	}
	for i := range n {
		w.personal.Columns[0].Strings[i] = id(i + 1)
		w.personal.Columns[1].Strings[i] = "Ada Lovelace"
		w.personal.Columns[2].Strings[i] = fmt.Sprintf("ada%d@example.org", i)
		w.personal.Columns[3].Strings[i] = "555-010-0000"
		w.truth.Columns[0].Strings[i] = id(i + 1)
		w.truth.Columns[1].Floats[i], w.truth.Columns[2].Floats[i], w.truth.Columns[3].Floats[i] = 0.25, 0.5, -0.125
		w.relate(i, n)
	}
	degrees := w.customers.Column(schema.TotalConnections).Ints
	clear(degrees)
	row := 0
	for i := range n {
		for _, j := range []int{i + 1, i + 2} {
			if j < n {
				w.connections.Columns[0].Strings[row], w.connections.Columns[1].Strings[row] = id(i+1), id(j+1)
				degrees[i]++
				degrees[j]++
				row++
			}
		}
	}
	fresh := w.customers.Column(schema.NumNewConnectionsMonth).Ints
	for i := range n {
		fresh[i] = min(fresh[i], degrees[i])
	}
	return w
}

func plausible(rng *rand.Rand, c *schema.Column, col *frame.Column, n int) {
	for row := range n {
		switch {
		case c.Name == schema.CustomerID:
			col.Strings[row] = id(row + 1)
		case c.Type == schema.String:
			col.Strings[row] = c.Enum[rng.IntN(len(c.Enum))]
		case c.Type == schema.Double:
			p := math.Pow(10, float64(c.Decimals))
			col.Floats[row] = math.Floor((c.Range.Min+rng.Float64()*(c.Range.Max-c.Range.Min))*p) / p
		case c.Type == schema.Int:
			col.Ints[row] = int64(c.Range.Min) + rng.Int64N(int64(c.Range.Max-c.Range.Min)+1)
		case c.Type == schema.Boolean:
			col.Bools[row] = rng.IntN(2) == 0
		}
	}
}

// relate makes row i satisfy the rules that relate columns.
func (w world) relate(i, n int) {
	c := w.customers
	c.Column(schema.SocialInfluenceTier).Strings[i] = schema.InfluenceTier(c.Column(schema.SocialInfluenceScore).Floats[i])
	c.Column(schema.TimeOfDayActive).Strings[i] = schema.TimeOfDay(int(c.Column(schema.PeakActivityHour).Ints[i]))
	used := c.Column(schema.PremiumFeaturesUsedCount).Ints
	used[i] = max(used[i], 1)
	if c.Column(schema.AccountType).Strings[i] == "free" {
		c.Column(schema.PremiumFeatureUsageRate).Floats[i], used[i] = 0, 0
	}
	logins, minutes := c.Column(schema.AvgDailyLogins).Floats, c.Column(schema.AvgSessionDurationMin).Floats
	minutes[i] = min(minutes[i], math.Floor(schema.MaxDailyMinutes/max(logins[i], 1)))
	posts, messages := c.Column(schema.ContentPostsPerWeek).Ints, c.Column(schema.NumMessagesSentPerDay).Floats
	if i%4 == 0 {
		posts[i] = 0
	}
	w.absent(i)
	null := func(when bool, names ...schema.Name) {
		for _, name := range names {
			if when {
				c.Column(name).SetNull(i, n)
			}
		}
	}
	null(posts[i] == 0, schema.AvgReactionsPerPost, schema.AvgCommentsPerPost, schema.ContentViralityScore)
	null(messages[i] == 0, schema.ResponseTimeAvgHours)
	null(posts[i] == 0 && messages[i] == 0, schema.AvgSentimentScore)
	null(i%5 == 0, schema.MatchSuccessRate, schema.SwipeLikeRatio, schema.TimeSinceFirstTransactionDays, schema.AvgJobCompletionRating)
	if i%5 == 0 {
		c.Column(schema.TransactionRevenueMonth).Floats[i] = 0
	}
	first := c.Column(schema.TimeSinceFirstTransactionDays).Ints
	first[i] = min(first[i], (c.Column(schema.Age).Ints[i]-schema.WorkingAge)*schema.DaysPerYear)
}

// absent gives some customers a last login that is long ago, all others a fresh one.
func (w world) absent(i int) {
	c := w.customers
	days := c.Column(schema.DaysSinceLastLogin).Ints
	days[i] = int64(i % 7)
	if i%8 != 0 {
		return
	}
	days[i] = schema.ActivityWindowDays
	c.Column(schema.Last7DayEngagementTrend).Floats[i] = 0
	for _, name := range schema.WindowActivity {
		if col := c.Column(name); col.Ints != nil {
			col.Ints[i] = 0
		} else {
			col.Floats[i] = 0
		}
	}
}

// store writes the world into a new data set and returns its directory.
func (w world) store(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "set")
	s, err := dataset.Create(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Abort()
	w.stage(t, s)
	if err := s.Commit(w.manifest()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// storeIn is store in one format.
func (w world) storeIn(t testing.TB, format string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "set")
	s, err := dataset.Create(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	w.commit(t, s, format)
	return dir
}

// commit stages and commits the world in one format.
func (w world) commit(t testing.TB, s *dataset.Staging, format string) {
	t.Helper()
	defer s.Abort()
	w.stage(t, s, format)
	m := w.manifest()
	m.Formats = []string{format}
	if err := s.Commit(m); err != nil {
		t.Fatal(err)
	}
}

func (w world) manifest() dataset.Manifest {
	return dataset.Manifest{
		Generator: "test 1.0", Seed: 7, Rows: int64(w.customers.Rows), Edges: int64(w.connections.Rows), Formats: []string{"csv", "parquet"},
		Schema:   fingerprints(),
		Ceilings: map[string][]dataset.Ceiling{"engagement_score": {{Metric: "r2", Value: 0.85, StandardError: 0.002, HigherIsBetter: true}}},
		Graph:    dataset.Graph{Nodes: int64(w.customers.Rows), Edges: int64(w.connections.Rows)}, Parameters: []byte(`{"b":1,"a":[2,3]}`),
	}
}

func fingerprints() map[string]string {
	out := map[string]string{"truth": schema.Fingerprint(truth)}
	for _, t := range schema.Tables {
		out[t.Name] = schema.Fingerprint(t)
	}
	return out
}

// stage writes the tables in both formats, or in those given.
func (w world) stage(t testing.TB, s *dataset.Staging, formats ...string) {
	t.Helper()
	if formats == nil {
		formats = []string{"csv", "parquet"}
	}
	for stem, b := range map[string]*frame.Batch{"customers": w.customers, "personal": w.personal, "connections": w.connections, "truth": w.truth} {
		in := formats
		if stem == "truth" {
			in = []string{"parquet"}
		}
		for _, format := range in {
			f, err := s.File(stem + "." + format)
			if err != nil {
				t.Fatal(err)
			}
			var e frame.Encoder = csvfile.NewWriter(f, b.Table)
			if format == "parquet" {
				e = parquetfile.NewWriter(f, b.Table)
			}
			block, err := e.Encode(b)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Append(block); err != nil {
				t.Fatal(err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
