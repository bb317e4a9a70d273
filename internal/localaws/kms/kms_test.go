package kms_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/kms"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// world is a running endpoint with KMS alone.
type world struct {
	client *sdk.Client
	server *server.Server
	dir    string
	now    time.Time
	seen   []wire.Access
}

// Authorize keeps what is asked and allows it.
func (w *world) Authorize(_ context.Context, _ *wire.Call, a []wire.Access) error {
	w.seen = a
	return nil
}

func boot(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	store, err := state.Open(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	svc, err := kms.New(kms.Config{Store: store, Clock: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	w.server, err = server.New(server.Config{Addr: "127.0.0.1:0", Dir: w.dir, Services: []*wire.Service{svc.API()}, Authorizer: w})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(w.server.Shutdown(context.Background()), store.Close()); err != nil {
			t.Error(err)
		}
	})
	w.client = sdk.New(sdk.Options{Region: "eu-west-1", BaseEndpoint: aws.String(w.server.URL()),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), RetryMaxAttempts: 1})
	return w
}

func (w *world) key(t *testing.T) string {
	t.Helper()
	out, err := w.client.CreateKey(t.Context(), &sdk.CreateKeyInput{Description: aws.String("d"),
		Tags: []types.Tag{{TagKey: aws.String("team"), TagValue: aws.String("a")}}})
	if err != nil {
		t.Fatal(err)
	}
	return *out.KeyMetadata.KeyId
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestEncryptDecryptAndContext(t *testing.T) {
	w := boot(t)
	ctx, id := t.Context(), w.key(t)
	same := map[string]string{"b": "2", "a": "1"}
	sealed, err := w.client.Encrypt(ctx, &sdk.EncryptInput{KeyId: &id, Plaintext: []byte("secret"), EncryptionContext: same})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := w.client.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: same})
	if err != nil || string(opened.Plaintext) != "secret" || !strings.HasSuffix(*opened.KeyId, ":key/"+id) {
		t.Errorf("got %+v %v", opened, err)
	}
	_, err = w.client.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: map[string]string{"a": "1"}})
	wantCode(t, err, "InvalidCiphertextException")
	for i := range sealed.CiphertextBlob {
		torn := bytes.Clone(sealed.CiphertextBlob)
		torn[i] ^= 1
		if _, err := w.client.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: torn, EncryptionContext: same}); err == nil {
			t.Fatalf("a blob with byte %d changed decrypts", i)
		}
	}
	other := w.key(t)
	_, err = w.client.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: same, KeyId: &other})
	wantCode(t, err, "IncorrectKeyException")
	moved, err := w.client.ReEncrypt(ctx, &sdk.ReEncryptInput{CiphertextBlob: sealed.CiphertextBlob, SourceEncryptionContext: same, DestinationKeyId: &other})
	if err != nil {
		t.Fatal(err)
	}
	opened, err = w.client.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: moved.CiphertextBlob, KeyId: &other})
	if err != nil || string(opened.Plaintext) != "secret" {
		t.Errorf("got %+v %v", opened, err)
	}
}

func TestRotationKeepsOldCiphertexts(t *testing.T) {
	w := boot(t)
	ctx, id := t.Context(), w.key(t)
	if _, err := w.client.EnableKeyRotation(ctx, &sdk.EnableKeyRotationInput{KeyId: &id, RotationPeriodInDays: aws.Int32(90)}); err != nil {
		t.Fatal(err)
	}
	encrypt := func() []byte {
		out, err := w.client.Encrypt(ctx, &sdk.EncryptInput{KeyId: &id, Plaintext: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		return out.CiphertextBlob
	}
	before := encrypt()
	w.now = w.now.Add(91 * 24 * time.Hour)
	after := encrypt()
	if before[20] != 0 || after[20] != 1 {
		t.Errorf("materials %d and %d, want 0 and 1", before[20], after[20])
	}
	for _, blob := range [][]byte{before, after} {
		if out, err := w.client.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: blob}); err != nil || string(out.Plaintext) != "x" {
			t.Errorf("got %v %v", out, err)
		}
	}
	status, err := w.client.GetKeyRotationStatus(ctx, &sdk.GetKeyRotationStatusInput{KeyId: &id})
	if err != nil || !status.KeyRotationEnabled || *status.RotationPeriodInDays != 90 {
		t.Errorf("got %+v %v", status, err)
	}
}

func TestKeyStates(t *testing.T) {
	w := boot(t)
	ctx, id := t.Context(), w.key(t)
	use := func() error {
		_, err := w.client.GenerateDataKey(ctx, &sdk.GenerateDataKeyInput{KeyId: &id, KeySpec: types.DataKeySpecAes256})
		return err
	}
	if _, err := w.client.DisableKey(ctx, &sdk.DisableKeyInput{KeyId: &id}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, use(), "DisabledException")
	if _, err := w.client.ScheduleKeyDeletion(ctx, &sdk.ScheduleKeyDeletionInput{KeyId: &id, PendingWindowInDays: aws.Int32(7)}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, use(), "KMSInvalidStateException")
	if _, err := w.client.CancelKeyDeletion(ctx, &sdk.CancelKeyDeletionInput{KeyId: &id}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, use(), "DisabledException")
	if _, err := w.client.EnableKey(ctx, &sdk.EnableKeyInput{KeyId: &id}); err != nil || use() != nil {
		t.Fatal(err, use())
	}
	if _, err := w.client.ScheduleKeyDeletion(ctx, &sdk.ScheduleKeyDeletionInput{KeyId: &id}); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(31 * 24 * time.Hour)
	wantCode(t, use(), "NotFoundException")
	if out, err := w.client.ListKeys(ctx, &sdk.ListKeysInput{}); err != nil || len(out.Keys) != 0 {
		t.Errorf("got %v %v", out, err)
	}
}

