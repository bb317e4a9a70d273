package datagen

import "math/bits"

// permutation is a keyed bijection of [0, n): a Feistel network over the
// smallest power of two that holds n, walked along its cycle until it is back
// in range (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002).
// It needs no memory and both directions cost the same.
type permutation struct {
	n         uint64
	low, high uint // bits of the two halves
	keys      [feistelRounds]uint64
}

const feistelRounds = 6

func newPermutation(n int, source interface{ Uint64() uint64 }) permutation {
	width := uint(max(bits.Len64(uint64(n-1)), 2))
	p := permutation{n: uint64(n), low: width / 2, high: width - width/2}
	for i := range p.keys {
		p.keys[i] = source.Uint64()
	}
	return p
}

// at returns where i goes.
func (p *permutation) at(i int) int {
	x := uint64(i)
	for {
		for r := range p.keys {
			x = p.round(x, r)
		}
		if x < p.n {
			return int(x)
		}
	}
}

// from returns which i goes to j.
func (p *permutation) from(j int) int {
	x := uint64(j)
	for {
		for r := feistelRounds - 1; r >= 0; r-- {
			x = p.round(x, r)
		}
		if x < p.n {
			return int(x)
		}
	}
}

// round mixes one half into the other and is its own inverse: even rounds
// change the high half, odd ones the low half.
func (p *permutation) round(x uint64, r int) uint64 {
	low, high := x&(1<<p.low-1), x>>p.low
	if r%2 == 0 {
		high ^= mix(low^p.keys[r]) & (1<<p.high - 1)
	} else {
		low ^= mix(high^p.keys[r]) & (1<<p.low - 1)
	}
	return high<<p.low | low
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
