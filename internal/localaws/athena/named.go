package athena

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// namedQuery is a query that was saved under a name.
type namedQuery struct {
	Name, Description, Database, QueryString string
	NamedQueryID                             string `json:"NamedQueryId"`
	WorkGroup                                string
	Made                                     time.Time
}

var (
	namedQueries = state.NewCollection[namedQuery]("athena/named")    // account, region, id
	namedTokens  = state.NewCollection[string]("athena/named-tokens") // account, region, client token -> id
)

type namedOutput struct {
	Name         string
	Description  string `json:",omitempty"`
	Database     string
	QueryString  string
	NamedQueryID string `json:"NamedQueryId"`
	WorkGroup    string
}

func (q namedQuery) describe() namedOutput {
	return namedOutput{q.Name, q.Description, q.Database, q.QueryString, q.NamedQueryID, q.WorkGroup}
}

type createNamedInput struct {
	Name               string `required:"true" max:"128"`
	Description        string `max:"1024"`
	Database           string `required:"true" max:"255"`
	QueryString        string `required:"true" max:"262144"`
	ClientRequestToken string `min:"32" max:"128"`
	WorkGroup          string
}

type namedID struct {
	NamedQueryID string `json:"NamedQueryId" required:"true"`
}

// createNamed keeps a query as it is written, whether or not it can be read. A
// token that was used before gives its query again.
func (s *Service) createNamed(_ context.Context, call *wire.Call, in *createNamedInput) (*namedID, error) {
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	q := namedQuery{in.Name, in.Description, in.Database, in.QueryString, id, orPrimary(in.WorkGroup), s.cfg.Clock()}
	out := &namedID{id}
	return out, s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := getGroup(tx, call.Caller, q.WorkGroup); err != nil {
			return err
		}
		if t := in.ClientRequestToken; t != "" {
			if old, err := namedTokens.Get(tx, key(call.Caller, t)); err == nil {
				out.NamedQueryID = old
				was, err := getNamed(tx, call.Caller, old)
				if err == nil && (was.QueryString != q.QueryString || was.Name != q.Name) {
					return invalid("Idempotent parameters do not match")
				}
				return err
			}
			if err := namedTokens.Put(tx, key(call.Caller, t), id); err != nil {
				return err
			}
		}
		return namedQueries.Put(tx, key(call.Caller, id), q)
	})
}

func getNamed(tx state.Tx, c wire.Caller, id string) (namedQuery, error) {
	q, err := namedQueries.Get(tx, key(c, id))
	if errors.Is(err, state.ErrNotFound) {
		return q, invalid("NamedQuery %s was not found", id)
	}
	return q, err
}

type getNamedOutput struct{ NamedQuery namedOutput }

func (s *Service) getNamed(_ context.Context, call *wire.Call, in *namedID) (*getNamedOutput, error) {
	out := &getNamedOutput{}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		q, err := getNamed(tx, call.Caller, in.NamedQueryID)
		out.NamedQuery = q.describe()
		return err
	})
}

type updateNamedInput struct {
	NamedQueryID string  `json:"NamedQueryId" required:"true"`
	Name         string  `required:"true" max:"128"`
	Description  *string `max:"1024"`
	QueryString  string  `required:"true" max:"262144"`
}

func (s *Service) updateNamed(_ context.Context, call *wire.Call, in *updateNamedInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		q, err := getNamed(tx, call.Caller, in.NamedQueryID)
		if err != nil {
			return err
		}
		q.Name, q.QueryString = in.Name, in.QueryString
		if in.Description != nil {
			q.Description = *in.Description
		}
		return namedQueries.Put(tx, key(call.Caller, q.NamedQueryID), q)
	})
}

func (s *Service) deleteNamed(_ context.Context, call *wire.Call, in *namedID) (*wire.Empty, error) {
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := getNamed(tx, call.Caller, in.NamedQueryID); err != nil {
			return err
		}
		return namedQueries.Delete(tx, key(call.Caller, in.NamedQueryID))
	})
}

// namedOf are a work group's queries, the newest first.
func namedOf(tx state.Tx, c wire.Caller, group string) ([]namedQuery, error) {
	es, err := namedQueries.List(tx, prefix(c), "", 0)
	var all []namedQuery
	for _, e := range es {
		if e.Value.WorkGroup == group {
			all = append(all, e.Value)
		}
	}
	slices.SortStableFunc(all, func(a, b namedQuery) int {
		return cmp.Or(b.Made.Compare(a.Made), cmp.Compare(a.NamedQueryID, b.NamedQueryID))
	})
	return all, err
}

type listNamedOutput struct {
	NamedQueryIDs []string `json:"NamedQueryIds"`
	NextToken     string   `json:",omitempty"`
}

func (s *Service) listNamed(_ context.Context, call *wire.Call, in *listInput) (*listNamedOutput, error) {
	out := &listNamedOutput{NamedQueryIDs: []string{}}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		all, err := namedOf(tx, call.Caller, orPrimary(in.WorkGroup))
		if err != nil {
			return err
		}
		page, next, err := cut(all, func(q namedQuery) string { return q.NamedQueryID }, in.NextToken, in.MaxResults, 50)
		for _, q := range page {
			out.NamedQueryIDs = append(out.NamedQueryIDs, q.NamedQueryID)
		}
		out.NextToken = next
		return err
	})
}

type batchNamedInput struct {
	NamedQueryIDs []string `json:"NamedQueryIds" required:"true" max:"50"`
}

type unprocessedNamed struct {
	NamedQueryID string `json:"NamedQueryId"`
	ErrorCode    string
	ErrorMessage string
}

type batchNamedOutput struct {
	NamedQueries             []namedOutput
	UnprocessedNamedQueryIDs []unprocessedNamed `json:"UnprocessedNamedQueryIds"`
}

func (s *Service) batchNamed(_ context.Context, call *wire.Call, in *batchNamedInput) (*batchNamedOutput, error) {
	out := &batchNamedOutput{NamedQueries: []namedOutput{}, UnprocessedNamedQueryIDs: []unprocessedNamed{}}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		for _, id := range in.NamedQueryIDs {
			q, err := getNamed(tx, call.Caller, id)
			if err != nil {
				e := wire.AsError(err)
				out.UnprocessedNamedQueryIDs = append(out.UnprocessedNamedQueryIDs, unprocessedNamed{id, e.Code, e.Message})
				continue
			}
			out.NamedQueries = append(out.NamedQueries, q.describe())
		}
		return nil
	})
}

func (s *Service) touchNamed(action string) func(*wire.Call, *namedID) []wire.Access {
	return func(call *wire.Call, in *namedID) []wire.Access {
		group := primary
		_ = s.cfg.Store.View(func(tx state.Tx) error { // an id that does not exist is named by the operation itself
			if q, err := namedQueries.Get(tx, key(call.Caller, in.NamedQueryID)); err == nil {
				group = q.WorkGroup
			}
			return nil
		})
		return []wire.Access{{Action: "athena:" + action, Resource: call.ARN("athena", "workgroup/"+group)}}
	}
}
