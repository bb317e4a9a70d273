package lambda

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// alias is a name for one version of a function, or for two of which one gets
// a share of the invocations.
// https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
type alias struct {
	Name        string
	Version     string
	Description string
	Weights     map[string]float64 // share of another version, from 0 to 1
	Revision    string
}

var aliases = state.NewCollection[alias]("lambda/aliases") // by the function's key and name

func (a alias) primary() string { return a.Version }

// names reports whether the alias refers to a version.
func (a alias) names(version string) bool {
	_, weighted := a.Weights[version]
	return weighted || a.Version == version
}

// route chooses a version of an alias by weight.
func (s *Service) route(a alias) string {
	at := s.cfg.Random()
	for _, version := range slices.Sorted(maps.Keys(a.Weights)) {
		if at -= a.Weights[version]; at < 0 {
			return version
		}
	}
	return a.Version
}

// RoutingConfig has the share of an alias's second version.
type RoutingConfig struct {
	AdditionalVersionWeights map[string]float64 `json:",omitempty"`
}

// AliasConfiguration describes an alias.
type AliasConfiguration struct {
	AliasArn        string
	Name            string
	FunctionVersion string
	Description     string
	RoutingConfig   *RoutingConfig `json:",omitempty"`
	RevisionId      string
}

func (a alias) describe(function ref) *AliasConfiguration {
	function.qualifier = a.Name
	d := &AliasConfiguration{AliasArn: function.arn(), Name: a.Name, FunctionVersion: a.Version, Description: a.Description, RevisionId: a.Revision}
	if len(a.Weights) > 0 {
		d.RoutingConfig = &RoutingConfig{a.Weights}
	}
	return d
}

