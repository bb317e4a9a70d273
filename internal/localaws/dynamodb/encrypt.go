package dynamodb

import (
	"context"
	"encoding/json"
	"fmt"

	"engage/internal/localaws/wire"
)

// managedKey is the key of AWS's own for a table with KMS and no key.
const managedKey = "alias/aws/dynamodb"

// setKey sets the encryption of a table.
func (s *Service) setKey(ctx context.Context, call *wire.Call, t *table, in *sseInput) error {
	if in == nil {
		return nil
	}
	enabled := in.Enabled != nil && *in.Enabled
	switch {
	case in.SSEType == "AES256":
		return badParameter("SSEType AES256 is not supported")
	case !enabled && in.KMSMasterKeyID != "":
		return badParameter("KMSMasterKeyId can be specified only if SSE is enabled")
	case !enabled:
		t.KeyARN = ""
		return nil
	case s.cfg.Invoker == nil:
		return wire.NotImplemented("encryption with a KMS key (SSESpecification)")
	}
	keyID := in.KMSMasterKeyID
	if keyID == "" {
		keyID = managedKey
	}
	arn, err := s.keyARN(ctx, call.Caller, keyID)
	t.KeyARN = arn
	return err
}

// keyARN returns the ARN of a key that the caller names by id, ARN or alias.
// Errors: what kms:DescribeKey returns, AccessDenied.
func (s *Service) keyARN(ctx context.Context, caller wire.Caller, keyID string) (string, error) {
	answer, err := s.cfg.Invoker.Invoke(ctx, caller, "kms", "DescribeKey", map[string]string{"KeyId": keyID})
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return "", fmt.Errorf("read the description of a key: %w", err)
	}
	var described struct{ KeyMetadata struct{ Arn string } }
	if err := json.Unmarshal(text, &described); err != nil {
		return "", fmt.Errorf("read the description of a key: %w", err)
	}
	return described.KeyMetadata.Arn, nil
}
