package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"engage/internal/resource"
	"engage/internal/store"
)

// Tables makes tables anew: what is there is dropped and its files deleted, so
// that a second try finds no leftovers of the first, which Athena would refuse.
type Tables struct {
	SQL interface {
		Exec(ctx context.Context, s Statement) (Done, error)
	}
	Catalog interface {
		Drop(ctx context.Context, r Relation) (bool, error)
	}
	Store store.Eraser
}

// Make makes a table by statements. When one fails, nothing is left of it.
func (m Tables) Make(ctx context.Context, t resource.Table, statements ...Statement) error {
	if err := m.Remove(ctx, t); err != nil {
		return fmt.Errorf("clear the way for %s: %w", t, err)
	}
	for _, s := range statements {
		if _, err := m.SQL.Exec(ctx, s); err != nil {
			return errors.Join(fmt.Errorf("make %s: %w", t, err), m.giveUp(ctx, t))
		}
	}
	return nil
}

// tidyPatience bounds the clearing away after a failure.
const tidyPatience = 20 * time.Second

func (m Tables) giveUp(ctx context.Context, t resource.Table) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyPatience)
	defer cancel()
	if err := m.Remove(ctx, t); err != nil {
		return fmt.Errorf("clear what is left of it: %w", err)
	}
	return nil
}

// Remove drops a table and deletes its files.
func (m Tables) Remove(ctx context.Context, t resource.Table) error {
	if _, err := m.Catalog.Drop(ctx, TableOf(t)); err != nil {
		return err
	}
	_, err := m.Store.Erase(ctx, t.Location())
	return err
}
