// Package logs is CloudWatch Logs: groups and streams whose events are kept
// in append-only files.
//
// API: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html
package logs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"engage/internal/localaws/logs/segment"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Config says what the service works with.
type Config struct {
	Store *state.Store // metadata; the service does not close it
	// Dir is where events are kept. The default is logs beside the store.
	Dir string
	// Clock is for timestamps and retention. The default is time.Now.
	Clock func() time.Time
	// Functions takes the events that subscription filters select. Without it
	// such filters are refused.
	Functions Functions
	// Meter counts the bytes of events. The default counts nothing.
	Meter wire.Meter
	// SegmentSize is when a stream begins a new file, in bytes; expired events
	// leave the disk a file at a time. The default is segment.DefaultSegmentSize.
	SegmentSize int64
}

// Event is one line of a log.
type Event = segment.Event

// Service keeps logs. Its methods may be called concurrently.
type Service struct {
	cfg Config

	wake chan struct{} // when something has arrived

	mu       sync.Mutex
	arrivals []arrival
	open     map[string]*segment.Stream // by the stream's id
}

// group is what is kept of a log group.
type group struct {
	Created   int64
	Retention int    // days; 0 keeps events for ever
	KMSKey    string // ARN
	Class     string
	Protected bool
	Tags      map[string]string
}

// stream is what is kept of a log stream; the events are in the directory ID.
type stream struct {
	ID      string
	Created int64
}

var (
	groups  = state.NewCollection[group]("logs/groups")
	streams = state.NewCollection[stream]("logs/streams")
)

