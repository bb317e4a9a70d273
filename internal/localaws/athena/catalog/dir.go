package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Dir is Objects on a directory: s3://bucket/key is the file bucket/key beneath it.
type Dir string

var _ Objects = Dir("")

// SplitURI cuts s3://bucket/key into its two parts. Hadoop's spellings s3a and s3n are not Athena's and are refused.
func SplitURI(uri string) (bucket, key string, err error) {
	rest, ok := strings.CutPrefix(uri, "s3://")
	bucket, key, _ = strings.Cut(rest, "/")
	if !ok || bucket == "" {
		return "", "", fmt.Errorf("location %q is not of the form s3://bucket/prefix/", uri)
	}
	return bucket, key, nil
}

func (d Dir) path(uri string) (string, error) {
	bucket, key, err := SplitURI(uri)
	if err != nil {
		return "", err
	}
	rel := filepath.Join(bucket, filepath.FromSlash(key))
	if !filepath.IsLocal(rel) {
		return "", fmt.Errorf("location %q leaves its bucket", uri)
	}
	return filepath.Join(string(d), rel), nil
}

// List implements Objects.
func (d Dir) List(ctx context.Context, location string) ([]Object, error) {
	bucket, key, err := SplitURI(location)
	if err != nil {
		return nil, err
	}
	root := filepath.Join(string(d), bucket)
	var out []Object
	start, err := d.path("s3://" + bucket + "/" + key[:strings.LastIndexByte(key, '/')+1])
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(start, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || e.IsDir() {
			return errors.Join(err, ctx.Err())
		}
		rel, err := filepath.Rel(root, path)
		if err != nil || !strings.HasPrefix(filepath.ToSlash(rel), key) {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		out = append(out, Object{URI: "s3://" + bucket + "/" + filepath.ToSlash(rel), Path: path, Size: info.Size()})
		return nil
	})
	slices.SortFunc(out, func(a, b Object) int { return strings.Compare(a.URI, b.URI) })
	return out, err
}

// Put implements Objects.
func (d Dir) Put(_ context.Context, uri string, r io.Reader) error {
	path, err := d.path(uri)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make directory for %s: %w", uri, err)
	}
	f, err := os.CreateTemp(string(d), ".put-*")
	if err != nil {
		return fmt.Errorf("put %s: %w", uri, err)
	}
	defer os.Remove(f.Name())
	_, err = io.Copy(f, r)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("put %s: %w", uri, err)
	}
	return os.Rename(f.Name(), path)
}

// Remove implements Objects.
func (d Dir) Remove(_ context.Context, uri string) error {
	path, err := d.path(uri)
	if err != nil {
		return err
	}
	return os.Remove(path)
}

// Open implements Objects.
func (d Dir) Open(_ context.Context, uri string) (io.ReadSeekCloser, error) {
	path, err := d.path(uri)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("object %s: %w", uri, ErrNotFound)
	}
	return f, err
}
