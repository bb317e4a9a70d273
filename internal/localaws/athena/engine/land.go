package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/athena/catalog"
)

// landing is a written query on its way into a table.
type landing struct {
	*run
	target   *target
	existing map[string]catalog.Partition
	added    map[string]catalog.Partition
	written  []string // URIs
}

// land publishes the written files and their manifest, then makes the table and its partitions. Where it
// fails, nothing of that is left.
func (r *run) land(t *target, dir string, done func() error) (err error) {
	l := &landing{run: r, target: t, added: map[string]catalog.Partition{}}
	if l.existing, err = r.partitionSet(t.table); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.undo())
		}
	}()
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return l.put(dir, path)
	})
	if err != nil {
		return fmt.Errorf("publish files of %s.%s: %w", t.table.Database, t.table.Name, err)
	}
	if err := r.manifest(l.written); err != nil {
		return err
	}
	if err := done(); err != nil {
		return err
	}
	return r.addPartitions(t.table, l.added)
}

// put publishes one file, in its partition.
func (l *landing) put(dir, path string) error {
	values, err := partitionValues(l.target, dir, path)
	if err != nil {
		return err
	}
	location := l.target.table.Storage.Location
	if values != nil {
		key := strings.Join(values, "\x00")
		p, ok := l.existing[key]
		if !ok {
			p = newPartition(l.target.table, values, l.cfg.Now())
			l.added[key] = p
		}
		location = p.Storage.Location
	}
	uri := fmt.Sprintf("%s/%s_%05d_%s", strings.TrimSuffix(location, "/"), l.cfg.Now().UTC().Format("20060102_150405"), len(l.written), l.req.ID)
	if err := putFile(l.ctx, l.cfg.Objects, uri, path); err != nil {
		return err
	}
	l.written = append(l.written, uri)
	return nil
}

// undo removes the files, and a table that was made for them. It is done even where the query was stopped.
func (l *landing) undo() error {
	ctx := context.WithoutCancel(l.ctx)
	var errs []error
	left := l.written
	if l.res.Manifest != "" {
		left = append(left, l.res.Manifest)
	}
	if l.res.Output != "" {
		left = append(left, l.res.Output, l.res.Output+".metadata")
	}
	for _, uri := range left {
		errs = append(errs, l.cfg.Objects.Remove(ctx, uri))
	}
	if t := l.target.table; l.target.made {
		errs = append(errs, l.cfg.Catalog.DropTable(ctx, t.Database, t.Name))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove what a failed statement wrote: %w", err)
	}
	return nil
}

func (r *run) partitionSet(t catalog.Table) (map[string]catalog.Partition, error) {
	out := map[string]catalog.Partition{}
	if len(t.PartitionKeys) == 0 {
		return out, nil
	}
	ps, err := r.cfg.Catalog.Partitions(r.ctx, t.Database, t.Name)
	if err != nil && !notFound(err) {
		return nil, fmt.Errorf("list partitions: %w", err)
	}
	for _, p := range ps {
		out[strings.Join(p.Values, "\x00")] = p
	}
	return out, nil
}

func (r *run) addPartitions(t catalog.Table, added map[string]catalog.Partition) error {
	var ps []catalog.Partition
	for _, p := range added {
		ps = append(ps, p)
	}
	slices.SortFunc(ps, func(a, b catalog.Partition) int { return slices.Compare(a.Values, b.Values) })
	if len(ps) == 0 {
		return nil
	}
	if err := r.cfg.Catalog.AddPartitions(r.ctx, t.Database, t.Name, ps); err != nil {
		return fmt.Errorf("add partitions of %s.%s: %w", t.Database, t.Name, err)
	}
	return nil
}

// manifest lists the files that were written, beside the result.
func (r *run) manifest(written []string) error {
	uri := r.outputURI("-manifest.csv")
	if err := r.cfg.Objects.Put(r.ctx, uri, strings.NewReader(strings.Join(written, "\n"))); err != nil {
		return fmt.Errorf("write %s: %w", uri, err)
	}
	r.res.Manifest = uri
	r.res.Columns = []Column{{Name: "rows", Type: "bigint", Precision: 19}}
	return r.writeFile("", func(w *bufio.Writer) error { return nil })
}

// partitionValues reads the values from the directories that DuckDB wrote a file below.
func partitionValues(t *target, dir, path string) ([]string, error) {
	if len(t.table.PartitionKeys) == 0 {
		return nil, nil
	}
	rel, err := filepath.Rel(filepath.Join(dir, "out"), path)
	if err != nil {
		return nil, err
	}
	var values []string
	for _, part := range strings.Split(filepath.ToSlash(filepath.Dir(rel)), "/") {
		_, value, _ := strings.Cut(part, "=")
		v, err := url.PathUnescape(value)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	if len(values) != len(t.table.PartitionKeys) {
		return nil, errors.New("a file lies outside the partitions")
	}
	return values, nil
}

func newPartition(t catalog.Table, values []string, now time.Time) catalog.Partition {
	p := catalog.Partition{Values: values, Storage: t.Storage, Created: now}
	p.Storage.Location = strings.TrimSuffix(t.Storage.Location, "/")
	for i, v := range values {
		p.Storage.Location += "/" + t.PartitionKeys[i].Name + "=" + escapePath(v)
	}
	return p
}

// escapePath writes a partition's value as Hive does in paths (FileUtils.escapePathName).
func escapePath(v string) string {
	var b strings.Builder
	for _, c := range []byte(v) {
		if c < 0x20 || c == 0x7f || strings.IndexByte("\"#%'*/:=?\\{[]^", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func putFile(ctx context.Context, o catalog.Objects, uri, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return o.Put(ctx, uri, f)
}
