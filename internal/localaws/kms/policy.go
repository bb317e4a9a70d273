package kms

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// defaultPolicy leaves the key to the identity policies of its account.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func defaultPolicy(account string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"kms:*","Resource":"*"}]}`, account)
}

// managedPolicy lets everyone in the account use the key, through its service alone.
func managedPolicy(account, region, service string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Id":"auto-%[3]s-1","Statement":[{"Sid":"Allow access through %[3]s for all principals in the account that are authorized to use it","Effect":"Allow","Principal":{"AWS":"*"},"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:CreateGrant","kms:DescribeKey"],"Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"%[1]s","kms:ViaService":"%[3]s.%[2]s.amazonaws.com"}}},{"Sid":"Allow direct access to key metadata to the account","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%[1]s:root"},"Action":["kms:Describe*","kms:Get*","kms:List*","kms:RevokeGrant"],"Resource":"*"}]}`, account, region, service)
}

func checkPolicy(text string) error {
	if _, err := policy.Parse(policy.Resource, text); err != nil {
		return wire.Errorf("MalformedPolicyDocumentException", "%s", err)
	}
	return nil
}

// statement is a grant in the words of a policy.
type statement struct {
	Sid       string
	Effect    string
	Principal map[string]string
	Action    []string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

// effectivePolicy is the key's policy with its grants as further statements:
// a grant allows what it names, and a policy's explicit denial overrides it.
func effectivePolicy(tx state.Tx, k key) (string, error) {
	given, err := grants.List(tx, state.Prefix(k.ID), "", 0)
	if err != nil || len(given) == 0 {
		return k.Policy, err
	}
	var document map[string]any
	if err := json.Unmarshal([]byte(k.Policy), &document); err != nil {
		return "", fmt.Errorf("read policy of %s: %w", k.ID, err)
	}
	statements, ok := document["Statement"].([]any)
	if !ok {
		statements = []any{document["Statement"]}
	}
	for _, g := range given {
		statements = append(statements, g.Value.statement())
	}
	document["Statement"] = statements
	b, err := json.Marshal(document)
	return string(b), err
}

func (g grant) statement() statement {
	st := statement{Sid: "Grant" + g.ID[:8], Effect: "Allow", Resource: "*", Principal: g.principal()}
	for _, op := range g.Operations {
		st.Action = append(st.Action, "kms:"+op)
	}
	equals := map[string]string{}
	for _, constraint := range []map[string]string{g.ContextEquals, g.ContextSubset} {
		for name, value := range constraint {
			equals["kms:EncryptionContext:"+name] = value
		}
	}
	if len(equals) > 0 {
		st.Condition = map[string]map[string]string{"StringEquals": equals}
	}
	return st
}

func (g grant) principal() map[string]string {
	if strings.HasSuffix(g.Grantee, ".amazonaws.com") {
		return map[string]string{"Service": g.Grantee}
	}
	return map[string]string{"AWS": g.Grantee}
}

type putPolicyInput struct {
	KeyID        string `json:"KeyId" required:"true"`
	PolicyName   string
	Policy       string `required:"true" max:"131072"`
	BypassSafety bool   `json:"BypassPolicyLockoutSafetyCheck"`
}

func (s *Service) putKeyPolicy(_ context.Context, call *wire.Call, in *putPolicyInput) (*wire.Empty, error) {
	if err := checkPolicyName(in.PolicyName); err != nil {
		return nil, err
	}
	if err := checkPolicy(in.Policy); err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.change(call, in.KeyID, "PutKeyPolicy", func(k *key) error {
		k.Policy = in.Policy
		return k.alive()
	})
}

func checkPolicyName(name string) error {
	if name != "" && name != "default" {
		return errNotFound("No such policy exists: a key has one policy, named default")
	}
	return nil
}

type getPolicyInput struct {
	KeyID      string `json:"KeyId" required:"true"`
	PolicyName string
}

type getPolicyOutput struct{ Policy, PolicyName string }

func (s *Service) getKeyPolicy(_ context.Context, call *wire.Call, in *getPolicyInput) (*getPolicyOutput, error) {
	if err := checkPolicyName(in.PolicyName); err != nil {
		return nil, err
	}
	k, err := s.find(call, in.KeyID)
	if err != nil {
		return nil, err
	}
	return &getPolicyOutput{k.Policy, "default"}, nil
}

type listPoliciesInput struct {
	KeyID  string `json:"KeyId" required:"true"`
	Limit  *int   `min:"1" max:"1000"`
	Marker string
}

type listPoliciesOutput struct {
	PolicyNames []string
	Truncated   bool
}

func (s *Service) listKeyPolicies(_ context.Context, call *wire.Call, in *listPoliciesInput) (*listPoliciesOutput, error) {
	if _, err := s.find(call, in.KeyID); err != nil {
		return nil, err
	}
	return &listPoliciesOutput{PolicyNames: []string{"default"}}, nil
}

// grantable are the operations that a grant can give.
var grantable = []string{"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
	"ReEncryptFrom", "ReEncryptTo", "CreateGrant", "RetireGrant", "DescribeKey", "Sign", "Verify", "GetPublicKey", "GenerateMac", "VerifyMac",
	"GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"}

func checkGrantOperations(operations []string) error {
	for _, op := range operations {
		if !slices.Contains(grantable, op) {
			return wire.NotImplemented("the grant operation %s", op)
		}
	}
	return nil
}
