package ssm

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Keys encrypts SecureStrings with the caller's permissions.
type Keys interface {
	Seal(ctx context.Context, caller wire.Caller, keyID string, plaintext []byte, encryptionContext map[string]string) ([]byte, string, error)
	Open(ctx context.Context, caller wire.Caller, envelope []byte, encryptionContext map[string]string) ([]byte, error)
}

// Config says what the service works with.
type Config struct {
	// Store keeps the parameters. There is no default.
	Store *state.Store
	// Keys encrypts. Without it a SecureString is refused.
	Keys Keys
	// Clock is for timestamps. The default is time.Now.
	Clock func() time.Time
	// Meter counts requests. The default counts nothing.
	Meter wire.Meter
}

// Service is the Parameter Store.
type Service struct{ cfg Config }

// New opens the service.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	return &Service{cfg}
}

// API returns the operations.
func (s *Service) API() *wire.Service {
	return &wire.Service{Name: "ssm", Targets: []string{"AmazonSSM"}, Protocol: wire.JSON11, Operations: []wire.Operation{
		wire.JSON("PutParameter", s.put, touch("PutParameter", func(in *putInput) []string { return []string{in.Name} })),
		wire.JSON("GetParameter", s.get, touch("GetParameter", func(in *getInput) []string { return []string{in.Name} })),
		wire.JSON("GetParameters", s.getMany, touch("GetParameters", func(in *getManyInput) []string { return in.Names })),
		wire.JSON("GetParametersByPath", s.byPath, touch("GetParametersByPath", func(in *byPathInput) []string { return []string{in.Path} })),
		wire.JSON("GetParameterHistory", s.history, touch("GetParameterHistory", func(in *historyInput) []string { return []string{in.Name} })),
		wire.JSON("DescribeParameters", s.describe, nil),
		wire.JSON("DeleteParameter", s.remove, touch("DeleteParameter", func(in *nameInput) []string { return []string{in.Name} })),
		wire.JSON("DeleteParameters", s.removeMany, touch("DeleteParameters", func(in *namesInput) []string { return in.Names })),
		wire.JSON("LabelParameterVersion", s.label, touch("LabelParameterVersion", func(in *labelInput) []string { return []string{in.Name} })),
		wire.JSON("UnlabelParameterVersion", s.unlabel, touch("UnlabelParameterVersion", func(in *unlabelInput) []string { return []string{in.Name} })),
		wire.JSON("AddTagsToResource", s.tag, touch("AddTagsToResource", func(in *tagInput) []string { return []string{in.ResourceID} })),
		wire.JSON("RemoveTagsFromResource", s.untag, touch("RemoveTagsFromResource", func(in *untagInput) []string { return []string{in.ResourceID} })),
		wire.JSON("ListTagsForResource", s.tags, touch("ListTagsForResource", func(in *tagsInput) []string { return []string{in.ResourceID} })),
	}}
}

func touch[I any](action string, names func(*I) []string) wire.Touches[I] {
	return func(call *wire.Call, in *I) []wire.Access {
		var all []wire.Access
		for _, text := range names(in) {
			name, _ := splitName(text)
			all = append(all, wire.Access{Action: "ssm:" + action, Resource: arnOf(call, name)})
		}
		return all
	}
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func (s *Service) find(call *wire.Call, name string) (p parameter, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		p, err = parameters.Get(tx, at(call, name))
		return err
	})
	if errors.Is(err, state.ErrNotFound) {
		return p, errNotFound(name)
	}
	return p, err
}

func (s *Service) change(call *wire.Call, name string, f func(*parameter) error) error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		p, err := parameters.Get(tx, at(call, name))
		if errors.Is(err, state.ErrNotFound) {
			return errNotFound(name)
		}
		if err != nil {
			return err
		}
		if err := f(&p); err != nil {
			return err
		}
		return parameters.Put(tx, at(call, name), p)
	})
}

// count books a request; standard parameters at standard throughput cost nothing on AWS.
func (s *Service) count(ctx context.Context, call *wire.Call, n int) {
	s.cfg.Meter.Add(ctx, wire.Quantity{Service: "ssm", Usage: "Parameter-Requests", RunID: call.Caller.RunID, Amount: float64(n)})
}
