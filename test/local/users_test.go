package local_test

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// user makes a user with a key and returns its name, ARN and clients.
func user(ctx context.Context) (name, arn string, own *sdk) {
	GinkgoHelper()
	name = unique("user")
	arn = *must(root.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &name, Path: aws.String("/people/")})).User.Arn
	key := must(root.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})).AccessKey
	return name, arn, newSDK(here.config(*key.AccessKeyId, *key.SecretAccessKey, ""))
}

// lists tries whether a caller may list its buckets.
func lists(ctx context.Context, own *sdk) error {
	_, err := own.s3.ListBuckets(ctx, &s3.ListBucketsInput{})
	return err
}

var listing = aws.String(policy(allow("*", "s3:ListAllMyBuckets")))

var _ = Describe("IAM users", func() {
	It("sign with their keys, and may what their policies and their groups' allow", func(ctx SpecContext) {
		name, arn, own := user(ctx)
		Expect(*must(own.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})).Arn).To(Equal(arn))
		Expect(lists(ctx, own)).To(refuseWith("AccessDenied", "User: "+arn+" is not authorized to perform: s3:ListAllMyBuckets"))

		must(root.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("p"), PolicyDocument: listing}))
		Expect(lists(ctx, own)).To(Succeed())
		must(root.iam.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: &name, PolicyName: aws.String("p")}))
		Expect(lists(ctx, own)).To(refuseWith("AccessDenied"))

		group := unique("group")
		must(root.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &group}))
		must(root.iam.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: &group, PolicyArn: aws.String("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")}))
		must(root.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: &group, UserName: &name}))
		Expect(lists(ctx, own)).To(Succeed())
		Expect(must(root.iam.GetGroup(ctx, &iam.GetGroupInput{GroupName: &group})).Users).To(HaveLen(1))
		Expect(must(root.iam.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: &name})).Groups).To(HaveLen(1))
		must(root.iam.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: &group, UserName: &name}))
		Expect(lists(ctx, own)).To(refuseWith("AccessDenied"))
	})

	It("have two keys at most, which can be turned off and deleted", func(ctx SpecContext) {
		name, _, own := user(ctx)
		id := must(root.iam.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &name})).AccessKeyMetadata[0].AccessKeyId
		must(root.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name}))
		_, err := root.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
		Expect(err).To(refuseWith("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"))
		must(root.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &name, AccessKeyId: id, Status: types.StatusTypeInactive}))
		_, err = own.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		Expect(err).To(refuseWith("InvalidClientTokenId"))
		must(root.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &name, AccessKeyId: id, Status: types.StatusTypeActive}))
		must(own.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
		must(root.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: id}))
		_, err = own.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		Expect(err).To(refuseWith("InvalidClientTokenId"))
		_, err = root.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{AccessKeyId: id})
		Expect(err).To(refuseWith("ValidationError", "Must specify userName when calling with non-User credentials"))
	})

	It("are limited by their boundary, and take on roles that trust them", func(ctx SpecContext) {
		name, arn, own := user(ctx)
		must(root.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &name, PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))
		Expect(lists(ctx, own)).To(Succeed())
		must(root.iam.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: &name, PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess")}))
		Expect(lists(ctx, own)).To(refuseWith("AccessDenied", "because no permissions boundary allows the s3:ListAllMyBuckets action"))
		must(root.iam.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: &name}))

		target := unique("role")
		trust := func(principal string) *string {
			return aws.String(policy(`{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"sts:AssumeRole"}`))
		}
		_, err := root.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &target, AssumeRolePolicyDocument: trust(arn + "-none")})
		Expect(err).To(refuseWith("MalformedPolicyDocument", "Invalid principal in policy"))
		made := must(root.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &target, AssumeRolePolicyDocument: trust(arn)})).Role
		must(own.sts.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: made.Arn, RoleSessionName: aws.String("mine")}))
		_, _, other := user(ctx)
		_, err = other.sts.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: made.Arn, RoleSessionName: aws.String("theirs")})
		Expect(err).To(refuseWith("AccessDenied", "sts:AssumeRole"))
		temporary := must(own.sts.GetSessionToken(ctx, &sts.GetSessionTokenInput{})).Credentials
		session := newSDK(here.config(*temporary.AccessKeyId, *temporary.SecretAccessKey, *temporary.SessionToken))
		Expect(*must(session.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})).Arn).To(Equal(arn))
		Expect(lists(ctx, session)).To(Succeed())
	})

	It("are renamed with their keys, and deleted when nothing hangs on them", func(ctx SpecContext) {
		name, _, own := user(ctx)
		renamed := unique("renamed")
		must(root.iam.UpdateUser(ctx, &iam.UpdateUserInput{UserName: &name, NewUserName: &renamed, NewPath: aws.String("/staff/")}))
		Expect(*must(own.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})).Arn).To(HaveSuffix(":user/staff/" + renamed))
		_, err := root.iam.GetUser(ctx, &iam.GetUserInput{UserName: &name})
		Expect(err).To(refuseWith("NoSuchEntity", "The user with name "+name+" cannot be found."))
		_, err = root.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &renamed})
		Expect(err).To(refuseWith("DeleteConflict", "must delete access keys first"))
		for _, key := range must(root.iam.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &renamed})).AccessKeyMetadata {
			must(root.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &renamed, AccessKeyId: key.AccessKeyId}))
		}
		must(root.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &renamed}))
	})

	It("have their own place in a policy", func(ctx SpecContext) {
		name, _, own := user(ctx)
		b := bucket(ctx)
		must(root.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("home"),
			PolicyDocument: aws.String(policy(allow("arn:aws:s3:::"+b+"/home/${aws:username}/*", "s3:PutObject"), allow("arn:aws:s3:::"+b+"/${aws:PrincipalTag/team}/*", "s3:PutObject")))}))
		Expect(put(ctx, own.s3, b, "home/"+name+"/x", "1")).To(Succeed())
		Expect(put(ctx, own.s3, b, "home/other/x", "1")).To(refuseWith("AccessDenied"))
		Expect(put(ctx, own.s3, b, "red/x", "1")).To(refuseWith("AccessDenied"))
		must(root.iam.TagUser(ctx, &iam.TagUserInput{UserName: &name, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}}))
		Expect(put(ctx, own.s3, b, "red/x", "1")).To(Succeed())
	})
})

