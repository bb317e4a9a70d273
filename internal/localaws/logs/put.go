package logs

import (
	"context"
	"errors"
	"time"

	"engage/internal/localaws/logs/segment"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Limits of a batch.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
const (
	MaxBatchBytes  = 1 << 20 // messages, and EventOverhead for each
	MaxBatchEvents = 10_000
	MaxEventBytes  = 256 << 10
	EventOverhead  = 26

	maxFuture = 2 * time.Hour
	maxPast   = 14 * 24 * time.Hour
	maxSpan   = 24 * time.Hour
)

// sequenceToken is returned where AWS still returns one; since 2023 it means nothing.
const sequenceToken = "49039859612345678901234567890123456789012345678901234567"

// InputLogEvent is one event to keep.
type InputLogEvent struct {
	Timestamp *int64  `json:"timestamp" required:"true" min:"0"`
	Message   *string `json:"message" required:"true" min:"1"`
}

// PutLogEventsInput is the input of PutLogEvents.
type PutLogEventsInput struct {
	LogGroupName  string          `json:"logGroupName" required:"true"`
	LogStreamName string          `json:"logStreamName" required:"true"`
	LogEvents     []InputLogEvent `json:"logEvents" required:"true" min:"1" max:"10000"`
	SequenceToken string          `json:"sequenceToken"`
}

func (in *PutLogEventsInput) group() string  { return in.LogGroupName }
func (in *PutLogEventsInput) stream() string { return in.LogStreamName }

// RejectedLogEventsInfo says which events were not kept.
type RejectedLogEventsInfo struct {
	TooNewLogEventStartIndex *int `json:"tooNewLogEventStartIndex,omitempty"`
	TooOldLogEventEndIndex   *int `json:"tooOldLogEventEndIndex,omitempty"`
	ExpiredLogEventEndIndex  *int `json:"expiredLogEventEndIndex,omitempty"`
}

// PutLogEventsOutput is the output of PutLogEvents.
type PutLogEventsOutput struct {
	NextSequenceToken     string                 `json:"nextSequenceToken"`
	RejectedLogEventsInfo *RejectedLogEventsInfo `json:"rejectedLogEventsInfo,omitempty"`
}

func (s *Service) putLogEvents(ctx context.Context, call *wire.Call, in *PutLogEventsInput) (*PutLogEventsOutput, error) {
	g, st, err := s.find(call.Caller, in.LogGroupName, in.LogStreamName)
	if err != nil {
		return nil, err
	}
	events, size, err := checkBatch(in.LogEvents)
	if err != nil {
		return nil, err
	}
	kept, rejected := s.reject(g, events)
	if err := s.keep(g, st, kept); err != nil {
		return nil, err
	}
	s.arrived(arrival{call.Caller, in.LogGroupName, in.LogStreamName, kept})
	s.count(ctx, call.Caller.RunID, in.LogGroupName, size)
	return &PutLogEventsOutput{NextSequenceToken: sequenceToken, RejectedLogEventsInfo: rejected}, nil
}

// checkBatch returns the events and what they weigh.
func checkBatch(in []InputLogEvent) ([]Event, int, error) {
	events := make([]Event, len(in))
	size := 0
	for i, e := range in {
		events[i] = Event{Time: *e.Timestamp, Message: *e.Message}
		if n := len(*e.Message) + EventOverhead; n > MaxEventBytes {
			return nil, 0, invalid("Log event too large: %d bytes exceeds limit of %d", n, MaxEventBytes)
		}
		size += len(*e.Message) + EventOverhead
		if i > 0 && events[i].Time < events[i-1].Time {
			return nil, 0, invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	if size > MaxBatchBytes {
		return nil, 0, invalid("Upload too large: %d bytes exceeds limit of %d", size, MaxBatchBytes)
	}
	if events[len(events)-1].Time-events[0].Time > maxSpan.Milliseconds() {
		return nil, 0, invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return events, size, nil
}

// reject cuts off the events that are too old, expired or in the future.
func (s *Service) reject(g group, events []Event) ([]Event, *RejectedLogEventsInfo) {
	now, cutoff := s.now(), s.cutoff(g)
	info := RejectedLogEventsInfo{}
	first, end := 0, len(events)
	for i, e := range events {
		switch {
		case e.Time < cutoff:
			first, info.ExpiredLogEventEndIndex = i+1, new(i+1)
		case e.Time < now-maxPast.Milliseconds():
			first, info.TooOldLogEventEndIndex = i+1, new(i+1)
		case e.Time > now+maxFuture.Milliseconds() && end == len(events):
			end, info.TooNewLogEventStartIndex = i, new(i)
		}
	}
	if info == (RejectedLogEventsInfo{}) {
		return events, nil
	}
	return events[first:max(first, end)], &info
}

// keep writes events, and removes files of which all has expired.
func (s *Service) keep(g group, st stream, events []Event) error {
	f, err := s.files(st.ID)
	if err != nil {
		return err
	}
	if err := f.Append(s.now(), events); errors.Is(err, segment.ErrRemoved) {
		return errNoStream
	} else if err != nil {
		return wire.InternalFailure(err)
	}
	if g.Retention == 0 {
		return nil
	}
	if err := f.DropBefore(s.cutoff(g)); err != nil {
		return wire.InternalFailure(err)
	}
	return nil
}

// Append keeps events that a service writes for itself. It makes nothing: see
// Create. Longer messages than AWS takes are split. The permission of a role
// in whose name the events are written is the caller's to check.
//
// Errors: ResourceNotFoundException, what the file system says.
func (s *Service) Append(ctx context.Context, account, region, group, stream string, events []Event) error {
	c := wire.Caller{Account: account, Region: region}
	g, st, err := s.find(c, group, stream)
	if err != nil {
		return err
	}
	for len(events) > 0 {
		var batch []Event
		var size int
		if batch, events, size = nextBatch(events); size > 0 {
			if err := s.keep(g, st, batch); err != nil {
				return err
			}
			s.arrived(arrival{c, group, stream, batch})
			s.count(ctx, "", group, size)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// nextBatch cuts off as many events as a batch holds. A message that is too
// long gives its first part; the rest comes next.
func nextBatch(events []Event) (batch, rest []Event, size int) {
	const longest = MaxEventBytes - EventOverhead
	for i, e := range events {
		head := e.Message[:min(len(e.Message), longest)]
		if len(batch) == MaxBatchEvents || size+len(head)+EventOverhead > MaxBatchBytes {
			return batch, events[i:], size
		}
		size += len(head) + EventOverhead
		batch = append(batch, Event{Time: e.Time, Message: head})
		if len(head) < len(e.Message) {
			rest = append([]Event{{Time: e.Time, Message: e.Message[longest:]}}, events[i+1:]...)
			return batch, rest, size
		}
	}
	return batch, nil, size
}

// Create makes a log group and a log stream where they are missing, as Lambda
// and the awslogs driver do. An empty stream makes the group alone.
func (s *Service) Create(_ context.Context, account, region, groupName, streamName string) error {
	c := wire.Caller{Account: account, Region: region}
	if err := errors.Join(checkGroupName(groupName), checkStreamName(streamName)); err != nil {
		return err
	}
	return s.cfg.Store.Batch(func(tx state.Tx) error {
		err := groups.Create(tx, groupKey(c, groupName), group{Created: s.now(), Class: "STANDARD"})
		if err != nil && !errors.Is(err, state.ErrExists) || streamName == "" {
			return ignoreExists(err)
		}
		return ignoreExists(streams.Create(tx, streamKey(c, groupName, streamName), stream{ID: newID(), Created: s.now()}))
	})
}

func ignoreExists(err error) error {
	if errors.Is(err, state.ErrExists) {
		return nil
	}
	return err
}

// HasGroup reports whether a log group exists.
func (s *Service) HasGroup(account, region, groupName string) (has bool, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		has = groups.Has(tx, state.Key(account, region, groupName))
		return nil
	})
	return has, err
}
