package dynamodb

import (
	"context"

	"engage/internal/localaws/dynamodb/attr"
	"engage/internal/localaws/dynamodb/expr"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// change is one write, or the check of a condition alone.
type change struct {
	table     string    // as the request names it
	key       attr.Item // the key, or for a put the item
	put       bool
	condition *expr.Condition
	apply     func(old attr.Item) (attr.Item, error) // nil to check only; it returns nil to delete
	showOld   bool                                   // in the error of a condition that does not hold
}

// outcome is what became of a change.
type outcome struct {
	table    *table
	old, new attr.Item
	cost     cost
}

// perform makes a change. It writes nothing when it fails.
//
// Errors: ConditionalCheckFailedException, ResourceNotFoundException, ValidationException.
func (c change) perform(tx state.Tx, call *wire.Call) (outcome, error) {
	t, err := lookup(tx, call, c.table)
	if err != nil {
		return outcome{}, err
	}
	out := outcome{table: t}
	if err := c.checkKey(t); err != nil {
		return out, err
	}
	if out.old, err = t.read(tx, c.key); err != nil {
		return out, err
	}
	if !c.condition.Holds(out.old) {
		return out, c.failed(out.old)
	}
	if c.apply == nil {
		out.new, out.cost = out.old, cost{table: units(out.old.Size(), writeUnit), writes: true}
		return out, nil
	}
	if out.new, err = c.apply(out.old); err != nil {
		return out, refuse(err)
	}
	if err := c.checkResult(t, out.new); err != nil {
		return out, err
	}
	out.cost, err = t.replace(tx, out.old, out.new)
	return out, err
}

func (c change) checkKey(t *table) error {
	if c.put {
		if message := c.key.Check(); message != "" {
			return invalid("%s", message)
		}
		return t.checkItem(c.key)
	}
	return t.exactKey(c.key)
}

// checkResult checks an item that is about to be written.
func (c change) checkResult(t *table, item attr.Item) error {
	switch {
	case item == nil:
		return nil
	case item.Size() > maxItem && c.put:
		return invalid("Item size has exceeded the maximum allowed size")
	case item.Size() > maxItem:
		return invalid("Item size to update has exceeded the maximum allowed size")
	case c.put:
		return nil // checked with its key
	}
	if message := item.Check(); message != "" {
		return invalid("%s", message)
	}
	return t.checkItem(item)
}

const (
	errConditional = "ConditionalCheckFailedException"
	errCondition   = "The conditional request failed"
)

func (c change) failed(old attr.Item) error {
	e := wire.Errorf(errConditional, errCondition)
	if c.showOld && old != nil {
		return e.With("Item", old)
	}
	return e
}

// write makes one change durable.
func (s *Service) write(ctx context.Context, call *wire.Call, c change, metrics returnMetrics) (out outcome, collection *collectionMetrics, err error) {
	err = s.cfg.Store.Batch(func(tx state.Tx) (err error) {
		if out, err = c.perform(tx, call); err == nil {
			collection = metrics.collection(tx, out.table, c.key)
		}
		return err
	})
	if wire.IsCode(err, errConditional) {
		out.cost = cost{table: units(out.old.Size(), writeUnit), writes: true} // a condition is looked up at the price of a write
	}
	if out.table != nil {
		s.count(ctx, call, out.table, out.cost)
	}
	if err != nil {
		return out, nil, err
	}
	return out, collection, nil
}

// conditional are the members of writes for their condition.
type conditional struct {
	ConditionExpression                 *string
	ExpressionAttributeNames            map[string]string
	ExpressionAttributeValues           map[string]attr.Value
	Expected                            map[string]expected
	ConditionalOperator                 string `enum:"AND,OR"`
	ReturnValuesOnConditionCheckFailure string `enum:"ALL_OLD,NONE"`
}

// expected is a condition as requests had it before there were expressions.
type expected struct {
	Value              *attr.Value
	Exists             *bool
	ComparisonOperator string
	AttributeValueList []attr.Value
}

func (c conditional) scope() (*expr.Scope, error) {
	return expr.NewScope(c.ExpressionAttributeNames, c.ExpressionAttributeValues)
}

// condition parses the condition of a request.
func (c conditional) condition(scope *expr.Scope) (*expr.Condition, error) {
	if c.ConditionExpression != nil {
		if c.Expected != nil {
			return nil, errBoth("Expected", "ConditionExpression")
		}
		return scope.Condition("ConditionExpression", *c.ConditionExpression)
	}
	comparisons := map[string]expr.Comparison{}
	for name, e := range c.Expected {
		comparison, err := e.comparison(name)
		if err != nil {
			return nil, err
		}
		comparisons[name] = comparison
	}
	return expr.Legacy(comparisons, c.ConditionalOperator)
}

func errBoth(old, now string) error {
	return invalid("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {%s} Expression parameters: {%s}", old, now)
}

func (e expected) comparison(name string) (expr.Comparison, error) {
	c := expr.Comparison{ComparisonOperator: e.ComparisonOperator, AttributeValueList: e.AttributeValueList}
	switch {
	case c.ComparisonOperator != "" && e.Exists != nil:
		return c, badParameter("Exists and ComparisonOperator cannot be used together for Attribute: %s", name)
	case c.ComparisonOperator != "" && e.Value != nil && e.AttributeValueList != nil:
		return c, badParameter("Value and AttributeValueList cannot be used together for Attribute: %s", name)
	case c.ComparisonOperator == "" && e.AttributeValueList != nil:
		return c, badParameter("AttributeValueList can only be used with a ComparisonOperator for Attribute: %s", name)
	case c.ComparisonOperator == "" && e.Exists != nil && !*e.Exists:
		if e.Value != nil {
			return c, badParameter("Value cannot be used when Exists is false for Attribute: %s", name)
		}
		c.ComparisonOperator = "NULL"
	case c.ComparisonOperator == "":
		if e.Value == nil {
			return c, badParameter("Value must be provided when Exists is %s for Attribute: %s", existsWord(e.Exists), name)
		}
		c.ComparisonOperator = "EQ"
	}
	if e.Value != nil {
		c.AttributeValueList = []attr.Value{*e.Value}
	}
	return c, nil
}

func existsWord(exists *bool) string {
	if exists == nil {
		return "null"
	}
	return "true"
}
