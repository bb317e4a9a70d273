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

// world is a small population in which no rule is broken.
type world struct{ customers, personal, connections *frame.Batch }

func id(i int) string { return fmt.Sprintf("CUST_%08d", i) }

// newWorld makes n customers, each connected to the next two on a ring.
func newWorld(n int) world {
	w := world{frame.New(&schema.Customers, n), frame.New(&schema.Persons, n), frame.New(&schema.Connections, 2*n-3)}
	rng := rand.New(rand.NewPCG(9, 1))
	for i := range schema.Customers.Columns {
		plausible(rng, &schema.Customers.Columns[i], &w.customers.Columns[i], n)
	}
	for i := range n {
		w.personal.Columns[0].Strings[i] = id(i + 1)
		w.personal.Columns[1].Strings[i] = "Ada Lovelace"
		w.personal.Columns[2].Strings[i] = fmt.Sprintf("ada%d@example.org", i)
		w.personal.Columns[3].Strings[i] = "555-010-0000"
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
	if c.Column(schema.AccountType).Strings[i] == "free" {
		c.Column(schema.PremiumFeatureUsageRate).Floats[i] = 0
		c.Column(schema.PremiumFeaturesUsedCount).Ints[i] = 0
	}
	posts := c.Column(schema.ContentPostsPerWeek).Ints
	if i%4 == 0 {
		posts[i] = 0
	}
	if posts[i] == 0 {
		for _, name := range []schema.Name{schema.AvgReactionsPerPost, schema.AvgCommentsPerPost, schema.ContentViralityScore} {
			c.Column(name).SetNull(i, n)
		}
	}
	if i%5 == 0 {
		c.Column(schema.MatchSuccessRate).SetNull(i, n)
		c.Column(schema.SwipeLikeRatio).SetNull(i, n)
		c.Column(schema.TimeSinceFirstTransactionDays).SetNull(i, n)
		c.Column(schema.AvgJobCompletionRating).SetNull(i, n)
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

func (w world) manifest() dataset.Manifest {
	return dataset.Manifest{
		Generator: "test 1.0", Seed: 7, Rows: int64(w.customers.Rows), Edges: int64(w.connections.Rows), Formats: []string{"csv", "parquet"},
		Schema:   map[string]string{"customers": schema.Fingerprint(&schema.Customers)},
		Ceilings: map[string][]dataset.Ceiling{"engagement_score": {{Metric: "r2", Value: 0.85, StandardError: 0.002, HigherIsBetter: true, Draws: 1000}}},
		Graph:    dataset.Graph{Nodes: int64(w.customers.Rows), Edges: int64(w.connections.Rows)}, Parameters: []byte(`{"b":1,"a":[2,3]}`),
	}
}

func (w world) stage(t testing.TB, s *dataset.Staging) {
	t.Helper()
	for stem, b := range map[string]*frame.Batch{"customers": w.customers, "personal": w.personal, "connections": w.connections} {
		for _, format := range []string{"csv", "parquet"} {
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
