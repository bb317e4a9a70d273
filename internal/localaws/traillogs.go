package localaws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"engage/internal/localaws/cloudtrail"
	"engage/internal/localaws/logs"
	"engage/internal/localaws/wire"
)

// trailLogs puts a trail's events into its log group with the trail's role.
type trailLogs struct{ w *wiring }

// trailSession names the sessions of roles that trails take on.
const trailSession = "CloudTrail"

// batch bounds what one call puts: CloudWatch Logs takes 10,000 events and a
// megabyte, and an event of a trail may have some kilobytes.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
const (
	batchEvents = 1000
	batchBytes  = 900 << 10
	eventBytes  = 26 // what an event counts beside its text
)

// Put implements cloudtrail.LogWriter.
func (t trailLogs) Put(ctx context.Context, owner wire.Caller, group, role, stream string, messages []cloudtrail.Message) error {
	as, name, err := t.writer(ctx, owner, group, role)
	if err != nil {
		return err
	}
	if err := t.w.logs.Create(ctx, owner.Account, owner.Region, name, stream); err != nil {
		return err
	}
	in := &logs.PutLogEventsInput{LogGroupName: name, LogStreamName: stream}
	size := 0
	flush := func() error {
		if len(in.LogEvents) == 0 {
			return nil
		}
		_, err := t.w.server.Invoke(ctx, as, "logs", "PutLogEvents", in)
		in = &logs.PutLogEventsInput{LogGroupName: name, LogStreamName: stream}
		size = 0
		return err
	}
	for _, m := range messages {
		if cost := len(m.Text) + eventBytes; len(in.LogEvents) == batchEvents || size+cost > batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		in.LogEvents = append(in.LogEvents, logs.InputLogEvent{Timestamp: aws.Int64(m.Time.UnixMilli()), Message: &m.Text})
		size += len(m.Text) + eventBytes
	}
	return flush()
}

// Check implements cloudtrail.LogWriter.
func (t trailLogs) Check(ctx context.Context, owner wire.Caller, group, role string) error {
	_, name, err := t.writer(ctx, owner, group, role)
	if err != nil {
		return err
	}
	has, err := t.w.logs.HasGroup(owner.Account, owner.Region, name)
	if err != nil {
		return err
	}
	if !has {
		return wire.Errorf("ResourceNotFoundException", "The specified log group does not exist.")
	}
	return nil
}

// writer takes on the role, and returns the name of the group.
func (t trailLogs) writer(ctx context.Context, owner wire.Caller, group, role string) (wire.Caller, string, error) {
	name, err := logGroupName(group)
	if err != nil {
		return wire.Caller{}, "", err
	}
	_, as, err := t.w.assume(ctx, "cloudtrail.amazonaws.com", role, trailSession, owner)
	return as, name, err
}
