package value

import (
	"fmt"
	"slices"
	"testing"
)

// The orders were recorded on AWS.
func TestHashOrder(t *testing.T) {
	for _, want := range [][]string{
		{"execution", "execution_rolearn", "execution_name", "statemachine_id", "execution_id", "execution_input", "execution_starttime", "state_name", "state_enteredtime", "statemachine",
			"state", "context_object", "statemachine_name"},
		{"iteration_input_value", "from_input_constant", "iteration_index", "original_input"},
		{"mapValue", "fromInput"}, {"0", "{}", "True"}, {"", "H1"}, {"FunctionName", "Payload"}, {"Col1", "Col2", "Col3"},
	} {
		sorted := slices.Sorted(slices.Values(want))
		var got []string
		for _, i := range HashOrder(sorted) {
			got = append(got, sorted[i])
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Values of String.hashCode as the Java platform's documentation defines it.
func TestJavaHash(t *testing.T) {
	for text, want := range map[string]int32{"": 0, "a": 97, "hello": 99162322, "Aa": 2112, "BB": 2112, "\U0001F600": 1772899} {
		if got := int32(javaHash(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func ExampleHashOrder() {
	fmt.Println(HashOrder([]string{"True", "0", "{}"}))
	// Output: [1 2 0]
}
