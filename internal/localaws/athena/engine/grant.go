package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// grants is what an instance can see: views, and directories of links to the
// files beneath them. Invariant: when a query runs, they are those of its own
// tables.
type grants struct {
	views   map[string]string // full name -> query
	schemas map[string]bool
	folders map[string]int64 // path -> bytes of the files that are linked there
}

func newGrants() grants {
	return grants{views: map[string]string{}, schemas: map[string]bool{}, folders: map[string]int64{}}
}

// grant makes a view of a table's files. keep says whether one that is there
// already and says the same will do: a view over other views must be bound to
// these again.
func (in *instance) grant(ctx context.Context, db, name, body string, keep bool) error {
	full := fullName(db, name)
	if keep && in.granted.views[full] == body {
		return nil
	}
	q := "CREATE OR REPLACE VIEW " + full + " AS " + body
	if !in.granted.schemas[db] {
		q = "CREATE SCHEMA IF NOT EXISTS " + ident(db) + "; " + q
	}
	delete(in.granted.views, full)
	if err := in.exec(ctx, q); err != nil {
		return err
	}
	in.granted.schemas[db], in.granted.views[full] = true, body
	return nil
}

// link puts links to a scan's files into its folder, unless they are there.
func (in *instance) link(s *scan) error {
	folder := s.folder
	if _, ok := in.granted.folders[folder]; ok || len(s.files) == 0 {
		return nil
	}
	in.granted.folders[folder] = s.bytes()
	made := map[string]bool{}
	for _, f := range s.files {
		if dir := filepath.Dir(f.local); !made[dir] {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return fmt.Errorf("grant %s: %w", f.URI, err)
			}
			made[dir] = true
		}
		if err := linkOrCopy(f.Path, f.local); err != nil {
			return fmt.Errorf("grant %s: %w", f.URI, err)
		}
	}
	return nil
}

// linkOrCopy makes a hard link (DuckDB would follow a symbolic one and find
// itself outside of its directory), or a copy where there can be no link.
func linkOrCopy(from, to string) error {
	err := os.Link(from, to)
	if !errors.Is(err, syscall.EXDEV) && !errors.Is(err, syscall.EPERM) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}

// restrict takes away all but the named views and folders.
func (in *instance) restrict(ctx context.Context, views, folders map[string]bool, discard func(dir string)) error {
	for full := range in.granted.views {
		if views[full] {
			continue
		}
		if err := in.exec(ctx, "DROP VIEW IF EXISTS "+full); err != nil {
			return fmt.Errorf("drop view: %w", err)
		}
		delete(in.granted.views, full)
	}
	for folder := range in.granted.folders {
		if folders[folder] {
			continue
		}
		away, err := os.MkdirTemp(filepath.Dir(in.dir), "removed-*")
		if err != nil {
			return fmt.Errorf("take files away from DuckDB: %w", err)
		}
		if err := os.Rename(folder, filepath.Join(away, "files")); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("take files away from DuckDB: %w", err)
		}
		delete(in.granted.folders, folder)
		discard(away)
	}
	return nil
}

// maxKept bounds the files that an idle instance has links to: as long as it
// has, deleting them does not give their space back.
const maxKept = 64 << 20

// heavy reports whether an idle instance would hold on to too much.
func (in *instance) heavy() bool {
	var total int64
	for _, n := range in.granted.folders {
		total += n
	}
	return total > maxKept
}

func fullName(db, name string) string { return `"memory".` + ident(db) + "." + ident(name) }
