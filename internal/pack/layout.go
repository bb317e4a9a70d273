package pack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// tagFile, beside the files of the layout, holds the tag.
const tagFile = "tag"

// tagLength is how many digits of its digest name an image.
const tagLength = 12

// tag names an image by its content, so that another image has another tag.
func tag(image v1.Image) (string, error) {
	digest, err := image.Digest()
	if err != nil {
		return "", err
	}
	return digest.Hex[:tagLength], nil
}

// WriteLayout writes an image as an OCI layout to a directory, in the place of
// what was there, and returns its tag.
// https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
func WriteLayout(dir string, image v1.Image) (string, error) {
	name, err := tag(image)
	if err != nil {
		return "", fmt.Errorf("pack image: %w", err)
	}
	err = replaceDir(dir, func(dir string) error {
		l, err := layout.Write(dir, empty.Index)
		if err != nil {
			return err
		}
		named := layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": name})
		if err := l.AppendImage(image, named); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, tagFile), []byte(name+"\n"), 0o644)
	})
	if err != nil {
		return "", fmt.Errorf("write image: %w", err)
	}
	return name, nil
}

// NoImageError says that a directory has no image.
type NoImageError struct {
	Dir   string
	Cause error
}

func (e *NoImageError) Error() string {
	return fmt.Sprintf("%s holds no image: run \"task build\" (%v)", e.Dir, e.Cause)
}

func (e *NoImageError) Unwrap() error { return e.Cause }

// ReadLayout returns the image that WriteLayout wrote to a directory, and its
// tag. The image's files are read when they are used. Errors: *NoImageError.
func ReadLayout(dir string) (v1.Image, string, error) {
	text, err := os.ReadFile(filepath.Join(dir, tagFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("there is no file " + tagFile)
	}
	if err != nil {
		return nil, "", &NoImageError{dir, err}
	}
	image, err := onlyImage(dir)
	if err != nil {
		return nil, "", &NoImageError{dir, err}
	}
	name, err := tag(image)
	if err == nil && name != strings.TrimSpace(string(text)) {
		err = fmt.Errorf("its tag is %q, and its content is %s", strings.TrimSpace(string(text)), name)
	}
	if err != nil {
		return nil, "", &NoImageError{dir, err}
	}
	return image, name, nil
}

func onlyImage(dir string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if n := len(manifest.Manifests); n != 1 {
		return nil, fmt.Errorf("it has %d images", n)
	}
	return index.Image(manifest.Manifests[0].Digest)
}
