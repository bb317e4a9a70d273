package dataset

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"engage/internal/frame"
	"engage/internal/schema"
)

// topCategories is the number of categories that a summary lists.
const topCategories = 10

// Summary describes the values of one column.
type Summary struct {
	Column     schema.Name `json:"column"`
	Display    string      `json:"display"`
	Unit       string      `json:"unit,omitempty"`
	Count      int64       `json:"count"` // values that are there
	Missing    int64       `json:"missing"`
	Numbers    *Numbers    `json:"numbers,omitempty"`    // numeric columns with a finite value
	Share      *float64    `json:"share,omitempty"`      // flags: true ones among the values that are there
	Categories []Category  `json:"categories,omitempty"` // the most frequent, most frequent first
}

// Numbers summarises numbers; NaN and infinities are left out. Quartiles have
// a relative error of at most 1/256, and none for whole numbers under 256.
type Numbers struct {
	Mean         float64 `json:"mean"`
	SD           float64 `json:"sd"` // of the sample, n-1
	Min          float64 `json:"min"`
	LowerQuarter float64 `json:"lower_quarter"`
	Median       float64 `json:"median"`
	UpperQuarter float64 `json:"upper_quarter"`
	Max          float64 `json:"max"`
}

// Category counts one value of a categorical column.
type Category struct {
	Value string  `json:"value"`
	Count int64   `json:"count"`
	Share float64 `json:"share"` // of the values that are there
}

// summarizer gathers one column's summary in memory that does not depend on
// the number of rows.
type summarizer struct {
	column     *schema.Column
	count      int64
	missing    int64
	yes        int64 // flags that are true
	numbers    int64
	mean, m2   float64 // Welford's running mean and sum of squares
	min, max   float64
	buckets    map[int64]int64
	categories map[string]int64
}

func newSummarizer(c *schema.Column) *summarizer {
	return &summarizer{column: c, min: math.Inf(1), max: math.Inf(-1), buckets: map[int64]int64{}, categories: map[string]int64{}}
}

func (s *summarizer) batch(c *frame.Column, rows int) {
	for i := range rows {
		if !c.Present(i) {
			s.missing++
			continue
		}
		s.count++
		switch {
		case c.Floats != nil:
			s.number(c.Floats[i])
		case c.Ints != nil:
			s.number(float64(c.Ints[i]))
		case c.Bools != nil:
			if c.Bools[i] {
				s.yes++
			}
		case s.column.Categorical():
			s.category(c.Strings[i])
		}
	}
}

// category counts a value of the schema's list; what is not on it counts
// together, so that damaged data does not fill the memory.
func (s *summarizer) category(v string) {
	if !slices.Contains(s.column.Enum, v) {
		v = "(other)"
	}
	s.categories[v]++
}

func (s *summarizer) number(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	s.numbers++
	delta := v - s.mean
	s.mean += delta / float64(s.numbers)
	s.m2 += delta * (v - s.mean)
	s.min, s.max = min(s.min, v), max(s.max, v)
	s.buckets[bucket(v)]++
}

// bucketShift leaves sign, exponent and seven bits of a double's mantissa: a
// bucket is at most 1/128 of its values wide.
const bucketShift = 52 - 7

// bucket numbers the buckets in the order of their values.
func bucket(v float64) int64 {
	b := int64(math.Float64bits(math.Abs(v)) >> bucketShift)
	if v < 0 {
		return -b - 1
	}
	return b
}

// center is the value that stands for a bucket: its lower edge for whole
// numbers, which is exact under 256, and its middle otherwise.
func (s *summarizer) center(b int64) float64 {
	sign := 1.0
	if b < 0 {
		sign, b = -1, -b-1
	}
	lower := math.Float64frombits(uint64(b) << bucketShift)
	if b == 0 || s.column.Type != schema.Double && lower < 256 {
		return sign * lower
	}
	return sign * (lower + math.Float64frombits(uint64(b+1)<<bucketShift)) / 2
}

// quantile is the value below which a share q of the numbers lies.
func (s *summarizer) quantile(q float64) float64 {
	rank, seen := int64(math.Ceil(q*float64(s.numbers))), int64(0)
	for _, b := range slices.Sorted(maps.Keys(s.buckets)) {
		if seen += s.buckets[b]; seen >= rank {
			return min(max(s.center(b), s.min), s.max)
		}
	}
	return s.max
}

func (s *summarizer) summary() Summary {
	out := Summary{Column: s.column.Name, Display: s.column.Display, Unit: s.column.Unit, Count: s.count, Missing: s.missing}
	if s.numbers > 0 {
		out.Numbers = &Numbers{Mean: s.mean, Min: s.min, Max: s.max,
			LowerQuarter: s.quantile(0.25), Median: s.quantile(0.5), UpperQuarter: s.quantile(0.75)}
		if s.numbers > 1 {
			out.Numbers.SD = math.Sqrt(s.m2 / float64(s.numbers-1))
		}
	}
	if s.column.Type == schema.Boolean && s.count > 0 {
		share := float64(s.yes) / float64(s.count)
		out.Share = &share
	}
	for value, n := range s.categories {
		out.Categories = append(out.Categories, Category{Value: value, Count: n, Share: float64(n) / float64(s.count)})
	}
	slices.SortFunc(out.Categories, func(a, b Category) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	out.Categories = out.Categories[:min(topCategories, len(out.Categories))]
	return out
}
