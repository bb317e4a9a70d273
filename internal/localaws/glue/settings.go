package glue

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// encryptionAtRest says by which key metadata is encrypted.
type encryptionAtRest struct {
	CatalogEncryptionMode        string `required:"true" enum:"DISABLED,SSE-KMS,SSE-KMS-WITH-SERVICE-ROLE"`
	SSEAwsKmsKeyID               string `json:"SseAwsKmsKeyId,omitempty"`
	CatalogEncryptionServiceRole string `json:",omitempty"`
}

type passwordEncryption struct {
	ReturnConnectionPasswordEncrypted bool
	AwsKmsKeyID                       string `json:"AwsKmsKeyId,omitempty"`
}

// encryptionSettings are kept and returned; what they say of connections' passwords
// has no effect, because there are no connections.
type encryptionSettings struct {
	EncryptionAtRest             *encryptionAtRest   `json:",omitempty"`
	ConnectionPasswordEncryption *passwordEncryption `json:",omitempty"`
}

// resourcePolicy is the catalog's own policy.
type resourcePolicy struct {
	Text          string
	Made, Changed time.Time
}

// hash names a policy's content.
func (p resourcePolicy) hash() string {
	sum := sha256.Sum256([]byte(p.Text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// The keys are account and region.
var (
	encryptions = state.NewCollection[encryptionSettings]("glue/encryption")
	policies    = state.NewCollection[resourcePolicy]("glue/policy")
)

// guarded adds the catalog's policy to what is checked.
func (s *Service) guarded(sc scope, accesses []wire.Access) []wire.Access {
	var p resourcePolicy
	_ = s.cfg.Store.View(func(tx state.Tx) error { // where there is none, identities' policies decide
		p, _ = policies.Get(tx, sc.key())
		return nil
	})
	for i := range accesses {
		accesses[i].Policy = p.Text
	}
	return accesses
}

type putEncryptionInput struct {
	CatalogID                     string             `json:"CatalogId"`
	DataCatalogEncryptionSettings encryptionSettings `required:"true"`
}

func (s *Service) putEncryption(_ context.Context, call *wire.Call, in *putEncryptionInput) (*wire.Empty, error) {
	if err := ownCatalog(call, in.CatalogID); err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		return encryptions.Put(tx, scopeOf(call.Caller).key(), in.DataCatalogEncryptionSettings)
	})
}

type getEncryptionInput struct {
	CatalogID string `json:"CatalogId"`
}

type getEncryptionOutput struct{ DataCatalogEncryptionSettings encryptionSettings }

// getEncryption answers that nothing is encrypted until something else was put.
func (s *Service) getEncryption(_ context.Context, call *wire.Call, in *getEncryptionInput) (*getEncryptionOutput, error) {
	if err := ownCatalog(call, in.CatalogID); err != nil {
		return nil, err
	}
	out := &getEncryptionOutput{}
	err := s.cfg.Store.View(func(tx state.Tx) (err error) {
		out.DataCatalogEncryptionSettings, err = encryptions.Get(tx, scopeOf(call.Caller).key())
		if errors.Is(err, state.ErrNotFound) {
			return nil
		}
		return err
	})
	e := &out.DataCatalogEncryptionSettings
	if e.EncryptionAtRest == nil {
		e.EncryptionAtRest = &encryptionAtRest{CatalogEncryptionMode: "DISABLED"}
	}
	if e.ConnectionPasswordEncryption == nil {
		e.ConnectionPasswordEncryption = &passwordEncryption{}
	}
	return out, err
}

type putPolicyInput struct {
	PolicyInJSON          string `json:"PolicyInJson" required:"true"`
	ResourceARN           string `json:"ResourceArn"`
	PolicyHashCondition   string
	PolicyExistsCondition string `enum:"MUST_EXIST,NOT_EXIST,NONE"`
	EnableHybrid          string `enum:"TRUE,FALSE"`
}

type policyHash struct{ PolicyHash string }

func conditionFailed(format string, args ...any) error {
	return wire.Errorf("ConditionCheckFailureException", format, args...)
}

func ownPolicy(call *wire.Call, arn string) error {
	if arn != "" && arn != scopeOf(call.Caller).arn("catalog") {
		return invalid("%s does not name this account's catalog, the one resource that has a policy", arn)
	}
	return nil
}

func (s *Service) putPolicy(_ context.Context, call *wire.Call, in *putPolicyInput) (*policyHash, error) {
	if err := ownPolicy(call, in.ResourceARN); err != nil {
		return nil, err
	}
	if _, err := policy.Parse(policy.Resource, in.PolicyInJSON); err != nil {
		return nil, invalid("The policy is not valid: %v", err)
	}
	p := resourcePolicy{in.PolicyInJSON, s.cfg.Clock(), s.cfg.Clock()}
	return &policyHash{p.hash()}, s.cfg.Store.Update(func(tx state.Tx) error {
		old, err := policies.Get(tx, scopeOf(call.Caller).key())
		has := err == nil
		switch {
		case err != nil && !errors.Is(err, state.ErrNotFound):
			return err
		case in.PolicyExistsCondition == "MUST_EXIST" && !has:
			return notFound("Policy not found")
		case in.PolicyExistsCondition == "NOT_EXIST" && has:
			return conditionFailed("Policy already exists")
		case in.PolicyHashCondition != "" && (!has || in.PolicyHashCondition != old.hash()):
			return conditionFailed("PolicyHashCondition is not the policy's hash")
		case has:
			p.Made = old.Made
		}
		return policies.Put(tx, scopeOf(call.Caller).key(), p)
	})
}

type getPolicyInput struct {
	ResourceARN string `json:"ResourceArn"`
}

type getPolicyOutput struct {
	PolicyInJSON string `json:"PolicyInJson"`
	PolicyHash   string
	CreateTime   wire.Time
	UpdateTime   wire.Time
}

func (s *Service) getPolicy(_ context.Context, call *wire.Call, in *getPolicyInput) (*getPolicyOutput, error) {
	if err := ownPolicy(call, in.ResourceARN); err != nil {
		return nil, err
	}
	out := &getPolicyOutput{}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		p, err := policies.Get(tx, scopeOf(call.Caller).key())
		if errors.Is(err, state.ErrNotFound) {
			return notFound("Policy not found")
		}
		*out = getPolicyOutput{p.Text, p.hash(), wire.TimeOf(p.Made), wire.TimeOf(p.Changed)}
		return err
	})
}

type deletePolicyInput struct {
	PolicyHashCondition string
	ResourceARN         string `json:"ResourceArn"`
}

func (s *Service) deletePolicy(_ context.Context, call *wire.Call, in *deletePolicyInput) (*wire.Empty, error) {
	if err := ownPolicy(call, in.ResourceARN); err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		p, err := policies.Get(tx, scopeOf(call.Caller).key())
		switch {
		case errors.Is(err, state.ErrNotFound):
			return notFound("Policy not found")
		case err != nil:
			return err
		case in.PolicyHashCondition != "" && in.PolicyHashCondition != p.hash():
			return conditionFailed("PolicyHashCondition is not the policy's hash")
		}
		return policies.Delete(tx, scopeOf(call.Caller).key())
	})
}
