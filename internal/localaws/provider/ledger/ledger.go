// Package ledger keeps resources that a program declares and no service here
// executes: networks, detectors, alarms, budgets. What it keeps is what AWS
// would: identifiers, ARNs, defaults, and the order in which things that refer
// to each other may be made and deleted. It is crash-safe, and what it tells is
// what was written.
package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/value"
	"engage/internal/localaws/state"
)

// Config says whose resources a ledger keeps.
type Config struct {
	Store     *state.Store
	Rand      io.Reader
	Partition string
	Account   string
	Region    string
	Now       func() time.Time
}

// entry is a resource as it is kept. All values are those of JSON.
type entry struct {
	Inputs  value.Map `json:"inputs"`
	Outputs value.Map `json:"outputs"`
}

var entries = state.NewCollection[entry]("provider/ledger")

// Ref says that a property holds the identifier of a resource that must exist,
// and that may not be deleted while this one refers to it.
type Ref struct {
	Property string // a string or a list of strings
	Token    string // the type of the resource referred to
}

// Spec is a kind that the ledger keeps.
type Spec struct {
	Kind kind.Kind // without a plane
	// ID forms the identifier of a new resource.
	ID func(m Making) string
	// Outputs computes what AWS would, from the inputs. It must give a value
	// for each of the kind's outputs and computed inputs.
	Outputs func(m Making) value.Map
	Refs    []Ref
}

// Making is what a resource is made of: its inputs, complete, and where it is.
type Making struct {
	Config
	ID     string // "" while the identifier itself is being formed
	Inputs value.Map
	Old    value.Map // the outputs so far, nil for a new resource
	// Find returns a resource that the ledger keeps, nil if there is none.
	Find func(token, id string) value.Map
	// Having returns the resource of a type that has an identifier as one of its
	// outputs, "" if there is none.
	Having func(token, output string) string
}

// ARN forms the ARN of something of a service in the ledger's region.
func (m Making) ARN(service, id string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", m.Partition, service, m.Region, m.Account, id)
}

// Keep returns the output of a name as it was, or what make forms for a new
// resource: for what is made up once, such as an identifier.
func (m Making) Keep(name string, make func() string) string {
	if s := value.String(m.Old, name); s != "" {
		return s
	}
	return make()
}

// Hex returns n random hexadecimal digits.
func (m Making) Hex(n int) string {
	b := make([]byte, (n+1)/2)
	if _, err := io.ReadFull(m.Rand, b); err != nil {
		panic("ledger: no randomness: " + err.Error()) // crypto/rand never fails
	}
	return hex.EncodeToString(b)[:n]
}

// Kinds returns the kinds of specs with a ledger behind them.
func Kinds(cfg Config, specs []Spec) []kind.Kind {
	all := map[string][]Spec{}
	for _, s := range specs {
		for _, r := range s.Refs {
			all[r.Token] = append(all[r.Token], s)
		}
	}
	out := make([]kind.Kind, len(specs))
	for i, s := range specs {
		k := s.Kind
		k.Plane = &plane{Config: cfg, spec: s, users: all[k.Token]}
		out[i] = k
	}
	return out
}

type plane struct {
	Config
	spec  Spec
	users []Spec // the specs that refer to this one
}

func (p *plane) key(token, id string) string {
	return state.Key(p.Account, p.Region, token, id)
}

func (p *plane) making(tx state.Tx, id string, inputs, old value.Map) Making {
	return Making{Config: p.Config, ID: id, Inputs: inputs, Old: old, Find: func(token, id string) value.Map {
		e, err := entries.Get(tx, p.key(token, id))
		if err != nil {
			return nil
		}
		return value.Merge(e.Inputs, e.Outputs)
	}, Having: func(token, output string) string { return p.having(tx, token, output) }}
}

func (p *plane) having(tx state.Tx, token, output string) string {
	prefix := state.Prefix(p.Account, p.Region, token)
	for raw := range entries.Scan(tx, prefix, "") {
		e, err := raw.Value()
		if err != nil {
			continue // whoever reads that entry is told
		}
		for _, v := range e.Outputs {
			if v == output {
				return strings.TrimPrefix(raw.Key(), prefix)
			}
		}
	}
	return ""
}

