package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type ttlSpecification struct {
	AttributeName string `required:"true" max:"255"`
	Enabled       bool
}

type updateTTLInput struct {
	TableName               string            `required:"true"`
	TimeToLiveSpecification *ttlSpecification `required:"true"`
}

type updateTTLOutput struct{ TimeToLiveSpecification ttlSpecification }

func (s *Service) updateTTL(_ context.Context, call *wire.Call, in *updateTTLInput) (*updateTTLOutput, error) {
	want := *in.TimeToLiveSpecification
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		t, err := lookupNamed(tx, call, in.TableName)
		if err != nil {
			return err
		}
		switch {
		case want.Enabled && t.TTL != "":
			return invalid("TimeToLive is already enabled")
		case !want.Enabled && t.TTL == "":
			return invalid("TimeToLive is already disabled")
		case !want.Enabled && t.TTL != want.AttributeName:
			return invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", t.TTL)
		}
		if err := expires.DeletePrefix(tx, state.Prefix(t.ID)); err != nil {
			return err
		}
		t.TTL = ""
		if want.Enabled {
			t.TTL = want.AttributeName
			if err := t.orderExpiry(tx); err != nil {
				return err
			}
		}
		return tables.Put(tx, t.key(), *t)
	})
	if err != nil {
		return nil, err
	}
	return &updateTTLOutput{want}, nil
}

// orderExpiry notes when the items that are there expire.
func (t *table) orderExpiry(tx state.Tx) error {
	prefix := state.Prefix(t.ID)
	for raw := range items.Scan(tx, prefix, "") {
		item, err := raw.Value()
		if err != nil {
			return err
		}
		if err := t.moveExpiry(tx, strings.TrimPrefix(raw.Key(), prefix), nil, item); err != nil {
			return err
		}
	}
	return nil
}

type describeTTLOutput struct{ TimeToLiveDescription ttlDescription }

type ttlDescription struct {
	AttributeName    string `json:",omitempty"`
	TimeToLiveStatus string
}

func (s *Service) describeTTL(_ context.Context, call *wire.Call, in *tableInput) (*describeTTLOutput, error) {
	out := &describeTTLOutput{ttlDescription{TimeToLiveStatus: "DISABLED"}}
	err := s.cfg.Store.View(func(tx state.Tx) error {
		t, err := lookupNamed(tx, call, in.TableName)
		if err == nil && t.TTL != "" {
			out.TimeToLiveDescription = ttlDescription{t.TTL, "ENABLED"}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// sweepEvery is how long an expired item stays at most.
const sweepEvery = 10 * time.Second

// Run deletes items that expire, until ctx ends. It reports what goes wrong.
func (s *Service) Run(ctx context.Context, report func(error)) {
	for {
		tick, stop := s.cfg.After(sweepEvery)
		select {
		case <-ctx.Done():
			stop()
			return
		case <-tick:
		}
		if _, err := s.Sweep(); err != nil {
			report(fmt.Errorf("delete expired items: %w", err))
		}
	}
}

// maxSwept bounds what one transaction of a sweep deletes.
const maxSwept = 1000

// Sweep deletes the items that have expired, and forgets client tokens of
// old. It returns how many items there were.
func (s *Service) Sweep() (int, error) {
	all := 0
	due, err := s.due()
	for _, t := range due {
		for more := true; more && err == nil; {
			var n int
			err = s.cfg.Store.Update(func(tx state.Tx) (err error) {
				n, more, err = s.sweepTable(tx, t)
				return err
			})
			all += n
		}
	}
	return all, err
}

// due returns the keys of the tables with items that have expired. It writes
// nothing when there is nothing to do, which is nearly always.
func (s *Service) due() (keys []string, err error) {
	stale := false
	err = s.cfg.Store.View(func(tx state.Tx) error {
		for raw := range tables.Scan(tx, "", "") {
			t, err := raw.Value()
			if err != nil {
				return err
			}
			for e := range expires.Scan(tx, state.Prefix(t.ID), "") {
				if e.Key() < s.horizon(&t) {
					keys = append(keys, raw.Key())
				}
				break
			}
		}
		for raw := range tokens.Scan(tx, "", "") {
			use, err := raw.Value()
			if stale = err == nil && use.Until.Before(s.now()); stale {
				break
			}
		}
		return nil
	})
	if err == nil && stale {
		err = s.cfg.Store.Update(s.forgetTokens)
	}
	return keys, err
}

// horizon is the key before which the expiry of an item is now or past.
func (s *Service) horizon(t *table) string {
	return state.Key(t.ID, state.Ordinal(uint64(s.now().Unix()+1)))
}

func (s *Service) forgetTokens(tx state.Tx) error {
	all, err := tokens.List(tx, "", "", 0)
	for _, e := range all {
		if err == nil && e.Value.Until.Before(s.now()) {
			err = tokens.Delete(tx, e.Key)
		}
	}
	return err
}

// sweepTable deletes some expired items of a table, and reports whether there
// may be more. What it deletes consumes nothing.
func (s *Service) sweepTable(tx state.Tx, key string) (n int, more bool, err error) {
	t, err := tables.Get(tx, key)
	if errors.Is(err, state.ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	var gone []string
	for raw := range expires.Scan(tx, state.Prefix(t.ID), "") {
		if raw.Key() >= s.horizon(&t) || len(gone) == maxSwept {
			break
		}
		gone = append(gone, raw.Key())
	}
	for _, at := range gone {
		deleted, err := s.expire(tx, &t, at)
		if err != nil {
			return n, false, err
		}
		if deleted {
			n++
		}
	}
	return n, len(gone) == maxSwept, nil
}

// expire deletes the item of an expiry, unless its time is too long past to be meant.
func (s *Service) expire(tx state.Tx, t *table, at string) (bool, error) {
	if err := expires.Delete(tx, at); err != nil {
		return false, err
	}
	itemKey := strings.SplitN(at, "\x00", 3)[2]
	item, err := items.Get(tx, state.Prefix(t.ID)+itemKey)
	if err != nil {
		return false, fmt.Errorf("read an item that expires: %w", err)
	}
	if when, _ := t.expiry(item); s.now().Sub(time.Unix(when, 0)) > tooOld {
		return false, nil
	}
	_, err = t.replace(tx, item, nil)
	return err == nil, err
}
