package states

import (
	"context"
	"time"

	"engage/internal/localaws/asl/value"
)

// StatusChange tells that an execution began or ended, as EventBridge tells it.
// https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
type StatusChange struct {
	Account, Region, RunID string
	Execution              string // ARN
	Time                   time.Time
	Detail                 []byte
}

// changed tells the status that an execution has now.
func (s *Service) changed(ctx context.Context, e execution) {
	if s.cfg.Changed == nil {
		return
	}
	s.cfg.Changed(context.WithoutCancel(ctx), StatusChange{Account: e.Account, Region: e.Region, RunID: e.RunID, Execution: e.arn(),
		Time: s.cfg.Clock.Now(), Detail: value.Encode(e.detail())})
}

// detail is the execution as the event has it: null for what it has not.
func (e execution) detail() *value.Object {
	d := value.Of("executionArn", e.arn(), "stateMachineArn", e.machineARN(), "name", e.Name, "status", string(e.Status),
		"startDate", e.Start.UnixMilli(), "stopDate", moment(e.Stop), "input", e.Input, "output", orNull(e.Output),
		"stateMachineVersionArn", orNull(e.Version), "stateMachineAliasArn", orNull(e.Alias), "redriveCount", int64(e.Redrives), "redriveDate", moment(e.Redriven))
	status, reason := e.redrivable()
	for _, f := range []struct {
		name  string
		value any
	}{{"redriveStatus", status}, {"redriveStatusReason", orNull(reason)}, {"inputDetails", value.Of("included", true)}, {"outputDetails", nil},
		{"error", orNull(e.Error)}, {"cause", orNull(e.Cause)}} {
		d.Set(f.name, f.value)
	}
	if e.Output != "" {
		d.Set("outputDetails", value.Of("included", true))
	}
	return d
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}