func (p *plane) Create(_ context.Context, inputs value.Map) (id string, out value.Map, err error) {
	err = p.Store.Update(func(tx state.Tx) error {
		if err := p.references(tx, inputs); err != nil {
			return err
		}
		id = p.spec.ID(p.making(tx, "", inputs, nil))
		out = p.outputs(tx, id, inputs, nil)
		err := entries.Create(tx, p.key(p.spec.Kind.Token, id), entry{Inputs: inputs, Outputs: out})
		if errors.Is(err, state.ErrExists) {
			return fmt.Errorf("%s exists already; delete it or import it into the stack", id)
		}
		return err
	})
	if err != nil {
		return "", nil, err
	}
	return id, out, nil
}

func (p *plane) outputs(tx state.Tx, id string, inputs, old value.Map) value.Map {
	if p.spec.Outputs == nil {
		return value.Map{}
	}
	return p.spec.Outputs(p.making(tx, id, inputs, old))
}

// references tells which resource that the inputs name does not exist.
func (p *plane) references(tx state.Tx, inputs value.Map) error {
	for _, r := range p.spec.Refs {
		for _, id := range ids(inputs, r.Property) {
			if !entries.Has(tx, p.key(r.Token, id)) {
				return fmt.Errorf("%s: %s does not exist; make it first", r.Property, id)
			}
		}
	}
	return nil
}

func ids(m value.Map, property string) []string {
	if s := value.String(m, property); s != "" {
		return []string{s}
	}
	return value.Strings(m, property)
}

func (p *plane) Read(_ context.Context, id string, _ value.Map) (now value.Map, err error) {
	err = p.Store.View(func(tx state.Tx) error {
		e, err := entries.Get(tx, p.key(p.spec.Kind.Token, id))
		if errors.Is(err, state.ErrNotFound) {
			return kind.ErrNotFound
		}
		now = value.Merge(e.Inputs, e.Outputs)
		return err
	})
	return now, err
}

func (p *plane) Update(_ context.Context, id string, _, inputs value.Map) (out value.Map, err error) {
	err = p.Store.Update(func(tx state.Tx) error {
		key := p.key(p.spec.Kind.Token, id)
		e, err := entries.Get(tx, key)
		if err != nil {
			return fmt.Errorf("%s: %w; run a refresh", id, kind.ErrNotFound)
		}
		if err := p.references(tx, inputs); err != nil {
			return err
		}
		out = p.outputs(tx, id, inputs, e.Outputs)
		return entries.Put(tx, key, entry{Inputs: inputs, Outputs: out})
	})
	return out, err
}

func (p *plane) Delete(_ context.Context, id string, _ value.Map) error {
	return p.Store.Update(func(tx state.Tx) error {
		if user, err := p.user(tx, id); err != nil || user != "" {
			return errors.Join(err, dependency(id, user))
		}
		err := entries.Delete(tx, p.key(p.spec.Kind.Token, id))
		if errors.Is(err, state.ErrNotFound) {
			return nil
		}
		return err
	})
}

func dependency(id, user string) error {
	if user == "" {
		return nil
	}
	return fmt.Errorf("DependencyViolation: %s is used by %s; delete that first", id, user)
}

// user returns what refers to a resource, "" if nothing does.
func (p *plane) user(tx state.Tx, id string) (string, error) {
	for _, s := range p.users {
		prefix := state.Prefix(p.Account, p.Region, s.Kind.Token)
		for raw := range entries.Scan(tx, prefix, "") {
			e, err := raw.Value()
			if err != nil {
				return "", err
			}
			if refers(s, p.spec.Kind.Token, e.Inputs, id) {
				return strings.TrimPrefix(raw.Key(), prefix), nil
			}
		}
	}
	return "", nil
}

func refers(s Spec, token string, inputs value.Map, id string) bool {
	for _, r := range s.Refs {
		if r.Token != token {
			continue
		}
		for _, used := range ids(inputs, r.Property) {
			if used == id {
				return true
			}
		}
	}
	return false
}
