package ssm

import (
	"context"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// shown is AWS's Parameter.
type shown struct {
	Name, Type, Value string
	Version           int
	Selector          string `json:",omitempty"`
	LastModifiedDate  wire.Time
	ARN               string
	DataType          string
}

func (s *Service) show(ctx context.Context, call *wire.Call, p parameter, selector string, decrypt bool) (shown, error) {
	v, err := p.selected(selector)
	if err != nil {
		return shown{}, err
	}
	value, err := s.reveal(ctx, call, p.Name, v, decrypt)
	if selector != "" {
		selector = ":" + selector
	}
	return shown{p.Name, v.Type, value, v.Number, selector, wire.TimeOf(v.Modified), arnOf(call, p.Name), v.DataType}, err
}

type getInput struct {
	Name           string `required:"true"`
	WithDecryption bool
}

type getOutput struct{ Parameter shown }

func (s *Service) get(ctx context.Context, call *wire.Call, in *getInput) (*getOutput, error) {
	name, selector := splitName(in.Name)
	p, err := s.find(call, name)
	if err != nil {
		return nil, err
	}
	s.count(ctx, call, 1)
	v, err := s.show(ctx, call, p, selector, in.WithDecryption)
	return &getOutput{v}, err
}

type getManyInput struct {
	Names          []string `required:"true" min:"1" max:"10"`
	WithDecryption bool
}

type getManyOutput struct {
	Parameters        []shown
	InvalidParameters []string
}

func (s *Service) getMany(ctx context.Context, call *wire.Call, in *getManyInput) (*getManyOutput, error) {
	out := &getManyOutput{[]shown{}, []string{}}
	for _, text := range in.Names {
		got, err := s.get(ctx, call, &getInput{text, in.WithDecryption})
		if wire.IsCode(err, "ParameterNotFound") || wire.IsCode(err, "ParameterVersionNotFound") {
			out.InvalidParameters = append(out.InvalidParameters, text)
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, got.Parameter)
	}
	return out, nil
}

type filter struct {
	Key    string `required:"true"`
	Option string
	Values []string
}

// match applies a filter of DescribeParameters or GetParametersByPath.
func (f filter) match(p parameter) (bool, error) {
	var have []string
	switch key, tagName, _ := strings.Cut(f.Key, ":"); key {
	case "Name":
		have = []string{p.Name, strings.TrimPrefix(p.Name, "/")}
	case "Path":
		return slices.ContainsFunc(f.Values, func(path string) bool { return below(p.Name, path, f.Option == "Recursive") }), nil
	case "Type":
		have = []string{p.last().Type}
	case "KeyId":
		have = []string{p.last().KeyID}
	case "Tier":
		have = []string{p.last().Tier}
	case "DataType":
		have = []string{p.last().DataType}
	case "Label":
		have = p.last().Labels
	case "tag":
		value, ok := p.Tags[tagName]
		if len(f.Values) == 0 {
			return ok, nil
		}
		have = []string{value}
	default:
		return false, wire.Errorf("InvalidFilterKey", "The filter key %s is not valid", f.Key)
	}
	compare, err := f.compare()
	return slices.ContainsFunc(f.Values, func(want string) bool {
		return slices.ContainsFunc(have, func(h string) bool { return err == nil && compare(h, want) })
	}), err
}

func (f filter) compare() (func(have, want string) bool, error) {
	switch f.Option {
	case "", "Equals":
		return func(have, want string) bool { return have == want }, nil
	case "BeginsWith":
		return strings.HasPrefix, nil
	case "Contains":
		return strings.Contains, nil
	}
	return nil, wire.Errorf("InvalidFilterOption", "The filter option %s is not valid", f.Option)
}

// below reports whether a name is in a path, directly or at any depth.
func below(name, path string, recursive bool) bool {
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(path, "/")+"/")
	return ok && (recursive || !strings.Contains(rest, "/"))
}

type byPathInput struct {
	Path             string `required:"true"`
	Recursive        bool
	ParameterFilters []filter
	WithDecryption   bool
	MaxResults       *int `min:"1" max:"10"`
	NextToken        string
}

type byPathOutput struct {
	Parameters []shown
	NextToken  string `json:",omitempty"`
}

func (s *Service) byPath(ctx context.Context, call *wire.Call, in *byPathInput) (*byPathOutput, error) {
	if !strings.HasPrefix(in.Path, "/") {
		return nil, wire.ValidationException("The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\".")
	}
	found, next, err := s.page(call, in.NextToken, in.MaxResults, 10, func(p parameter) (bool, error) {
		return all(in.ParameterFilters, p, below(p.Name, in.Path, in.Recursive))
	})
	out := &byPathOutput{[]shown{}, next}
	for _, p := range found {
		v, err := s.show(ctx, call, p, "", in.WithDecryption)
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, v)
	}
	s.count(ctx, call, max(1, len(found)))
	return out, err
}

