package ssm

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type tagPair struct {
	Key   string `required:"true" max:"128"`
	Value string `max:"256"`
}

type putInput struct {
	Name           string `required:"true" max:"2048"`
	Value          string `required:"true"`
	Type           string `enum:"String,StringList,SecureString"`
	Description    string `max:"1024"`
	KeyID          string `json:"KeyId" max:"256"`
	Overwrite      bool
	AllowedPattern string `max:"1024"`
	Tags           []tagPair
	Tier           string `enum:"Standard,Advanced,Intelligent-Tiering"`
	DataType       string
}

type putOutput struct {
	Version int
	Tier    string
}

// sizes are how long a value may be, in bytes.
var sizes = map[string]int{"Standard": 4096, "Advanced": 8192}

func (in *putInput) check() error {
	if err := checkName(in.Name); err != nil {
		return err
	}
	if in.Tier == "" {
		in.Tier = "Standard"
	}
	if in.Tier == "Intelligent-Tiering" {
		in.Tier = "Standard"
		if len(in.Value) > sizes["Standard"] {
			in.Tier = "Advanced"
		}
	}
	if len(in.Value) > sizes[in.Tier] {
		return wire.ValidationException("%s tier parameters support a maximum parameter value of %d characters.", in.Tier, sizes[in.Tier])
	}
	if in.Overwrite && len(in.Tags) > 0 {
		return wire.ValidationException("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag.")
	}
	if in.DataType == "" {
		in.DataType = "text"
	}
	if in.DataType != "text" {
		return wire.NotImplemented("the DataType %s", in.DataType)
	}
	if in.AllowedPattern == "" {
		return nil
	}
	pattern, err := regexp.Compile(in.AllowedPattern)
	if err != nil {
		return wire.Errorf("InvalidAllowedPatternException", "The allowed pattern is no regular expression: %v", err)
	}
	if !pattern.MatchString(in.Value) {
		return wire.Errorf("ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: %s", in.AllowedPattern)
	}
	return nil
}

func (s *Service) put(ctx context.Context, call *wire.Call, in *putInput) (*putOutput, error) {
	if strings.HasPrefix(in.Name, "arn:") { // an ARN names a parameter too
		in.Name, _ = splitName(in.Name)
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	old, err := s.find(call, in.Name)
	exists := err == nil
	if err != nil && !wire.IsCode(err, "ParameterNotFound") {
		return nil, err
	}
	if err := in.complete(old, exists); err != nil {
		return nil, err
	}
	v := version{Type: in.Type, Value: in.Value, Description: in.Description, AllowedPattern: in.AllowedPattern, Tier: in.Tier,
		DataType: in.DataType, Modified: s.cfg.Clock(), User: call.Caller.ARN}
	if in.Type == "SecureString" {
		if err := s.seal(ctx, call, in, &v); err != nil {
			return nil, err
		}
	}
	s.count(ctx, call, 1)
	err = s.store(call, in, &v)
	return &putOutput{v.Number, v.Tier}, err
}

// complete takes from the parameter what the input leaves out.
func (in *putInput) complete(old parameter, exists bool) error {
	if exists && !in.Overwrite {
		return wire.Errorf("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	}
	if in.Type == "" && exists {
		in.Type = old.last().Type
	}
	if in.Type == "" {
		return wire.ValidationException("A parameter type is required when you create a parameter.")
	}
	if in.KeyID != "" && in.Type != "SecureString" {
		return wire.ValidationException("KeyId is required for SecureString type parameter only.")
	}
	if in.KeyID == "" && exists {
		in.KeyID = old.last().KeyID
	}
	return nil
}

func (s *Service) seal(ctx context.Context, call *wire.Call, in *putInput, v *version) (err error) {
	if s.cfg.Keys == nil {
		return wire.NotImplemented("a SecureString without KMS")
	}
	v.KeyID, v.Value = in.KeyID, ""
	if v.KeyID == "" {
		v.KeyID = "alias/aws/ssm"
	}
	v.Sealed, _, err = s.cfg.Keys.Seal(ctx, call.Caller, v.KeyID, []byte(in.Value), contextOf(call, in.Name))
	return err
}

func (s *Service) store(call *wire.Call, in *putInput, v *version) error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		p, err := parameters.Get(tx, at(call, in.Name))
		switch {
		case errors.Is(err, state.ErrNotFound):
			p = parameter{Name: in.Name, Account: call.Caller.Account, Region: call.Caller.Region, Tags: map[string]string{}}
			for _, t := range in.Tags {
				p.Tags[t.Key] = t.Value
			}
			v.Number = 1
		case err != nil:
			return err
		case !in.Overwrite:
			return in.complete(p, true) // somebody else was faster
		default:
			v.Number = p.last().Number + 1
		}
		p.Versions = append(p.Versions, *v)
		if len(p.Versions) > maxVersions {
			if len(p.Versions[0].Labels) > 0 {
				return wire.Errorf("ParameterMaxVersionLimitExceeded", "The oldest version of %s has a label: move the label to a newer version", in.Name)
			}
			p.Versions = p.Versions[1:]
		}
		return parameters.Put(tx, at(call, in.Name), p)
	})
}

