package athena

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"engage/internal/localaws/wire"
)

type resultsInput struct {
	QueryExecutionID string `json:"QueryExecutionId" required:"true"`
	MaxResults       *int   `min:"1" max:"1000"`
	NextToken        string
	QueryResultType  string `enum:"DATA_ROWS"`
}

type datum struct {
	VarCharValue *string `json:",omitempty"`
}

type row struct{ Data []datum }

type columnInfo struct {
	CatalogName, SchemaName, TableName, Name, Label, Type string
	Precision, Scale                                      int
	Nullable                                              string
	CaseSensitive                                         bool
}

type resultSet struct {
	Rows              []row
	ResultSetMetadata struct{ ColumnInfo []columnInfo }
}

type resultsOutput struct {
	ResultSet   resultSet
	UpdateCount int64
	NextToken   string `json:",omitempty"`
}

// results pages through the result file; the first row of a query's first page is its header.
func (s *Service) results(ctx context.Context, call *wire.Call, in *resultsInput) (*resultsOutput, error) {
	x, err := s.find(call, in.QueryExecutionID)
	if err != nil {
		return nil, err
	}
	switch x.State {
	case succeeded:
	case failed, cancelled:
		return nil, invalid("Query did not finish successfully. Final query state: %s", x.State)
	default:
		return nil, invalid("Query has not yet finished. Current state: %s", x.State)
	}
	skip, most := 0, 1000
	if in.NextToken != "" {
		if skip, err = strconv.Atoi(in.NextToken); err != nil || skip < 0 {
			return nil, invalid("NextToken is not valid")
		}
	}
	if in.MaxResults != nil {
		most = *in.MaxResults
	}
	out := &resultsOutput{ResultSet: resultSet{Rows: []row{}}}
	out.ResultSet.ResultSetMetadata.ColumnInfo = columnInfos(x)
	if x.Manifest != "" {
		out.UpdateCount = x.Rows
		return out, nil
	}
	f, err := objects{s3: s.cfg.S3, caller: call.Caller}.Open(ctx, x.Output)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	more, err := readRows(bufio.NewReader(f), x.Header, skip, most, &out.ResultSet.Rows)
	if more {
		out.NextToken = strconv.Itoa(skip + most)
	}
	return out, err
}

func columnInfos(x execution) []columnInfo {
	out := make([]columnInfo, len(x.Columns))
	for i, c := range x.Columns {
		out[i] = columnInfo{CatalogName: "hive", Name: c.Name, Label: c.Name, Type: c.Type, Precision: c.Precision, Scale: c.Scale, Nullable: "UNKNOWN", CaseSensitive: c.CaseSensitive}
	}
	return out
}

// readRows reads up to most rows after the first skip ones and reports whether there are more.
func readRows(r *bufio.Reader, quoted bool, skip, most int, out *[]row) (more bool, err error) {
	next := textRow
	if quoted {
		next = csvRow
	}
	for n := 0; ; n++ {
		fields, err := next(r)
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if n >= skip+most {
			return true, nil
		}
		if n >= skip {
			*out = append(*out, row{fields})
		}
	}
}

// textRow reads a line of DDL's output as one value.
func textRow(r *bufio.Reader) ([]datum, error) {
	line, err := r.ReadString('\n')
	if line == "" {
		return nil, err
	}
	line = strings.TrimSuffix(line, "\n")
	return []datum{{&line}}, nil
}

// csvRow reads a row in which every value is quoted and null is nothing at all.
func csvRow(r *bufio.Reader) ([]datum, error) {
	var fields []datum
	for first := true; ; first = false {
		c, err := r.ReadByte()
		if err != nil {
			if first || !errors.Is(err, io.EOF) {
				return nil, err
			}
			return append(fields, datum{}), nil
		}
		field := datum{}
		if c == '"' {
			if field.VarCharValue, c, err = quotedField(r); err != nil {
				return nil, err
			}
		}
		fields = append(fields, field)
		if c == '\n' {
			return fields, nil
		}
	}
}

// quotedField reads up to the closing quote, and the comma or line end after it.
func quotedField(r *bufio.Reader) (*string, byte, error) {
	var b strings.Builder
	for {
		part, err := r.ReadString('"')
		if err != nil {
			return nil, 0, err
		}
		b.WriteString(strings.TrimSuffix(part, `"`))
		c, err := r.ReadByte()
		if err != nil {
			return nil, 0, err
		}
		if c != '"' {
			s := b.String()
			return &s, c, nil
		}
		b.WriteByte('"')
	}
}
