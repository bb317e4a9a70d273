package secretsmanager

import (
	"context"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/wire"
)

type batchInput struct {
	SecretIDs  []string `json:"SecretIdList" max:"20"`
	Filters    []filter `max:"10"`
	MaxResults *int     `min:"1" max:"20"`
	NextToken  string
}

type batchError struct {
	SecretID  string `json:"SecretId"`
	ErrorCode string
	Message   string
}

type batchOutput struct {
	SecretValues []valueOutput
	Errors       []batchError
	NextToken    string `json:",omitempty"`
}

// batchGet gets the values of secrets that are named or that filters find. A
// caller needs GetSecretValue on each; what cannot be had is told beside.
func (s *Service) batchGet(ctx context.Context, call *wire.Call, in *batchInput) (*batchOutput, error) {
	if (len(in.SecretIDs) == 0) == (len(in.Filters) == 0) {
		return nil, errParameter("You must specify either SecretIdList or Filters, and not both.")
	}
	if len(in.SecretIDs) > 0 && in.MaxResults != nil {
		return nil, errParameter("You can't specify MaxResults with SecretIdList.")
	}
	ids, out := in.SecretIDs, &batchOutput{SecretValues: []valueOutput{}, Errors: []batchError{}}
	if len(in.Filters) > 0 {
		limit := 20
		if in.MaxResults != nil {
			limit = *in.MaxResults
		}
		found, err := s.list(ctx, call, &listInput{MaxResults: &limit, NextToken: in.NextToken, Filters: in.Filters})
		if err != nil {
			return nil, err
		}
		for _, e := range found.SecretList {
			ids = append(ids, e.ARN)
		}
		out.NextToken = found.NextToken
	}
	for _, id := range ids {
		value, err := s.getAllowed(ctx, call, id)
		if err != nil {
			e := wire.AsError(err)
			if e.Fault == wire.Receiver {
				return nil, err
			}
			code := e.Code
			if wire.IsAccessDenied(err) {
				code = "AccessDeniedException"
			}
			out.Errors = append(out.Errors, batchError{id, code, e.Message})
			continue
		}
		out.SecretValues = append(out.SecretValues, *value)
	}
	return out, nil
}

func (s *Service) getAllowed(ctx context.Context, call *wire.Call, id string) (*valueOutput, error) {
	in := &getInput{SecretID: id}
	if s.cfg.Authorizer != nil {
		accesses := touch(s, "GetSecretValue", func(in *getInput) string { return in.SecretID })(call, in)
		if err := s.cfg.Authorizer.Authorize(ctx, call, accesses); err != nil {
			return nil, err
		}
	}
	return s.getValue(ctx, call, in)
}

type validateInput struct {
	SecretID       string `json:"SecretId"`
	ResourcePolicy string `required:"true" max:"20480"`
}

type validationFault struct{ CheckName, ErrorMessage string }

type validateOutput struct {
	Passed bool              `json:"PolicyValidationPassed"`
	Errors []validationFault `json:"ValidationErrors"`
}

// validatePolicy says what PutResourcePolicy would refuse.
func (s *Service) validatePolicy(_ context.Context, call *wire.Call, in *validateInput) (*validateOutput, error) {
	if in.SecretID != "" {
		if _, err := s.find(call, in.SecretID); err != nil {
			return nil, err
		}
	}
	out := &validateOutput{Errors: []validationFault{}}
	document, err := policy.Parse(policy.Resource, in.ResourcePolicy)
	switch {
	case err != nil:
		return nil, wire.Errorf("MalformedPolicyDocumentException", "%s", err)
	case document.Public():
		out.Errors = append(out.Errors, validationFault{"BLOCK_PUBLIC_ACCESS", "The policy allows everyone to use the secret."})
	}
	out.Passed = len(out.Errors) == 0
	return out, nil
}