type nameInput struct {
	Name string `required:"true"`
}

func (s *Service) remove(_ context.Context, call *wire.Call, in *nameInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error { return removeOne(tx, call, in.Name) })
}

func removeOne(tx state.Tx, call *wire.Call, text string) error {
	name, _ := splitName(text)
	err := parameters.Delete(tx, at(call, name))
	if errors.Is(err, state.ErrNotFound) {
		return errNotFound(text)
	}
	return err
}

type namesInput struct {
	Names []string `required:"true" min:"1" max:"10"`
}

type removedOutput struct {
	DeletedParameters []string
	InvalidParameters []string
}

func (s *Service) removeMany(_ context.Context, call *wire.Call, in *namesInput) (*removedOutput, error) {
	out := &removedOutput{[]string{}, []string{}}
	return out, s.cfg.Store.Update(func(tx state.Tx) error {
		for _, name := range in.Names {
			err := removeOne(tx, call, name)
			if wire.IsCode(err, "ParameterNotFound") {
				out.InvalidParameters = append(out.InvalidParameters, name)
			} else if err != nil {
				return err
			} else {
				out.DeletedParameters = append(out.DeletedParameters, name)
			}
		}
		return nil
	})
}

type labelInput struct {
	Name             string `required:"true"`
	ParameterVersion int
	Labels           []string `required:"true" min:"1" max:"10"`
}

type labelOutput struct {
	InvalidLabels    []string
	ParameterVersion int
}

var labelPattern = regexp.MustCompile(`^[a-zA-Z_.\-][a-zA-Z0-9_.\-]{0,99}$`)

// label moves labels to a version: a label is on one version at a time.
func (s *Service) label(_ context.Context, call *wire.Call, in *labelInput) (*labelOutput, error) {
	out := &labelOutput{InvalidLabels: []string{}}
	return out, s.change(call, in.Name, func(p *parameter) error {
		out.ParameterVersion = in.ParameterVersion
		if in.ParameterVersion == 0 {
			out.ParameterVersion = p.last().Number
		}
		i := slices.IndexFunc(p.Versions, func(v version) bool { return v.Number == out.ParameterVersion })
		if i < 0 {
			return wire.Errorf("ParameterVersionNotFound", "Systems Manager could not find version %d of %s.", in.ParameterVersion, in.Name)
		}
		for _, l := range in.Labels {
			if !labelPattern.MatchString(l) {
				out.InvalidLabels = append(out.InvalidLabels, l)
				continue
			}
			for j := range p.Versions {
				p.Versions[j].Labels = slices.DeleteFunc(p.Versions[j].Labels, func(have string) bool { return have == l })
			}
			p.Versions[i].Labels = append(p.Versions[i].Labels, l)
		}
		if len(p.Versions[i].Labels) > 10 {
			return wire.Errorf("ParameterVersionLabelLimitExceeded", "A version has at most 10 labels")
		}
		return nil
	})
}

