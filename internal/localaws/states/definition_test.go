package states_test

import (
	"encoding/json"
	"strings"
	"testing"

	"engage/internal/localaws/asl/value"
	"engage/internal/localaws/states"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

func TestJSONFaults(t *testing.T) {
	const anyValue = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
	for text, want := range map[string]string{
		"":              "Invalid execution input.",
		"not JSON":      "Unrecognized token 'not': was expecting " + anyValue + " 1:4",
		"{'a':1}":       "Unexpected character (''' (code 39)): was expecting double-quote to start field name 1:3",
		"{\"a\" 1}":     "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value 1:7",
		"{\"a\":1\n 2}": "Unexpected character ('2' (code 50)): was expecting comma to separate Object entries 2:3",
		"[1 2]":         "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries 1:5",
		"[,]":           "Unexpected character (',' (code 44)): expected a valid value " + anyValue + " 1:3",
		"[":             "Unexpected end-of-input: expected close marker for Array",
		`"a`:            "Unexpected end-of-input: was expecting closing quote for a string value",
		`"\q"`:          "Unrecognized character escape 'q' (code 113)",
		"01":            "Invalid numeric value: Leading zeroes not allowed",
		"1 2":           "Unexpected character ('2' (code 50)): expected a single value",
	} {
		if got := states.JSONFault(text); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s\nwant %s", text, got, want)
		}
	}
	for _, text := range []string{"null", " 1.5e-3 ", `"\u00e9\n"`, "[]", `{"a":[true,{}],"b":-0.5}`} {
		if got := states.JSONFault(text); got != "" {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// FuzzJSONFaults holds the finder of faults to the decoder: both accept the same texts.
func FuzzJSONFaults(f *testing.F) {
	for _, seed := range []string{"{}", `{"a":[1,2.5e3,"\u0041"]}`, "tru", `{"a":`, "\"\x01\"", "[1,]", "-", "1e", "\xff", "{\"a\":1,}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := states.JSONFault(text)
		if valid := json.Valid([]byte(text)); valid != (got == "") && strings.Count(text, "[")+strings.Count(text, "{") < 900 {
			t.Errorf("%q: valid %v, fault %q", text, valid, got)
		}
		if _, err := value.Decode([]byte(text)); err == nil && got != "" {
			t.Errorf("%q decodes, but: %s", text, got)
		}
	})
}

func TestDefinitionFaults(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	for definition, want := range map[string][3]string{
		"{}": {"SCHEMA_VALIDATION_FAILED", "These fields are required: [States, StartAt]", "/"},
		`{"States":{"A":{"Type":"Pass","End":true}}}`:               {"SCHEMA_VALIDATION_FAILED", "These fields are required: [StartAt]", "/"},
		`{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"A"}}}`: {"MISSING_END_STATE", "Workflow has no terminal state", ""},
		`"text"`:  {"SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object", ""},
		"no JSON": {"INVALID_JSON_DESCRIPTION", "Unrecognized token 'no': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: (String)\"no JSON\"; line: 1, column: 3]", `[Source: (String)"no JSON"; line: 1, column: 3]`},
		pass:      {"", "", ""},
	} {
		v, err := e.sfn.ValidateStateMachineDefinition(t.Context(), &sfn.ValidateStateMachineDefinitionInput{Definition: &definition})
		if err != nil {
			t.Fatal(err)
		}
		got := [3]string{}
		if len(v.Diagnostics) > 1 {
			t.Errorf("%s: %d problems", definition, len(v.Diagnostics))
		}
		if len(v.Diagnostics) > 0 {
			got = [3]string{aws.ToString(v.Diagnostics[0].Code), aws.ToString(v.Diagnostics[0].Message), aws.ToString(v.Diagnostics[0].Location)}
		}
		if got != want {
			t.Errorf("%s: %q", definition, got)
		}
	}
	_, err := e.sfn.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{Name: aws.String("m"), RoleArn: aws.String(role), Definition: aws.String(`{"StartAt":"X"}`)})
	wantCode(t, err, "InvalidDefinition", "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'")
	for resource, want := range map[string]string{
		"dynamodb:query":                    "SCHEMA_VALIDATION_FAILED: The resource provided arn:aws:states:::dynamodb:query is not recognized. The value is not a valid resource ARN, or the resource is not available in this region. at /States/X/Resource'",
		"dynamodb:getItem.waitForTaskToken": "is not recognized",
		"dynamodb:getItem":                  "the integration 'dynamodb:getItem' is not implemented by this endpoint",
		"glue:startJobRun.sync":             "the integration 'glue:startJobRun.sync' is not implemented by this endpoint",
		"lambda:listFunctions":              "is not recognized",
	} {
		_, err := e.sfn.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{Name: aws.String("m"), RoleArn: aws.String(role),
			Definition: aws.String(single(`{"Type":"Task","Resource":"arn:aws:states:::` + resource + `","Parameters":{"T.$":"$$.Task.Token"},"End":true}`))})
		wantCode(t, err, "InvalidDefinition", want)
	}
	_, err = e.sfn.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: aws.String("no-arn")})
	wantCode(t, err, "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: no-arn'")
	_, err = e.sfn.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: e.create("m", pass), Input: aws.String("not JSON")})
	wantCode(t, err, "InvalidExecutionInput", "Invalid State Machine Execution Input: 'Unrecognized token 'not'")
}

func TestHistoryWithoutData(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	x := e.start(e.create("m", pass), "x", `{"secret":1}`)
	e.end(x)
	h, err := e.sfn.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: x, IncludeExecutionData: aws.Bool(false), ReverseOrder: true})
	if err != nil || len(h.Events) != 4 || h.Events[0].ExecutionSucceededEventDetails.Output != nil || *h.Events[1].StateExitedEventDetails.Name != "X" || *h.Events[3].ExecutionStartedEventDetails.RoleArn != role || h.Events[3].ExecutionStartedEventDetails.Input != nil {
		t.Errorf("%+v %v", h, err)
	}
}
