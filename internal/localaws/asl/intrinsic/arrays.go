package intrinsic

import (
	"fmt"

	"engage/internal/localaws/asl/value"
)

// maxElements is the most elements that States.ArrayRange makes.
const maxElements = 1000

func array(_ Env, args []any) (any, error) { return append([]any{}, args...), nil }

func arrayPartition(_ Env, args []any) (any, error) {
	a, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	size, err := rounded(args, 1)
	if err != nil {
		return nil, err
	}
	if size <= 0 {
		return nil, fmt.Errorf("the chunk size must be positive, not %d", size)
	}
	chunks := []any{}
	for int64(len(a)) > size {
		chunks, a = append(chunks, a[:size:size]), a[size:]
	}
	if len(a) > 0 {
		chunks = append(chunks, a)
	}
	return chunks, nil
}

func arrayContains(_ Env, args []any) (any, error) {
	a, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	for _, e := range a {
		if value.Equal(e, args[1]) {
			return true, nil
		}
	}
	return false, nil
}

// arrayRange counts from the first argument to the second, both included, in steps of the third.
func arrayRange(_ Env, args []any) (any, error) {
	var n [3]int64
	for i := range n {
		v, err := rounded(args, i)
		if err != nil {
			return nil, err
		}
		n[i] = v
	}
	first, last, step := n[0], n[1], n[2]
	if step == 0 {
		return nil, fmt.Errorf("the increment must not be 0")
	}
	out := []any{}
	for i := first; step > 0 && i <= last || step < 0 && i >= last; i += step {
		if len(out) == maxElements {
			return nil, fmt.Errorf("the range has more than %d elements", maxElements)
		}
		out = append(out, i)
	}
	return out, nil
}

func arrayGetItem(_ Env, args []any) (any, error) {
	a, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	i, err := rounded(args, 1)
	if err != nil {
		return nil, err
	}
	if i < 0 || i >= int64(len(a)) {
		return nil, fmt.Errorf("index %d is out of bounds of an array of %d elements", i, len(a))
	}
	return a[i], nil
}

func arrayLength(_ Env, args []any) (any, error) {
	a, err := list(args, 0)
	return int64(len(a)), err
}

// arrayUnique keeps the first of equal elements. Cost: O(n) for distinct encodings, plus a comparison
// against what is kept for numbers, whose encodings may differ though they are equal.
func arrayUnique(_ Env, args []any) (any, error) {
	a, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	out := []any{}
	for _, e := range a {
		key := value.String(e)
		if seen[key] {
			continue
		}
		seen[key] = true
		if !equalToAny(out, e) {
			out = append(out, e)
		}
	}
	return out, nil
}

func equalToAny(kept []any, e any) bool {
	if _, isText := e.(string); isText {
		return false // equal strings have equal encodings
	}
	for _, k := range kept {
		if value.Equal(k, e) {
			return true
		}
	}
	return false
}
