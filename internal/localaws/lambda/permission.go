package lambda

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// statement is one of a function's policy.
type statement struct {
	Sid       string
	Effect    string
	Principal any // "*", or {"Service": ...} or {"AWS": ...}
	Action    string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

// policy returns the resource policy of what the function was named with, "" for none.
func (f *function) policy() string {
	statements := f.Policies[f.policyKey()]
	if len(statements) == 0 {
		return ""
	}
	return marshal(struct {
		Version   string
		Id        string
		Statement []statement
	}{"2012-10-17", "default", statements})
}

// policyKey is the qualifier that a policy belongs to: that of $LATEST is the function's.
func (f *function) policyKey() string {
	if f.qualifier == latest {
		return ""
	}
	return f.qualifier
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("lambda: a policy cannot be written: " + err.Error())
	}
	return string(b)
}

// Policy returns the resource policy of the function that an ARN names, "" for
// none: for who authorizes calls.
func (s *Service) Policy(arn string) (string, error) {
	f, err := s.lookup(wire.Caller{}, arn, "")
	if err != nil {
		return "", err
	}
	return f.policy(), nil
}

// AddPermissionInput is the input of AddPermission.
type AddPermissionInput struct {
	FunctionName   string `uri:"FunctionName" json:"-"`
	Qualifier      string `query:"Qualifier" json:"-"`
	StatementId    string `required:"true" max:"100"`
	Action         string `required:"true"`
	Principal      string `required:"true"`
	SourceArn      string
	SourceAccount  string
	PrincipalOrgID string
	RevisionId     string
}

var (
	actionExpr    = regexp.MustCompile(`^(lambda:[*]|lambda:[a-zA-Z]+|[*])$`)
	statementExpr = regexp.MustCompile(`^[a-zA-Z0-9-_]+$`)
	accountExpr   = regexp.MustCompile(`^\d{12}$`)
)

// AddPermissionOutput is the output of AddPermission.
type AddPermissionOutput struct {
	Statement string
	Status    int `status:"true" json:"-"`
}

func (s *Service) addPermission(_ context.Context, call *wire.Call, in *AddPermissionInput) (*AddPermissionOutput, error) {
	if !actionExpr.MatchString(in.Action) || !statementExpr.MatchString(in.StatementId) {
		return nil, wire.ValidationException("1 validation error detected: Value '%s' at 'action' or '%s' at 'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern", in.Action, in.StatementId)
	}
	var added statement
	err := s.changePolicy(call.Caller, in.FunctionName, in.Qualifier, in.RevisionId, func(r ref, old []statement) (_ []statement, err error) {
		if r.qualifier == latest {
			return nil, invalid("We currently do not support adding policies for $LATEST.")
		}
		if slices.ContainsFunc(old, func(st statement) bool { return st.Sid == in.StatementId }) {
			return nil, conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", in.StatementId)
		}
		added, err = in.statement(r.arn())
		return append(old, added), err
	})
	if err != nil {
		return nil, err
	}
	return &AddPermissionOutput{marshal(added), 201}, nil
}

// changePolicy changes the policy of a function, a version or an alias.
func (s *Service) changePolicy(c wire.Caller, name, qualifier, revision string, change func(ref, []statement) ([]statement, error)) error {
	r, err := parseRef(c, name, qualifier)
	if err != nil {
		return err
	}
	_, err = s.edit(c, ref{r.account, r.region, r.name, ""}.arn(), revision, func(tx state.Tx, f *function) error {
		if _, err := resolve(tx, r, alias.primary); err != nil && r.qualifier != "" && !isNumber(r.qualifier) {
			return noAlias(r, r.qualifier)
		} else if err != nil {
			return err
		}
		changed, err := change(r, f.Policies[r.qualifier])
		f.Policies = with(f.Policies, r.qualifier, changed)
		return err
	})
	return err
}

