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

// policy returns the function's resource policy, "" for none.
func (f *function) policy() string {
	if len(f.Statements) == 0 {
		return ""
	}
	return marshal(struct {
		Version   string
		Id        string
		Statement []statement
	}{"2012-10-17", "default", f.Statements})
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
	if _, err := parseRef(call.Caller, in.FunctionName, in.Qualifier); err != nil {
		return nil, err
	}
	var added statement
	_, err := s.change(call.Caller, in.FunctionName, in.RevisionId, func(f *function) error {
		if slices.ContainsFunc(f.Statements, func(st statement) bool { return st.Sid == in.StatementId }) {
			return conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", in.StatementId)
		}
		var err error
		added, err = in.statement(f.arn())
		f.Statements = append(f.Statements, added)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &AddPermissionOutput{marshal(added), 201}, nil
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
	_, err := s.change(call.Caller, in.FunctionName, in.RevisionId, func(f *function) error {
		i := slices.IndexFunc(f.Statements, func(st statement) bool { return st.Sid == in.StatementId })
		if i < 0 {
			return notFound("Statement %s is not found in resource policy.", in.StatementId)
		}
		f.Statements = slices.Delete(f.Statements, i, i+1)
		return nil
	})
	return nil, err
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