var _ = Describe("IAM", func() {
	It("describes the whole account, and simulates what policies allow", func(ctx SpecContext) {
		name, arn, _ := user(ctx)
		must(root.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("p"), PolicyDocument: listing}))
		var found *types.UserDetail
		pages := iam.NewGetAccountAuthorizationDetailsPaginator(root.iam, &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(3)})
		for pages.HasMorePages() {
			for _, u := range must(pages.NextPage(ctx)).UserDetailList {
				if *u.UserName == name {
					found = &u
				}
			}
		}
		Expect(found).NotTo(BeNil())
		Expect(found.UserPolicyList).To(HaveLen(1))
		simulated := must(root.iam.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &arn, ActionNames: []string{"s3:ListAllMyBuckets", "s3:GetObject"}})).EvaluationResults
		Expect([]string{string(simulated[0].EvalDecision), string(simulated[1].EvalDecision)}).To(Equal([]string{"allowed", "implicitDeny"}))
		custom := must(root.iam.SimulateCustomPolicy(ctx, &iam.SimulateCustomPolicyInput{ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{"arn:aws:s3:::b/k"},
			PolicyInputList: []string{policy(allow("*", "s3:*"), `{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`)}})).EvaluationResults
		Expect(string(custom[0].EvalDecision)).To(Equal("explicitDeny"))
	})

	It("keeps instance profiles and the roles of services", func(ctx SpecContext) {
		profile, arn := unique("profile"), role(ctx, "ec2.amazonaws.com", policy(allow("*", "s3:*")))
		inside := arn[strings.LastIndex(arn, "/")+1:]
		must(root.iam.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: &profile}))
		must(root.iam.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &profile, RoleName: &inside}))
		_, err := root.iam.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &profile, RoleName: &inside})
		Expect(err).To(refuseWith("LimitExceeded", "InstanceSessionsPerInstanceProfile: 1"))
		Expect(must(root.iam.ListInstanceProfilesForRole(ctx, &iam.ListInstanceProfilesForRoleInput{RoleName: &inside})).InstanceProfiles).To(HaveLen(1))
		_, err = root.iam.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: &profile})
		Expect(err).To(refuseWith("DeleteConflict", "must remove roles from instance profile first"))
		must(root.iam.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: &profile, RoleName: &inside}))
		must(root.iam.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: &profile}))

		linked := must(root.iam.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("ecs.amazonaws.com")})).Role
		Expect(*linked.Arn).To(HaveSuffix(":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"))
		_, err = root.iam.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("ecs.amazonaws.com")})
		Expect(err).To(refuseWith("InvalidInput", "has been taken in this account"))
		_, err = root.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: linked.RoleName})
		Expect(err).To(refuseWith("UnmodifiableEntity"))
		task := must(root.iam.DeleteServiceLinkedRole(ctx, &iam.DeleteServiceLinkedRoleInput{RoleName: linked.RoleName})).DeletionTaskId
		Expect(string(must(root.iam.GetServiceLinkedRoleDeletionStatus(ctx, &iam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: task})).Status)).To(Equal("SUCCEEDED"))
	})

	It("knows who uses a policy, and keeps five versions of it", func(ctx SpecContext) {
		name, _, _ := user(ctx)
		arn := must(root.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: listing})).Policy.Arn
		must(root.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &name, PolicyArn: arn}))
		Expect(must(root.iam.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: arn})).PolicyUsers).To(HaveLen(1))
		_, err := root.iam.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn})
		Expect(err).To(refuseWith("DeleteConflict", "attached to entities"))
		for range 4 {
			must(root.iam.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: listing, SetAsDefault: true}))
		}
		_, err = root.iam.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: listing})
		Expect(err).To(refuseWith("LimitExceeded", "up to 5 versions"))
	})
})

