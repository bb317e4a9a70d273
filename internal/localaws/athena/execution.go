package athena

import (
	"context"
	"errors"
	"strings"
	"time"

	"engage/internal/localaws/athena/engine"
	"engage/internal/localaws/athena/sql"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// States of an execution.
const (
	queued    = "QUEUED"
	running   = "RUNNING"
	succeeded = "SUCCEEDED"
	failed    = "FAILED"
	cancelled = "CANCELLED"
)

// execution is what is kept of a query.
type execution struct {
	ID, Query, WorkGroup, Database, Catalog string
	Args                                    []string `json:",omitempty"`
	Output                                  string   // the folder, then the file
	Encryption                              *encryption
	State, Reason                           string
	ErrorType                               int // 0, or AthenaError's category: 1 system, 2 user
	Submitted, Completed                    time.Time
	Type, Substatement                      string
	Columns                                 []engine.Column
	Header                                  bool
	Rows, Scanned, Bytes                    int64
	Manifest                                string
	Notes                                   []string `json:",omitempty"`
	Planning, Execution                     time.Duration
}

func (x execution) ended() bool { return x.State != queued && x.State != running }

var (
	executions = state.NewCollection[execution]("athena/executions") // account, region, id
	tokens     = state.NewCollection[string]("athena/tokens")        // account, region, client token -> id
)

type queryContext struct{ Catalog, Database string }

type encryption struct {
	EncryptionOption string `required:"true" enum:"SSE_S3,SSE_KMS,CSE_KMS"`
	KmsKey           string `json:",omitempty"`
}

type resultConfiguration struct {
	OutputLocation          string      `json:",omitempty"`
	EncryptionConfiguration *encryption `json:",omitempty"`
	ExpectedBucketOwner     string      `json:",omitempty"`
}

type startInput struct {
	QueryString              string `required:"true"`
	ClientRequestToken       string `min:"32" max:"128"`
	QueryExecutionContext    *queryContext
	ResultConfiguration      *resultConfiguration
	WorkGroup                string
	ExecutionParameters      []string
	ResultReuseConfiguration *reuseConfiguration
}

// reuseConfiguration asks for the result of an earlier query.
type reuseConfiguration struct{ ResultReuseByAgeConfiguration *reuseByAge }

type reuseByAge struct {
	Enabled         *bool `required:"true"`
	MaxAgeInMinutes *int  `min:"0" max:"10080"`
}

func (r *reuseConfiguration) wanted() bool {
	return r != nil && r.ResultReuseByAgeConfiguration != nil && isTrue(r.ResultReuseByAgeConfiguration.Enabled)
}

type executionID struct {
	QueryExecutionID string `json:"QueryExecutionId" required:"true"`
}

// start accepts a query that can be read, and runs it behind the caller's back.
func (s *Service) start(_ context.Context, call *wire.Call, in *startInput) (*executionID, error) {
	if _, err := sql.Parse(in.QueryString); err != nil {
		return nil, invalid("%s", err.Error()).With("AthenaErrorCode", "MALFORMED_QUERY")
	}
	if in.ResultReuseConfiguration.wanted() {
		return nil, wire.NotImplemented("the reuse of query results (ResultReuseByAgeConfiguration)")
	}
	x, group, err := s.newExecution(call, in)
	if err != nil {
		return nil, err
	}
	id, fresh, err := s.accept(call.Caller, x, in.ClientRequestToken)
	if err != nil || !fresh {
		return &executionID{id}, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		cancel()
		return nil, wire.InternalFailure(errors.New("the service is closing"))
	}
	s.running[id] = &inFlight{cancel: cancel, done: make(chan struct{})}
	s.wg.Go(func() {
		defer cancel()
		s.run(ctx, call.Caller, x, group)
	})
	return &executionID{id}, nil
}

func (s *Service) newExecution(call *wire.Call, in *startInput) (execution, workGroup, error) {
	x := execution{Query: in.QueryString, WorkGroup: orPrimary(in.WorkGroup), Args: in.ExecutionParameters, State: queued, Submitted: s.cfg.Clock(), Catalog: "awsdatacatalog", Database: "default"}
	var g workGroup
	err := s.cfg.Store.View(func(tx state.Tx) (err error) {
		g, err = getGroup(tx, call.Caller, x.WorkGroup)
		return err
	})
	if err != nil {
		return x, g, err
	}
	if g.State == "DISABLED" {
		return x, g, invalid("WorkGroup %s is disabled.", g.Name)
	}
	if c := in.QueryExecutionContext; c != nil {
		if c.Catalog != "" && !strings.EqualFold(c.Catalog, "AwsDataCatalog") {
			return x, g, invalid("Catalog %s is not supported; there is AwsDataCatalog", c.Catalog)
		}
		if c.Database != "" {
			x.Database = strings.ToLower(strings.Trim(c.Database, "`")) // tools quote it for Hive
		}
	}
	rc := g.Configuration.ResultConfiguration
	if in.ResultConfiguration != nil && !g.enforced() {
		rc = in.ResultConfiguration
	}
	if rc == nil || rc.OutputLocation == "" {
		return x, g, invalid("No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.")
	}
	x.Output, x.Encryption = rc.OutputLocation, rc.EncryptionConfiguration
	if x.Encryption != nil && x.Encryption.EncryptionOption == "CSE_KMS" {
		return x, g, wire.NotImplemented("client-side encryption (CSE_KMS) of results")
	}
	x.ID, err = s.newID()
	return x, g, err
}

// accept keeps the execution; a token that was used before gives its execution again.
func (s *Service) accept(c wire.Caller, x execution, token string) (id string, fresh bool, err error) {
	err = s.cfg.Store.Batch(func(tx state.Tx) error {
		id, fresh = x.ID, true
		if token != "" {
			if old, err := tokens.Get(tx, key(c, token)); err == nil {
				was, err := executions.Get(tx, key(c, old))
				if err == nil && was.Query != x.Query {
					return invalid("Idempotent parameters do not match")
				}
				id, fresh = old, false
				return err
			}
			if err := tokens.Put(tx, key(c, token), x.ID); err != nil {
				return err
			}
		}
		return executions.Put(tx, key(c, x.ID), x)
	})
	return id, fresh, err
}

// update changes an execution that has not ended and reports whether it did.
func (s *Service) update(c wire.Caller, id string, change func(*execution)) (changed bool, err error) {
	err = s.cfg.Store.Batch(func(tx state.Tx) error {
		changed = false
		x, err := executions.Get(tx, key(c, id))
		if err != nil || x.ended() {
			return err
		}
		change(&x)
		changed = true
		return executions.Put(tx, key(c, id), x)
	})
	return changed, err
}

// run takes an execution from QUEUED to its end.
func (s *Service) run(ctx context.Context, c wire.Caller, x execution, g workGroup) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		close(s.running[x.ID].done)
		delete(s.running, x.ID)
	}()
	s.begin(x.ID)
	res, err := s.engine.Run(ctx, engine.Request{ID: x.ID, Statement: x.Query, Database: x.Database, Args: x.Args, Output: x.Output,
		ScanLimit: g.cutoff(), Prepared: preparedIn{s, c, g.Name}, Catalog: s.cfg.Glue.Catalog(c), Objects: objects{s.cfg.S3, c, x.Encryption}})
	if wire.IsAccessDenied(err) {
		s.cfg.Refused("athena", "StartQueryExecution", c, err)
	}
	_, _ = s.update(c, x.ID, func(x *execution) {
		x.Completed = s.cfg.Clock()
		x.finish(res, err)
	})
	if res != nil {
		s.cfg.Meter.Add(context.WithoutCancel(ctx), wire.Quantity{Service: "athena", Usage: "BytesScanned", Resource: x.ID, RunID: c.RunID, Amount: float64(res.Scanned)})
	}
	s.cfg.Meter.Add(context.WithoutCancel(ctx), wire.Quantity{Service: "athena", Usage: "Queries", Resource: g.Name, RunID: c.RunID, Amount: 1})
}

