// Package philox is the counter-based random number generator Philox4x32-10
// of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
// 1, 2, 3" (SC'11). A block is a pure function of a key and a counter, so that
// any value of a data set can be made again without making those before it:
// the bytes do not depend on how work is shared out.
package philox

import "math/bits"

const (
	multiplier0 = 0xD2511F53 // section 3.2, table 2
	multiplier1 = 0xCD9E8D57
	weyl0       = 0x9E3779B9 // golden ratio
	weyl1       = 0xBB67AE85 // sqrt(3) - 1
	rounds      = 10
)

// Block returns the 128 bits that belong to a key and a counter.
func Block(key [2]uint32, counter [4]uint32) [4]uint32 {
	for range rounds {
		hi0, lo0 := bits.Mul32(multiplier0, counter[0])
		hi1, lo1 := bits.Mul32(multiplier1, counter[2])
		counter = [4]uint32{hi1 ^ counter[1] ^ key[0], lo1, hi0 ^ counter[3] ^ key[1], lo0}
		key[0] += weyl0
		key[1] += weyl1
	}
	return counter
}

// Source is the sequence that belongs to a seed, a purpose and an index, and
// implements math/rand/v2.Source. Sources of different (seed, purpose, index)
// are independent. The zero value is the sequence of (0, 0, 0).
type Source struct {
	key     [2]uint32
	counter [4]uint32 // block number, purpose, index low, index high
	block   [4]uint32
	half    int // 1: the second half of block is unused
}

// New returns the sequence of a purpose and an index under a seed.
func New(seed uint64, purpose uint32, index uint64) Source {
	return Source{
		key:     [2]uint32{uint32(seed), uint32(seed >> 32)},
		counter: [4]uint32{0, purpose, uint32(index), uint32(index >> 32)},
	}
}

// Uint64 returns the next 64 bits.
func (s *Source) Uint64() uint64 {
	if s.half == 1 {
		s.half = 0
		return uint64(s.block[3])<<32 | uint64(s.block[2])
	}
	s.block = Block(s.key, s.counter)
	s.counter[0]++
	s.half = 1
	return uint64(s.block[1])<<32 | uint64(s.block[0])
}

// Uniform returns the next number of the open interval (0, 1): a multiple of 2^-52
// shifted by half a step so that neither end can occur.
func (s *Source) Uniform() float64 { return Unit(s.Uint64()) }

// Unit maps 64 random bits to the open interval (0, 1).
func Unit(bits uint64) float64 { return (float64(bits>>12) + 0.5) / (1 << 52) }
