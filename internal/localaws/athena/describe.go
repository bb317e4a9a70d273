package athena

import (
	"context"
	"slices"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type statusOutput struct {
	State              string
	StateChangeReason  string `json:",omitempty"`
	SubmissionDateTime wire.Time
	CompletionDateTime *wire.Time   `json:",omitempty"`
	AthenaError        *errorOutput `json:",omitempty"`
}

type errorOutput struct {
	ErrorCategory int
	ErrorMessage  string
	ErrorType     int
	Retryable     bool
}

type statisticsOutput struct {
	DataScannedInBytes            int64
	EngineExecutionTimeInMillis   int64
	QueryPlanningTimeInMillis     int64
	QueryQueueTimeInMillis        int64
	ServiceProcessingTimeInMillis int64
	TotalExecutionTimeInMillis    int64
	DataManifestLocation          string `json:",omitempty"`
}

type engineVersion struct {
	SelectedEngineVersion  string `json:",omitempty"`
	EffectiveEngineVersion string `json:",omitempty"`
}

// theEngine is Athena's engine whose behaviour this service follows.
var theEngine = engineVersion{"AUTO", "Athena engine version 3"}

// effective returns the version that was selected with the one that runs.
func (v *engineVersion) effective() *engineVersion {
	if v == nil || v.SelectedEngineVersion == "" {
		return &theEngine
	}
	return &engineVersion{v.SelectedEngineVersion, theEngine.EffectiveEngineVersion}
}

type executionOutput struct {
	QueryExecutionID      string `json:"QueryExecutionId"`
	Query                 string
	StatementType         string `json:",omitempty"`
	SubstatementType      string `json:",omitempty"`
	WorkGroup             string
	ExecutionParameters   []string `json:",omitempty"`
	QueryExecutionContext queryContext
	ResultConfiguration   resultConfiguration
	EngineVersion         engineVersion
	Status                statusOutput
	Statistics            statisticsOutput
}

func describe(x execution) executionOutput {
	out := executionOutput{QueryExecutionID: x.ID, Query: x.Query, StatementType: x.Type, SubstatementType: x.Substatement, WorkGroup: x.WorkGroup,
		ExecutionParameters: x.Args, QueryExecutionContext: queryContext{x.Catalog, x.Database}, EngineVersion: theEngine,
		ResultConfiguration: resultConfiguration{OutputLocation: x.Output, EncryptionConfiguration: x.Encryption},
		Status:              statusOutput{State: x.State, StateChangeReason: x.Reason, SubmissionDateTime: wire.TimeOf(x.Submitted)},
		Statistics: statisticsOutput{DataScannedInBytes: x.Scanned, DataManifestLocation: x.Manifest,
			EngineExecutionTimeInMillis: x.Execution.Milliseconds(), QueryPlanningTimeInMillis: x.Planning.Milliseconds()}}
	if x.ended() {
		t := wire.TimeOf(x.Completed)
		out.Status.CompletionDateTime = &t
		out.Statistics.TotalExecutionTimeInMillis = x.Completed.Sub(x.Submitted).Milliseconds()
	}
	if x.ErrorType != 0 {
		out.Status.AthenaError = &errorOutput{ErrorCategory: x.ErrorType, ErrorMessage: x.Reason, ErrorType: 1000 + x.ErrorType}
	}
	return out
}

type getExecutionOutput struct{ QueryExecution executionOutput }

func (s *Service) getExecution(ctx context.Context, call *wire.Call, in *executionID) (*getExecutionOutput, error) {
	if _, err := s.find(call, in.QueryExecutionID); err != nil {
		return nil, err
	}
	s.await(ctx, in.QueryExecutionID)
	x, err := s.find(call, in.QueryExecutionID)
	return &getExecutionOutput{describe(x)}, err
}

type batchGetInput struct {
	QueryExecutionIDs []string `json:"QueryExecutionIds" required:"true" max:"50"`
}

type unprocessed struct {
	QueryExecutionID string `json:"QueryExecutionId"`
	ErrorCode        string
	ErrorMessage     string
}

type batchGetOutput struct {
	QueryExecutions              []executionOutput
	UnprocessedQueryExecutionIds []unprocessed
}

func (s *Service) batchGet(_ context.Context, call *wire.Call, in *batchGetInput) (*batchGetOutput, error) {
	out := &batchGetOutput{QueryExecutions: []executionOutput{}, UnprocessedQueryExecutionIds: []unprocessed{}}
	for _, id := range in.QueryExecutionIDs {
		x, err := s.find(call, id)
		if err != nil {
			e := wire.AsError(err)
			out.UnprocessedQueryExecutionIds = append(out.UnprocessedQueryExecutionIds, unprocessed{id, e.Code, e.Message})
			continue
		}
		out.QueryExecutions = append(out.QueryExecutions, describe(x))
	}
	return out, nil
}

type listInput struct {
	WorkGroup  string
	MaxResults *int `min:"1" max:"50"`
	NextToken  string
}

type listExecutionsOutput struct {
	QueryExecutionIDs []string `json:"QueryExecutionIds"`
	NextToken         string   `json:",omitempty"`
}

// listExecutions gives the newest first. The token is the last id that was given.
func (s *Service) listExecutions(_ context.Context, call *wire.Call, in *listInput) (*listExecutionsOutput, error) {
	var all []execution
	err := s.cfg.Store.View(func(tx state.Tx) error {
		es, err := executions.List(tx, prefix(call.Caller), "", 0)
		for _, e := range es {
			if e.Value.WorkGroup == orPrimary(in.WorkGroup) {
				all = append(all, e.Value)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b execution) int { return b.Submitted.Compare(a.Submitted) })
	if in.NextToken != "" {
		i := slices.IndexFunc(all, func(x execution) bool { return x.ID == in.NextToken })
		if i < 0 {
			return nil, invalid("NextToken is not valid")
		}
		all = all[i+1:]
	}
	out, most := &listExecutionsOutput{QueryExecutionIDs: []string{}}, 50
	if in.MaxResults != nil {
		most = *in.MaxResults
	}
	for i, x := range all {
		if i == most {
			out.NextToken = all[i-1].ID
			break
		}
		out.QueryExecutionIDs = append(out.QueryExecutionIDs, x.ID)
	}
	return out, nil
}