var aliasExpr = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,128}$`)

type createAliasInput struct {
	FunctionName    string `uri:"FunctionName" json:"-"`
	Name            string `required:"true"`
	FunctionVersion string `required:"true"`
	Description     string `max:"256"`
	RoutingConfig   *RoutingConfig
}

// createAliasOutput is the answer of CreateAlias: 201.
type createAliasOutput struct {
	AliasConfiguration
	Status int `status:"true" json:"-"`
}

func (s *Service) createAlias(_ context.Context, call *wire.Call, in *createAliasInput) (*createAliasOutput, error) {
	if isNumber(in.Name) || !aliasExpr.MatchString(in.Name) {
		return nil, wire.ValidationException("1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)", in.Name)
	}
	a := alias{in.Name, in.FunctionVersion, in.Description, in.RoutingConfig.weights(), newUUID()}
	r, err := s.aliasRef(call.Caller, in.FunctionName)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		if err := checkAlias(tx, r, a); err != nil {
			return err
		}
		err := aliases.Create(tx, state.Key(r.key(), a.Name), a)
		if errors.Is(err, state.ErrExists) {
			return conflict("Alias already exists: %s:%s", r.arn(), a.Name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &createAliasOutput{*a.describe(r), 201}, nil
}

// aliasRef reads the name of a function whose aliases are meant.
func (s *Service) aliasRef(c wire.Caller, name string) (ref, error) {
	r, err := parseRef(c, name, "")
	if err == nil && r.qualifier != "" {
		err = unqualifiedOnly()
	}
	return r, err
}

func (c *RoutingConfig) weights() map[string]float64 {
	if c == nil {
		return nil
	}
	return c.AdditionalVersionWeights
}

// checkAlias refuses an alias of versions that are not there, or weights that
// make no sense, in the order in which AWS looks.
func checkAlias(tx state.Tx, r ref, a alias) error {
	if err := checkWeights(a); err != nil {
		return err
	}
	for _, version := range append([]string{a.Version}, slices.Sorted(maps.Keys(a.Weights))...) {
		r.qualifier = version
		if _, err := resolve(tx, r, alias.primary); err != nil {
			return err
		}
		if version != latest && !isNumber(version) {
			return wire.ValidationException("1 validation error detected: Value '%s' at 'functionVersion' failed to satisfy constraint: Member must satisfy regular expression pattern: (\\$LATEST|[0-9]+)", version)
		}
	}
	return nil
}

func checkWeights(a alias) error {
	const text = "1 validation error detected: Value '{%s=%s}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: "
	if len(a.Weights) > 1 {
		return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for version, weight := range a.Weights {
		shown := strconv.FormatFloat(weight, 'f', -1, 64)
		if weight == float64(int64(weight)) {
			shown += ".0"
		}
		switch {
		case !isNumber(version):
			return wire.ValidationException(text+"Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not be null]", version, shown)
		case weight < 0 || weight > 1:
			return wire.ValidationException(text+"Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]", version, shown)
		case version == a.Version:
			return invalid("Invalid function version %s. Function version %s is already included in routing configuration.", version, version)
		case a.Version == latest:
			return invalid("$LATEST is not supported for an alias pointing to more than 1 version")
		}
	}
	return nil
}

type aliasInput struct {
	FunctionName string `uri:"FunctionName" json:"-"`
	Name         string `uri:"Name" json:"-"`
}

func noAlias(r ref, name string) error {
	r.qualifier = name
	return notFound("Cannot find alias arn: %s", r.arn())
}

func findAlias(tx state.Tx, r ref, name string) (alias, error) {
	a, err := aliases.Get(tx, state.Key(r.key(), name))
	if errors.Is(err, state.ErrNotFound) {
		return a, noAlias(r, name)
	}
	return a, err
}

func (s *Service) getAlias(_ context.Context, call *wire.Call, in *aliasInput) (d *AliasConfiguration, err error) {
	r, err := s.aliasRef(call.Caller, in.FunctionName)
	if err != nil {
		return nil, err
	}
	return d, s.cfg.Store.View(func(tx state.Tx) error {
		a, err := findAlias(tx, r, in.Name)
		d = a.describe(r)
		return err
	})
}

type updateAliasInput struct {
	FunctionName    string `uri:"FunctionName" json:"-"`
	Name            string `uri:"Name" json:"-"`
	FunctionVersion *string
	Description     *string `max:"256"`
	RoutingConfig   *RoutingConfig
	RevisionId      string
}

func (s *Service) updateAlias(_ context.Context, call *wire.Call, in *updateAliasInput) (d *AliasConfiguration, err error) {
	r, err := s.aliasRef(call.Caller, in.FunctionName)
	if err != nil {
		return nil, err
	}
	return d, s.cfg.Store.Update(func(tx state.Tx) error {
		a, err := findAlias(tx, r, in.Name)
		if err != nil {
			return err
		}
		if err := checkRevision(in.RevisionId, a.Revision); err != nil {
			return err
		}
		a.Version = *given(in.FunctionVersion, &a.Version)
		a.Description = *given(in.Description, &a.Description)
		if in.RoutingConfig != nil {
			a.Weights = in.RoutingConfig.weights()
		}
		a.Revision = newUUID()
		d = a.describe(r)
		return errors.Join(checkAlias(tx, r, a), aliases.Put(tx, state.Key(r.key(), a.Name), a))
	})
}

// deleteAlias is no error when there is no such alias, as on AWS.
func (s *Service) deleteAlias(_ context.Context, call *wire.Call, in *aliasInput) (*wire.Empty, error) {
	r, err := s.aliasRef(call.Caller, in.FunctionName)
	if err != nil {
		return nil, err
	}
	return nil, s.cfg.Store.Update(func(tx state.Tx) error {
		f, err := get(tx, r)
		if err != nil {
			return err
		}
		err = aliases.Delete(tx, state.Key(r.key(), in.Name))
		if errors.Is(err, state.ErrNotFound) {
			return nil
		}
		return errors.Join(err, f.forget(tx, in.Name))
	})
}

type listAliasesInput struct {
	FunctionName    string `uri:"FunctionName" json:"-"`
	FunctionVersion string `query:"FunctionVersion" json:"-"`
	Marker          string `query:"Marker" json:"-"`
	MaxItems        *int   `query:"MaxItems" json:"-" min:"1" max:"10000"`
}

// AliasesOutput is the output of ListAliases.
type AliasesOutput struct {
	Aliases    []*AliasConfiguration
	NextMarker *string
}

func (s *Service) listAliases(_ context.Context, call *wire.Call, in *listAliasesInput) (*AliasesOutput, error) {
	r, err := s.aliasRef(call.Caller, in.FunctionName)
	if err != nil {
		return nil, err
	}
	var all []*AliasConfiguration
	err = s.cfg.Store.View(func(tx state.Tx) error {
		if _, err := get(tx, r); err != nil {
			return err
		}
		found, err := aliases.List(tx, r.key()+"\x00", "", 0)
		for _, e := range found {
			if in.FunctionVersion == "" || e.Value.names(in.FunctionVersion) {
				all = append(all, e.Value.describe(r))
			}
		}
		return err
	})
	out := &AliasesOutput{}
	out.Aliases, out.NextMarker = pageAfter(all, in.Marker, in.MaxItems, func(d *AliasConfiguration) string { return d.Name })
	return out, err
}