var _ = Describe("STS", func() {
	It("limits a chain of roles to an hour, and asks for an external id where the role does", func(ctx SpecContext) {
		target := unique("role")
		made := must(root.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &target, MaxSessionDuration: aws.Int32(7200), AssumeRolePolicyDocument: aws.String(policy(
			`{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret"}}}`))})).Role
		in := &sts.AssumeRoleInput{RoleArn: made.Arn, RoleSessionName: aws.String("session")}
		_, err := root.sts.AssumeRole(ctx, in)
		Expect(err).To(refuseWith("AccessDenied"))
		in.ExternalId, in.DurationSeconds = aws.String("secret"), aws.Int32(7200)
		must(root.sts.AssumeRole(ctx, in))
		first := as(ctx, allow("*", "sts:AssumeRole"))
		_, err = first.sts.AssumeRole(ctx, in)
		Expect(err).To(refuseWith("ValidationError", "1 hour session limit for roles assumed by role chaining"))
		in.DurationSeconds = nil
		must(first.sts.AssumeRole(ctx, in))
	})

	It("gives a session tags and a source identity that policies ask for", func(ctx SpecContext) {
		b, target := bucket(ctx), unique("role")
		made := must(root.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &target, AssumeRolePolicyDocument: aws.String(policy(
			`{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}`))})).Role
		must(root.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &target, PolicyName: aws.String("p"), PolicyDocument: aws.String(policy(
			`{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::` + b + `/${aws:PrincipalTag/team}/*","Condition":{"StringEquals":{"aws:SourceIdentity":"ann"}}}`))}))
		in := &sts.AssumeRoleInput{RoleArn: made.Arn, Tags: []ststypes.Tag{{Key: aws.String("team"), Value: aws.String("red")}}}
		Expect(put(ctx, assume(ctx, in).s3, b, "red/x", "1")).To(refuseWith("AccessDenied"))
		in.SourceIdentity = aws.String("ann")
		worker := assume(ctx, in)
		Expect(put(ctx, worker.s3, b, "red/x", "1")).To(Succeed())
		Expect(put(ctx, worker.s3, b, "blue/x", "1")).To(refuseWith("AccessDenied"))
		_, err := root.sts.DecodeAuthorizationMessage(ctx, &sts.DecodeAuthorizationMessageInput{EncodedMessage: aws.String("x")})
		Expect(err).To(refuseWith("NotImplemented", "DecodeAuthorizationMessage"))
		Expect(*must(root.sts.GetAccessKeyInfo(ctx, &sts.GetAccessKeyInfoInput{AccessKeyId: aws.String("111111111111")})).Account).To(Equal("111111111111"))
	})
})
