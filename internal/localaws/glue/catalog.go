package glue

import (
	"context"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// view is the catalog as one caller may see and change it.
type view struct {
	*Service
	caller wire.Caller
}

var _ catalog.Catalog = view{}

// Catalog returns the catalog of the caller's account and region, with the caller's permissions checked at each step.
func (s *Service) Catalog(caller wire.Caller) catalog.Catalog { return view{s, caller} }

func (v view) scope() scope { return scopeOf(v.caller) }

func (v view) allow(ctx context.Context, action, db, table string) error {
	call := &wire.Call{Service: v.wire, Operation: action, Caller: v.caller}
	return v.cfg.Authorizer.Authorize(ctx, call, v.guarded(v.scope(), v.scope().access(action, db, table)))
}

func (v view) Database(ctx context.Context, name string) (out catalog.Database, err error) {
	if err := v.allow(ctx, "GetDatabase", name, ""); err != nil {
		return out, err
	}
	err = v.cfg.Store.View(func(tx state.Tx) error {
		d, err := getDatabase(tx, v.scope(), name)
		out, out.Created = d.Database, d.Made
		return err
	})
	return out, err
}

func (v view) Databases(ctx context.Context) (out []catalog.Database, err error) {
	if err := v.allow(ctx, "GetDatabases", "", ""); err != nil {
		return nil, err
	}
	err = v.cfg.Store.View(func(tx state.Tx) error {
		all, err := databases.List(tx, v.scope().prefix(), "", 0)
		for _, e := range all {
			out = append(out, e.Value.Database)
		}
		return err
	})
	return out, err
}

func (v view) CreateDatabase(ctx context.Context, d catalog.Database) error {
	if err := v.allow(ctx, "CreateDatabase", d.Name, ""); err != nil {
		return err
	}
	return v.createDatabase(v.scope(), d, nil)
}

func (v view) DropDatabase(ctx context.Context, name string) error {
	if err := v.allow(ctx, "DeleteDatabase", name, ""); err != nil {
		return err
	}
	return v.deleteDatabase(v.scope(), name)
}

func (v view) Table(ctx context.Context, db, name string) (out catalog.Table, err error) {
	if err := v.allow(ctx, "GetTable", db, name); err != nil {
		return out, err
	}
	err = v.cfg.Store.View(func(tx state.Tx) error {
		t, err := getTable(tx, v.scope(), db, name)
		out, out.Created, out.Updated = t.Table, t.Made, t.Changed
		return err
	})
	return out, err
}

func (v view) Tables(ctx context.Context, db string) (out []catalog.Table, err error) {
	if err := v.allow(ctx, "GetTables", db, "*"); err != nil {
		return nil, err
	}
	err = v.cfg.Store.View(func(tx state.Tx) error {
		if _, err := getDatabase(tx, v.scope(), db); err != nil {
			return err
		}
		all, err := tables.List(tx, v.scope().prefix(db), "", 0)
		for _, e := range all {
			t := e.Value.Table
			t.Created, t.Updated = e.Value.Made, e.Value.Changed
			out = append(out, t)
		}
		return err
	})
	return out, err
}

func (v view) CreateTable(ctx context.Context, t catalog.Table) error {
	if err := v.allow(ctx, "CreateTable", t.Database, t.Name); err != nil {
		return err
	}
	return v.createTable(v.scope(), t)
}

func (v view) UpdateTable(ctx context.Context, t catalog.Table) error {
	if err := v.allow(ctx, "UpdateTable", t.Database, t.Name); err != nil {
		return err
	}
	return v.updateTable(v.scope(), t, false, "")
}

func (v view) DropTable(ctx context.Context, db, name string) error {
	if err := v.allow(ctx, "DeleteTable", db, name); err != nil {
		return err
	}
	return v.deleteTable(v.scope(), db, name)
}

func (v view) Partitions(ctx context.Context, db, name string) (out []catalog.Partition, err error) {
	if err := v.allow(ctx, "GetPartitions", db, name); err != nil {
		return nil, err
	}
	err = v.cfg.Store.View(func(tx state.Tx) error {
		if _, err := getTable(tx, v.scope(), db, name); err != nil {
			return err
		}
		all, err := partitions.List(tx, v.scope().prefix(db, name), "", 0)
		for _, e := range all {
			out = append(out, e.Value.Partition)
		}
		return err
	})
	return out, err
}

func (v view) AddPartitions(ctx context.Context, db, name string, ps []catalog.Partition) error {
	if err := v.allow(ctx, "BatchCreatePartition", db, name); err != nil {
		return err
	}
	return v.cfg.Store.Update(func(tx state.Tx) error {
		for _, p := range ps {
			if err := v.createPartition(tx, v.scope(), db, name, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func (v view) DropPartition(ctx context.Context, db, name string, values []string) error {
	if err := v.allow(ctx, "DeletePartition", db, name); err != nil {
		return err
	}
	return v.cfg.Store.Update(func(tx state.Tx) error { return deletePartition(tx, v.scope(), db, name, values) })
}
