package local_test

import (
	"bytes"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("KMS", func() {
	var key *string
	BeforeEach(func(ctx SpecContext) {
		key = must(root.kms.CreateKey(ctx, &kms.CreateKeyInput{Tags: []types.Tag{{TagKey: aws.String("k"), TagValue: aws.String("v")}}})).KeyMetadata.Arn
	})

	It("encrypts under a context, and decrypts under no other", func(ctx SpecContext) {
		out := must(root.kms.Encrypt(ctx, &kms.EncryptInput{KeyId: key, Plaintext: []byte("secret"), EncryptionContext: map[string]string{"bucket": "b"}}))
		Expect(bytes.Contains(out.CiphertextBlob, []byte("secret"))).To(BeFalse())
		back := must(root.kms.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: out.CiphertextBlob, EncryptionContext: map[string]string{"bucket": "b"}}))
		Expect(string(back.Plaintext)).To(Equal("secret"))
		Expect(*back.KeyId).To(Equal(*key))
		_, err := root.kms.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: out.CiphertextBlob, EncryptionContext: map[string]string{"bucket": "other"}})
		Expect(err).To(refuseWith("InvalidCiphertextException"))
		out.CiphertextBlob[len(out.CiphertextBlob)-1] ^= 1
		_, err = root.kms.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: out.CiphertextBlob, EncryptionContext: map[string]string{"bucket": "b"}})
		Expect(err).To(refuseWith("InvalidCiphertextException"))
	})

	It("makes data keys", func(ctx SpecContext) {
		out := must(root.kms.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: key, KeySpec: types.DataKeySpecAes256}))
		Expect(out.Plaintext).To(HaveLen(32))
		Expect(must(root.kms.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: out.CiphertextBlob})).Plaintext).To(Equal(out.Plaintext))
	})

	It("finds a key by its alias, disables and deletes it", func(ctx SpecContext) {
		alias := aws.String("alias/" + unique("key"))
		must(root.kms.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: key}))
		Expect(*must(root.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: alias})).KeyMetadata.Arn).To(Equal(*key))
		must(root.kms.DisableKey(ctx, &kms.DisableKeyInput{KeyId: key}))
		_, err := root.kms.Encrypt(ctx, &kms.EncryptInput{KeyId: alias, Plaintext: []byte("x")})
		Expect(err).To(refuseWith("DisabledException"))
		must(root.kms.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key, PendingWindowInDays: aws.Int32(7)}))
		_, err = root.kms.Encrypt(ctx, &kms.EncryptInput{KeyId: alias, Plaintext: []byte("x")})
		Expect(err).To(refuseWith("KMSInvalidStateException", "pending deletion"))
	})

	It("lets a grant allow what no policy does", func(ctx SpecContext) {
		arn := role(ctx, "", policy(allow("*", "sts:GetCallerIdentity")))
		worker := assume(ctx, &sts.AssumeRoleInput{RoleArn: &arn})
		encrypt := func() error {
			_, err := worker.kms.Encrypt(ctx, &kms.EncryptInput{KeyId: key, Plaintext: []byte("x")})
			return err
		}
		Expect(encrypt()).To(refuseWith("AccessDeniedException", "kms:Encrypt", *key))
		grant := must(root.kms.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key, GranteePrincipal: &arn, Operations: []types.GrantOperation{types.GrantOperationEncrypt}}))
		Expect(encrypt()).To(Succeed())
		must(root.kms.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: key, GrantId: grant.GrantId}))
		Expect(encrypt()).To(refuseWith("AccessDeniedException"))
	})
})
