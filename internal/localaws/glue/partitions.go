package glue

import (
	"context"
	"hash/fnv"
	"strings"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type partitionInput struct {
	Values            []string `required:"true"`
	LastAccessTime    wire.Time
	LastAnalyzedTime  wire.Time
	StorageDescriptor catalog.Storage
	Parameters        map[string]string
}

func (p partitionInput) partition() catalog.Partition {
	return catalog.Partition{Values: p.Values, Storage: p.StorageDescriptor, Parameters: p.Parameters}
}

type partitionOutput struct {
	catalog.Partition
	DatabaseName string
	TableName    string
	CreationTime wire.Time
	CatalogID    string `json:"CatalogId"`
}

// tableOf names the table of an operation on partitions.
type tableOf struct{ db, name string }

func nameOf(db, name string) tableOf { return tableOf{strings.ToLower(db), strings.ToLower(name)} }

func (t tableOf) describe(p partition, account string) partitionOutput {
	return partitionOutput{p.Partition, t.db, t.name, wire.TimeOf(p.Made), account}
}

type createPartitionInput struct {
	CatalogID      string         `json:"CatalogId"`
	DatabaseName   string         `required:"true"`
	TableName      string         `required:"true"`
	PartitionInput partitionInput `required:"true"`
}

func (s *Service) createPartitionOp(_ context.Context, call *wire.Call, in *createPartitionInput) (*wire.Empty, error) {
	n := nameOf(in.DatabaseName, in.TableName)
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		return s.createPartition(tx, scopeOf(call.Caller), n.db, n.name, in.PartitionInput.partition())
	})
}

type batchCreateInput struct {
	CatalogID          string           `json:"CatalogId"`
	DatabaseName       string           `required:"true"`
	TableName          string           `required:"true"`
	PartitionInputList []partitionInput `required:"true" max:"100"`
}

type partitionError struct {
	PartitionValues []string
	ErrorDetail     errorDetail
}

type batchErrors struct{ Errors []partitionError }

// each runs f for each entry; an entry that fails is reported and does not stop the others.
func (s *Service) each(sc scope, n tableOf, values [][]string, f func(tx state.Tx, i int) error) (*batchErrors, error) {
	out := &batchErrors{Errors: []partitionError{}}
	return out, s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := getTable(tx, sc, n.db, n.name); err != nil {
			return err
		}
		for i, v := range values {
			if err := f(tx, i); err != nil {
				out.Errors = append(out.Errors, partitionError{v, detail(err)})
			}
		}
		return nil
	})
}

func (s *Service) batchCreate(_ context.Context, call *wire.Call, in *batchCreateInput) (*batchErrors, error) {
	n, sc := nameOf(in.DatabaseName, in.TableName), scopeOf(call.Caller)
	values := make([][]string, len(in.PartitionInputList))
	for i, p := range in.PartitionInputList {
		values[i] = p.Values
	}
	return s.each(sc, n, values, func(tx state.Tx, i int) error {
		return s.createPartition(tx, sc, n.db, n.name, in.PartitionInputList[i].partition())
	})
}

type partitionName struct {
	CatalogID       string   `json:"CatalogId"`
	DatabaseName    string   `required:"true"`
	TableName       string   `required:"true"`
	PartitionValues []string `required:"true"`
}

type getPartitionOutput struct{ Partition partitionOutput }

func (s *Service) getPartitionOp(_ context.Context, call *wire.Call, in *partitionName) (*getPartitionOutput, error) {
	n, out := nameOf(in.DatabaseName, in.TableName), &getPartitionOutput{}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		p, err := getPartition(tx, scopeOf(call.Caller), n.db, n.name, in.PartitionValues)
		out.Partition = n.describe(p, call.Caller.Account)
		return err
	})
}

type getPartitionsInput struct {
	CatalogID           string `json:"CatalogId"`
	DatabaseName        string `required:"true"`
	TableName           string `required:"true"`
	Expression          string
	ExcludeColumnSchema *bool
	MaxResults          *int `min:"1" max:"1000"`
	NextToken           string
	Segment             *segment
}

type getPartitionsOutput struct {
	Partitions []partitionOutput
	NextToken  string `json:",omitempty"`
}

func (s *Service) getPartitionsOp(_ context.Context, call *wire.Call, in *getPartitionsInput) (*getPartitionsOutput, error) {
	n, sc, out := nameOf(in.DatabaseName, in.TableName), scopeOf(call.Caller), &getPartitionsOutput{Partitions: []partitionOutput{}}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		t, err := getTable(tx, sc, n.db, n.name)
		if err != nil {
			return err
		}
		fits, err := parseExpression(t.PartitionKeys, in.Expression)
		if err != nil {
			return err
		}
		es, next, err := filtered(tx, sc.prefix(n.db, n.name), in.NextToken, limit(in.MaxResults, 1000), in.Segment.in(func(p partition) (bool, error) { return fits(p.Values) }))
		for _, e := range es {
			p := n.describe(e.Value, call.Caller.Account)
			if in.ExcludeColumnSchema != nil && *in.ExcludeColumnSchema {
				p.Storage.Columns = nil
			}
			out.Partitions = append(out.Partitions, p)
		}
		out.NextToken = next
		return err
	})
}

