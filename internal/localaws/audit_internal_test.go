package localaws

import (
	"io"
	"strings"
	"testing"

	"engage/internal/localaws/wire"
)

// A call from inside has no HTTP request: its parameters are those of its input.
func TestParametersOfCallsFromInside(t *testing.T) {
	type input struct {
		FunctionName string `uri:"FunctionName" json:"-"`
		QueueName    string `json:"queueName"`
		Count        int
		Empty        []string
		Payload      []byte    `payload:"true" json:"-"`
		Stream       io.Reader `json:"-"`
		hidden       string
	}
	in := &input{"f", "q", 2, nil, []byte("content"), strings.NewReader("x"), "h"}
	call := &wire.Call{Service: &wire.Service{Name: "lambda", Protocol: wire.RestJSON}, Input: in}
	if got, want := string(parametersOf(call)), `{"Count":2,"FunctionName":"f","queueName":"q"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	call.Input = &input{QueueName: strings.Repeat("x", maxParameters)}
	if got := parametersOf(call); got != nil {
		t.Errorf("%d bytes of parameters are kept", len(got))
	}
	call.Input = nil
	if got := parametersOf(call); got != nil {
		t.Errorf("got %s", got)
	}
	_ = in.hidden
}
