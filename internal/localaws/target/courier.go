package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Parcel is a message whose delivery is tried again when what stopped it may pass.
type Parcel struct {
	Message
	Service string // whose role it is: "events.amazonaws.com"
	Role    string // with whose permissions; "" for those of the message's caller
	Policy  Policy
	Dead    Letter

	Tries int       // how often it was tried again
	Due   time.Time // when it is tried next
}

// Letter is what a dead-letter queue gets of a parcel.
type Letter struct {
	Message        // without an ARN there is no queue, and the parcel is lost
	Errors  Errors // which attributes tell why
	Role    string // with whose permissions; "" for those of the message's caller
}

// CourierConfig says what a courier works with.
type CourierConfig struct {
	// Name keeps the parcels of one courier apart from those of others.
	Name string
	// Store keeps the parcels that are to be tried again.
	Store *state.Store
	// Targets takes the messages.
	Targets Deliverer
	// Assume returns the caller that has a role, which must trust the service.
	Assume func(ctx context.Context, service, role string) (wire.Caller, error)
	// Clock says when a parcel is due.
	Clock func() time.Time
	// Random spreads the attempts.
	Random io.Reader
	// Tell, if any, is told that a parcel waits.
	Tell func()
}

// Courier delivers parcels. What waits for another attempt outlives the process.
type Courier struct{ cfg CourierConfig }

// NewCourier returns a courier. All of its configuration but Tell is needed.
func NewCourier(cfg CourierConfig) *Courier { return &Courier{cfg} }

var parcels = state.NewCollection[Parcel]("target/parcels") // courier, when due, id

// Put leaves a parcel to the next Tick, within a change of the state.
func (c *Courier) Put(tx state.Tx, p Parcel) error {
	id, err := parcels.NextSequence(tx)
	if err != nil {
		return err
	}
	at := state.Ordinal(uint64(max(p.Due.UnixMilli(), 0)))
	return parcels.Put(tx, state.Key(c.cfg.Name, at, state.Ordinal(id)), p)
}

// Send tries a parcel at once. A nil error means that the target has it, that
// it is going to be tried again, or that it is dead.
func (c *Courier) Send(ctx context.Context, p Parcel) error {
	again, err := c.try(ctx, &p)
	if err != nil || !again {
		return err
	}
	err = c.cfg.Store.Update(func(tx state.Tx) error { return c.Put(tx, p) })
	if c.cfg.Tell != nil {
		c.cfg.Tell()
	}
	return err
}

// Next returns when the first parcel is due, the zero time when none waits.
func (c *Courier) Next() (at time.Time, err error) {
	err = c.cfg.Store.View(func(tx state.Tx) error {
		for raw := range parcels.Scan(tx, state.Prefix(c.cfg.Name), "") {
			p, err := raw.Value()
			at = p.Due
			return err
		}
		return nil
	})
	return at, err
}

// Tick tries every parcel that is due.
func (c *Courier) Tick(ctx context.Context) error {
	var due []state.Entry[Parcel]
	now := c.cfg.Clock()
	err := c.cfg.Store.View(func(tx state.Tx) error {
		all, err := parcels.List(tx, state.Prefix(c.cfg.Name), "", 0)
		for _, e := range all {
			if e.Value.Due.After(now) {
				break
			}
			due = append(due, e)
		}
		return err
	})
	for _, e := range due {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err = errors.Join(err, c.retry(ctx, e))
	}
	return err
}

func (c *Courier) retry(ctx context.Context, e state.Entry[Parcel]) error {
	again, err := c.try(ctx, &e.Value)
	if err != nil {
		return err // it stays, and is tried when the endpoint runs again
	}
	return c.cfg.Store.Update(func(tx state.Tx) error {
		if err := parcels.Delete(tx, e.Key); err != nil || !again {
			return err
		}
		return c.Put(tx, e.Value)
	})
}

// try makes one attempt, and says whether there is to be another. What is
// given up goes to the dead-letter queue, or is lost as on AWS; the request
// log has the refusal.
func (c *Courier) try(ctx context.Context, p *Parcel) (again bool, err error) {
	failed := c.deliver(ctx, p.Message, p.Service, p.Role)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if failed == nil {
		return false, nil
	}
	wait, condition := p.Policy.next(p.Tries, c.cfg.Clock(), transient(failed))
	if condition != "" || wait < 0 {
		return false, c.bury(ctx, *p, wire.AsError(failed), condition)
	}
	if wait, err = c.spread(wait); err != nil {
		return false, err
	}
	p.Tries++
	p.Due = c.cfg.Clock().Add(wait)
	return true, nil
}

func (c *Courier) deliver(ctx context.Context, m Message, service, role string) error {
	if role == "" {
		return c.cfg.Targets.Deliver(ctx, m)
	}
	if c.cfg.Assume == nil {
		return wire.NotImplemented("a target's role without IAM")
	}
	caller, err := c.cfg.Assume(ctx, service, role)
	if err != nil {
		return err
	}
	if caller.RunID == "" {
		caller.RunID = m.Caller.RunID
	}
	m.Caller = caller
	return c.cfg.Targets.Deliver(ctx, m)
}

// bury sends what is left of a parcel to its dead-letter queue. A queue that
// refuses it loses it, which is not an error of the endpoint either.
func (c *Courier) bury(ctx context.Context, p Parcel, why *wire.Error, condition string) error {
	if p.Dead.ARN == "" {
		return nil
	}
	m := p.Dead.Message
	m.Attributes = p.Dead.Errors.attributes(p, why, condition)
	err := c.deliver(ctx, m, p.Service, p.Dead.Role)
	var refused *wire.Error
	if err == nil || errors.As(err, &refused) && refused.Fault == wire.Sender {
		return ctx.Err()
	}
	return fmt.Errorf("deliver to the dead-letter queue %s: %w", m.ARN, err)
}

// spread returns between half of a time and all of it.
func (c *Courier) spread(wait time.Duration) (time.Duration, error) {
	if wait < 2 {
		return wait, nil
	}
	n, err := c.draw(uint64(wait / 2))
	return wait/2 + time.Duration(n), err
}

// draw returns a number below n, each as likely as the others.
func (c *Courier) draw(n uint64) (uint64, error) {
	limit := new(big.Int).SetUint64(n)
	var raw [16]byte // so many bits more than n has that the remainder's bias is below 2^-64
	if _, err := io.ReadFull(c.cfg.Random, raw[:]); err != nil {
		return 0, fmt.Errorf("draw a random number: %w", err)
	}
	return new(big.Int).Mod(new(big.Int).SetBytes(raw[:]), limit).Uint64(), nil
}

// Text is an attribute of a text.
func Text(s string) Attribute { return Attribute{DataType: "String", StringValue: &s} }

func count(n int) Attribute { return Text(strconv.Itoa(n)) }
