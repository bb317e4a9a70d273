package states

import (
	"context"
	"encoding/json"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/asl/value"
)

// startExecutionTask is the integration states:startExecution with its patterns.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
func (s *Service) startExecutionTask(ctx context.Context, t Task) (any, error) {
	in, err := nestedInput(t.Parameters)
	if err != nil {
		return nil, err
	}
	if in.TraceHeader == "" {
		in.TraceHeader = t.Trace
	}
	answer, err := s.cfg.Invoker.Invoke(ctx, t.Caller, "states", "StartExecution", in)
	if err != nil {
		return nil, err
	}
	started := answer.(*startOutput)
	accepted := value.Of("ExecutionArn", started.ARN, "StartDate", started.Start.UnixMilli())
	body, err := json.Marshal(started)
	if err != nil {
		return nil, err
	}
	told := t.sdk.answered("states", accepted, body)
	if t.Resource.Pattern != asl.Sync && t.Resource.Pattern != asl.Sync2 {
		return told, nil
	}
	t.Submitted(told)
	return s.follow(ctx, t, started.ARN)
}

// nestedInput reads the task's parameters; Input may be any JSON.
func nestedInput(parameters any) (*startInput, error) {
	o, ok := parameters.(*value.Object)
	if !ok {
		return nil, &interp.TaskError{Name: asl.ErrRuntime, Cause: "The Parameters of states:startExecution must be an object"}
	}
	in := &startInput{}
	for i := range o.Len() {
		k, v := o.At(i)
		text, isText := v.(string)
		switch {
		case k == "Input":
			if v == nil {
				continue // as if it were not there
			}
			if !isText {
				text = value.String(v)
			}
			in.Input = &text
		case k == "StateMachineArn" && isText:
			in.ARN = text
		case k == "Name" && isText:
			in.Name = text
		case k == "TraceHeader" && isText:
			in.TraceHeader = text
		default:
			return nil, &interp.TaskError{Name: asl.ErrRuntime, Cause: "The field \"" + k + "\" is not supported by states:startExecution here"}
		}
	}
	return in, nil
}

// follow waits for the execution that a task started, and stops it when the task is stopped.
func (s *Service) follow(ctx context.Context, t Task, arn string) (any, error) {
	s.mu.Lock()
	r := s.running[arn]
	s.mu.Unlock()
	if r != nil {
		select {
		case <-r.done:
		case <-ctx.Done():
			r.cancel(stopOf(t.Execution.ARN))
			<-r.done
			return nil, ctx.Err()
		}
	}
	e, err := s.execution(arn)
	if err != nil {
		return nil, err
	}
	d := nestedOutput(e, t.Resource.Pattern)
	if e.Status != interp.Succeeded {
		return nil, &interp.TaskError{Name: asl.ErrTaskFailed, Cause: value.String(d)}
	}
	return d, nil
}

// stopOf is why a child is stopped, in AWS's words, which do not repeat why its parent was.
func stopOf(parent string) error {
	return &interp.Stopped{Cause: "The Task state in AWS Step Functions execution [" + parent + "] which was managing this resource was aborted"}
}

// nestedOutput is the child's description as the task's output: PascalCase, and for sync:2 with JSON instead of text.
func nestedOutput(e execution, pattern asl.Pattern) *value.Object {
	payload := func(text string) any {
		if v, err := value.Decode([]byte(text)); pattern == asl.Sync2 && err == nil {
			return v
		}
		return text
	}
	d := value.NewObject(14)
	if e.Status != interp.Succeeded {
		setText(d, "Cause", e.Cause)
		setText(d, "Error", e.Error)
	}
	d.Set("ExecutionArn", e.arn())
	d.Set("Input", payload(e.Input))
	d.Set("InputDetails", value.Of("Included", true))
	d.Set("Name", e.Name)
	if e.Status == interp.Succeeded {
		d.Set("Output", payload(e.Output))
		d.Set("OutputDetails", value.Of("Included", true))
	}
	d.Set("RedriveCount", int64(e.Redrives))
	status, reason := e.redrivable()
	d.Set("RedriveStatus", status)
	setText(d, "RedriveStatusReason", reason)
	d.Set("StartDate", e.Start.UnixMilli())
	d.Set("StateMachineArn", e.machineARN())
	d.Set("Status", string(e.Status))
	d.Set("StopDate", e.Stop.UnixMilli())
	return d
}

func setText(o *value.Object, name, text string) {
	if text != "" {
		o.Set(name, text)
	}
}
