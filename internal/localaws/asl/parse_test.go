package asl

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// problems of a definition whose only state X is given, as "code at location".
func problems(t *testing.T, definition string) []Problem {
	t.Helper()
	_, err := Parse([]byte(definition), Options{})
	if err == nil {
		return nil
	}
	var invalid *InvalidError
	if !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
		t.Fatalf("%s: error %v names no problem", definition, err)
	}
	return invalid.Problems
}

func single(state string) string { return `{"StartAt":"X","States":{"X":` + state + `}}` }

func TestAccepts(t *testing.T) {
	inner := `{"StartAt":"I","States":{"I":{"Type":"Succeed"}}}`
	for _, state := range []string{
		`{"Type":"Pass","End":true,"Result":{"a":1},"ResultPath":"$.r","Assign":{"v.$":"$.a","w":1}}`,
		`{"Type":"Pass","End":true,"Parameters":{"a.$":"States.Format('{}', $$.Execution.Name)","b":[{"c.$":"$.x"}]},"InputPath":null,"OutputPath":"$$.Execution.Input"}`,
		`{"Type":"Task","End":true,"Resource":"arn:aws:lambda:us-east-1:123456789012:function:f:1","TimeoutSeconds":10,"HeartbeatSeconds":5}`,
		`{"Type":"Task","End":true,"Resource":"arn:aws:states:::ecs:runTask.sync","Parameters":{},"TimeoutSecondsPath":"$.t","Retry":[{"ErrorEquals":["A"],"JitterStrategy":"FULL","MaxDelaySeconds":9},{"ErrorEquals":["States.ALL"]}]}`,
		`{"Type":"Task","End":true,"Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"MessageBody":{"t.$":"$$.Task.Token"}}}`,
		`{"Type":"Wait","End":true,"Timestamp":"2016-03-14T01:59:00Z"}`,
		`{"Type":"Fail","ErrorPath":"$.e","CausePath":"States.Format('{}',$.c)"}`,
		`{"Type":"Fail"}`,
		`{"Type":"Parallel","End":true,"Branches":[` + inner + `]}`,
		`{"Type":"Map","End":true,"ItemsPath":"$.a[*]","ItemProcessor":` + inner + `,"ToleratedFailurePercentage":10}`,
		`{"Type":"Map","End":true,"Iterator":` + inner + `,"Parameters":{"v.$":"$$.Map.Item.Value"}}`,
		`{"Type":"Map","End":true,"Label":"L","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"I","States":{"I":{"Type":"Succeed"}}},
		 "ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW","MaxItems":5},"Parameters":{"Bucket":"b","Key.$":"$.k"}},
		 "ItemBatcher":{"MaxItemsPerBatch":10},"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b"}},"ToleratedFailureCount":3}`,
	} {
		for _, p := range problems(t, single(state)) {
			t.Errorf("%s: %s", state, p)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct{ definition, want string }{
		{`{`, "INVALID_JSON_DESCRIPTION: unexpected end"},
		{`[]`, "Expected value of type Object"},
		{`{"StartAt":"A","StartAt":"A","States":{}}`, "Duplicate field 'StartAt'"},
		{`{}`, "SCHEMA_VALIDATION_FAILED: These fields are required: [StartAt]"},
		{`{}`, "SCHEMA_VALIDATION_FAILED: These fields are required: [States]"},
		{`{"StartAt":"Y","States":{"X":{"Type":"Succeed"}}}`, "MISSING_TRANSITION_TARGET: Missing 'Next' target: Y at /StartAt"},
		{`{"QueryLanguage":"JSONata","StartAt":"X","States":{"X":{"Type":"Succeed"}}}`, "NOT_IMPLEMENTED: The query language JSONata is not implemented; write the state machine with JSONPath at /QueryLanguage"},
		{single(`{"Type":"Pass","QueryLanguage":"JSONata","Output":"{% 1 %}","End":true}`), "NOT_IMPLEMENTED: The field 'Output' belongs to the query language JSONata, which is not implemented at /States/X/Output"},
		{single(`{"Type":"Nope"}`), "at /States/X/Type"},
		{single(`{"Type":"Pass"}`), "One of these fields is required: [Next, End] at /States/X"},
		{single(`{"Type":"Pass","Next":"X","End":true}`), "Only one of these fields is allowed: [Next, End] at /States/X"},
		{single(`{"Type":"Pass","Next":"Z"}`), "MISSING_TRANSITION_TARGET: Missing 'Next' target: Z at /States/X/Next"},
		{single(`{"Type":"Pass","End":true,"InputPath":"nope"}`), "The value for the field 'InputPath' must be a valid JSONPath"},
		{single(`{"Type":"Pass","End":true,"ResultPath":"$.a[*]"}`), "must be a valid Reference Path at /States/X/ResultPath"},
		{single(`{"Type":"Pass","End":true,"ResultPath":"$$.a"}`), "at /States/X/ResultPath"},
		{single(`{"Type":"Pass","End":true,"Parameters":{"a":{"out.$":"x"}}}`), "The value for the field 'out.$' must be a valid JSONPath or a valid intrinsic function call"},
		{single(`{"Type":"Pass","End":true,"Parameters":{"a.$":5}}`), "not a string at /States/X/Parameters"},
		{single(`{"Type":"Pass","End":true,"Colour":1}`), "Field 'Colour' is not supported at /States/X"},
		{single(`{"Type":"Pass","End":true,"Assign":{"1x":1}}`), "'1x' is not a valid name of a variable"},
		{single(`{"Type":"Task","End":true}`), "These fields are required: [Resource] at /States/X"},
		{single(`{"Type":"Task","End":true,"Resource":"x"}`), "the resource 'x' is not an ARN at /States/X/Resource"},
		{single(`{"Type":"Task","End":true,"Resource":"arn:aws:states:::ecs:runTask.wait"}`), "at /States/X/Resource"},
		{single(`{"Type":"Task","End":true,"Resource":"arn:aws:states:::a:b","TimeoutSeconds":0}`), "Value must be between 1 and 99999999 at /States/X/TimeoutSeconds"},
		{single(`{"Type":"Task","End":true,"Resource":"arn:aws:states:::a:b","TimeoutSeconds":5,"HeartbeatSeconds":5}`), "smaller than TimeoutSeconds"},
		{single(`{"Type":"Task","End":true,"Resource":"arn:aws:states:::a:b","Retry":[{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["A"]}]}`), "States.ALL must appear alone and in the last element at /States/X/Retry[0]/ErrorEquals"},
		{single(`{"Type":"Task","End":true,"Resource":"arn:aws:states:::a:b","Retry":[{"ErrorEquals":[],"BackoffRate":0.5,"MaxAttempts":-1,"MaxDelaySeconds":1,"JitterStrategy":"HALF"}]}`), "at /States/X/Retry[0]/JitterStrategy"},
		{single(`{"Type":"Task","End":true,"Resource":"arn:aws:states:::a:b","Catch":[{"ErrorEquals":["A"],"Next":"Q"}]}`), "Missing 'Next' target: Q at /States/X/Catch[0]/Next"},
		{single(`{"Type":"Wait","End":true}`), "One of these fields is required: [Seconds, SecondsPath, Timestamp, TimestampPath]"},
		{single(`{"Type":"Wait","End":true,"Timestamp":"tomorrow"}`), "String does not match RFC3339 timestamp"},
		{single(`{"Type":"Choice","Choices":[]}`), "These fields are required: [Choices]"},
		{single(`{"Type":"Choice","Choices":[{"Variable":"$.a","NumericEquals":"x","Next":"X"}]}`), "is not of the operator's type at /States/X/Choices[0]/NumericEquals"},
		{single(`{"Type":"Choice","Choices":[{"And":[{"Variable":"$.a","Foo":1,"Next":"X"}],"Next":"X"}]}`), "Only a rule at the top may have 'Next' at /States/X/Choices[0]/And[0]/Next"},
		{single(`{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"IsString":true,"Next":"X"}]}`), "Only one comparison is allowed"},
		{single(`{"Type":"Fail","Error":"a","ErrorPath":"$.a"}`), "Only one of these fields is allowed: [Error, ErrorPath]"},
		{single(`{"Type":"Fail","Next":"X"}`), "Field 'Next' is not supported at /States/X"},
		{single(`{"Type":"Parallel","End":true,"Branches":[{"StartAt":"X","States":{"X":{"Type":"Succeed"}}}]}`), "DUPLICATE_STATE_NAME: Duplicate State name: X"},
		{single(`{"Type":"Map","End":true}`), "These fields are required: [ItemProcessor]"},
		{single(`{"Type":"Map","End":true,"ItemReader":{},"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Succeed"}}}}`), "only supported when the mode of the processor is DISTRIBUTED"},
		{single(`{"Type":"Map","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED"},"StartAt":"I","States":{"I":{"Type":"Succeed"}}}}`), "ExecutionType must be STANDARD or EXPRESS"},
		{`{"StartAt":"X","States":{"X":{"Type":"Pass","Next":"Y"},"Y":{"Type":"Pass","Next":"X"},"Lost":{"Type":"Wait","Seconds":1,"Next":"X"}}}`, "MISSING_END_STATE: Workflow has no terminal state at null"},
		{`{"StartAt":"X","States":{"X":{"Type":"Succeed"},"Lost":{"Type":"Succeed"}}}`, `State "Lost" is not reachable. at /States/Lost`},
		{`{"StartAt":"X","States":{"X":{"Type":"Succeed"},"` + strings.Repeat("n", 81) + `":{"Type":"Succeed"}}}`, "between 1 and 80 characters"},
	} {
		var all []string
		for _, p := range problems(t, c.definition) {
			all = append(all, p.String())
		}
		if !strings.Contains(strings.Join(all, "\n"), c.want) {
			t.Errorf("%.200s\n got %q\nwant %s", c.definition, all, c.want)
		}
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	found := problems(t, single(`{"Type":"Task","Resource":"x","TimeoutSeconds":-1,"ResultPath":"$..a","Next":"Z","Bad":1,"Retry":[{}]}`))
	if len(found) != 7 {
		t.Errorf("%d problems, want 7: %v", len(found), found)
	}
}

func TestCheckResource(t *testing.T) {
	_, err := Parse([]byte(single(`{"Type":"Task","End":true,"Resource":"arn:aws:states:::glue:startJobRun.sync","Parameters":{}}`)), Options{
		CheckResource: func(r Resource) error { return fmt.Errorf("no executor for %s", r.Name()) }})
	if err == nil || !strings.Contains(err.Error(), "NOT_IMPLEMENTED: no executor for glue:startJobRun.sync at /States/X/Resource") {
		t.Errorf("got %v", err)
	}
}

func TestParseResource(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:lambda:eu-west-1:1:function:f":            "lambda eu-west-1",
		"arn:aws:states:::lambda:invoke.waitForTaskToken":  "lambda:invoke.waitForTaskToken ",
		"arn:aws:states:::states:startExecution.sync:2":    "states:startExecution.sync:2 ",
		"arn:aws:states:::athena:startQueryExecution.sync": "athena:startQueryExecution.sync ",
		"arn:aws:states:::aws-sdk:s3:listBuckets":          "aws-sdk:s3:listBuckets ",
	} {
		r, err := ParseResource(arn)
		if err != nil || r.Name()+" "+r.Region != want {
			t.Errorf("%s: %q %q, %v; want %q", arn, r.Name(), r.Region, err, want)
		}
	}
}

func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{{"log-*.txt", "log-1.txt", true}, {"*", "", true}, {"a*b*c", "aXbYbc", true}, {"a*b", "ab ", false}, {`\*x`, "*x", true}, {`\*x`, "yx", false}, {`a\\b*`, `a\bc`, true}, {"**a", "ba", true}} {
		if got := wildcardMatch(c.pattern, c.s); got != c.want {
			t.Errorf("%s ~ %s: %v", c.pattern, c.s, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	seeds, _ := filepath.Glob("testdata/*.json")
	for _, s := range seeds {
		text, err := os.ReadFile(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(single(`{"Type":"Choice","Choices":[{"Not":{"Variable":"$.a","StringMatches":"x*"},"Next":"X"}]}`))
	f.Add(single(`{"Type":"Map","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"I","States":{"I":{"Type":"Succeed"}}},"ItemBatcher":{"MaxItemsPerBatch":1}}`))
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse([]byte(text), Options{})
		if (m == nil) == (err == nil) {
			t.Fatalf("machine %v with error %v", m, err)
		}
		if m != nil && m.States[m.StartAt] == nil {
			t.Fatal("accepted without its first state")
		}
	})
}

// A task may wait for a token that it tells nobody: it waits until its time is up (recorded on AWS).
func TestTokenNeedNotBePassed(t *testing.T) {
	if _, err := Parse([]byte(single(`{"Type":"Task","End":true,"Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","TimeoutSeconds":5,"Parameters":{"a.$":"$"}}`)), Options{}); err != nil {
		t.Error(err)
	}
}