func TestAliasesTagsAndPolicy(t *testing.T) {
	w := boot(t)
	ctx, id := t.Context(), w.key(t)
	name := aws.String("alias/data")
	if _, err := w.client.CreateAlias(ctx, &sdk.CreateAliasInput{AliasName: name, TargetKeyId: &id}); err != nil {
		t.Fatal(err)
	}
	_, err := w.client.CreateAlias(ctx, &sdk.CreateAliasInput{AliasName: name, TargetKeyId: &id})
	wantCode(t, err, "AlreadyExistsException")
	described, err := w.client.DescribeKey(ctx, &sdk.DescribeKeyInput{KeyId: name})
	if err != nil || *described.KeyMetadata.KeyId != id {
		t.Errorf("got %v %v", described, err)
	}
	listed, err := w.client.ListAliases(ctx, &sdk.ListAliasesInput{KeyId: &id})
	if err != nil || len(listed.Aliases) != 1 || *listed.Aliases[0].TargetKeyId != id {
		t.Errorf("got %v %v", listed, err)
	}
	tags, err := w.client.ListResourceTags(ctx, &sdk.ListResourceTagsInput{KeyId: &id})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].TagKey != "team" {
		t.Errorf("got %v %v", tags, err)
	}
	_, err = w.client.PutKeyPolicy(ctx, &sdk.PutKeyPolicyInput{KeyId: &id, Policy: aws.String("{")})
	wantCode(t, err, "MalformedPolicyDocumentException")
	_, err = w.client.CreateKey(ctx, &sdk.CreateKeyInput{KeySpec: types.KeySpecEccSecgP256k1, KeyUsage: types.KeyUsageTypeSignVerify})
	wantCode(t, err, "NotImplemented")
	_, err = w.client.CreateKey(ctx, &sdk.CreateKeyInput{MultiRegion: aws.Bool(true)})
	wantCode(t, err, "NotImplemented")
}

func TestGrantsBecomeStatements(t *testing.T) {
	w := boot(t)
	ctx, id := t.Context(), w.key(t)
	role := "arn:aws:iam::000000000000:role/reader"
	made, err := w.client.CreateGrant(ctx, &sdk.CreateGrantInput{KeyId: &id, GranteePrincipal: &role, RetiringPrincipal: &role,
		Operations:  []types.GrantOperation{types.GrantOperationDecrypt},
		Constraints: &types.GrantConstraints{EncryptionContextSubset: map[string]string{"app": "x"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.DescribeKey(ctx, &sdk.DescribeKeyInput{KeyId: &id}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{role, `"kms:Decrypt"`, `"kms:EncryptionContext:app":"x"`, "Enable IAM User Permissions"} {
		if !strings.Contains(w.seen[0].Policy, want) {
			t.Errorf("the policy lacks %s: %s", want, w.seen[0].Policy)
		}
	}
	listed, err := w.client.ListGrants(ctx, &sdk.ListGrantsInput{KeyId: &id})
	if err != nil || len(listed.Grants) != 1 {
		t.Fatalf("got %v %v", listed, err)
	}
	if _, err := w.client.RetireGrant(ctx, &sdk.RetireGrantInput{GrantToken: made.GrantToken}); err != nil {
		t.Fatal(err)
	}
	_, err = w.client.RevokeGrant(ctx, &sdk.RevokeGrantInput{KeyId: &id, GrantId: made.GrantId})
	wantCode(t, err, "NotFoundException")
}

func TestClientUsesManagedKey(t *testing.T) {
	w := boot(t)
	ctx, caller := t.Context(), wire.Root("000000000000", "eu-west-1")
	c := kms.Client{Invoker: w.server, Via: "secretsmanager"}
	large := bytes.Repeat([]byte("x"), 60_000)
	sealed, arn, err := c.Seal(ctx, caller, "alias/aws/secretsmanager", large, map[string]string{"SecretARN": "a"})
	if err != nil {
		t.Fatal(err)
	}
	if via := w.seen[0].Conditions["kms:ViaService"]; len(via) != 1 || via[0] != "secretsmanager.eu-west-1.amazonaws.com" || w.seen[0].Resource != arn {
		t.Errorf("got %v", w.seen)
	}
	got, err := c.Open(ctx, caller, sealed, map[string]string{"SecretARN": "a"})
	if err != nil || !bytes.Equal(got, large) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if _, err := c.Open(ctx, caller, sealed, map[string]string{"SecretARN": "b"}); err == nil {
		t.Error("another context opens the envelope")
	}
	_, err = w.client.DisableKey(ctx, &sdk.DisableKeyInput{KeyId: &arn})
	wantCode(t, err, "AccessDeniedException")
}

func TestMasterKeyIsPrivateAndChecked(t *testing.T) {
	w := boot(t)
	path := filepath.Join(w.dir, "kms-master.key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Size() != 32 {
		t.Errorf("got %v %v", info, err)
	}
	bad := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(bad, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := kms.New(kms.Config{Store: store, MasterKey: bad}); err == nil || !strings.Contains(err.Error(), "has 1 bytes") {
		t.Errorf("got %v", err)
	}
}