// New returns the service over what is kept. Directories of streams that were
// being deleted when a process ended are removed.
func New(cfg Config) (*Service, error) {
	if cfg.Dir == "" {
		cfg.Dir = filepath.Join(cfg.Store.Dir(), "logs")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	s := &Service{cfg: cfg, wake: make(chan struct{}, 1), open: map[string]*segment.Stream{}}
	return s, s.sweep()
}

// sweep removes the directories that no stream has.
func (s *Service) sweep() error {
	known := map[string]bool{}
	err := s.cfg.Store.View(func(tx state.Tx) error {
		for raw := range streams.Scan(tx, "", "") {
			st, err := raw.Value()
			if err != nil {
				return err
			}
			known[st.ID] = true
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list log streams: %w", err)
	}
	entries, err := os.ReadDir(s.cfg.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("list log streams' files: %w", err)
	}
	for _, e := range entries {
		if !known[e.Name()] {
			if err := os.RemoveAll(filepath.Join(s.cfg.Dir, e.Name())); err != nil {
				return fmt.Errorf("remove a deleted log stream: %w", err)
			}
		}
	}
	return nil
}

// Wire returns the service's operations.
func (s *Service) Wire() *wire.Service {
	ops := []wire.Operation{
		wire.JSON("CreateLogGroup", s.createLogGroup, onGroup[CreateLogGroupInput]("CreateLogGroup")),
		wire.JSON("DeleteLogGroup", s.deleteLogGroup, onGroup[DeleteLogGroupInput]("DeleteLogGroup")),
		wire.JSON("DescribeLogGroups", s.describeLogGroups, onAllGroups("DescribeLogGroups")),
		wire.JSON("PutRetentionPolicy", s.putRetentionPolicy, onGroup[PutRetentionPolicyInput]("PutRetentionPolicy")),
		wire.JSON("DeleteRetentionPolicy", s.deleteRetentionPolicy, onGroup[DeleteRetentionPolicyInput]("DeleteRetentionPolicy")),
		wire.JSON("AssociateKmsKey", s.associateKmsKey, onGroup[AssociateKmsKeyInput]("AssociateKmsKey")),
		wire.JSON("DisassociateKmsKey", s.disassociateKmsKey, onGroup[DisassociateKmsKeyInput]("DisassociateKmsKey")),
		wire.JSON("CreateLogStream", s.createLogStream, onStream[CreateLogStreamInput]("CreateLogStream")),
		wire.JSON("DeleteLogStream", s.deleteLogStream, onStream[DeleteLogStreamInput]("DeleteLogStream")),
		wire.JSON("DescribeLogStreams", s.describeLogStreams, onGroup[DescribeLogStreamsInput]("DescribeLogStreams")),
		wire.JSON("PutLogEvents", s.putLogEvents, onStream[PutLogEventsInput]("PutLogEvents")),
		wire.JSON("GetLogEvents", s.getLogEvents, onStream[GetLogEventsInput]("GetLogEvents")),
		wire.JSON("PutMetricFilter", s.putMetricFilter, onGroup[PutMetricFilterInput]("PutMetricFilter")),
		wire.JSON("DescribeMetricFilters", s.describeMetricFilters, onGroup[DescribeMetricFiltersInput]("DescribeMetricFilters")),
		wire.JSON("DeleteMetricFilter", s.deleteMetricFilter, onGroup[DeleteMetricFilterInput]("DeleteMetricFilter")),
		wire.JSON("TestMetricFilter", s.testMetricFilter, nil),
		wire.JSON("PutSubscriptionFilter", s.putSubscriptionFilter, onGroup[PutSubscriptionFilterInput]("PutSubscriptionFilter")),
		wire.JSON("DescribeSubscriptionFilters", s.describeSubscriptionFilters, onGroup[DescribeSubscriptionFiltersInput]("DescribeSubscriptionFilters")),
		wire.JSON("DeleteSubscriptionFilter", s.deleteSubscriptionFilter, onGroup[DeleteSubscriptionFilterInput]("DeleteSubscriptionFilter")),
		wire.JSON("PutResourcePolicy", s.putResourcePolicy, nil),
		wire.JSON("DescribeResourcePolicies", s.describeResourcePolicies, nil),
		wire.JSON("DeleteResourcePolicy", s.deleteResourcePolicy, nil),
		wire.JSON("ListLogGroups", s.listLogGroups, nil),
		wire.JSON("FilterLogEvents", s.filterLogEvents, onGroup[FilterLogEventsInput]("FilterLogEvents")),
	}
	return &wire.Service{
		Name: "logs", Targets: []string{"Logs_20140328"}, Protocol: wire.JSON11,
		ValidationCode: "InvalidParameterException", Operations: append(ops, s.tagOperations()...),
	}
}

// files returns the opened files of a stream.
func (s *Service) files(id string) (*segment.Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.open[id]; f != nil {
		return f, nil
	}
	f, err := segment.Open(filepath.Join(s.cfg.Dir, id), s.cfg.SegmentSize)
	if err != nil {
		return nil, wire.InternalFailure(err)
	}
	s.open[id] = f
	return f, nil
}

// discard removes the files of streams whose metadata is gone.
func (s *Service) discard(ids []string) error {
	var errs []error
	for _, id := range ids {
		f, err := s.files(id)
		if err != nil { // damaged: nothing can be appended to it
			errs = append(errs, os.RemoveAll(filepath.Join(s.cfg.Dir, id)))
			continue
		}
		errs = append(errs, f.Remove())
		s.mu.Lock()
		delete(s.open, id)
		s.mu.Unlock()
	}
	return errors.Join(errs...)
}

func (s *Service) now() int64 { return s.cfg.Clock().UnixMilli() }

// newID names the directory of a stream. A name made again gets another one.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // never fails
	return hex.EncodeToString(b[:])
}

func groupKey(c wire.Caller, name string) string { return state.Key(c.Account, c.Region, name) }

func streamKey(c wire.Caller, group, name string) string {
	return state.Key(c.Account, c.Region, group, name)
}

var (
	errNoGroup     = wire.Errorf("ResourceNotFoundException", "The specified log group does not exist.")
	errNoStream    = wire.Errorf("ResourceNotFoundException", "The specified log stream does not exist.")
	errGroupExists = wire.Errorf("ResourceAlreadyExistsException", "The specified log group already exists")
	errHasStream   = wire.Errorf("ResourceAlreadyExistsException", "The specified log stream already exists")
)

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameterException", format, args...)
}

// getGroup returns a group or AWS's error.
func getGroup(tx state.Tx, c wire.Caller, name string) (group, error) {
	g, err := groups.Get(tx, groupKey(c, name))
	if errors.Is(err, state.ErrNotFound) {
		return group{}, errNoGroup
	}
	return g, err
}

// changeGroup changes what is kept of a group.
func (s *Service) changeGroup(c wire.Caller, name string, change func(*group)) (*wire.Empty, error) {
	return nil, s.cfg.Store.Update(func(tx state.Tx) error {
		g, err := getGroup(tx, c, name)
		if err != nil {
			return err
		}
		change(&g)
		return groups.Put(tx, groupKey(c, name), g)
	})
}

// find returns a group and one of its streams.
func (s *Service) find(c wire.Caller, groupName, streamName string) (g group, st stream, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		if g, err = getGroup(tx, c, groupName); err != nil {
			return err
		}
		st, err = streams.Get(tx, streamKey(c, groupName, streamName))
		if errors.Is(err, state.ErrNotFound) {
			return errNoStream
		}
		return err
	})
	return g, st, err
}

// cutoff is the time before which a group's events are expired.
func (s *Service) cutoff(g group) int64 {
	if g.Retention == 0 {
		return 0
	}
	return s.now() - int64(g.Retention)*24*time.Hour.Milliseconds()
}

// count meters ingested bytes.
func (s *Service) count(ctx context.Context, runID, groupName string, bytes int) {
	s.cfg.Meter.Add(ctx, wire.Quantity{
		Service: "logs", Usage: "DataProcessing-Bytes", Resource: groupName, RunID: runID, Amount: float64(bytes),
	})
}