func (in *AddPermissionInput) statement(arn string) (statement, error) {
	st := statement{Sid: in.StatementId, Effect: "Allow", Action: in.Action, Resource: arn}
	switch {
	case in.Principal == "*":
		st.Principal = "*"
	case accountExpr.MatchString(in.Principal):
		st.Principal = map[string]string{"AWS": "arn:aws:iam::" + in.Principal + ":root"}
	case strings.HasPrefix(in.Principal, "arn:"):
		st.Principal = map[string]string{"AWS": in.Principal}
	case strings.Contains(in.Principal, "."):
		st.Principal = map[string]string{"Service": in.Principal}
	default:
		return st, invalid("The provided principal was invalid. Please check the principal and try again.")
	}
	st.Condition = map[string]map[string]string{}
	equals := map[string]string{}
	if in.SourceAccount != "" {
		equals["AWS:SourceAccount"] = in.SourceAccount
	}
	if in.PrincipalOrgID != "" {
		equals["aws:PrincipalOrgID"] = in.PrincipalOrgID
	}
	if len(equals) > 0 {
		st.Condition["StringEquals"] = equals
	}
	if in.SourceArn != "" {
		st.Condition["ArnLike"] = map[string]string{"AWS:SourceArn": in.SourceArn}
	}
	return st, nil
}

// RemovePermissionInput is the input of RemovePermission.
type RemovePermissionInput struct {
	FunctionName string `uri:"FunctionName" json:"-"`
	StatementId  string `uri:"StatementId" json:"-"`
	Qualifier    string `query:"Qualifier" json:"-"`
	RevisionId   string `query:"RevisionId" json:"-"`
}

func (s *Service) removePermission(_ context.Context, call *wire.Call, in *RemovePermissionInput) (*wire.Empty, error) {
	return nil, s.changePolicy(call.Caller, in.FunctionName, in.Qualifier, in.RevisionId, func(_ ref, old []statement) ([]statement, error) {
		i := slices.IndexFunc(old, func(st statement) bool { return st.Sid == in.StatementId })
		if i < 0 {
			return nil, notFound("Statement %s is not found in resource policy.", in.StatementId)
		}
		return slices.Delete(old, i, i+1), nil
	})
}

// GetPolicyOutput is the output of GetPolicy.
type GetPolicyOutput struct{ Policy, RevisionId string }

func (s *Service) getPolicy(_ context.Context, call *wire.Call, in *nameInput) (*GetPolicyOutput, error) {
	f, err := s.lookup(call.Caller, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if f.policy() == "" {
		return nil, notFound("The resource you requested does not exist.")
	}
	return &GetPolicyOutput{f.policy(), f.Revision}, nil
}

// tags

type tagInput struct {
	Resource string            `uri:"Resource" json:"-"`
	Tags     map[string]string `required:"true" max:"50"`
}

type untagInput struct {
	Resource string   `uri:"Resource" json:"-"`
	TagKeys  []string `query:"tagKeys" json:"-" required:"true"`
}

type listTagsInput struct {
	Resource string `uri:"Resource" json:"-"`
}

// TagsOutput has the tags of a function.
type TagsOutput struct{ Tags map[string]string }

func (s *Service) tag(_ context.Context, call *wire.Call, in *tagInput) (*wire.Empty, error) {
	return s.changeTags(call.Caller, in.Resource, in.Tags, nil)
}

func (s *Service) untag(_ context.Context, call *wire.Call, in *untagInput) (*wire.Empty, error) {
	return s.changeTags(call.Caller, in.Resource, nil, in.TagKeys)
}

func (s *Service) changeTags(c wire.Caller, arn string, set map[string]string, remove []string) (*wire.Empty, error) {
	r, err := parseRef(c, arn, "")
	if err != nil {
		return nil, err
	}
	return nil, s.cfg.Store.Update(func(tx state.Tx) error {
		f, err := get(tx, r)
		if err != nil {
			return err
		}
		if f.Tags == nil {
			f.Tags = map[string]string{}
		}
		for k, v := range set {
			f.Tags[k] = v
		}
		for _, k := range remove {
			delete(f.Tags, k)
		}
		return functions.Put(tx, f.key(), f)
	})
}

func (s *Service) listTags(_ context.Context, call *wire.Call, in *listTagsInput) (*TagsOutput, error) {
	f, err := s.lookup(call.Caller, in.Resource, "")
	if err != nil {
		return nil, err
	}
	if f.Tags == nil {
		f.Tags = map[string]string{}
	}
	return &TagsOutput{f.Tags}, nil
}
