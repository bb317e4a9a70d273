package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"engage/internal/resource"
	"engage/internal/store"
	"engage/workers/sink"
)

// Directory is a shelf on disk: the documents are files in it.
type Directory struct {
	Path    string
	Replace bool // documents that are there
}

// Place is the path.
func (d Directory) Place() string { return d.Path }

// Read implements Shelf.
func (d Directory) Read(_ context.Context, a resource.Artifact) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(d.Path, string(a)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, store.ErrNotFound
	case errors.Is(err, fs.ErrPermission):
		return nil, store.ErrDenied
	}
	return text, err
}

// Free implements Shelf.
func (d Directory) Free() error {
	for _, a := range resource.Artifacts() {
		path := filepath.Join(d.Path, string(a))
		if _, err := os.Lstat(path); err == nil && !d.Replace {
			return &sink.ExistsError{Path: path}
		}
	}
	return nil
}

// Write implements Shelf. All documents are on the disk before the first gets
// its name; where that fails, nothing is left of those that have none.
func (d Directory) Write(ctx context.Context, docs Documents) (err error) {
	if err := d.Free(); err != nil {
		return err
	}
	if err := os.MkdirAll(d.Path, 0o755); err != nil {
		return fmt.Errorf("make the model's directory: %w", err)
	}
	var sinks []sink.Sink
	defer func() {
		for _, s := range sinks {
			err = errors.Join(err, s.Abort())
		}
	}()
	for _, a := range inOrder(docs) {
		s, err := sink.File{Path: filepath.Join(d.Path, string(a)), Replace: d.Replace}.Create(ctx)
		if err != nil {
			return err
		}
		sinks = append(sinks, s)
		if _, err := s.Write(docs[a]); err != nil {
			return fmt.Errorf("write %s: %w", a, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, s := range sinks {
		if err := s.Commit(); err != nil {
			return err
		}
	}
	return nil
}

// inOrder lists the documents with the metadata last.
func inOrder(docs Documents) []resource.Artifact {
	var out []resource.Artifact
	for _, a := range resource.Artifacts() {
		if _, ok := docs[a]; ok && a != resource.MetadataFile {
			out = append(out, a)
		}
	}
	if _, ok := docs[resource.MetadataFile]; ok {
		out = append(out, resource.MetadataFile)
	}
	return out
}

// Stored is a shelf in a store.
type Stored struct {
	Store interface {
		store.Reader
		store.Writer
		store.Locator
	}
	Model   resource.Model
	Version resource.Version
}

// Place is the URI of the version.
func (s Stored) Place() string { return s.Store.URI(s.Model.Location(s.Version)) }

// Free implements Shelf: a run that is tried again writes its version again.
func (s Stored) Free() error { return nil }

// Read implements Shelf.
func (s Stored) Read(ctx context.Context, a resource.Artifact) ([]byte, error) {
	return store.ReadAll(ctx, s.Store, resource.Registry.Bucket, s.Model.Key(s.Version, a))
}

// Write implements Shelf.
func (s Stored) Write(ctx context.Context, docs Documents) error {
	for _, a := range inOrder(docs) {
		if err := s.Store.Put(ctx, resource.Registry.Bucket, s.Model.Key(s.Version, a), docs[a], "application/json"); err != nil {
			return err
		}
	}
	return nil
}
