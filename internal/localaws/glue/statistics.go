package glue

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// decimal is a number of any precision: the digits as bytes, and where the point is.
type decimal struct {
	Scale         int
	UnscaledValue []byte
}

type booleanStatistics struct{ NumberOfTrues, NumberOfFalses, NumberOfNulls int64 }

type dateStatistics struct {
	MinimumValue, MaximumValue            *wire.Time `json:",omitempty"`
	NumberOfNulls, NumberOfDistinctValues int64
}

type decimalStatistics struct {
	MinimumValue, MaximumValue            *decimal `json:",omitempty"`
	NumberOfNulls, NumberOfDistinctValues int64
}

type doubleStatistics struct {
	MinimumValue, MaximumValue            float64
	NumberOfNulls, NumberOfDistinctValues int64
}

type longStatistics struct {
	MinimumValue, MaximumValue            int64
	NumberOfNulls, NumberOfDistinctValues int64
}

type stringStatistics struct {
	MaximumLength                         int64
	AverageLength                         float64
	NumberOfNulls, NumberOfDistinctValues int64
}

type binaryStatistics struct {
	MaximumLength int64
	AverageLength float64
	NumberOfNulls int64
}

// statisticsData has the one member that Type names.
type statisticsData struct {
	Type                        string             `required:"true" enum:"BOOLEAN,DATE,DECIMAL,DOUBLE,LONG,STRING,BINARY"`
	BooleanColumnStatisticsData *booleanStatistics `json:",omitempty"`
	DateColumnStatisticsData    *dateStatistics    `json:",omitempty"`
	DecimalColumnStatisticsData *decimalStatistics `json:",omitempty"`
	DoubleColumnStatisticsData  *doubleStatistics  `json:",omitempty"`
	LongColumnStatisticsData    *longStatistics    `json:",omitempty"`
	StringColumnStatisticsData  *stringStatistics  `json:",omitempty"`
	BinaryColumnStatisticsData  *binaryStatistics  `json:",omitempty"`
}

// named reports whether the member that Type names is there.
func (d statisticsData) named() bool {
	return map[string]bool{"BOOLEAN": d.BooleanColumnStatisticsData != nil, "DATE": d.DateColumnStatisticsData != nil, "DECIMAL": d.DecimalColumnStatisticsData != nil,
		"DOUBLE": d.DoubleColumnStatisticsData != nil, "LONG": d.LongColumnStatisticsData != nil, "STRING": d.StringColumnStatisticsData != nil, "BINARY": d.BinaryColumnStatisticsData != nil}[d.Type]
}

// columnStatistics are what somebody measured of a column.
type columnStatistics struct {
	ColumnName     string         `required:"true"`
	ColumnType     string         `required:"true"`
	AnalyzedTime   wire.Time      `required:"true"`
	StatisticsData statisticsData `required:"true"`
}

// statistics are kept as they came: database, table, column.
var statistics = state.NewCollection[json.RawMessage]("glue/column-statistics")

type updateStatisticsInput struct {
	CatalogID            string             `json:"CatalogId"`
	DatabaseName         string             `required:"true"`
	TableName            string             `required:"true"`
	ColumnStatisticsList []columnStatistics `required:"true" max:"25"`
}

type statisticsError struct {
	ColumnStatistics columnStatistics
	Error            errorDetail
}

type updateStatisticsOutput struct{ Errors []statisticsError }

func hasColumn(t table, name string) bool {
	is := func(c catalog.Column) bool { return strings.EqualFold(c.Name, name) }
	return slices.ContainsFunc(t.Storage.Columns, is) || slices.ContainsFunc(t.PartitionKeys, is)
}

func (s *Service) updateStatistics(_ context.Context, call *wire.Call, in *updateStatisticsInput) (*updateStatisticsOutput, error) {
	n, sc, out := nameOf(in.DatabaseName, in.TableName), scopeOf(call.Caller), &updateStatisticsOutput{Errors: []statisticsError{}}
	return out, s.cfg.Store.Update(func(tx state.Tx) error {
		t, err := getTable(tx, sc, n.db, n.name)
		if err != nil {
			return err
		}
		for _, c := range in.ColumnStatisticsList {
			if err := putStatistics(tx, sc, n, t, c); err != nil {
				out.Errors = append(out.Errors, statisticsError{c, detail(err)})
			}
		}
		return nil
	})
}

func putStatistics(tx state.Tx, sc scope, n tableOf, t table, c columnStatistics) error {
	switch {
	case !hasColumn(t, c.ColumnName):
		return notFound("Column %s not found.", c.ColumnName)
	case !c.StatisticsData.named():
		return invalid("StatisticsData of column %s has no member of its type %s", c.ColumnName, c.StatisticsData.Type)
	}
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return statistics.Put(tx, sc.key(n.db, n.name, strings.ToLower(c.ColumnName)), b)
}

type getStatisticsInput struct {
	CatalogID    string   `json:"CatalogId"`
	DatabaseName string   `required:"true"`
	TableName    string   `required:"true"`
	ColumnNames  []string `required:"true" max:"100"`
}

type columnError struct {
	ColumnName string
	Error      errorDetail
}

type getStatisticsOutput struct {
	ColumnStatisticsList []json.RawMessage
	Errors               []columnError
}

func (s *Service) getStatistics(_ context.Context, call *wire.Call, in *getStatisticsInput) (*getStatisticsOutput, error) {
	n, sc := nameOf(in.DatabaseName, in.TableName), scopeOf(call.Caller)
	out := &getStatisticsOutput{ColumnStatisticsList: []json.RawMessage{}, Errors: []columnError{}}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		if _, err := getTable(tx, sc, n.db, n.name); err != nil {
			return err
		}
		for _, c := range in.ColumnNames {
			b, err := statistics.Get(tx, sc.key(n.db, n.name, strings.ToLower(c)))
			switch {
			case errors.Is(err, state.ErrNotFound):
				out.Errors = append(out.Errors, columnError{c, detail(notFound("Statistics of column %s not found.", c))})
			case err != nil:
				return err
			default:
				out.ColumnStatisticsList = append(out.ColumnStatisticsList, b)
			}
		}
		return nil
	})
}

type deleteStatisticsInput struct {
	CatalogID    string `json:"CatalogId"`
	DatabaseName string `required:"true"`
	TableName    string `required:"true"`
	ColumnName   string `required:"true"`
}

func (s *Service) deleteStatistics(_ context.Context, call *wire.Call, in *deleteStatisticsInput) (*wire.Empty, error) {
	n, sc := nameOf(in.DatabaseName, in.TableName), scopeOf(call.Caller)
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := getTable(tx, sc, n.db, n.name); err != nil {
			return err
		}
		err := statistics.Delete(tx, sc.key(n.db, n.name, strings.ToLower(in.ColumnName)))
		if errors.Is(err, state.ErrNotFound) {
			return notFound("Statistics of column %s not found.", in.ColumnName)
		}
		return err
	})
}
