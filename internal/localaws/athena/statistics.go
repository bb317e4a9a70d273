package athena

import (
	"context"

	"engage/internal/localaws/wire"
)

type timelineOutput struct {
	QueryQueueTimeInMillis        int64
	QueryPlanningTimeInMillis     int64
	EngineExecutionTimeInMillis   int64
	ServiceProcessingTimeInMillis int64
	TotalExecutionTimeInMillis    int64
}

// rowsOutput leaves out the rows that were read, which the engine does not count.
type rowsOutput struct {
	InputBytes  int64
	OutputBytes int64
	OutputRows  int64
}

type runtimeStatistics struct {
	Timeline timelineOutput
	Rows     rowsOutput
}

type runtimeOutput struct{ QueryRuntimeStatistics runtimeStatistics }

// runtimeStatistics tells how long an execution took and what it read and wrote.
func (s *Service) runtimeStatistics(_ context.Context, call *wire.Call, in *executionID) (*runtimeOutput, error) {
	x, err := s.find(call, in.QueryExecutionID)
	st := describe(x).Statistics
	return &runtimeOutput{runtimeStatistics{
		Timeline: timelineOutput{st.QueryQueueTimeInMillis, st.QueryPlanningTimeInMillis, st.EngineExecutionTimeInMillis, st.ServiceProcessingTimeInMillis, st.TotalExecutionTimeInMillis},
		Rows:     rowsOutput{x.Scanned, x.Bytes, x.Rows},
	}}, err
}
