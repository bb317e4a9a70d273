// Package xray is AWS X-Ray: it keeps the segments that services and their
// callers send, and tells the traces that they make.
//
// API: https://docs.aws.amazon.com/xray/latest/api/Welcome.html
//
// Traces are those of the last 30 days, as on AWS, and of an account and region
// as many as fit in a bound; the oldest ones make room. Root causes, insights,
// groups and sampling rules are not kept.
package xray

import (
	"context"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Config says what the service works with.
type Config struct {
	// Store keeps the traces. There is no default.
	Store *state.Store
	// Clock tells how old a trace is. The default is time.Now.
	Clock func() time.Time
	// Meter counts traces that are recorded, retrieved and scanned. The default counts nothing.
	Meter wire.Meter
	// MaxBytes bounds the documents of an account in a region. The default is 64 MiB.
	MaxBytes int64
}

// retention is how long AWS keeps a trace, and maxTrace how much of it, in bytes.
// https://docs.aws.amazon.com/general/latest/gr/xray.html
const (
	retention = 30 * 24 * time.Hour
	maxTrace  = 500 << 10
)

// Service is X-Ray.
type Service struct{ cfg Config }

// New returns the service over what is kept.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 64 << 20
	}
	return &Service{cfg}
}

// API returns the operations.
func (s *Service) API() *wire.Service {
	return &wire.Service{Name: "xray", Protocol: wire.RestJSON, ValidationCode: "InvalidRequestException", Operations: []wire.Operation{
		wire.REST("PutTraceSegments", "POST", "/TraceSegments", s.put, nil),
		wire.REST("PutTelemetryRecords", "POST", "/TelemetryRecords", s.telemetry, nil),
		wire.REST("GetTraceSummaries", "POST", "/TraceSummaries", s.summaries, nil),
		wire.REST("BatchGetTraces", "POST", "/Traces", s.traces, nil),
		wire.REST("GetTraceGraph", "POST", "/TraceGraph", s.graph, nil),
	}}
}

func (s *Service) count(ctx context.Context, c wire.Caller, usage string, n int) {
	if n > 0 {
		s.cfg.Meter.Add(ctx, wire.Quantity{Service: "xray", Usage: usage, RunID: c.RunID, Amount: float64(n)})
	}
}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidRequestException", format, args...)
}

type telemetryInput struct {
	TelemetryRecords []struct {
		Timestamp               *wire.Time `required:"true"`
		SegmentsReceivedCount   int
		SegmentsSentCount       int
		SegmentsSpilloverCount  int
		SegmentsRejectedCount   int
		BackendConnectionErrors struct {
			TimeoutCount, ConnectionRefusedCount, HTTPCode4XXCount, HTTPCode5XXCount, UnknownHostCount, OtherCount int
		}
	} `required:"true"`
	EC2InstanceId string `max:"20"`
	Hostname      string `max:"255"`
	ResourceARN   string `max:"500"`
}

// telemetry takes what a daemon tells of itself, which nothing can read back.
func (s *Service) telemetry(ctx context.Context, call *wire.Call, in *telemetryInput) (*wire.Empty, error) {
	s.count(ctx, call.Caller, "TelemetryRecords", len(in.TelemetryRecords))
	return &wire.Empty{}, nil
}
