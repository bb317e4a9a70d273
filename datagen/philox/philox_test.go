package philox_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"engage/datagen/philox"
)

// The known answers are those of the Random123 distribution, file kat_vectors, philox4x32 10.
func TestBlockKnownAnswers(t *testing.T) {
	tests := []struct {
		key     [2]uint32
		counter [4]uint32
		want    [4]uint32
	}{
		{[2]uint32{}, [4]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{
			[2]uint32{math.MaxUint32, math.MaxUint32},
			[4]uint32{math.MaxUint32, math.MaxUint32, math.MaxUint32, math.MaxUint32},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		},
		{
			[2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	}
	for _, tt := range tests {
		if got := philox.Block(tt.key, tt.counter); got != tt.want {
			t.Errorf("Block(%x, %x) = %x, want %x", tt.key, tt.counter, got, tt.want)
		}
	}
}

func TestSourcesOfOnePlaceAgreeAndOthersDiffer(t *testing.T) {
	first := func(s philox.Source) uint64 { return s.Uint64() }
	base := first(philox.New(7, 3, 11))
	if again := first(philox.New(7, 3, 11)); again != base {
		t.Errorf("the same source gave %x, then %x", base, again)
	}
	for _, other := range []philox.Source{philox.New(8, 3, 11), philox.New(7, 4, 11), philox.New(7, 3, 12), philox.New(7, 3, 11+1<<32)} {
		if got := first(other); got == base {
			t.Errorf("another source begins with the same %x", got)
		}
	}
}

// Neighbouring sources must be as good as one: the first normals of a million
// consecutive indices have the moments of N(0, 1) to five standard errors.
func TestNeighbouringSourcesAreIndependent(t *testing.T) {
	const n = 1_000_000
	var sum, squares, lagged, previous float64
	for i := range uint64(n) {
		s := philox.New(1, 0, i)
		x := rand.New(&s).NormFloat64()
		sum += x
		squares += x * x
		lagged += x * previous
		previous = x
	}
	tolerance := 5 / math.Sqrt(n)
	if mean := sum / n; math.Abs(mean) > tolerance {
		t.Errorf("mean = %g, want 0 within %g", mean, tolerance)
	}
	if v := squares / n; math.Abs(v-1) > tolerance*math.Sqrt2 {
		t.Errorf("variance = %g, want 1 within %g", v, tolerance*math.Sqrt2)
	}
	if r := lagged / n; math.Abs(r) > tolerance {
		t.Errorf("lag-1 correlation = %g, want 0 within %g", r, tolerance)
	}
}

func TestUnitNeverReachesTheEnds(t *testing.T) {
	if lo, hi := philox.Unit(0), philox.Unit(math.MaxUint64); lo <= 0 || hi >= 1 {
		t.Errorf("Unit reaches from %g to %g, want the open interval (0, 1)", lo, hi)
	}
}

func BenchmarkUint64(b *testing.B) {
	s := philox.New(1, 0, 0)
	for b.Loop() {
		s.Uint64()
	}
}