// begin makes an execution RUNNING. That is not kept: after a crash one that
// was accepted and has not ended has failed, however far it came.
func (s *Service) begin(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[id].begun = true
}

func (s *Service) begun(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.running[id]
	return ok && f.begun
}

// patience is how long a question for an execution's state waits for its end.
// A small query has ended within it, and a client that sleeps between
// questions does not sleep for nothing.
const patience = 25 * time.Millisecond

// await returns when an execution has ended, or after patience.
func (s *Service) await(ctx context.Context, id string) {
	s.mu.Lock()
	f, ok := s.running[id]
	s.mu.Unlock()
	if !ok {
		return
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-f.done:
	case <-t.C:
	case <-ctx.Done():
	}
}

// finish records how the engine ended.
func (x *execution) finish(res *engine.Result, err error) {
	var se *sql.Error
	var we *wire.Error
	switch {
	case err == nil:
		x.State, x.Type, x.Substatement, x.Columns, x.Header = succeeded, res.StatementType, res.Substatement, res.Columns, res.Header
		x.Bytes = res.Bytes
		x.Rows, x.Scanned, x.Output, x.Manifest, x.Notes = res.Rows, res.Scanned, res.Output, res.Manifest, res.Notes
		x.Planning, x.Execution = res.Planning, res.Execution
	case errors.Is(err, context.Canceled):
		x.State, x.Reason = cancelled, "Query cancelled by the user or because the endpoint stops"
	case errors.Is(err, engine.ErrScanLimit):
		x.State, x.Reason = cancelled, "Query cancelled! : Bytes scanned limit was exceeded"
	case errors.As(err, &se):
		x.State, x.Reason, x.ErrorType = failed, se.Error(), 2
	case wire.IsAccessDenied(err):
		x.State, x.Reason, x.ErrorType = failed, "PERMISSION_DENIED: "+wire.AsError(err).Message, 2
	case errors.As(err, &we):
		x.State, x.Reason, x.ErrorType = failed, we.Error(), 2
	default:
		x.State, x.Reason, x.ErrorType = failed, sql.GenericInternal+": "+err.Error(), 1
	}
}

func (s *Service) stop(_ context.Context, call *wire.Call, in *executionID) (*wire.Empty, error) {
	if _, err := s.find(call, in.QueryExecutionID); err != nil {
		return nil, err
	}
	_, err := s.update(call.Caller, in.QueryExecutionID, func(x *execution) {
		x.State, x.Reason, x.Completed = cancelled, "Query cancelled by user", s.cfg.Clock()
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.running[in.QueryExecutionID]; ok {
		f.cancel()
	}
	return &wire.Empty{}, err
}

// find reads an execution. Whether it runs is asked first: what has ended by
// then is kept as ended, and no state comes after a later one.
func (s *Service) find(call *wire.Call, id string) (x execution, err error) {
	begun := s.begun(id)
	err = s.cfg.Store.View(func(tx state.Tx) error {
		x, err = executions.Get(tx, key(call.Caller, id))
		if errors.Is(err, state.ErrNotFound) {
			return invalid("QueryExecution %s was not found", id)
		}
		return err
	})
	if begun && !x.ended() {
		x.State = running
	}
	return x, err
}
