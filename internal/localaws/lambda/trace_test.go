package lambda_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"engage/internal/localaws/lambda"
	"engage/internal/localaws/wire"
	"engage/internal/localaws/xray/trace"
)

// sink takes what is recorded.
type sink struct{ documents []string }

func (s *sink) Invoke(_ context.Context, _ wire.Caller, _, _ string, input any) (any, error) {
	s.documents = append(s.documents, input.(map[string]any)["TraceSegmentDocuments"].([]string)...)
	return nil, nil
}

// segment is one as it was recorded.
type segment struct {
	ID     string  `json:"id"`
	Parent string  `json:"parent_id"`
	Trace  string  `json:"trace_id"`
	Origin string  `json:"origin"`
	ARN    string  `json:"resource_arn"`
	Fault  bool    `json:"fault"`
	Start  float64 `json:"start_time"`
	End    float64 `json:"end_time"`
	Cause  struct {
		Exceptions []struct{ Type, Message string }
	} `json:"cause"`
	Subsegments []struct {
		Name       string
		Fault      bool
		Start, End float64
	} `json:"subsegments"`
}

func (g segment) parts() (names []string) {
	for _, s := range g.Subsegments {
		names = append(names, s.Name)
	}
	return names
}

// tracer is an endpoint whose traces are kept.
type tracer struct {
	*endpoint
	recorder *trace.Recorder
	sink     *sink
}

func bootTracer(t *testing.T) *tracer {
	t.Helper()
	s := &sink{}
	r := trace.New(trace.Config{Invoker: s})
	return &tracer{boot(t, t.TempDir(), func(c *lambda.Config) { c.Traces = r }), r, s}
}

func (e *tracer) create(t *testing.T, name string, mode types.TracingMode, zip []byte) {
	t.Helper()
	in := function(name, "bootstrap", zip)
	in.TracingConfig = &types.TracingConfig{Mode: mode}
	e.endpoint.create(t, in)
}

// invoke runs a function for a caller with a trace header, and returns what was recorded of it.
func (e *tracer) invoke(t *testing.T, name, payload, header string) (out *awslambda.InvokeOutput, recorded []segment) {
	t.Helper()
	out, err := e.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: &name, Payload: []byte(payload), LogType: types.LogTypeTail}, func(o *awslambda.Options) {
		if header != "" {
			o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue("X-Amzn-Trace-Id", header))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e.recorder.Run(ctx, func(err error) { t.Error(err) }) // sends what waits
	for _, d := range e.sink.documents {
		var g segment
		if err := json.Unmarshal([]byte(d), &g); err != nil {
			t.Fatal(err)
		}
		recorded = append(recorded, g)
	}
	e.sink.documents = nil
	return out, recorded
}

// given is the trace header that a function was given.
func given(t *testing.T, out *awslambda.InvokeOutput) trace.Header {
	t.Helper()
	var told struct{ Trace string }
	if err := json.Unmarshal(out.Payload, &told); err != nil {
		t.Fatal(err)
	}
	h, ok := trace.ParseHeader(told.Trace)
	if !ok {
		t.Fatalf("the function has the trace %q", told.Trace)
	}
	return h
}

// A caller's trace goes on: through the service's segment into the function's, and from there to what it calls.
func TestTraceOfACaller(t *testing.T) {
	e := bootTracer(t)
	e.create(t, "f", types.TracingModePassThrough, good)
	for i, parts := range []string{"Initialization Invocation", "Invocation"} { // a cold start and a warm one
		out, all := e.invoke(t, "f", `{"Op":"context"}`, "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
		if len(all) != 2 {
			t.Fatalf("%d: recorded %+v", i, all)
		}
		service, fn := all[0], all[1]
		if service.Origin != "AWS::Lambda" || service.Parent != "53995c3f42cd8ad8" || service.Trace != "1-5759e988-bd862e3fe1be46a994272793" || service.ARN != "arn:aws:lambda:eu-west-1:000000000000:function:f" {
			t.Errorf("%d: the service's segment is %+v", i, service)
		}
		if fn.Origin != "AWS::Lambda::Function" || fn.Parent != service.ID || fn.Trace != service.Trace || fn.Fault || strings.Join(fn.parts(), " ") != parts {
			t.Errorf("%d: the function's segment is %+v", i, fn)
		}
		if service.Start > fn.Start || fn.Start > fn.End || service.End < fn.End {
			t.Errorf("%d: the function ran from %f to %f, the service from %f to %f", i, fn.Start, fn.End, service.Start, service.End)
		}
		if h := given(t, out); h.Root != service.Trace || h.Parent != fn.ID || h.Decision != trace.Sampled {
			t.Errorf("%d: the function was given %s", i, h)
		}
		if tail, _ := base64.StdEncoding.DecodeString(*out.LogResult); !strings.Contains(string(tail), "XRAY TraceId: "+fn.Trace+"\tSegmentId: "+fn.ID+"\tSampled: true") {
			t.Errorf("%d: the log ends with %s", i, tail)
		}
	}
}

// Who decides, and how: the caller, else a function with Active tracing.
func TestWhoIsTraced(t *testing.T) {
	e := bootTracer(t)
	const root = "Root=1-5759e988-bd862e3fe1be46a994272793"
	for name, c := range map[string]struct {
		mode     types.TracingMode
		header   string
		segments int
		decision trace.Decision
	}{
		"active":                   {types.TracingModeActive, "", 2, trace.Sampled},
		"active, undecided":        {types.TracingModeActive, root, 2, trace.Sampled},
		"active, caller declines":  {types.TracingModeActive, root + ";Sampled=0", 0, trace.Dropped},
		"passive":                  {types.TracingModePassThrough, "", 0, trace.Dropped},
		"passive, undecided":       {types.TracingModePassThrough, root, 0, trace.Open},
		"passive, caller declines": {types.TracingModePassThrough, root + ";Sampled=0", 0, trace.Dropped},
	} {
		fn := strings.NewReplacer(",", "", " ", "-").Replace(name)
		e.create(t, fn, c.mode, good)
		out, all := e.invoke(t, fn, `{"Op":"context"}`, c.header)
		if h := given(t, out); len(all) != c.segments || h.Decision != c.decision || c.header != "" && !strings.Contains(c.header, h.Root) {
			t.Errorf("%s: %d segments, the function was given %s", name, len(all), h)
		}
	}
}

func TestTraceOfAFailure(t *testing.T) {
	e := bootTracer(t)
	e.create(t, "f", types.TracingModeActive, good)
	out, all := e.invoke(t, "f", `{"Op":"error","Value":"no luck"}`, "")
	if aws.ToString(out.FunctionError) == "" || len(all) != 2 || !all[0].Fault || !all[1].Fault {
		t.Fatalf("recorded %+v", all)
	}
	if x := all[1].Cause.Exceptions; len(x) != 1 || x[0].Message != "no luck" || x[0].Type != "errorString" {
		t.Errorf("the cause is %+v", x)
	}
}

// An instance that does not come up has tried to, and has run nothing.
func TestTraceOfAFailedStart(t *testing.T) {
	e := bootTracer(t)
	broken, err := pack("bootstrap", []byte("#!/bin/sh\nexit 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	e.create(t, "f", types.TracingModeActive, broken)
	_, all := e.invoke(t, "f", `{}`, "")
	if len(all) != 2 || strings.Join(all[1].parts(), " ") != "Initialization" || !all[1].Subsegments[0].Fault {
		t.Errorf("recorded %+v", all)
	}
}
