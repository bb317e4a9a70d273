package logs

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"engage/internal/localaws/logs/segment"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// CreateLogStreamInput is the input of CreateLogStream.
type CreateLogStreamInput struct {
	LogGroupName  string `json:"logGroupName" required:"true"`
	LogStreamName string `json:"logStreamName" required:"true"`
}

func (in *CreateLogStreamInput) group() string  { return in.LogGroupName }
func (in *CreateLogStreamInput) stream() string { return in.LogStreamName }

func (s *Service) createLogStream(_ context.Context, call *wire.Call, in *CreateLogStreamInput) (*wire.Empty, error) {
	if err := checkStreamName(in.LogStreamName); err != nil {
		return nil, err
	}
	return nil, s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := getGroup(tx, call.Caller, in.LogGroupName); err != nil {
			return err
		}
		st := stream{ID: newID(), Created: s.now()}
		err := streams.Create(tx, streamKey(call.Caller, in.LogGroupName, in.LogStreamName), st)
		if errors.Is(err, state.ErrExists) {
			return errHasStream
		}
		return err
	})
}

// DeleteLogStreamInput is the input of DeleteLogStream.
type DeleteLogStreamInput struct {
	LogGroupName  string `json:"logGroupName" required:"true"`
	LogStreamName string `json:"logStreamName" required:"true"`
}

func (in *DeleteLogStreamInput) group() string  { return in.LogGroupName }
func (in *DeleteLogStreamInput) stream() string { return in.LogStreamName }

func (s *Service) deleteLogStream(_ context.Context, call *wire.Call, in *DeleteLogStreamInput) (*wire.Empty, error) {
	_, st, err := s.find(call.Caller, in.LogGroupName, in.LogStreamName)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		return streams.Delete(tx, streamKey(call.Caller, in.LogGroupName, in.LogStreamName))
	})
	if errors.Is(err, state.ErrNotFound) {
		return nil, errNoStream
	}
	if err != nil {
		return nil, err
	}
	return nil, s.discard([]string{st.ID})
}

// DescribeLogStreamsInput is the input of DescribeLogStreams.
type DescribeLogStreamsInput struct {
	LogGroupName        string `json:"logGroupName"`
	LogGroupIdentifier  string `json:"logGroupIdentifier"`
	LogStreamNamePrefix string `json:"logStreamNamePrefix"`
	OrderBy             string `json:"orderBy" enum:"LogStreamName,LastEventTime"`
	Descending          bool   `json:"descending"`
	Limit               *int   `json:"limit" min:"1" max:"50"`
	NextToken           string `json:"nextToken"`
}

func (in *DescribeLogStreamsInput) group() string {
	return eitherName(in.LogGroupName, in.LogGroupIdentifier)
}

// LogStream describes a log stream.
type LogStream struct {
	Arn                 string `json:"arn"`
	CreationTime        int64  `json:"creationTime"`
	FirstEventTimestamp int64  `json:"firstEventTimestamp,omitempty"`
	LastEventTimestamp  int64  `json:"lastEventTimestamp,omitempty"`
	LastIngestionTime   int64  `json:"lastIngestionTime,omitempty"`
	LogStreamName       string `json:"logStreamName"`
	StoredBytes         int64  `json:"storedBytes"` // always 0, as AWS has it since 2019
	UploadSequenceToken string `json:"uploadSequenceToken,omitempty"`
}

// DescribeLogStreamsOutput is the output of DescribeLogStreams.
type DescribeLogStreamsOutput struct {
	LogStreams []LogStream `json:"logStreams"`
	NextToken  string      `json:"nextToken,omitempty"`
}

func (s *Service) describeLogStreams(_ context.Context, call *wire.Call, in *DescribeLogStreamsInput) (*DescribeLogStreamsOutput, error) {
	if in.LogGroupName != "" && in.LogGroupIdentifier != "" {
		return nil, &wire.Error{Code: "ValidationException", Message: "LogGroup name and LogGroup ARN are mutually exclusive parameters.", Status: 400}
	}
	if err := checkEither(in.LogGroupName, in.LogGroupIdentifier); err != nil {
		return nil, err
	}
	byTime := in.OrderBy == "LastEventTime"
	if byTime && in.LogStreamNamePrefix != "" {
		return nil, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	all, cutoff, err := s.sources(call.Caller, in.group(), nil, in.LogStreamNamePrefix)
	if err != nil {
		return nil, err
	}
	described := make([]LogStream, len(all))
	for i, st := range all {
		described[i] = describeStream(call.Caller, in.group(), st, cutoff)
	}
	slices.SortStableFunc(described, func(a, b LogStream) int {
		order := strings.Compare(a.LogStreamName, b.LogStreamName)
		if byTime {
			order = cmp.Or(cmp.Compare(a.LastEventTimestamp, b.LastEventTimestamp), order)
		}
		if in.Descending {
			return -order
		}
		return order
	})
	return pageOfStreams(described, in.NextToken, pageSize(in.Limit)), nil
}

// pageOfStreams returns the streams after the one that the token names.
func pageOfStreams(all []LogStream, token string, size int) *DescribeLogStreamsOutput {
	if token != "" {
		i := slices.IndexFunc(all, func(d LogStream) bool { return d.LogStreamName == token })
		all = all[i+1:]
	}
	out := &DescribeLogStreamsOutput{LogStreams: all}
	if len(all) > size {
		out.LogStreams, out.NextToken = all[:size], all[size-1].LogStreamName
	}
	return out
}

// source is a stream that can be read.
type source struct {
	segment.Source
	created int64
}

func describeStream(c wire.Caller, groupName string, st source, cutoff int64) LogStream {
	stats := st.Stream.Stats(cutoff)
	d := LogStream{
		Arn: StreamARN(c, groupName, st.Name), CreationTime: st.created, LogStreamName: st.Name,
		FirstEventTimestamp: stats.First, LastEventTimestamp: stats.Last, LastIngestionTime: stats.Ingested,
	}
	if stats.Ingested > 0 { // AWS has none for a stream that nothing was written to
		d.UploadSequenceToken = sequenceToken
	}
	return d
}

// sources opens the streams of a group: those named, or all with a prefix.
// Events before the cutoff are expired.
func (s *Service) sources(c wire.Caller, groupName string, names []string, prefix string) (found []source, cutoff int64, err error) {
	var entries []state.Entry[stream]
	err = s.cfg.Store.View(func(tx state.Tx) error {
		g, err := getGroup(tx, c, groupName)
		if err != nil {
			return err
		}
		cutoff = s.cutoff(g)
		entries, err = streams.List(tx, state.Prefix(c.Account, c.Region, groupName), "", 0)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		name := state.Parts(e.Key)[3]
		if len(names) > 0 && !slices.Contains(names, name) || !strings.HasPrefix(name, prefix) {
			continue
		}
		f, err := s.files(e.Value.ID)
		if err != nil {
			return nil, 0, err
		}
		found = append(found, source{segment.Source{Name: name, Stream: f}, e.Value.Created})
	}
	if len(found) < len(names) {
		return nil, 0, errNoStream
	}
	return found, cutoff, nil
}
