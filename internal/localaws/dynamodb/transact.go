package dynamodb

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"engage/internal/localaws/dynamodb/attr"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// transactionFactor is how many times as much an item in a transaction consumes.
const transactionFactor = 2

type transactGetInput struct {
	TransactItems []struct{ Get *transactGetItem } `required:"true" max:"100"`
	returnCapacity
}

type transactGetItem struct {
	TableName                string    `required:"true"`
	Key                      attr.Item `required:"true"`
	ProjectionExpression     *string
	ExpressionAttributeNames map[string]string
}

type itemResponse struct {
	Item *attr.Item `json:",omitempty"`
}

type transactGetOutput struct {
	Responses        []itemResponse
	ConsumedCapacity []consumed `json:",omitempty"`
}

func (s *Service) transactGet(ctx context.Context, call *wire.Call, in *transactGetInput) (*transactGetOutput, error) {
	out := &transactGetOutput{Responses: []itemResponse{}}
	bills := &bills{}
	err := s.cfg.Store.View(func(tx state.Tx) error {
		for _, t := range in.TransactItems {
			if t.Get == nil {
				return invalid("Invalid transaction item: a Get is required")
			}
			response, err := t.Get.read(tx, call, bills)
			if err != nil {
				return err
			}
			out.Responses = append(out.Responses, response)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.ConsumedCapacity = bills.settle(ctx, s, call, in.returnCapacity)
	return out, nil
}

func (g *transactGetItem) read(tx state.Tx, call *wire.Call, bills *bills) (itemResponse, error) {
	projection, err := projecting{ProjectionExpression: g.ProjectionExpression, ExpressionAttributeNames: g.ExpressionAttributeNames}.alone()
	if err != nil {
		return itemResponse{}, err
	}
	t, item, err := fetch(tx, call, g.TableName, g.Key)
	if err != nil {
		return itemResponse{}, err
	}
	bills.add(t, cost{table: reads(item.Size(), true) * transactionFactor, transaction: true})
	if item == nil {
		return itemResponse{}, nil
	}
	item = projection.Of(item)
	return itemResponse{&item}, nil
}

// transactCondition are the members for conditions of writes in transactions.
type transactCondition struct {
	ConditionExpression                 *string
	ExpressionAttributeNames            map[string]string
	ExpressionAttributeValues           map[string]attr.Value
	ReturnValuesOnConditionCheckFailure string `enum:"ALL_OLD,NONE"`
}

func (c transactCondition) conditional() conditional {
	return conditional{ConditionExpression: c.ConditionExpression, ExpressionAttributeNames: c.ExpressionAttributeNames,
		ExpressionAttributeValues: c.ExpressionAttributeValues, ReturnValuesOnConditionCheckFailure: c.ReturnValuesOnConditionCheckFailure}
}

type transactPut struct {
	TableName string    `required:"true"`
	Item      attr.Item `required:"true"`
	transactCondition
}

type transactKey struct {
	TableName string    `required:"true"`
	Key       attr.Item `required:"true"`
	transactCondition
}

type transactUpdate struct {
	transactKey
	UpdateExpression *string `required:"true"`
}

type transactWriteItem struct {
	ConditionCheck *transactKey
	Put            *transactPut
	Delete         *transactKey
	Update         *transactUpdate
}

type transactWriteInput struct {
	TransactItems      []transactWriteItem `required:"true" max:"100"`
	ClientRequestToken string              `max:"36"`
	returnCapacity
	returnMetrics
}

// touches returns the action, the table and the key of a write.
func (t transactWriteItem) touches() (action, table string, item attr.Item) {
	switch {
	case t.ConditionCheck != nil:
		return "ConditionCheckItem", t.ConditionCheck.TableName, t.ConditionCheck.Key
	case t.Put != nil:
		return "PutItem", t.Put.TableName, t.Put.Item
	case t.Delete != nil:
		return "DeleteItem", t.Delete.TableName, t.Delete.Key
	case t.Update != nil:
		return "UpdateItem", t.Update.TableName, t.Update.Key
	}
	return "TransactWriteItems", "", nil
}

func (t transactWriteItem) change() (change, error) {
	n := 0
	for _, there := range []bool{t.ConditionCheck != nil, t.Put != nil, t.Delete != nil, t.Update != nil} {
		if there {
			n++
		}
	}
	switch {
	case n != 1:
		return change{}, invalid("TransactItems can only contain one of Check, Put, Update or Delete")
	case t.Put != nil:
		return putChange(t.Put.TableName, t.Put.Item, t.Put.conditional())
	case t.Delete != nil:
		return deleteChange(t.Delete.TableName, t.Delete.Key, t.Delete.conditional())
	case t.Update != nil:
		u := t.Update
		c, _, err := updateChange(&updateInput{TableName: u.TableName, Key: u.Key, UpdateExpression: u.UpdateExpression, conditional: u.conditional()})
		return c, err
	case t.ConditionCheck.ConditionExpression == nil:
		return change{}, invalid("1 validation error detected: Value null at 'transactItems.1.member.conditionCheck.conditionExpression' failed to satisfy constraint: Member must not be null")
	}
	return t.ConditionCheck.conditional().change(t.ConditionCheck.TableName, t.ConditionCheck.Key)
}

type transactWriteOutput struct {
	ConsumedCapacity      []consumed                     `json:",omitempty"`
	ItemCollectionMetrics map[string][]collectionMetrics `json:",omitempty"`
}

func (s *Service) transactWrite(ctx context.Context, call *wire.Call, in *transactWriteInput) (*transactWriteOutput, error) {
	var changes []change
	for _, t := range in.TransactItems {
		c, err := t.change()
		if err != nil {
			return nil, refuse(err)
		}
		changes = append(changes, c)
	}
	use, err := s.newUse(in)
	if err != nil {
		return nil, err
	}
	var done *written
	err = s.cfg.Store.Batch(func(tx state.Tx) error {
		done = &written{collections: map[string][]collectionMetrics{}}
		if repeated, err := use.repeats(tx, call, in.ClientRequestToken); repeated || err != nil {
			return err
		}
		return done.transact(tx, call, changes, in.returnMetrics)
	})
	if err != nil {
		return nil, err
	}
	return &transactWriteOutput{ConsumedCapacity: done.bills.settle(ctx, s, call, in.returnCapacity), ItemCollectionMetrics: done.collections}, nil
}

// reason says what became of one item of a cancelled transaction.
type reason struct {
	Code    string
	Message string     `json:",omitempty"`
	Item    *attr.Item `json:",omitempty"`
}

// transact makes all changes, or cancels them with a reason for each.
func (w *written) transact(tx state.Tx, call *wire.Call, changes []change, metrics returnMetrics) error {
	seen := map[string]bool{}
	for _, c := range changes {
		at, err := c.identity(tx, call)
		if err != nil {
			return err
		}
		if seen[at] {
			return invalid("Transaction request cannot include multiple operations on one item")
		}
		seen[at] = true
	}
	reasons, cancelled := make([]reason, len(changes)), false
	for i, c := range changes {
		done, err := c.perform(tx, call)
		if reasons[i], err = reasonOf(err); err != nil {
			return err
		}
		if cancelled = cancelled || reasons[i].Code != "None"; !cancelled {
			done.cost = done.cost.times(transactionFactor)
			done.cost.transaction = true
			w.record(tx, c, done, metrics)
		}
	}
	if cancelled {
		return errCancelled(reasons)
	}
	return nil
}

// reasonOf makes a reason of an error that cancels a transaction. Other errors
// are returned.
func reasonOf(err error) (reason, error) {
	if err == nil {
		return reason{Code: "None"}, nil
	}
	var e *wire.Error
	switch {
	case !errors.As(err, &e):
		return reason{}, err
	case e.Code == errConditional:
		r := reason{Code: "ConditionalCheckFailed", Message: e.Message}
		if old, there := e.Fields["Item"].(attr.Item); there {
			r.Item = &old
		}
		return r, nil
	case e.Code == errValidation:
		return reason{Code: "ValidationError", Message: e.Message}, nil
	}
	return reason{}, err
}

func errCancelled(reasons []reason) error {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.Code
	}
	return wire.Errorf("TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons for specific reasons [%s]",
		strings.Join(codes, ", ")).With("CancellationReasons", reasons)
}

// tokenUse is what a client token was used for.
type tokenUse struct {
	Request string // a digest
	Until   time.Time
}

// tokenLife is how long a token stands for the request that it came with.
const tokenLife = 10 * time.Minute

func (s *Service) newUse(in *transactWriteInput) (tokenUse, error) {
	if in.ClientRequestToken == "" {
		return tokenUse{}, nil
	}
	text, err := json.Marshal(in.TransactItems)
	if err != nil {
		return tokenUse{}, fmt.Errorf("digest a transaction: %w", err)
	}
	return tokenUse{fmt.Sprintf("%x", sha256.Sum256(text)), s.now().Add(tokenLife)}, nil
}

// repeats reports whether the request was already carried out, and remembers
// it if it was not.
func (u tokenUse) repeats(tx state.Tx, call *wire.Call, token string) (bool, error) {
	if token == "" {
		return false, nil
	}
	key := state.Key(call.Caller.Account, call.Caller.Region, token)
	before, err := tokens.Get(tx, key)
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return false, err
	}
	if err == nil && u.Until.Before(before.Until.Add(tokenLife)) {
		if before.Request != u.Request {
			return false, wire.Errorf("IdempotentParameterMismatchException", "Request parameters do not match with those of the request that had this client token before")
		}
		return true, nil
	}
	return false, tokens.Put(tx, key, u)
}