// segment is one of several parts of a table's partitions, which are listed side by side.
type segment struct {
	SegmentNumber int `min:"0"`
	TotalSegments int `min:"1" max:"10"`
}

// in narrows a filter to the segment that a partition's values fall into.
func (g *segment) in(fits func(partition) (bool, error)) func(partition) (bool, error) {
	if g == nil {
		return fits
	}
	return func(p partition) (bool, error) {
		h := fnv.New32a()
		for _, v := range p.Values {
			h.Write([]byte(v + "\x00"))
		}
		if int(h.Sum32()%uint32(max(g.TotalSegments, 1))) != g.SegmentNumber {
			return false, nil
		}
		return fits(p)
	}
}

// filtered is page for the partitions that fit.
func filtered(tx state.Tx, prefix, token string, most int, fits func(partition) (bool, error)) (out []state.Entry[partition], next string, err error) {
	for {
		es, after, err := page(partitions, tx, prefix, token, most)
		if err != nil {
			return nil, "", err
		}
		for _, e := range es {
			ok, err := fits(e.Value)
			if err != nil {
				return nil, "", err
			}
			if !ok {
				continue
			}
			if len(out) == most {
				return out, encodeToken(out[most-1].Key), nil
			}
			out = append(out, e)
		}
		if token = after; token == "" {
			return out, "", nil
		}
	}
}

type valueList struct {
	Values []string `required:"true"`
}

type batchGetInput struct {
	CatalogID       string      `json:"CatalogId"`
	DatabaseName    string      `required:"true"`
	TableName       string      `required:"true"`
	PartitionsToGet []valueList `required:"true" max:"1000"`
}

type batchGetOutput struct {
	Partitions      []partitionOutput
	UnprocessedKeys []valueList
}

func (s *Service) batchGet(_ context.Context, call *wire.Call, in *batchGetInput) (*batchGetOutput, error) {
	n, sc := nameOf(in.DatabaseName, in.TableName), scopeOf(call.Caller)
	out := &batchGetOutput{Partitions: []partitionOutput{}, UnprocessedKeys: []valueList{}}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		for _, v := range in.PartitionsToGet {
			p, err := getPartition(tx, sc, n.db, n.name, v.Values)
			if wire.IsCode(err, "EntityNotFoundException") {
				continue // what is not there is left out of the answer
			}
			if err != nil {
				return err
			}
			out.Partitions = append(out.Partitions, n.describe(p, call.Caller.Account))
		}
		_, err := getTable(tx, sc, n.db, n.name)
		return err
	})
}

type updatePartitionInput struct {
	CatalogID          string         `json:"CatalogId"`
	DatabaseName       string         `required:"true"`
	TableName          string         `required:"true"`
	PartitionValueList []string       `required:"true"`
	PartitionInput     partitionInput `required:"true"`
}

func (s *Service) updatePartition(_ context.Context, call *wire.Call, in *updatePartitionInput) (*wire.Empty, error) {
	n, sc := nameOf(in.DatabaseName, in.TableName), scopeOf(call.Caller)
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		if err := deletePartition(tx, sc, n.db, n.name, in.PartitionValueList); err != nil {
			return err
		}
		return s.createPartition(tx, sc, n.db, n.name, in.PartitionInput.partition())
	})
}

func (s *Service) deletePartitionOp(_ context.Context, call *wire.Call, in *partitionName) (*wire.Empty, error) {
	n := nameOf(in.DatabaseName, in.TableName)
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		return deletePartition(tx, scopeOf(call.Caller), n.db, n.name, in.PartitionValues)
	})
}

type batchDeleteInput struct {
	CatalogID          string      `json:"CatalogId"`
	DatabaseName       string      `required:"true"`
	TableName          string      `required:"true"`
	PartitionsToDelete []valueList `required:"true" max:"25"`
}

func (s *Service) batchDelete(_ context.Context, call *wire.Call, in *batchDeleteInput) (*batchErrors, error) {
	n, sc := nameOf(in.DatabaseName, in.TableName), scopeOf(call.Caller)
	values := make([][]string, len(in.PartitionsToDelete))
	for i, p := range in.PartitionsToDelete {
		values[i] = p.Values
	}
	return s.each(sc, n, values, func(tx state.Tx, i int) error { return deletePartition(tx, sc, n.db, n.name, values[i]) })
}
