package dynamodb

import (
	"context"
	"encoding/binary"
	"math/bits"

	"engage/internal/localaws/dynamodb/expr"
	"engage/internal/localaws/wire"
)

type scanInput struct {
	readInput
	ScanFilter    map[string]expr.Comparison
	Segment       *int `min:"0" max:"999999"`
	TotalSegments *int `min:"1" max:"1000000"`
}

func scanAccess(call *wire.Call, in *scanInput) []wire.Access {
	return []wire.Access{access(call, "Scan", in.TableName, in.IndexName)}
}

func (s *Service) scan(ctx context.Context, call *wire.Call, in *scanInput) (*readOutput, error) {
	r := &reading{readInput: &in.readInput, high: endOfKeys}
	if err := in.parse(r); err != nil {
		return nil, refuse(err)
	}
	if in.Segment != nil {
		r.low, r.high = segment(uint64(*in.Segment), uint64(*in.TotalSegments))
	}
	return s.page(ctx, call, r, func() error { return nil })
}

// parse reads all expressions of the request.
func (in *scanInput) parse(r *reading) error {
	scope, err := expr.NewScope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return err
	}
	if r.filter, err = in.filterOf(scope, "ScanFilter", in.ScanFilter); err != nil {
		return err
	}
	if r.projection, err = in.projection(scope); err != nil {
		return err
	}
	if err := in.checkSelect(r.projection); err != nil {
		return err
	}
	if err := in.checkSegment(); err != nil {
		return err
	}
	return scope.Finish("FilterExpression")
}

func (in *scanInput) checkSegment() error {
	switch {
	case in.Segment == nil && in.TotalSegments == nil:
		return nil
	case in.TotalSegments == nil:
		return invalid("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case in.Segment == nil:
		return invalid("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case *in.Segment >= *in.TotalSegments:
		return invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d", *in.Segment, *in.TotalSegments)
	}
	return nil
}

// segment returns the entry keys of one of n equal parts of all hashes.
func segment(i, n uint64) (low, high string) {
	return bound(i, n), bound(i+1, n)
}

func bound(i, n uint64) string {
	if i == n {
		return endOfKeys
	}
	quotient, _ := bits.Div64(i, 0, n) // i/n of all hashes
	return string(binary.BigEndian.AppendUint64(nil, quotient))
}
