package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Memory is a Catalog that lives in memory. The zero value is empty and ready.
type Memory struct {
	mu         sync.RWMutex
	databases  map[string]Database
	tables     map[[2]string]Table
	partitions map[[2]string][]Partition
}

var _ Catalog = (*Memory)(nil)

func missing(what, name string) error { return fmt.Errorf("%s %s: %w", what, name, ErrNotFound) }
func exists(what, name string) error  { return fmt.Errorf("%s %s: %w", what, name, ErrExists) }

// Database implements Catalog.
func (m *Memory) Database(_ context.Context, name string) (Database, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	d, ok := m.databases[name]
	if !ok {
		return Database{}, missing("database", name)
	}
	return d, nil
}

// Databases implements Catalog.
func (m *Memory) Databases(context.Context) ([]Database, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []Database
	for _, d := range m.databases {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Database) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// CreateDatabase implements Catalog.
func (m *Memory) CreateDatabase(_ context.Context, d Database) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.databases[d.Name]; ok {
		return exists("database", d.Name)
	}
	if m.databases == nil {
		m.databases, m.tables, m.partitions = map[string]Database{}, map[[2]string]Table{}, map[[2]string][]Partition{}
	}
	m.databases[d.Name] = d
	return nil
}

// DropDatabase implements Catalog.
func (m *Memory) DropDatabase(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.databases[name]; !ok {
		return missing("database", name)
	}
	delete(m.databases, name)
	for k := range m.tables {
		if k[0] == name {
			delete(m.tables, k)
			delete(m.partitions, k)
		}
	}
	return nil
}

// Table implements Catalog.
func (m *Memory) Table(_ context.Context, database, name string) (Table, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t, ok := m.tables[[2]string{database, name}]
	if !ok {
		return Table{}, missing("table", database+"."+name)
	}
	return t, nil
}

// Tables implements Catalog.
func (m *Memory) Tables(_ context.Context, database string) ([]Table, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if _, ok := m.databases[database]; !ok {
		return nil, missing("database", database)
	}
	var out []Table
	for k, t := range m.tables {
		if k[0] == database {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b Table) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// CreateTable implements Catalog.
func (m *Memory) CreateTable(_ context.Context, t Table) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.databases[t.Database]; !ok {
		return missing("database", t.Database)
	}
	key := [2]string{t.Database, t.Name}
	if _, ok := m.tables[key]; ok {
		return exists("table", t.Database+"."+t.Name)
	}
	m.tables[key] = t
	return nil
}

// UpdateTable implements Catalog.
func (m *Memory) UpdateTable(_ context.Context, t Table) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := [2]string{t.Database, t.Name}
	if _, ok := m.tables[key]; !ok {
		return missing("table", t.Database+"."+t.Name)
	}
	m.tables[key] = t
	return nil
}

// DropTable implements Catalog.
func (m *Memory) DropTable(_ context.Context, database, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := [2]string{database, name}
	if _, ok := m.tables[key]; !ok {
		return missing("table", database+"."+name)
	}
	delete(m.tables, key)
	delete(m.partitions, key)
	return nil
}

// Partitions implements Catalog.
func (m *Memory) Partitions(_ context.Context, database, table string) ([]Partition, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(m.partitions[[2]string{database, table}]), nil
}

// AddPartitions implements Catalog; it adds all or none.
func (m *Memory) AddPartitions(_ context.Context, database, table string, ps []Partition) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := [2]string{database, table}
	if _, ok := m.tables[key]; !ok {
		return missing("table", database+"."+table)
	}
	all := slices.Clone(m.partitions[key])
	for _, p := range ps {
		if index(all, p.Values) >= 0 {
			return exists("partition", strings.Join(p.Values, "/"))
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Partition) int { return slices.Compare(a.Values, b.Values) })
	m.partitions[key] = all
	return nil
}

// DropPartition implements Catalog.
func (m *Memory) DropPartition(_ context.Context, database, table string, values []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := [2]string{database, table}
	i := index(m.partitions[key], values)
	if i < 0 {
		return missing("partition", strings.Join(values, "/"))
	}
	m.partitions[key] = slices.Delete(slices.Clone(m.partitions[key]), i, i+1)
	return nil
}

func index(ps []Partition, values []string) int {
	return slices.IndexFunc(ps, func(p Partition) bool { return slices.Equal(p.Values, values) })
}
