package interp

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// machineText writes a random machine of Pass, Choice, Parallel and Map states, all of which can succeed.
func machineText(r *rand.Rand, id *int, depth int) string {
	n := 1 + r.IntN(4)
	first := *id
	*id += n
	var states []string
	for i := range n {
		flow := `"End":true`
		if i+1 < n {
			flow = fmt.Sprintf(`"Next":"s%d"`, first+i+1)
		}
		states = append(states, fmt.Sprintf(`"s%d":%s`, first+i, stateText(r, id, depth, flow)))
	}
	return fmt.Sprintf(`{"StartAt":"s%d","States":{%s}}`, first, strings.Join(states, ","))
}

func stateText(r *rand.Rand, id *int, depth int, flow string) string {
	kind := r.IntN(6)
	if depth == 0 {
		kind = r.IntN(3)
	}
	switch kind {
	case 0:
		return `{"Type":"Pass","Parameters":{"u.$":"States.UUID()","in.$":"$"},"OutputPath":"$.in",` + flow + `}`
	case 1:
		return `{"Type":"Wait","Seconds":0,` + flow + `}`
	case 2, 3:
		return `{"Type":"Pass","Assign":{"v":1},` + flow + `}`
	case 4:
		return `{"Type":"Parallel","ResultPath":null,"Branches":[` + machineText(r, id, depth-1) + `,` + machineText(r, id, depth-1) + `],` + flow + `}`
	}
	return fmt.Sprintf(`{"Type":"Map","ResultPath":null,"ItemsPath":"$.l","MaxConcurrency":%d,"ItemSelector":{"l.$":"$.l","i.$":"$$.Map.Item.Index"},"ItemProcessor":%s,%s}`, r.IntN(3), machineText(r, id, depth-1), flow)
}

// Whatever the machine: ids are 1, 2, 3 ..., every predecessor exists and is earlier, every state that was
// entered is left, an input that nothing changes comes out, and a second run has the same history.
func TestHistoryIsWellFormed(t *testing.T) {
	for seed := range uint64(300) {
		id := 0
		text := machineText(rand.New(rand.NewPCG(seed, 1)), &id, 2)
		var first string
		for range 2 {
			h := newHarness(t, nil)
			const input = `{"l":[1,2,3]}`
			if got := h.run(context.Background(), text, input).String(); got != input {
				t.Fatalf("seed %d: %s gave %s", seed, text, got)
			}
			checkHistory(t, h.events)
			if first == "" {
				first = h.history()
			} else if first != h.history() {
				t.Fatalf("seed %d: two histories of %s", seed, text)
			}
		}
	}
}

func checkHistory(t *testing.T, events []Event) {
	t.Helper()
	open := map[string]int{}
	for i, e := range events {
		if e.ID != int64(i+1) || e.PreviousID >= e.ID || e.PreviousID == 0 && i > 1 {
			t.Fatalf("event %d is %d after %d", i+1, e.ID, e.PreviousID)
		}
		switch {
		case e.StateEntered != nil:
			open[e.StateEntered.Name]++
		case e.StateExited != nil:
			open[e.StateExited.Name]--
		}
	}
	for name, n := range open {
		if n != 0 {
			t.Fatalf("%s was entered %d times more than left", name, n)
		}
	}
}
