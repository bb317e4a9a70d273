package stack

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// PrivateBucket is a bucket that nobody outside reaches: no public access, no
// ACLs, versions kept, encrypted, TLS only, accesses logged, old versions expired.
type PrivateBucket struct {
	pulumi.ResourceState
	Bucket *s3.BucketV2
}

// bucketSpec is how one bucket differs from the others.
type bucketSpec struct {
	name       resource.Bucket
	suffix     string             // of a copy: "-replica"
	key        pulumi.StringInput // KMS key; nil for S3's own, which log delivery insists on
	logs       *PrivateBucket     // where accesses are logged to; nil for the log bucket itself
	lock       bool               // objects cannot be deleted before their time
	expire     int                // days after which objects are deleted; 0 for never
	archive    int                // days after which objects are archived; 0 for never
	statements []statement
}

// logical is the name that a program has for the bucket.
func (spec bucketSpec) logical() string { return string(spec.name) + spec.suffix }

// physical is the name that S3 has for the bucket.
func (spec bucketSpec) physical(s scope) string { return s.env.Bucket(spec.name) + spec.suffix }

func newPrivateBucket(s scope, spec bucketSpec, there ...pulumi.ResourceOption) (*PrivateBucket, error) {
	b, name := &PrivateBucket{}, spec.logical()
	if err := s.ctx.RegisterComponentResource("engage:aws:PrivateBucket", name, b, there...); err != nil {
		return nil, err
	}
	in := pulumi.Parent(b)
	var err error
	b.Bucket, err = s3.NewBucketV2(s.ctx, name, &s3.BucketV2Args{
		Bucket:            pulumi.String(spec.physical(s)),
		ForceDestroy:      pulumi.Bool(s.cfg.Kind == resource.Local),
		ObjectLockEnabled: pulumi.Bool(spec.lock),
	}, in)
	if err != nil {
		return nil, err
	}
	for _, declare := range []func(scope, bucketSpec, *s3.BucketV2, pulumi.ResourceOption) error{
		closeBucket, protectBucket, ageBucket, logBucket,
	} {
		if err := declare(s, spec, b.Bucket, in); err != nil {
			return nil, err
		}
	}
	return b, s.ctx.RegisterResourceOutputs(b, pulumi.Map{"bucket": b.Bucket.Bucket, "arn": b.Bucket.Arn})
}

// closeBucket lets nobody in whom IAM does not let in, and only over TLS.
func closeBucket(s scope, spec bucketSpec, b *s3.BucketV2, in pulumi.ResourceOption) error {
	name := spec.logical()
	block, err := s3.NewBucketPublicAccessBlock(s.ctx, name, &s3.BucketPublicAccessBlockArgs{
		Bucket: b.ID(), BlockPublicAcls: pulumi.Bool(true), BlockPublicPolicy: pulumi.Bool(true),
		IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true),
	}, in)
	if err != nil {
		return err
	}
	if _, err := s3.NewBucketOwnershipControls(s.ctx, name, &s3.BucketOwnershipControlsArgs{
		Bucket: b.ID(), Rule: &s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
	}, in); err != nil {
		return err
	}
	_, err = s3.NewBucketPolicy(s.ctx, name, &s3.BucketPolicyArgs{
		Bucket: b.ID(), Policy: document(append([]statement{tlsOnly(s, spec)}, spec.statements...)...),
	}, in, pulumi.DependsOn([]pulumi.Resource{block}))
	return err
}

// tlsOnly denies requests that are not encrypted on their way.
func tlsOnly(s scope, spec bucketSpec) statement {
	bucket := resource.ARN("arn:" + s.env.Partition() + ":s3:::" + spec.physical(s))
	return statement{
		Sid: "TLSOnly", Deny: true, Principal: everyone, Actions: []string{"s3:*"},
		Resources: arns(bucket, bucket+"/*"), Condition: insecure(s),
	}
}

