package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"engage/internal/localaws/wire"
)

// InvokeInput is the input of Invoke. A call from inside the process gives the
// payload as a JSON document.
type InvokeInput struct {
	FunctionName   string `uri:"FunctionName" json:"-"`
	Qualifier      string `query:"Qualifier" json:"-"`
	InvocationType string `header:"X-Amz-Invocation-Type" json:"-" enum:"Event,RequestResponse,DryRun"`
	LogType        string `header:"X-Amz-Log-Type" json:"-" enum:"None,Tail"`
	ClientContext  string `header:"X-Amz-Client-Context" json:"-"` // base64
	TraceID        string `header:"X-Amzn-Trace-Id" json:"-"`
	DurableName    string `header:"X-Amz-Durable-Execution-Name" json:"-"`
	TenantID       string `header:"X-Amz-Tenant-Id" json:"-"`
	Payload        []byte `payload:"true" json:"-"`
}

// InvokeOutput is the output of Invoke.
type InvokeOutput struct {
	StatusCode      int    `status:"true" json:"-"`
	ExecutedVersion string `header:"X-Amz-Executed-Version" json:"-"`
	FunctionError   string `header:"X-Amz-Function-Error" json:"-"` // "" or "Unhandled"
	LogResult       string `header:"X-Amz-Log-Result" json:"-"`     // base64
	Trace           string `header:"X-Amzn-Trace-Id" json:"-"`
	Payload         []byte `payload:"true" json:"-"`

	// RequestID is that of the invocation, in the log too.
	RequestID string `json:"-"`
}

// invokeTouches has the function's own policy.
func (s *Service) invokeTouches(call *wire.Call, in *InvokeInput) []wire.Access {
	accesses := on("InvokeFunction", func(in *InvokeInput) string { return in.FunctionName })(call, in)
	if f, err := s.lookup(call.Caller, in.FunctionName, in.Qualifier); err == nil {
		accesses[0].Resource, accesses[0].Policy = f.qualifiedARN(), f.policy()
	}
	return accesses
}

func (s *Service) invokeOperation(ctx context.Context, call *wire.Call, in *InvokeInput) (*InvokeOutput, error) {
	return s.invokeAs(ctx, call.Caller, call.RequestID, in)
}

// Invoke runs a function for another service of the endpoint. It checks no
// permission: wire.Invoker does, for the same operation.
//
// Errors: ResourceNotFoundException, TooManyRequestsException,
// InvalidRequestContentException and AWS's others; an error of the function
// itself is in the output.
func (s *Service) Invoke(ctx context.Context, caller wire.Caller, in *InvokeInput) (*InvokeOutput, error) {
	return s.invokeAs(ctx, caller, newUUID(), in)
}

func (s *Service) invokeAs(ctx context.Context, c wire.Caller, id string, in *InvokeInput) (*InvokeOutput, error) {
	switch {
	case in.DurableName != "":
		return nil, wire.NotImplemented("durable executions of Lambda functions")
	case in.TenantID != "":
		return nil, wire.NotImplemented("tenant isolation of Lambda functions")
	}
	f, err := s.find(c, in.FunctionName, in.Qualifier, s.route)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock.Now()
	if now.Before(f.ActiveAt) {
		return nil, conflict("The operation cannot be performed at this time. The function is currently in the following state: Pending")
	}
	inv, err := newInvocation(id, in)
	if err != nil {
		return nil, err
	}
	inv.runID, inv.trace = c.RunID, s.begun(&f, inv.trace)
	switch in.InvocationType {
	case "DryRun":
		return &InvokeOutput{StatusCode: 204, RequestID: id}, nil
	case "Event":
		return &InvokeOutput{StatusCode: 202, RequestID: id, Trace: inv.trace}, s.enqueue(&f, inv)
	}
	out, err := s.runFor(ctx, &f, inv)
	if err != nil {
		return nil, err
	}
	answer := &InvokeOutput{
		StatusCode: 200, ExecutedVersion: f.version(), FunctionError: out.functionError, Payload: out.payload, RequestID: id, Trace: inv.trace,
	}
	if in.LogType == "Tail" {
		answer.LogResult = base64.StdEncoding.EncodeToString(out.tail)
	}
	return answer, nil
}

// newInvocation checks what the caller sends.
func newInvocation(id string, in *InvokeInput) (invocation, error) {
	inv := invocation{id: id, payload: in.Payload, trace: in.TraceID}
	limit := MaxRequest
	if in.InvocationType == "Event" {
		limit = MaxEvent
	}
	if len(in.Payload) > limit {
		return inv, lambdaError(413, "RequestTooLargeException", "Request must be smaller than %d bytes for the InvokeFunction operation", limit)
	}
	if len(in.Payload) == 0 {
		inv.payload = []byte("{}")
	}
	if !json.Valid(inv.payload) {
		var v any
		err := json.Unmarshal(inv.payload, &v)
		return inv, lambdaError(400, "InvalidRequestContentException", "Could not parse request body into json: %v", err)
	}
	if in.ClientContext != "" {
		decoded, err := base64.StdEncoding.DecodeString(in.ClientContext)
		if err != nil || !json.Valid(decoded) {
			return inv, lambdaError(400, "InvalidRequestContentException", "Could not parse client context: it is not a JSON document in base64")
		}
		inv.clientContext = string(decoded)
	}
	return inv, nil
}
