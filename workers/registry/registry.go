// Package registry keeps trained models: the documents of a version, and what
// makes them one model again.
package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"engage/internal/feature"
	"engage/internal/model/gbdt"
	"engage/internal/resource"
	"engage/internal/store"
)

// Documents are the artifacts of a version.
type Documents map[resource.Artifact][]byte

// Shelf is the place of one version's documents.
type Shelf interface {
	Place() string // for people
	// Free says whether Write may write, before there is anything to write.
	// Errors: *sink.ExistsError.
	Free() error
	// Read returns a document. Errors: store.ErrNotFound, store.ErrDenied.
	Read(ctx context.Context, a resource.Artifact) ([]byte, error)
	// Write replaces all documents. The metadata, which has the hashes of the
	// others, is last: documents that it does not fit are refused when they are read.
	Write(ctx context.Context, d Documents) error
}

// ArtifactError tells of a model that cannot be used.
type ArtifactError struct {
	Place    string
	Artifact resource.Artifact
	Err      error
}

// Error is one line that names the document and what to do.
func (e *ArtifactError) Error() string {
	return fmt.Sprintf("the model in %s cannot be used: %s: %v; train it again or name another", e.Place, e.Artifact, e.Err)
}

// Unwrap returns the cause.
func (e *ArtifactError) Unwrap() error { return e.Err }

// Model is a model that can score.
type Model struct {
	Metadata Metadata
	Set      feature.Set
	Fitted   feature.Fitted
	Trees    *gbdt.Model // the rounds that count, no more
}

// Load reads a version and checks that its documents belong together and fit
// the features of this program. Errors: *ArtifactError, which wraps those of the
// shelf, of package gbdt and *feature.MismatchError; the end of the context.
func Load(ctx context.Context, s Shelf) (*Model, error) {
	l := loader{ctx: ctx, shelf: s}
	m := &Model{Metadata: l.metadata()}
	model := l.document(resource.ModelFile, m.Metadata.Hashes)
	fitted := l.document(resource.FeaturesFile, m.Metadata.Hashes)
	l.step(resource.ModelFile, func() (err error) { m.Trees, err = trees(model, m.Metadata.Rounds); return err })
	l.step(resource.FeaturesFile, func() (err error) { m.Fitted, err = feature.DecodeFitted(bytes.NewReader(fitted)); return err })
	l.step(resource.FeaturesFile, func() error { return m.checkFitted() })
	l.step(resource.ModelFile, func() error { return m.checkTrees() })
	if l.err != nil {
		return nil, l.err
	}
	return m, nil
}

// Score is the answer for a row: what the model says, within the target's range.
func (m *Model) Score(answer float32) float64 {
	return Clamp(m.Set.Target(), float64(answer))
}

// Encoder makes the features that the model scores; a category that it was not
// trained on is a missing value.
func (m *Model) Encoder() (*feature.Encoder, error) {
	return m.Fitted.Encoder(m.Set, feature.MissUnknown)
}

// loader keeps the first error.
type loader struct {
	ctx   context.Context
	shelf Shelf
	err   error
}

func (l *loader) step(a resource.Artifact, f func() error) {
	if l.err != nil {
		return
	}
	if err := f(); err != nil {
		l.err = &ArtifactError{l.shelf.Place(), a, err}
		if cause := context.Cause(l.ctx); cause != nil {
			l.err = cause
		}
	}
}

func (l *loader) read(a resource.Artifact) (text []byte) {
	l.step(a, func() (err error) {
		text, err = l.shelf.Read(l.ctx, a)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("it is missing (%w)", store.ErrNotFound)
		}
		return err
	})
	return text
}

func (l *loader) metadata() (m Metadata) {
	text := l.read(resource.MetadataFile)
	l.step(resource.MetadataFile, func() error {
		if err := json.Unmarshal(text, &m); err != nil {
			return err
		}
		if m.FormatVersion != FormatVersion {
			return fmt.Errorf("its form has version %d, want %d", m.FormatVersion, FormatVersion)
		}
		return nil
	})
	return m
}

// document reads one and compares it with its hash.
func (l *loader) document(a resource.Artifact, hashes map[resource.Artifact]string) []byte {
	text := l.read(a)
	l.step(a, func() error {
		if got, want := Hash(text), hashes[a]; got != want {
			return fmt.Errorf("its SHA-256 is %.12s, the metadata says %.12s: it is of another training, or cut short", got, want)
		}
		return nil
	})
	return text
}

// trees reads the model and leaves out rounds that did it no good.
func trees(model []byte, rounds int) (*gbdt.Model, error) {
	m, err := gbdt.Parse(model)
	if err != nil {
		return nil, err
	}
	if rounds < 1 || rounds > m.NumRounds() {
		return nil, fmt.Errorf("it has %d rounds, the metadata says %d", m.NumRounds(), rounds)
	}
	return m.Slice(0, rounds)
}

func (m *Model) checkFitted() error {
	set, ok := feature.ByModel(m.Metadata.Model)
	if !ok {
		return &feature.MismatchError{Model: m.Metadata.Model, Reason: "this program has no features of that model"}
	}
	m.Set = set
	_, err := m.Encoder()
	return err
}

// checkTrees compares what the trees say of their features with the set.
func (m *Model) checkTrees() error {
	if got, want := m.Trees.FeatureNames(), m.Set.Names(); !slices.Equal(got, want) {
		return &feature.MismatchError{Model: m.Set.Model(), Reason: fmt.Sprintf("the trees read %d named features, want %d as in %s", len(got), len(want), resource.FeaturesFile)}
	}
	if n := m.Trees.Outputs(); n != 1 {
		return fmt.Errorf("it has %d answers for a row, want 1", n)
	}
	return nil
}

// Hash is the SHA-256 of a document in hexadecimal.
func Hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