type unlabelInput struct {
	Name             string   `required:"true"`
	ParameterVersion *int     `required:"true"`
	Labels           []string `required:"true" min:"1" max:"10"`
}

type unlabelOutput struct{ RemovedLabels, InvalidLabels []string }

// unlabel takes labels from a version; those that it does not have are told.
func (s *Service) unlabel(_ context.Context, call *wire.Call, in *unlabelInput) (*unlabelOutput, error) {
	out := &unlabelOutput{[]string{}, []string{}}
	return out, s.change(call, in.Name, func(p *parameter) error {
		i := slices.IndexFunc(p.Versions, func(v version) bool { return v.Number == *in.ParameterVersion })
		if i < 0 {
			return wire.Errorf("ParameterVersionNotFound", "Systems Manager could not find version %d of %s.", *in.ParameterVersion, in.Name)
		}
		v := &p.Versions[i]
		for _, l := range in.Labels {
			if at := slices.Index(v.Labels, l); at >= 0 {
				v.Labels = slices.Delete(v.Labels, at, at+1)
				out.RemovedLabels = append(out.RemovedLabels, l)
			} else {
				out.InvalidLabels = append(out.InvalidLabels, l)
			}
		}
		return nil
	})
}

type tagInput struct {
	ResourceType string    `required:"true"`
	ResourceID   string    `json:"ResourceId" required:"true"`
	Tags         []tagPair `required:"true"`
}

func parameterOnly(kind string) error {
	if kind != "Parameter" {
		return wire.NotImplemented("the resource type %s", kind)
	}
	return nil
}

// noParameter is what tag operations say of a parameter that is not there.
func noParameter(err error) error {
	if wire.IsCode(err, "ParameterNotFound") {
		return wire.Errorf("InvalidResourceId", "The resource ID is not valid. Verify that you entered the correct ID and try again.")
	}
	return err
}

func (s *Service) tag(_ context.Context, call *wire.Call, in *tagInput) (*wire.Empty, error) {
	if err := parameterOnly(in.ResourceType); err != nil {
		return nil, err
	}
	return &wire.Empty{}, noParameter(s.change(call, in.ResourceID, func(p *parameter) error {
		if p.Tags == nil {
			p.Tags = map[string]string{}
		}
		for _, t := range in.Tags {
			p.Tags[t.Key] = t.Value
		}
		if len(p.Tags) > 50 {
			return wire.Errorf("TooManyTagsError", "A parameter has at most 50 tags")
		}
		return nil
	}))
}

type untagInput struct {
	ResourceType string   `required:"true"`
	ResourceID   string   `json:"ResourceId" required:"true"`
	TagKeys      []string `required:"true"`
}

func (s *Service) untag(_ context.Context, call *wire.Call, in *untagInput) (*wire.Empty, error) {
	if err := parameterOnly(in.ResourceType); err != nil {
		return nil, err
	}
	return &wire.Empty{}, noParameter(s.change(call, in.ResourceID, func(p *parameter) error {
		for _, name := range in.TagKeys {
			delete(p.Tags, name)
		}
		return nil
	}))
}

type tagsInput struct {
	ResourceType string `required:"true"`
	ResourceID   string `json:"ResourceId" required:"true"`
}

type tagsOutput struct{ TagList []tagPair }

func (s *Service) tags(_ context.Context, call *wire.Call, in *tagsInput) (*tagsOutput, error) {
	if err := parameterOnly(in.ResourceType); err != nil {
		return nil, err
	}
	p, err := s.find(call, in.ResourceID)
	out := &tagsOutput{[]tagPair{}}
	for _, name := range slices.Sorted(maps.Keys(p.Tags)) {
		out.TagList = append(out.TagList, tagPair{name, p.Tags[name]})
	}
	return out, noParameter(err)
}
