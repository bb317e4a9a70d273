package local_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("IAM and STS", func() {
	It("creates, reads, lists, tags and deletes roles and policies", func(ctx SpecContext) {
		name := unique("lifecycle")
		must(root.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trusts("lambda.amazonaws.com"))}))
		_, err := root.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trusts("lambda.amazonaws.com"))})
		Expect(err).To(refuseWith("EntityAlreadyExists", name))
		must(root.iam.TagRole(ctx, &iam.TagRoleInput{RoleName: &name, Tags: []iamtypes.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}))
		Expect(must(root.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})).Role.Tags).To(HaveLen(1))
		managed := must(root.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: aws.String(policy(allow("*", "s3:ListAllMyBuckets")))})).Policy.Arn
		must(root.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: managed}))
		Expect(must(root.iam.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &name})).AttachedPolicies).To(HaveLen(1))
		_, err = root.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name})
		Expect(err).To(refuseWith("DeleteConflict"))
		must(root.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &name, PolicyArn: managed}))
		must(root.iam.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: managed}))
		must(root.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name}))
		_, err = root.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
		Expect(err).To(refuseWith("NoSuchEntity", name))
	})

	It("gives a session that knows who it is", func(ctx SpecContext) {
		arn := role(ctx, "", policy(allow("*", "s3:*")))
		name := arn[strings.LastIndex(arn, "/")+1:]
		who := must(assume(ctx, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("me")}).sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
		Expect(*who.Arn).To(Equal("arn:aws:sts::" + account + ":assumed-role/" + name + "/me"))
		_, err := root.sts.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(role(ctx, "lambda.amazonaws.com", policy(allow("*", "*")))), RoleSessionName: aws.String("me")})
		Expect(err).To(refuseWith("AccessDenied", "sts:AssumeRole"), "the trust policy names a service alone")
	})

	It("denies in AWS's words, and writes down what was denied to whom", func(ctx SpecContext) {
		b := bucket(ctx)
		worker := as(ctx, allow("arn:aws:s3:::"+b+"/out/*", "s3:PutObject"))
		Expect(put(ctx, worker.s3, b, "out/x", "1")).To(Succeed())
		who := *must(worker.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})).Arn
		resource := "arn:aws:s3:::" + b + "/in/x"
		Expect(put(ctx, worker.s3, b, "in/x", "1")).To(refuseWith("AccessDenied", "User: "+who+
			` is not authorized to perform: s3:PutObject on resource: "`+resource+`" because no identity-based policy allows the s3:PutObject action`))
		d := lastDenied(ctx)
		Expect([]string{d.DeniedAction, d.DeniedResource, d.Caller, d.Code}).To(Equal([]string{"s3:PutObject", resource, who, "AccessDenied"}))
		_, err := get(ctx, worker.s3, object(b, "out/x"))
		Expect(err).To(refuseWith("AccessDenied", "s3:GetObject"))
	})

	It("lets an explicit deny win, wherever it is", func(ctx SpecContext) {
		b := bucket(ctx)
		worker := as(ctx, allow("*", "s3:*"), `{"Effect":"Deny","Action":"s3:PutObject","Resource":"arn:aws:s3:::*/secret/*"}`)
		Expect(put(ctx, worker.s3, b, "secret/x", "1")).To(refuseWith("AccessDenied", "with an explicit deny in an identity-based policy"))
		Expect(put(ctx, worker.s3, b, "open/x", "1")).To(Succeed())
		must(root.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &b, Policy: aws.String(policy(
			`{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::` + b + `/open/*"}`))}))
		Expect(put(ctx, worker.s3, b, "open/x", "1")).To(refuseWith("AccessDenied", "with an explicit deny in a resource-based policy"))
	})

	It("lets a bucket policy allow, with conditions", func(ctx SpecContext) {
		b := bucket(ctx)
		arn := role(ctx, "", policy(allow("arn:aws:s3:::elsewhere", "s3:ListBucket")))
		worker := assume(ctx, &sts.AssumeRoleInput{RoleArn: &arn})
		Expect(put(ctx, worker.s3, b, "k", "1")).To(refuseWith("AccessDenied"))
		must(root.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &b, Policy: aws.String(policy(
			`{"Effect":"Allow","Principal":{"AWS":"`+arn+`"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::`+b+`/*"}`,
			`{"Effect":"Allow","Principal":{"AWS":"`+arn+`"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::`+b+`","Condition":{"StringLike":{"s3:prefix":"mine/*"}}}`))}))
		Expect(put(ctx, worker.s3, b, "k", "1")).To(Succeed())
		list := func(prefix string) error {
			_, err := worker.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b, Prefix: &prefix})
			return err
		}
		Expect(list("mine/")).To(Succeed())
		Expect(list("yours/")).To(refuseWith("AccessDenied", "s3:ListBucket"))
	})

	It("lets a key's policy decide", func(ctx SpecContext) {
		may, mayNot := role(ctx, "", policy(allow("*", "kms:*"))), role(ctx, "", policy(allow("*", "kms:*")))
		document := policy(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+account+`:root"},"Action":["kms:PutKeyPolicy","kms:ScheduleKeyDeletion"],"Resource":"*"}`,
			`{"Effect":"Allow","Principal":{"AWS":"`+may+`"},"Action":["kms:Encrypt","kms:Decrypt"],"Resource":"*"}`)
		key := must(root.kms.CreateKey(ctx, &kms.CreateKeyInput{Policy: &document})).KeyMetadata.KeyId
		encrypt := func(arn string) error {
			_, err := assume(ctx, &sts.AssumeRoleInput{RoleArn: &arn}).kms.Encrypt(ctx, &kms.EncryptInput{KeyId: key, Plaintext: []byte("x")})
			return err
		}
		Expect(encrypt(may)).To(Succeed())
		Expect(encrypt(mayNot)).To(refuseWith("AccessDeniedException", "kms:Encrypt"))
	})

	It("narrows a session by its own policy", func(ctx SpecContext) {
		b := bucket(ctx)
		arn := role(ctx, "", policy(allow("*", "s3:*")))
		narrow := assume(ctx, &sts.AssumeRoleInput{RoleArn: &arn, Policy: aws.String(policy(allow("*", "s3:GetObject")))})
		Expect(put(ctx, narrow.s3, b, "k", "1")).To(refuseWith("AccessDenied", "s3:PutObject"))
	})

	Describe("signatures", func() {
		var key, secret, token string
		BeforeEach(func(ctx SpecContext) {
			arn := role(ctx, "", policy(allow("*", "*")))
			c := must(root.sts.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("signer"),
				Tags: []ststypes.Tag{{Key: aws.String("RunId"), Value: aws.String("r")}}})).Credentials
			key, secret, token = *c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken
		})
		who := func(ctx context.Context, key, secret, token string) error {
			_, err := newSDK(here.config(key, secret, token)).sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			return err
		}
		It("are verified", func(ctx SpecContext) {
			Expect(who(ctx, key, secret, token)).To(Succeed())
			Expect(who(ctx, key, secret+"x", token)).To(refuseWith("SignatureDoesNotMatch"))
			Expect(who(ctx, key, secret, token+"x")).To(refuseWith("InvalidClientTokenId"))
			Expect(who(ctx, "ASIAUNKNOWNUNKNOWN12", secret, token)).To(refuseWith("InvalidClientTokenId"))
		})
		// send signs a call for one body at one time and sends another body.
		send := func(ctx context.Context, at time.Time, signed, sent string) (int, string) {
			r := must(http.NewRequestWithContext(ctx, http.MethodPost, here.URL()+"/", strings.NewReader(sent)))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			Expect(v4.NewSigner().SignHTTP(ctx, aws.Credentials{AccessKeyID: key, SecretAccessKey: secret, SessionToken: token}, r, sha256Hex(signed), "sts", region, at)).To(Succeed())
			answer := must(http.DefaultClient.Do(r))
			defer answer.Body.Close()
			return answer.StatusCode, string(must(io.ReadAll(answer.Body)))
		}
		const call = "Action=GetCallerIdentity&Version=2011-06-15"
		It("hold for one body", func(ctx SpecContext) {
			status, _ := send(ctx, time.Now(), call, call)
			Expect(status).To(Equal(http.StatusOK))
			status, body := send(ctx, time.Now(), call, call+"&X=1")
			Expect(status).To(Equal(http.StatusForbidden))
			Expect(body).To(ContainSubstring("SignatureDoesNotMatch"))
		})
		It("hold for minutes", func(ctx SpecContext) {
			status, body := send(ctx, time.Now().Add(-time.Hour), call, call)
			Expect(status).To(Equal(http.StatusForbidden))
			Expect(body).To(ContainSubstring("Signature expired"))
		})
	})
})