func all(filters []filter, p parameter, ok bool) (bool, error) {
	for _, f := range filters {
		m, err := f.match(p)
		if err != nil {
			return false, err
		}
		ok = ok && m
	}
	return ok, nil
}

// page returns the parameters that fit, after the token, and the next token.
func (s *Service) page(call *wire.Call, token string, limit *int, usual int, fits func(parameter) (bool, error)) (found []parameter, next string, err error) {
	if limit != nil {
		usual = *limit
	}
	after := ""
	if token != "" {
		after = at(call, token)
	}
	err = s.cfg.Store.View(func(tx state.Tx) error {
		for raw := range parameters.Scan(tx, state.Prefix(call.Caller.Account, call.Caller.Region), after) {
			p, err := raw.Value()
			if err != nil {
				return err
			}
			ok, err := fits(p)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if len(found) == usual {
				next = found[usual-1].Name
				return nil
			}
			found = append(found, p)
		}
		return nil
	})
	return found, next, err
}

// metadata is AWS's ParameterMetadata and, with Value and Labels, ParameterHistory.
type metadata struct {
	Name             string
	ARN              string `json:",omitempty"`
	Type             string
	KeyID            string `json:"KeyId,omitempty"`
	LastModifiedDate wire.Time
	LastModifiedUser string
	Description      string `json:",omitempty"`
	AllowedPattern   string `json:",omitempty"`
	Version          int
	Tier, DataType   string
	Value            string   `json:",omitempty"`
	Labels           []string `json:",omitempty"`
}

func (v version) metadata(name string) metadata {
	return metadata{Name: name, Type: v.Type, KeyID: v.KeyID, LastModifiedDate: wire.TimeOf(v.Modified), LastModifiedUser: v.User,
		Description: v.Description, AllowedPattern: v.AllowedPattern, Version: v.Number, Tier: v.Tier, DataType: v.DataType}
}

// older is a filter as DescribeParameters had it first: Name, Type or KeyId.
type older struct {
	Key    string   `required:"true" enum:"Name,Type,KeyId"`
	Values []string `required:"true"`
}

func (o older) filter() filter {
	f := filter{Key: o.Key, Values: o.Values}
	if o.Key == "Name" {
		f.Option = "BeginsWith"
	}
	return f
}

type describeInput struct {
	Filters          []older
	ParameterFilters []filter
	MaxResults       *int `min:"1" max:"50"`
	NextToken        string
}

type metadataOutput struct {
	Parameters []metadata
	NextToken  string `json:",omitempty"`
}

func (s *Service) describe(_ context.Context, call *wire.Call, in *describeInput) (*metadataOutput, error) {
	filters := in.ParameterFilters
	for _, o := range in.Filters {
		filters = append(filters, o.filter())
	}
	if len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		return nil, wire.ValidationException("You can use either Filters or ParameterFilters in a single request.")
	}
	found, next, err := s.page(call, in.NextToken, in.MaxResults, 50, func(p parameter) (bool, error) {
		return all(filters, p, true)
	})
	out := &metadataOutput{[]metadata{}, next}
	for _, p := range found {
		m := p.last().metadata(p.Name)
		m.ARN = arnOf(call, p.Name)
		out.Parameters = append(out.Parameters, m)
	}
	return out, err
}

type historyInput struct {
	Name           string `required:"true"`
	WithDecryption bool
	MaxResults     *int `min:"1" max:"50"`
	NextToken      string
}

func (s *Service) history(ctx context.Context, call *wire.Call, in *historyInput) (*metadataOutput, error) {
	name, _ := splitName(in.Name)
	p, err := s.find(call, name)
	if err != nil {
		return nil, err
	}
	limit := 50
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	out := &metadataOutput{Parameters: []metadata{}}
	for _, v := range p.Versions {
		if state.Ordinal(uint64(v.Number)) <= in.NextToken {
			continue
		}
		if len(out.Parameters) == limit {
			out.NextToken = state.Ordinal(uint64(out.Parameters[limit-1].Version))
			break
		}
		m := v.metadata(name)
		m.Labels = v.Labels
		if m.Value, err = s.reveal(ctx, call, name, v, in.WithDecryption); err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, m)
	}
	return out, nil
}
