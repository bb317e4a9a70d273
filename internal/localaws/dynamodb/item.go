package dynamodb

import (
	"context"
	"maps"

	"engage/internal/localaws/dynamodb/attr"
	"engage/internal/localaws/dynamodb/expr"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type putInput struct {
	TableName    string    `required:"true"`
	Item         attr.Item `required:"true"`
	ReturnValues string    `enum:"NONE,ALL_OLD,UPDATED_OLD,ALL_NEW,UPDATED_NEW"`
	conditional
	returnCapacity
	returnMetrics
}

// writeOutput is the answer to a write.
type writeOutput struct {
	Attributes            attr.Item          `json:",omitempty"`
	ConsumedCapacity      *consumed          `json:",omitempty"`
	ItemCollectionMetrics *collectionMetrics `json:",omitempty"`
}

func (s *Service) putItem(ctx context.Context, call *wire.Call, in *putInput) (*writeOutput, error) {
	c, err := putChange(in.TableName, in.Item, in.conditional)
	if err != nil {
		return nil, refuse(err)
	}
	return s.whole(ctx, call, c, in.ReturnValues, in.returnCapacity, in.returnMetrics)
}

// putChange makes the change of a put. Errors: *expr.Error, ValidationException.
func putChange(table string, item attr.Item, in conditional) (change, error) {
	c, err := in.change(table, item)
	c.put = true
	c.apply = func(attr.Item) (attr.Item, error) { return item, nil }
	return c, err
}

// change makes a change without what it does.
func (c conditional) change(table string, key attr.Item) (change, error) {
	scope, err := c.scope()
	if err != nil {
		return change{}, err
	}
	condition, err := c.condition(scope)
	if err != nil {
		return change{}, err
	}
	return change{table: table, key: key, condition: condition, showOld: c.ReturnValuesOnConditionCheckFailure == "ALL_OLD"}, scope.Finish("ConditionExpression")
}

// whole makes a change that can return what the whole item was.
func (s *Service) whole(ctx context.Context, call *wire.Call, c change, values string, show returnCapacity, metrics returnMetrics) (*writeOutput, error) {
	if values != "" && values != "NONE" && values != "ALL_OLD" {
		return nil, invalid("ReturnValues can only be ALL_OLD or NONE")
	}
	done, collection, err := s.write(ctx, call, c, metrics)
	if err != nil {
		return nil, err
	}
	out := &writeOutput{ConsumedCapacity: show.show(done.table, done.cost), ItemCollectionMetrics: collection}
	if values == "ALL_OLD" {
		out.Attributes = done.old
	}
	return out, nil
}

type deleteInput struct {
	TableName    string    `required:"true"`
	Key          attr.Item `required:"true"`
	ReturnValues string    `enum:"NONE,ALL_OLD,UPDATED_OLD,ALL_NEW,UPDATED_NEW"`
	conditional
	returnCapacity
	returnMetrics
}

func (s *Service) deleteItem(ctx context.Context, call *wire.Call, in *deleteInput) (*writeOutput, error) {
	c, err := deleteChange(in.TableName, in.Key, in.conditional)
	if err != nil {
		return nil, refuse(err)
	}
	return s.whole(ctx, call, c, in.ReturnValues, in.returnCapacity, in.returnMetrics)
}

// deleteChange makes the change of a delete. Errors: *expr.Error, ValidationException.
func deleteChange(table string, key attr.Item, in conditional) (change, error) {
	c, err := in.change(table, key)
	c.apply = func(attr.Item) (attr.Item, error) { return nil, nil }
	return c, err
}

type updateInput struct {
	TableName        string    `required:"true"`
	Key              attr.Item `required:"true"`
	UpdateExpression *string
	AttributeUpdates map[string]expr.AttributeUpdate
	ReturnValues     string `enum:"NONE,ALL_OLD,UPDATED_OLD,ALL_NEW,UPDATED_NEW"`
	conditional
	returnCapacity
	returnMetrics
}

func (s *Service) updateItem(ctx context.Context, call *wire.Call, in *updateInput) (*writeOutput, error) {
	c, update, err := updateChange(in)
	if err != nil {
		return nil, refuse(err)
	}
	done, collection, err := s.write(ctx, call, c, in.returnMetrics)
	if err != nil {
		return nil, err
	}
	return &writeOutput{Attributes: shown(in.ReturnValues, update, done), ConsumedCapacity: in.show(done.table, done.cost), ItemCollectionMetrics: collection}, nil
}

// shown returns the attributes that an update returns.
func shown(values string, update *expr.Update, done outcome) attr.Item {
	switch values {
	case "ALL_OLD":
		return done.old
	case "ALL_NEW":
		return done.new
	case "UPDATED_OLD":
		return expr.Project(update.Paths()).Of(done.old)
	case "UPDATED_NEW":
		return expr.Project(update.Paths()).Of(done.new)
	}
	return nil
}

// updateChange makes the change of an update. Errors: *expr.Error, ValidationException.
func updateChange(in *updateInput) (change, *expr.Update, error) {
	c := change{table: in.TableName, key: in.Key, showOld: in.ReturnValuesOnConditionCheckFailure == "ALL_OLD"}
	scope, err := in.scope()
	if err != nil {
		return c, nil, err
	}
	update, err := in.update(scope)
	if err != nil {
		return c, nil, err
	}
	if c.condition, err = in.condition(scope); err != nil {
		return c, nil, err
	}
	if err := scope.Finish("UpdateExpression", "ConditionExpression"); err != nil {
		return c, nil, err
	}
	for _, path := range update.Paths() {
		if _, isKey := in.Key[path[0].Name]; isKey {
			return c, nil, badParameter("Cannot update attribute %s. This attribute is part of the key", path[0].Name)
		}
	}
	c.apply = func(old attr.Item) (attr.Item, error) {
		if old == nil {
			old = maps.Clone(in.Key)
		}
		return update.Apply(old)
	}
	return c, update, nil
}

func (in *updateInput) update(scope *expr.Scope) (*expr.Update, error) {
	if in.UpdateExpression == nil {
		if in.AttributeUpdates != nil && in.ConditionExpression != nil {
			return nil, errBoth("AttributeUpdates", "ConditionExpression")
		}
		return expr.LegacyUpdate(in.AttributeUpdates)
	}
	switch {
	case in.AttributeUpdates != nil:
		return nil, errBoth("AttributeUpdates", "UpdateExpression")
	case in.Expected != nil:
		return nil, errBoth("Expected", "UpdateExpression")
	}
	return scope.Update("UpdateExpression", *in.UpdateExpression)
}

// projecting are the members of reads for what they return.
type projecting struct {
	AttributesToGet          []string `min:"1"`
	ProjectionExpression     *string
	ExpressionAttributeNames map[string]string
}

func (p projecting) projection(scope *expr.Scope) (*expr.Projection, error) {
	switch {
	case p.ProjectionExpression != nil && p.AttributesToGet != nil:
		return nil, errBoth("AttributesToGet", "ProjectionExpression")
	case p.ProjectionExpression != nil:
		return scope.Projection("ProjectionExpression", *p.ProjectionExpression)
	case p.AttributesToGet != nil:
		return expr.ProjectNames(p.AttributesToGet), nil
	}
	return nil, nil
}

// alone parses the projection of a request that has no other expression.
func (p projecting) alone() (*expr.Projection, error) {
	scope, err := expr.NewScope(p.ExpressionAttributeNames, nil)
	if err != nil {
		return nil, refuse(err)
	}
	projection, err := p.projection(scope)
	if err != nil {
		return nil, refuse(err)
	}
	return projection, refuse(scope.Finish("ProjectionExpression"))
}

type getInput struct {
	TableName      string    `required:"true"`
	Key            attr.Item `required:"true"`
	ConsistentRead bool
	projecting
	returnCapacity
}

type getOutput struct {
	Item             *attr.Item `json:",omitempty"` // a projection may leave nothing of an item that is there
	ConsumedCapacity *consumed  `json:",omitempty"`
}

func (s *Service) getItem(ctx context.Context, call *wire.Call, in *getInput) (*getOutput, error) {
	projection, err := in.alone()
	if err != nil {
		return nil, err
	}
	var t *table
	var item attr.Item
	err = s.cfg.Store.View(func(tx state.Tx) (err error) {
		t, item, err = fetch(tx, call, in.TableName, in.Key)
		return err
	})
	if err != nil {
		return nil, err
	}
	c := cost{table: reads(item.Size(), in.ConsistentRead)}
	s.count(ctx, call, t, c)
	out := &getOutput{ConsumedCapacity: in.show(t, c)}
	if item != nil {
		item = projection.Of(item)
		out.Item = &item
	}
	return out, nil
}

// fetch reads an item by its key, nil when there is none.
func fetch(tx state.Tx, call *wire.Call, name string, key attr.Item) (*table, attr.Item, error) {
	t, err := lookup(tx, call, name)
	if err != nil {
		return nil, nil, err
	}
	if err := t.exactKey(key); err != nil {
		return nil, nil, err
	}
	item, err := t.read(tx, key)
	return t, item, err
}
