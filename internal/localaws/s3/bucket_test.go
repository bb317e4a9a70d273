package s3_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestBuckets(t *testing.T) {
	e := boot(t)
	e.bucket("one")
	e.bucket("one") // in us-east-1, creating one's own bucket again does nothing
	_, err := e.CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: aws.String("two"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}})
	must(t, 0, err)
	_, err = e.CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: aws.String("two"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}})
	wantCode(t, err, "BucketAlreadyOwnedByYou")
	_, err = e.CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: aws.String("Not_A_Name")})
	wantCode(t, err, "InvalidBucketName")
	list, err := e.ListBuckets(t.Context(), &sdk.ListBucketsInput{})
	if must(t, list, err); len(list.Buckets) != 2 || *list.Buckets[1].Name != "two" {
		t.Errorf("got %+v", list.Buckets)
	}
	where, err := e.GetBucketLocation(t.Context(), &sdk.GetBucketLocationInput{Bucket: aws.String("two")})
	if must(t, where, err); where.LocationConstraint != "eu-west-1" {
		t.Errorf("got %s", where.LocationConstraint)
	}
	head, err := e.HeadBucket(t.Context(), &sdk.HeadBucketInput{Bucket: aws.String("two")})
	if must(t, head, err); *head.BucketRegion != "eu-west-1" {
		t.Errorf("got %s", *head.BucketRegion)
	}
	e.put(aws.String("one"), "k", "")
	_, err = e.DeleteBucket(t.Context(), &sdk.DeleteBucketInput{Bucket: aws.String("one")})
	wantCode(t, err, "BucketNotEmpty")
	_, err = e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: aws.String("none"), Key: aws.String("k"), Body: strings.NewReader("")})
	wantCode(t, err, "NoSuchBucket")
	_, err = e.HeadBucket(t.Context(), &sdk.HeadBucketInput{Bucket: aws.String("none")})
	wantCode(t, err, "NotFound")
}

func TestBucketOfAnotherAccount(t *testing.T) {
	e := boot(t)
	e.bucket("one")
	other := sdk.New(e.Client.Options(), func(o *sdk.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider("123456789012", "x", "")
	})
	_, err := other.CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: aws.String("one")})
	wantCode(t, err, "BucketAlreadyExists")
	list, err := other.ListBuckets(t.Context(), &sdk.ListBucketsInput{})
	if must(t, list, err); len(list.Buckets) != 0 {
		t.Errorf("got %+v", list.Buckets)
	}
	_, err = other.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: aws.String("one"), Key: aws.String("k"), ExpectedBucketOwner: aws.String("123456789012")})
	if err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("got %v", err)
	}
}

func TestSettingsAreKept(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	ctx := t.Context()
	_, err := e.GetBucketPolicy(ctx, &sdk.GetBucketPolicyInput{Bucket: b})
	wantCode(t, err, "NoSuchBucketPolicy")
	policy := `{"Version":"2012-10-17","Statement":[]}`
	_, err = e.PutBucketPolicy(ctx, &sdk.PutBucketPolicyInput{Bucket: b, Policy: &policy})
	must(t, 0, err)
	got, err := e.GetBucketPolicy(ctx, &sdk.GetBucketPolicyInput{Bucket: b})
	if must(t, got, err); *got.Policy != policy {
		t.Errorf("got %s", *got.Policy)
	}
	_, err = e.PutBucketPolicy(ctx, &sdk.PutBucketPolicyInput{Bucket: b, Policy: aws.String("no")})
	wantCode(t, err, "MalformedPolicy")

	block, err := e.GetPublicAccessBlock(ctx, &sdk.GetPublicAccessBlockInput{Bucket: b})
	if must(t, block, err); !*block.PublicAccessBlockConfiguration.BlockPublicPolicy {
		t.Error("a new bucket lets the public in")
	}
	_, err = e.DeletePublicAccessBlock(ctx, &sdk.DeletePublicAccessBlockInput{Bucket: b})
	must(t, 0, err)
	_, err = e.GetPublicAccessBlock(ctx, &sdk.GetPublicAccessBlockInput{Bucket: b})
	wantCode(t, err, "NoSuchPublicAccessBlockConfiguration")

	_, err = e.PutBucketEncryption(ctx, &sdk.PutBucketEncryptionInput{Bucket: b, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{
		{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String("key")}, BucketKeyEnabled: aws.Bool(true)}}}})
	must(t, 0, err)
	put := e.put(b, "k", "x")
	if put.ServerSideEncryption != types.ServerSideEncryptionAwsKms || *put.SSEKMSKeyId != "key" || !*put.BucketKeyEnabled {
		t.Errorf("got %+v", put)
	}

	_, err = e.PutBucketLifecycleConfiguration(ctx, &sdk.PutBucketLifecycleConfigurationInput{Bucket: b, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{
		{ID: aws.String("r"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("tmp/")}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(3)}}}}})
	must(t, 0, err)
	life, err := e.GetBucketLifecycleConfiguration(ctx, &sdk.GetBucketLifecycleConfigurationInput{Bucket: b})
	if must(t, life, err); len(life.Rules) != 1 || *life.Rules[0].Expiration.Days != 3 {
		t.Errorf("got %+v", life.Rules)
	}
	_, err = e.PutBucketTagging(ctx, &sdk.PutBucketTaggingInput{Bucket: b, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}}})
	must(t, 0, err)
	tags, err := e.GetBucketTagging(ctx, &sdk.GetBucketTaggingInput{Bucket: b})
	if must(t, tags, err); len(tags.TagSet) != 1 {
		t.Errorf("got %+v", tags.TagSet)
	}
	logging, err := e.GetBucketLogging(ctx, &sdk.GetBucketLoggingInput{Bucket: b})
	if must(t, logging, err); logging.LoggingEnabled != nil {
		t.Errorf("got %+v", logging)
	}
	acl, err := e.GetBucketAcl(ctx, &sdk.GetBucketAclInput{Bucket: b})
	if must(t, acl, err); len(acl.Grants) != 1 || acl.Grants[0].Permission != types.PermissionFullControl {
		t.Errorf("got %+v", acl)
	}
	_, err = e.PutBucketAcl(ctx, &sdk.PutBucketAclInput{Bucket: b, ACL: types.BucketCannedACLPublicRead})
	wantCode(t, err, "AccessControlListNotSupported")
}
