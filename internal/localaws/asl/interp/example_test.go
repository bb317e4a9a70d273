package interp_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/asl/value"
)

// shout is an executor of every task.
type shout struct{}

func (shout) Execute(_ context.Context, r interp.TaskRequest) (any, error) {
	return value.Of("said", fmt.Sprint(r.Parameters, "!")), nil
}

func ExampleRun() {
	machine, err := asl.Parse([]byte(`{"StartAt":"Say","States":{
		"Say":{"Type":"Task","Resource":"arn:aws:states:::voice:shout","InputPath":"$.word","ResultPath":"$.result","End":true}}}`), asl.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	out := interp.Run(context.Background(), machine, interp.Execution{Name: "one", Input: value.Of("word", "hello")}, interp.Config{
		Tasks: shout{}, Random: rand.Uint64,
		Record: func(e interp.Event) { fmt.Println(e.ID, e.PreviousID, e.Type) },
	})
	fmt.Println(out.Status, value.String(out.Output))
	// Output:
	// 1 0 ExecutionStarted
	// 2 0 TaskStateEntered
	// 3 2 TaskScheduled
	// 4 3 TaskStarted
	// 5 4 TaskSucceeded
	// 6 5 TaskStateExited
	// 7 6 ExecutionSucceeded
	// SUCCEEDED {"word":"hello","result":{"said":"hello!"}}
}
