package intrinsic

import (
	"fmt"
	"math"
	"math/rand/v2"

	"engage/internal/localaws/asl/value"
)

// rounded reads an integer argument. AWS rounds a number with a fraction to the nearest integer, and
// takes what a 32-bit integer holds.
func rounded(args []any, i int) (int64, error) {
	n, ok := value.Integer(args[i])
	if !ok {
		f, isFloat := args[i].(float64)
		if !isFloat {
			return 0, fmt.Errorf("argument %d must be an integer, not %s", i+1, value.String(args[i]))
		}
		n = int64(math.Floor(math.Max(math.Min(f, math.MaxInt32+1), math.MinInt32-1) + 0.5))
	}
	if n < math.MinInt32 || n > math.MaxInt32 {
		return 0, fmt.Errorf("argument %d must be between %d and %d", i+1, math.MinInt32, math.MaxInt32)
	}
	return n, nil
}

func mathAdd(_ Env, args []any) (any, error) {
	a, err := rounded(args, 0)
	if err != nil {
		return nil, err
	}
	b, err := rounded(args, 1)
	if err != nil {
		return nil, err
	}
	return a + b, nil
}

// mathRandom draws from start (included) to end (excluded); a seed makes the draw repeatable.
func mathRandom(env Env, args []any) (any, error) {
	start, err := rounded(args, 0)
	if err != nil {
		return nil, err
	}
	end, err := rounded(args, 1)
	if err != nil {
		return nil, err
	}
	if end <= start {
		return nil, fmt.Errorf("the end %d must be greater than the start %d", end, start)
	}
	source := rand.Source(env)
	if len(args) == 3 {
		seed, err := rounded(args, 2)
		if err != nil {
			return nil, err
		}
		source = rand.NewPCG(uint64(seed), 0)
	}
	return start + rand.New(source).Int64N(end-start), nil
}

// uuid is a random UUID of version 4, https://www.rfc-editor.org/rfc/rfc9562#section-5.4.
func uuid(env Env, _ []any) (any, error) { return NewUUID(env.Uint64), nil }

// NewUUID makes a UUID of version 4 from two random numbers.
func NewUUID(next func() uint64) string {
	a, b := next(), next()
	a = a&^0xf000 | 0x4000
	b = b&^(3<<62) | 2<<62
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&(1<<48-1))
}
