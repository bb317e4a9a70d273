package cloudtrail

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/wire"
)

// LogWriter puts events into a log group, with the permissions of a role that
// trusts the service.
type LogWriter interface {
	// Put appends messages in the order of their times, to a stream that it makes
	// if there is none. Group and role are ARNs.
	Put(ctx context.Context, owner wire.Caller, group, role, stream string, messages []Message) error
	// Check tells whether Put would be refused.
	Check(ctx context.Context, owner wire.Caller, group, role string) error
}

// Message is an event as a log group gets it.
type Message struct {
	Time time.Time
	Text string
}

// at is when the event happened, to the second.
func (r record) at() time.Time {
	t, err := time.Parse(time.RFC3339, r.EventTime)
	if err != nil {
		return time.Time{} // it was written by format
	}
	return t
}

// check refuses a trail that could not be delivered.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
func (s *Service) check(ctx context.Context, t trail) error {
	if t.Key != "" && !strings.HasPrefix(t.Key, "arn:") {
		return wire.Errorf("InvalidKmsKeyIdException", "The KMS key %s is not named by its ARN, which this endpoint asks for.", t.Key)
	}
	if (t.LogGroup == "") != (t.LogRole == "") {
		return wire.Errorf("InvalidParameterCombinationException", "You must specify both a log group ARN and a role ARN.")
	}
	if t.LogGroup != "" {
		if !strings.HasSuffix(t.LogGroup, ":*") {
			return wire.Errorf("InvalidCloudWatchLogsLogGroupArnException", "CloudTrail cannot validate the specified log group ARN: it must end in :*.")
		}
		if err := s.cfg.Logs.Check(ctx, t.owner(), t.LogGroup, t.LogRole); err != nil {
			return wire.Errorf("InvalidCloudWatchLogsLogGroupArnException", "Access denied. Verify in IAM that the role has adequate permissions: %s", wire.AsError(err).Message)
		}
	}
	return s.checkBucket(ctx, t)
}

func (t trail) owner() wire.Caller { return wire.Caller{Account: t.Account, Region: t.Region} }

// tell puts events into the trail's log group. A failure between the bucket and
// the group tells some of them twice, as AWS may.
func (s *Service) tell(ctx context.Context, t trail, regions map[string][]record) error {
	if t.LogGroup == "" {
		return nil
	}
	for _, region := range slices.Sorted(maps.Keys(regions)) {
		messages := make([]Message, 0, len(regions[region]))
		for _, r := range regions[region] {
			text, err := json.Marshal(r)
			if err != nil {
				return err
			}
			messages = append(messages, Message{Time: r.at(), Text: string(text)})
		}
		slices.SortStableFunc(messages, func(a, b Message) int { return a.Time.Compare(b.Time) })
		if err := s.cfg.Logs.Put(ctx, t.owner(), t.LogGroup, t.LogRole, t.Account+"_CloudTrail_"+region, messages); err != nil {
			return err
		}
	}
	return nil
}
