package pack

import (
	"bytes"
	"fmt"
	"io"
	"path"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Contents is what goes into an image.
type Contents struct {
	Arch     string            // GOARCH of the programs
	Programs map[string]string // name in /usr/bin -> file of this machine
	Opens    []string          // libraries that the programs open by name at run time
}

// layers returns the files of an image: those of the system, which seldom
// change, and the programs.
func (c Contents) layers(l *Libraries) (system, programs []file, err error) {
	var paths []string
	for name, source := range c.Programs {
		paths = append(paths, source)
		programs = append(programs, file{name: path.Join("/usr/bin", name), mode: 0o755, source: source})
	}
	needs, err := l.closure(paths, c.Opens)
	if err != nil {
		return nil, nil, fmt.Errorf("find what the programs need: %w", err)
	}
	texts, err := licences(needs.libraries)
	if err != nil {
		return nil, nil, err
	}
	return append(append(etc(), needs.files()...), texts...), programs, nil
}

// WriteTar writes the file system of an image, for other builders of images.
func (c Contents) WriteTar(w io.Writer, l *Libraries) error {
	system, programs, err := c.layers(l)
	if err != nil {
		return err
	}
	return writeTar(w, append(system, programs...))
}

// Image packs an image: no shell, no package manager, a user who is not root.
// Errors: *MissingLibraryError, the file system's.
func Image(c Contents, l *Libraries) (v1.Image, error) {
	system, programs, err := c.layers(l)
	if err != nil {
		return nil, err
	}
	config := &v1.ConfigFile{
		Architecture: c.Arch, OS: "linux", Created: v1.Time{Time: epoch},
		RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User: fmt.Sprintf("%d:%[1]d", User), Env: []string{"PATH=/usr/bin", "HOME=/tmp"}, WorkingDir: "/",
		},
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		what  string
		files []file
	}{{"system", system}, {"programs", programs}} {
		layer, err := newLayer(part.files)
		if err != nil {
			return nil, err
		}
		history := v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "engage build: " + part.what}
		if image, err = mutate.Append(image, mutate.Addendum{Layer: layer, MediaType: types.OCILayer, History: history}); err != nil {
			return nil, err
		}
	}
	return image, nil
}

func newLayer(files []file) (v1.Layer, error) {
	var content bytes.Buffer
	if err := writeTar(&content, files); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}
