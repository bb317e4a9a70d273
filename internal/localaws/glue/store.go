package glue

import (
	"errors"
	"slices"
	"strings"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/state"
)

// The functions of this file change the catalog in one transaction each; the
// operations of the API and the catalog for queries both use them.

func (s *Service) createDatabase(sc scope, d catalog.Database, tags map[string]string) error {
	name, err := cleanName("Database", d.Name)
	if err != nil {
		return err
	}
	d.Name = name
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		return databases.Create(tx, sc.key(name), database{d, s.cfg.Clock(), tags})
	})
	if errors.Is(err, state.ErrExists) {
		return exists("Database already exists.")
	}
	return wrap("create database", err)
}

func (s *Service) deleteDatabase(sc scope, name string) error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := getDatabase(tx, sc, name); err != nil {
			return err
		}
		return errors.Join(databases.Delete(tx, sc.key(name)), tables.DeletePrefix(tx, sc.prefix(name)), statistics.DeletePrefix(tx, sc.prefix(name)),
			versions.DeletePrefix(tx, sc.prefix(name)), partitions.DeletePrefix(tx, sc.prefix(name)))
	})
}

func (s *Service) createTable(sc scope, t catalog.Table) error {
	name, err := cleanName("Table", t.Name)
	if err != nil {
		return err
	}
	t.Name, t.Database = name, strings.ToLower(t.Database)
	now := s.cfg.Clock()
	return s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := getDatabase(tx, sc, t.Database); err != nil {
			return err
		}
		k := table{Table: t, Made: now, Changed: now}
		if err := tables.Create(tx, sc.key(t.Database, name), k); errors.Is(err, state.ErrExists) {
			return exists("Table already exists.")
		} else if err != nil {
			return err
		}
		return archive(tx, sc, k)
	})
}

// archive keeps a version of a table.
func archive(tx state.Tx, sc scope, t table) error {
	return versions.Put(tx, sc.key(t.Database, t.Name, state.Ordinal(uint64(t.Version))), t)
}

// updateTable replaces a table. The versions before are kept unless skipArchive.
func (s *Service) updateTable(sc scope, t catalog.Table, skipArchive bool, expected string) error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		old, err := getTable(tx, sc, t.Database, t.Name)
		if err != nil {
			return err
		}
		if expected != "" && expected != versionID(old) {
			return invalid("VersionId %s is not the table's current version %s", expected, versionID(old))
		}
		k := table{Table: t, Made: old.Made, Changed: s.cfg.Clock(), Version: old.Version + 1, Tags: old.Tags}
		if skipArchive {
			if err := versions.DeletePrefix(tx, sc.prefix(t.Database, t.Name)); err != nil {
				return err
			}
		}
		if err := tables.Put(tx, sc.key(t.Database, t.Name), k); err != nil {
			return err
		}
		return archive(tx, sc, k)
	})
}

func (s *Service) deleteTable(sc scope, db, name string) error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := getTable(tx, sc, db, name); err != nil {
			return err
		}
		return errors.Join(tables.Delete(tx, sc.key(db, name)), statistics.DeletePrefix(tx, sc.prefix(db, name)),
			versions.DeletePrefix(tx, sc.prefix(db, name)), partitions.DeletePrefix(tx, sc.prefix(db, name)))
	})
}

func partitionKey(sc scope, db, name string, values []string) string {
	return sc.key(append([]string{db, name}, values...)...)
}

func checkValues(t table, values []string) error {
	if len(values) != len(t.PartitionKeys) {
		return invalid("The number of partition keys do not match the number of partition values")
	}
	if slices.ContainsFunc(values, func(v string) bool { return v == "" || strings.ContainsRune(v, 0) }) {
		return invalid("A partition value is empty or has a NUL")
	}
	return nil
}

// createPartition adds one partition in a transaction that the caller has begun.
func (s *Service) createPartition(tx state.Tx, sc scope, db, name string, p catalog.Partition) error {
	t, err := getTable(tx, sc, db, name)
	if err != nil {
		return err
	}
	if err := checkValues(t, p.Values); err != nil {
		return err
	}
	err = partitions.Create(tx, partitionKey(sc, db, name, p.Values), partition{p, s.cfg.Clock()})
	if errors.Is(err, state.ErrExists) {
		return exists("Partition already exists.")
	}
	return err
}

func getPartition(tx state.Tx, sc scope, db, name string, values []string) (partition, error) {
	t, err := getTable(tx, sc, db, name)
	if err != nil {
		return partition{}, err
	}
	if err := checkValues(t, values); err != nil {
		return partition{}, err
	}
	p, err := partitions.Get(tx, partitionKey(sc, db, name, values))
	if errors.Is(err, state.ErrNotFound) {
		return p, notFound("Cannot find partition.")
	}
	return p, err
}

func deletePartition(tx state.Tx, sc scope, db, name string, values []string) error {
	if _, err := getPartition(tx, sc, db, name, values); err != nil {
		return err
	}
	return partitions.Delete(tx, partitionKey(sc, db, name, values))
}
