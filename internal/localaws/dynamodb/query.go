package dynamodb

import (
	"context"

	"engage/internal/localaws/dynamodb/attr"
	"engage/internal/localaws/dynamodb/expr"
	"engage/internal/localaws/wire"
)

type queryInput struct {
	readInput
	KeyConditionExpression *string
	KeyConditions          map[string]expr.Comparison
	QueryFilter            map[string]expr.Comparison
	ScanIndexForward       *bool
}

func (s *Service) query(ctx context.Context, call *wire.Call, in *queryInput) (*readOutput, error) {
	r := &reading{readInput: &in.readInput, backward: in.ScanIndexForward != nil && !*in.ScanIndexForward}
	conditions, err := in.parse(r)
	if err != nil {
		return nil, refuse(err)
	}
	return s.page(ctx, call, r, func() error { return r.aim(conditions) })
}

// parse reads all expressions of the request.
func (in *queryInput) parse(r *reading) ([]expr.KeyCondition, error) {
	scope, err := expr.NewScope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	if r.filter, err = in.filterOf(scope, "QueryFilter", in.QueryFilter); err != nil {
		return nil, err
	}
	if r.projection, err = in.projection(scope); err != nil {
		return nil, err
	}
	conditions, err := in.keyConditions(scope)
	if err != nil {
		return nil, err
	}
	if err := in.checkSelect(r.projection); err != nil {
		return nil, err
	}
	return conditions, scope.Finish("FilterExpression", "KeyConditionExpression")
}

func (in *queryInput) keyConditions(scope *expr.Scope) ([]expr.KeyCondition, error) {
	switch {
	case in.KeyConditionExpression != nil && in.KeyConditions != nil:
		return nil, errBoth("KeyConditions", "KeyConditionExpression")
	case in.KeyConditionExpression != nil:
		return scope.KeyConditions("KeyConditionExpression", *in.KeyConditionExpression)
	case in.KeyConditions != nil:
		return expr.LegacyKeys(in.KeyConditions)
	}
	return nil, invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
}

// aim sets the range to what the key conditions ask for.
func (r *reading) aim(conditions []expr.KeyCondition) error {
	hash, sort, err := r.match(conditions)
	if err != nil {
		return err
	}
	base := partition(hash.Values[0])
	r.low, r.high = string(base), after(base)
	if sort != nil {
		r.low, r.high = sortRange(base, *sort)
	}
	return r.checkFilter()
}

// match finds the conditions of the partition key and of the sort key.
func (r *reading) match(conditions []expr.KeyCondition) (hash, sort *expr.KeyCondition, err error) {
	k := r.keys()
	for i, c := range conditions {
		switch c.Name {
		case k.hash():
			hash = &conditions[i]
		case k.sort():
			sort = &conditions[i]
		}
	}
	switch {
	case hash == nil:
		return nil, nil, invalid("Query condition missed key schema element: %s", k.hash())
	case len(conditions) > len(k) || hash.Op != "=":
		return nil, nil, invalid("Query key condition not supported")
	case len(conditions) == 2 && sort == nil:
		return nil, nil, invalid("Query condition missed key schema element: %s", k.sort())
	}
	for _, c := range conditions {
		if err := r.checkOperands(c); err != nil {
			return nil, nil, err
		}
	}
	return hash, sort, nil
}

func (r *reading) checkOperands(c expr.KeyCondition) error {
	for _, v := range c.Values {
		if v.Kind != r.table.typeOf(c.Name) {
			return badParameter("Condition parameter type does not match schema type")
		}
		if v.Text == "" && c.Op != expr.BeginsWith {
			return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", kindWord(v.Kind), c.Name)
		}
	}
	return nil
}

// checkFilter refuses a filter on what key conditions are for.
func (r *reading) checkFilter() (err error) {
	r.filter.Paths(func(p expr.Path) {
		if r.keys().has(p[0].Name) && err == nil {
			err = invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", p[0].Name)
		}
	})
	return err
}

// sortRange returns the entry keys of a partition that meet a condition on the sort key.
func sortRange(base []byte, c expr.KeyCondition) (low, high string) {
	begin := func(v attr.Value) []byte { return appendSort(append([]byte{}, base...), v) }
	exact := func(v attr.Value) []byte { return appendEnd(begin(v)) }
	v := c.Values[0]
	low, high = string(base), after(base)
	switch c.Op {
	case "=":
		low, high = string(exact(v)), after(exact(v))
	case "<":
		high = string(exact(v))
	case "<=":
		high = after(exact(v))
	case ">":
		low = after(exact(v))
	case ">=":
		low = string(exact(v))
	case expr.Between:
		low, high = string(exact(v)), after(exact(c.Values[1]))
	case expr.BeginsWith:
		low, high = string(begin(v)), after(begin(v))
	}
	return low, high
}

// after returns the smallest text that is after all texts with a prefix.
func after(prefix []byte) string {
	out := append([]byte{}, prefix...)
	for len(out) > 0 && out[len(out)-1] == 0xff {
		out = out[:len(out)-1]
	}
	if len(out) == 0 {
		return endOfKeys
	}
	out[len(out)-1]++
	return string(out)
}

// endOfKeys is after every entry key: of their hashes none is as long.
const endOfKeys = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"

func (s *Service) queryAccess(call *wire.Call, in *queryInput) []wire.Access {
	a := access(call, "Query", in.TableName, in.IndexName)
	t, err := s.find(call, in.TableName)
	if err != nil {
		return []wire.Access{a} // the operation refuses it
	}
	r := &reading{readInput: &in.readInput, table: t}
	if in.IndexName != "" {
		r.index, _ = t.index(in.IndexName)
	}
	conditions, err := in.parse(r)
	if err != nil {
		return []wire.Access{a}
	}
	for _, c := range conditions {
		if c.Name == r.keys().hash() && c.Op == "=" {
			a.Conditions = map[string][]string{"dynamodb:LeadingKeys": {c.Values[0].Text}}
		}
	}
	return []wire.Access{a}
}