// protectBucket encrypts objects and keeps their versions.
func protectBucket(s scope, spec bucketSpec, b *s3.BucketV2, in pulumi.ResourceOption) error {
	name := spec.logical()
	versioning, err := s3.NewBucketVersioningV2(s.ctx, name, &s3.BucketVersioningV2Args{
		Bucket: b.ID(), VersioningConfiguration: &s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, in)
	if err != nil {
		return err
	}
	encryption := &s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{SseAlgorithm: pulumi.String("AES256")}
	if spec.key != nil {
		encryption.SseAlgorithm, encryption.KmsMasterKeyId = pulumi.String("aws:kms"), spec.key.ToStringOutput().ToStringPtrOutput()
	}
	if _, err := s3.NewBucketServerSideEncryptionConfigurationV2(s.ctx, name, &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: b.ID(),
		Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{&s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
			ApplyServerSideEncryptionByDefault: encryption, BucketKeyEnabled: pulumi.Bool(spec.key != nil),
		}},
	}, in); err != nil || !spec.lock {
		return err
	}
	return lockBucket(s, name, b, in, versioning)
}

// lockBucket keeps objects from being deleted before their time: by anybody on
// AWS, by all but an administrator on a local endpoint.
func lockBucket(s scope, name string, b *s3.BucketV2, in pulumi.ResourceOption, versioning pulumi.Resource) error {
	mode := "COMPLIANCE"
	if s.cfg.Kind == resource.Local {
		mode = "GOVERNANCE"
	}
	_, err := s3.NewBucketObjectLockConfigurationV2(s.ctx, name, &s3.BucketObjectLockConfigurationV2Args{
		Bucket: b.ID(),
		Rule: &s3.BucketObjectLockConfigurationV2RuleArgs{
			DefaultRetention: &s3.BucketObjectLockConfigurationV2RuleDefaultRetentionArgs{
				Mode: pulumi.String(mode), Days: pulumi.Int(s.cfg.AuditRetentionDays),
			},
		},
	}, in, pulumi.DependsOn([]pulumi.Resource{versioning}))
	return err
}

// The days after which what nobody asks for any more is deleted.
const (
	staleVersionDays = 90 // versions that have been replaced
	staleUploadDays  = 7  // uploads that were never completed
)

// ageBucket deletes what is left over, and archives or deletes what is old.
func ageBucket(s scope, spec bucketSpec, b *s3.BucketV2, in pulumi.ResourceOption) error {
	rule := &s3.BucketLifecycleConfigurationV2RuleArgs{
		Id: pulumi.String("age"), Status: pulumi.String("Enabled"),
		Filter:                         &s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
		AbortIncompleteMultipartUpload: &s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{DaysAfterInitiation: pulumi.Int(staleUploadDays)},
		NoncurrentVersionExpiration:    &s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{NoncurrentDays: pulumi.Int(staleVersionDays)},
	}
	if spec.archive > 0 {
		rule.Transitions = s3.BucketLifecycleConfigurationV2RuleTransitionArray{
			&s3.BucketLifecycleConfigurationV2RuleTransitionArgs{Days: pulumi.Int(spec.archive), StorageClass: pulumi.String("GLACIER")},
		}
	}
	if spec.expire > 0 {
		rule.Expiration = &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(spec.expire)}
	}
	_, err := s3.NewBucketLifecycleConfigurationV2(s.ctx, spec.logical(), &s3.BucketLifecycleConfigurationV2Args{
		Bucket: b.ID(), Rules: s3.BucketLifecycleConfigurationV2RuleArray{rule},
	}, in)
	return err
}

// logBucket writes who asked for what to the log bucket.
func logBucket(s scope, spec bucketSpec, b *s3.BucketV2, in pulumi.ResourceOption) error {
	if spec.logs == nil {
		return nil
	}
	_, err := s3.NewBucketLoggingV2(s.ctx, spec.logical(), &s3.BucketLoggingV2Args{
		Bucket: b.ID(), TargetBucket: spec.logs.Bucket.ID(), TargetPrefix: pulumi.String(resource.AccessLogs.Key(spec.logical() + "/")),
	}, in, pulumi.DependsOn([]pulumi.Resource{spec.logs})) // its policy first: S3 asks whether it may deliver
	return err
}
