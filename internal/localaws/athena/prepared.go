package athena

import (
	"context"
	"errors"
	"time"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/athena/sql"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// statement is a prepared statement.
type statement struct {
	Name, Text, Description string
	Modified                time.Time
}

var statements = state.NewCollection[statement]("athena/prepared") // account, region, work group, name

// preparedIn is the statements of a work group, for PREPARE, EXECUTE and DEALLOCATE.
type preparedIn struct {
	s      *Service
	caller wire.Caller
	group  string
}

func (p preparedIn) Put(_ context.Context, name, text string) error {
	return p.s.cfg.Store.Update(func(tx state.Tx) error {
		return statements.Put(tx, key(p.caller, p.group, name), statement{Name: name, Text: text, Modified: p.s.cfg.Clock()})
	})
}

func (p preparedIn) Get(_ context.Context, name string) (text string, err error) {
	err = p.s.cfg.Store.View(func(tx state.Tx) error {
		st, err := statements.Get(tx, key(p.caller, p.group, name))
		text = st.Text
		return missing(err)
	})
	return text, err
}

func (p preparedIn) Delete(_ context.Context, name string) error {
	return p.s.cfg.Store.Update(func(tx state.Tx) error { return missing(statements.Delete(tx, key(p.caller, p.group, name))) })
}

func missing(err error) error {
	if errors.Is(err, state.ErrNotFound) {
		return catalog.ErrNotFound
	}
	return err
}

type preparedInput struct {
	StatementName  string `required:"true" max:"256"`
	WorkGroup      string `required:"true"`
	QueryStatement string `required:"true"`
	Description    string
}

type preparedName struct {
	StatementName string `required:"true"`
	WorkGroup     string `required:"true"`
}

func (s *Service) keep(call *wire.Call, in *preparedInput, update bool) error {
	if _, err := sql.Parse(in.QueryStatement); err != nil {
		return invalid("%s", err.Error())
	}
	return s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := getGroup(tx, call.Caller, in.WorkGroup); err != nil {
			return err
		}
		k := key(call.Caller, in.WorkGroup, in.StatementName)
		switch has := statements.Has(tx, k); {
		case has && !update:
			return invalid("PreparedStatement %s already exists", in.StatementName)
		case !has && update:
			return absent(in.StatementName)
		}
		return statements.Put(tx, k, statement{in.StatementName, in.QueryStatement, in.Description, s.cfg.Clock()})
	})
}

func absent(name string) error {
	return wire.Errorf("ResourceNotFoundException", "PreparedStatement %s was not found", name)
}

func (s *Service) createPrepared(_ context.Context, call *wire.Call, in *preparedInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.keep(call, in, false)
}

func (s *Service) updatePrepared(_ context.Context, call *wire.Call, in *preparedInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.keep(call, in, true)
}

type preparedOutput struct {
	StatementName    string
	WorkGroupName    string
	QueryStatement   string
	Description      string `json:",omitempty"`
	LastModifiedTime wire.Time
}

type getPreparedOutput struct{ PreparedStatement preparedOutput }

func (s *Service) getPrepared(_ context.Context, call *wire.Call, in *preparedName) (*getPreparedOutput, error) {
	out := &getPreparedOutput{}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		st, err := statements.Get(tx, key(call.Caller, in.WorkGroup, in.StatementName))
		if errors.Is(err, state.ErrNotFound) {
			return absent(in.StatementName)
		}
		out.PreparedStatement = preparedOutput{st.Name, in.WorkGroup, st.Text, st.Description, wire.TimeOf(st.Modified)}
		return err
	})
}

func (s *Service) deletePrepared(_ context.Context, call *wire.Call, in *preparedName) (*wire.Empty, error) {
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		return statements.Delete(tx, key(call.Caller, in.WorkGroup, in.StatementName))
	})
	if errors.Is(err, state.ErrNotFound) {
		return nil, absent(in.StatementName)
	}
	return &wire.Empty{}, err
}

type preparedSummary struct {
	StatementName    string
	LastModifiedTime wire.Time
}

type listPreparedOutput struct {
	PreparedStatements []preparedSummary
	NextToken          string `json:",omitempty"`
}

func (s *Service) listPrepared(_ context.Context, call *wire.Call, in *listInput) (*listPreparedOutput, error) {
	out, most := &listPreparedOutput{PreparedStatements: []preparedSummary{}}, 50
	if in.MaxResults != nil {
		most = *in.MaxResults
	}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		after := ""
		if in.NextToken != "" {
			after = key(call.Caller, in.WorkGroup, in.NextToken)
		}
		es, err := statements.List(tx, prefix(call.Caller, in.WorkGroup), after, most+1)
		for i, e := range es {
			if i == most {
				out.NextToken = es[i-1].Value.Name
				break
			}
			out.PreparedStatements = append(out.PreparedStatements, preparedSummary{e.Value.Name, wire.TimeOf(e.Value.Modified)})
		}
		return err
	})
}

type batchPreparedInput struct {
	PreparedStatementNames []string `required:"true" max:"50"`
	WorkGroup              string   `required:"true"`
}

type unprocessedPrepared struct{ StatementName, ErrorCode, ErrorMessage string }

type batchPreparedOutput struct {
	PreparedStatements                []preparedOutput
	UnprocessedPreparedStatementNames []unprocessedPrepared
}

func (s *Service) batchPrepared(ctx context.Context, call *wire.Call, in *batchPreparedInput) (*batchPreparedOutput, error) {
	out := &batchPreparedOutput{PreparedStatements: []preparedOutput{}, UnprocessedPreparedStatementNames: []unprocessedPrepared{}}
	for _, name := range in.PreparedStatementNames {
		got, err := s.getPrepared(ctx, call, &preparedName{name, in.WorkGroup})
		if err != nil {
			e := wire.AsError(err)
			out.UnprocessedPreparedStatementNames = append(out.UnprocessedPreparedStatementNames, unprocessedPrepared{name, e.Code, e.Message})
			continue
		}
		out.PreparedStatements = append(out.PreparedStatements, got.PreparedStatement)
	}
	return out, nil
}
