package csvfile

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// reference is strconv's text, a negative zero made positive.
func reference(v float64, d int) string {
	s := strconv.FormatFloat(v, 'f', d, 64)
	if strings.HasPrefix(s, "-") && strings.Trim(s, "-0.") == "" {
		return s[1:]
	}
	return s
}

func checkDouble(t *testing.T, v float64, d int) {
	t.Helper()
	if got, want := string(appendDouble(nil, v, d)), reference(v, d); got != want {
		t.Fatalf("%b with %d decimals: got %s, want %s", v, d, got, want)
	}
}

func TestDoublesAreRoundedLikeStrconv(t *testing.T) {
	special := []float64{0, math.Copysign(0, -1), 0.5, 1.5, 2.5, 0.125, 0.375, 1.005, -1.005, 0.045, 0.285, 9.995, 99.995,
		-0.001, 1e-300, 5e-324, 1 << 51, 1<<51 - 0.5, 1 << 53, 1e22, math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN()}
	rng := rand.New(rand.NewPCG(3, 4))
	for d := range 15 {
		for _, v := range special {
			checkDouble(t, v, d)
		}
		for range 20_000 {
			checkDouble(t, (rng.Float64()-0.5)*math.Pow(10, float64(rng.IntN(18)-3)), d)
			// Near ties: a decimal that ends in 5, and its neighbours.
			tie := (float64(rng.IntN(1_000_000)) + 0.5) / math.Pow(10, float64(d))
			checkDouble(t, tie, d)
			checkDouble(t, math.Nextafter(tie, 0), d)
			checkDouble(t, math.Nextafter(tie, 9e9), d)
			// Exact ties: odd multiples of a power of two.
			checkDouble(t, float64(rng.IntN(1<<20))/float64(int(1)<<rng.IntN(12)), d)
		}
	}
}

func FuzzDouble(f *testing.F) {
	f.Add(uint64(0x3ff0147ae147ae14), uint8(2))
	f.Add(uint64(0xbfe0000000000000), uint8(0))
	f.Fuzz(func(t *testing.T, bits uint64, d uint8) {
		checkDouble(t, math.Float64frombits(bits), int(d%20))
	})
}

func BenchmarkDouble(b *testing.B) {
	values := make([]float64, 1024)
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range values {
		values[i] = rng.Float64() * 100
	}
	dst := make([]byte, 0, 64)
	for i := range b.N {
		dst = appendDouble(dst[:0], values[i%len(values)], 4)
	}
}
