package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"engage/internal/dataset"
	"engage/internal/frame"
	"engage/internal/parquetfile"
	"engage/internal/resource"
	"engage/internal/schema"
	"engage/internal/store"
)

// Store is what Stored needs.
type Store interface {
	store.Reader
	store.Lister
	store.Locator
}

// Stored lists the Parquet files of customers under a location, in the order of
// their keys. An object whose name begins with a dot or an underscore is none, as
// for Athena, nor is an empty one. Each is kept in the scratch directory for as
// long as it is read, since Parquet is read from its end. Errors: those of the
// store, and *EmptyError if there is no file.
func Stored(ctx context.Context, s Store, l resource.Location, scratch string) (Files, error) {
	files := Files{Place: s.URI(l)}
	for o, err := range s.List(ctx, l) {
		if err != nil {
			return Files{}, err
		}
		name := path.Base(o.Key)
		if o.Size == 0 || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
			continue
		}
		files.List = append(files.List, storedFile(s, l.Bucket, o.Key, scratch))
	}
	if len(files.List) == 0 {
		return Files{}, &EmptyError{files.Place}
	}
	return files, nil
}

func storedFile(s Store, b resource.Bucket, key, scratch string) File {
	uri := store.ObjectURI(s, b, key)
	return File{Name: uri, Open: func(ctx context.Context, columns []schema.Name) (frame.Reader, error) {
		local, size, err := fetch(ctx, s, b, key, scratch)
		if err != nil {
			return nil, err
		}
		r, err := parquetfile.NewReader(local, size, &schema.Customers, parquetfile.ReadOptions{Columns: columns})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", uri, err), local.Close())
		}
		return fetched{r, local}, nil
	}}
}

// fetched is a reader of a file that nobody else can see.
type fetched struct {
	*parquetfile.Reader
	local *os.File
}

func (f fetched) Close() error { return errors.Join(f.Reader.Close(), f.local.Close()) }

// fetch copies an object to a file without a name, which the system removes when
// it is closed, however the process ends.
func fetch(ctx context.Context, s store.Reader, b resource.Bucket, key, scratch string) (_ *os.File, size int64, err error) {
	body, err := s.Get(ctx, b, key)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	local, err := os.CreateTemp(scratch, "customers-*")
	if err != nil {
		return nil, 0, fmt.Errorf("keep %s for reading: %w", key, err)
	}
	if err := os.Remove(local.Name()); err != nil {
		return nil, 0, errors.Join(err, local.Close())
	}
	size, err = io.Copy(local, body)
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("fetch %s: %w", key, err), local.Close())
	}
	return local, size, nil
}

// Arrived reads the manifest of a data set under the landing location. The
// prefix is that of the data set, with or without that of the location.
func Arrived(ctx context.Context, s store.Reader, prefix string) (Origin, error) {
	prefix = resource.Landing.Prefix + strings.TrimPrefix(prefix, resource.Landing.Prefix)
	text, err := store.ReadAll(ctx, s, resource.Landing.Bucket, prefix+dataset.ManifestFile)
	if err != nil {
		return Origin{}, fmt.Errorf("read the data set's manifest: %w", err)
	}
	m, err := dataset.DecodeManifest(bytes.NewReader(text))
	if err != nil {
		return Origin{}, fmt.Errorf("read the manifest %s%s: %w", prefix, dataset.ManifestFile, err)
	}
	return originOf(path.Base(prefix), text, m), nil
}
