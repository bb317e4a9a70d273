// Package kind says what a resource type of Pulumi's AWS package is: which
// properties it takes, which of them make a change a replacement, what a plane
// computes, and how it is made, read, changed and deleted. The names and the
// meaning are those of pulumi-aws v6, https://www.pulumi.com/registry/packages/aws/.
package kind

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"engage/internal/localaws/provider/value"
)

// ErrNotFound is what a plane answers to Read when the resource is gone.
var ErrNotFound = errors.New("the resource does not exist")

// Kind is one resource type.
type Kind struct {
	Token  string   // "aws:s3/bucketV2:BucketV2"
	Inputs Object   // what a program may give
	Output []string // what the plane gives besides the inputs: "arn", "id" excepted
	// DeleteFirst deletes a resource before its replacement is made, because
	// the two cannot exist at once (a name, an association).
	DeleteFirst bool
	Plane       Plane
}

// Plane makes resources of one kind. Maps are complete: every property with its
// defaults, nothing unknown.
type Plane interface {
	// Create makes a resource. A non-empty id beside an error says that the
	// resource exists but is not whole: the engine keeps it and tells the error.
	Create(ctx context.Context, inputs value.Map) (id string, outputs value.Map, err error)
	// Read returns what the resource is now: its outputs, and those inputs that
	// the service tells. Errors: ErrNotFound.
	Read(ctx context.Context, id string, state value.Map) (value.Map, error)
	// Update changes a resource from what old says to what inputs say, and
	// returns its outputs.
	Update(ctx context.Context, id string, old, inputs value.Map) (value.Map, error)
	// Delete deletes a resource. One that is gone is no error.
	Delete(ctx context.Context, id string, state value.Map) error
}

// Type is the type of a property's value.
type Type int

// The types. A Document is a string that holds JSON and is compared by its
// meaning; a Set is a list whose order means nothing.
const (
	String Type = iota
	Bool
	Number
	List
	Set
	Dict // string keys, values of one type
	Nested
	Document
	File
)

// Property is one property of a resource or of an object within it.
type Property struct {
	Type     Type
	Of       *Property // of List, Set and Dict: the element; nil is a string
	Fields   Object    // of Nested
	Required bool
	Replace  bool     // a change makes a new resource
	Default  any      // a value of package value, given when the program gives none
	Computed bool     // the plane gives a value when the program gives none
	Enum     []string // the only values, if any
	Min, Max float64  // bounds of a Number, both 0 for none
	Secret   bool     // never shown in an error or a log
	Unused   bool     // refused when given: nothing here does what it asks for
	Name     *Naming  // a name is made up when the program gives none
}

// Object is a set of properties.
type Object map[string]Property

// Naming bounds a made-up name: what a program's own name is cut to, in
// characters, what comes before it ("alias/") and after the random part (".fifo").
type Naming struct {
	Max    int
	Prefix string
	Suffix string
	Lower  bool // lower case only
}

// NotKnownError is a type that the table does not hold.
type NotKnownError struct{ Token string }

func (e *NotKnownError) Error() string {
	return fmt.Sprintf("resource type %s is not supported by the embedded endpoint; docs/unsupported.md lists those that are, and the official plugin has all of them", e.Token)
}

// Table is every kind by its token.
type Table map[string]Kind

// NewTable returns the table of kinds. It panics on a token that is there twice:
// that is a mistake in the program.
func NewTable(groups ...[]Kind) Table {
	t := Table{}
	for _, k := range slices.Concat(groups...) {
		if _, twice := t[k.Token]; twice {
			panic("kind: " + k.Token + " is declared twice")
		}
		t[k.Token] = k
	}
	return t
}

// Find returns the kind of a token. Errors: *NotKnownError.
func (t Table) Find(token string) (Kind, error) {
	k, ok := t[token]
	if !ok {
		return Kind{}, &NotKnownError{Token: token}
	}
	return k, nil
}

// Preview returns what is known of a resource before it is made: its inputs,
// and Unknown for all that a plane will compute.
func (k Kind) Preview(inputs value.Map) value.Map {
	out := value.Merge(inputs)
	for _, name := range k.Output {
		out[name] = value.Unknown{}
	}
	for name, p := range k.Inputs {
		if _, given := inputs[name]; !given && p.Computed {
			out[name] = value.Unknown{}
		}
	}
	return out
}
