package statemachine_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"engage/internal/golden"
	"engage/internal/localaws/asl"
	"engage/internal/pipeline"
	"engage/internal/resource"
	"engage/statemachine"
)

func placement() statemachine.Placement {
	return statemachine.Placement{
		Environment: resource.LocalEnvironment(), Subnets: []string{"subnet-1", "subnet-2", "subnet-3"}, SecurityGroup: "sg-1",
	}
}

func machine(t *testing.T) string {
	t.Helper()
	text, err := statemachine.Pipeline(placement()).JSON()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The golden is what is deployed, but for the network's identifiers.
func TestPipelineIsGolden(t *testing.T) {
	golden.Check(t, "testdata/engagement-ml-pipeline.asl.json", []byte(machine(t)))
}

// The endpoint's parser refuses what Step Functions would refuse.
func TestPipelineIsValid(t *testing.T) {
	if _, err := asl.Parse([]byte(machine(t)), asl.Options{}); err != nil {
		t.Fatal(err)
	}
}

// fields returns the JSON names of a struct.
func fields(v any) map[string]bool {
	out := map[string]bool{}
	for f := range reflect.TypeOf(v).Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		out[name] = true
	}
	return out
}

// Every path of the machine names a member of the type that is written there.
func TestPathsNameWhatIsWritten(t *testing.T) {
	written := map[string]map[string]bool{"": fields(pipeline.Input{}), "data_prep": fields(pipeline.Preparation{})}
	results := map[string]bool{
		"cleanup": true, "data_prep": true, "parallel_training": true, "inference": true, "parallel_tables": true, "failure": true,
	}
	for _, path := range paths(t, machine(t)) {
		if strings.HasPrefix(path, "$$.") {
			continue
		}
		parts := strings.Split(strings.TrimPrefix(path, "$."), ".")
		switch members, typed := written[parts[0]]; {
		case len(parts) == 1 && (written[""][parts[0]] || results[parts[0]]):
		case typed && len(parts) == 2 && members[parts[1]]:
		case parts[0] == "failure" && (parts[1] == "Error" || parts[1] == "Cause"):
		default:
			t.Errorf("path %s names nothing that a state writes", path)
		}
	}
}

// What a handler is told is all of pipeline.Run and nothing else.
func TestHandlersAreToldOfTheRun(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal([]byte(machine(t)), &doc); err != nil {
		t.Fatal(err)
	}
	state := doc["States"].(map[string]any)["PreCleanup"].(map[string]any)
	told := map[string]bool{}
	for name := range state["Parameters"].(map[string]any) {
		told[strings.TrimSuffix(name, ".$")] = true
	}
	if want := fields(pipeline.Run{}); !reflect.DeepEqual(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// paths returns every path that reads from a state's input, outside of what
// tasks answer with.
func paths(t *testing.T, text string) []string {
	t.Helper()
	var doc any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	var out []string
	var walk func(key string, v any)
	walk = func(key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				if k != "ResultSelector" && k != "ResultPath" {
					walk(k, e)
				}
			}
		case []any:
			for _, e := range v {
				walk(key, e)
			}
		case string:
			if strings.HasPrefix(v, "$") && (strings.HasSuffix(key, ".$") || strings.HasSuffix(key, "Path") || key == "Variable") {
				out = append(out, v)
			}
		}
	}
	walk("", doc)
	if len(out) == 0 {
		t.Fatal("the machine has no paths")
	}
	return out
}

func TestProblemsAreTold(t *testing.T) {
	end := &statemachine.Succeed{}
	for name, tt := range map[string]struct {
		machine statemachine.Machine
		want    string
	}{
		"no start":      {statemachine.Machine{StartAt: "A", States: map[string]statemachine.State{"B": end}}, `"A" starts the machine and does not exist`},
		"leads nowhere": {statemachine.Machine{StartAt: "A", States: map[string]statemachine.State{"A": &statemachine.Pass{Next: "B"}}}, `leads to "B"`},
		"does not end":  {statemachine.Machine{StartAt: "A", States: map[string]statemachine.State{"A": &statemachine.Pass{}}}, "neither ends"},
		"not reached":   {statemachine.Machine{StartAt: "A", States: map[string]statemachine.State{"A": end, "B": end}}, `"B" is not reached`},
		"in a branch": {statemachine.Machine{StartAt: "A", States: map[string]statemachine.State{"A": &statemachine.Parallel{
			End: true, Branches: []statemachine.Machine{{StartAt: "X"}},
		}}}, `"X" starts the machine`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tt.machine.JSON()
			var problem *statemachine.Problem
			if !errors.As(err, &problem) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a problem with %s", err, tt.want)
			}
		})
	}
}
