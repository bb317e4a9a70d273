package plane

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// undeletedError says that objects stayed.
type undeletedError struct {
	count    int
	key, why string
}

func (e *undeletedError) Error() string {
	return fmt.Sprintf("%d objects could not be deleted, %s for one: %s", e.count, e.key, e.why)
}

// setting is one of a bucket's settings: how it is put, read and taken away. Its
// identifier is the bucket's name.
type setting struct {
	put  func(ctx context.Context, bucket *string, in value.Map) error
	get  func(ctx context.Context, bucket *string) (any, error) // an SDK struct, nil for none
	drop func(ctx context.Context, bucket *string) error
}

// of makes the kind of a setting.
func (s setting) of(t sdk.Source, token string, o sdk.Overlay) kind.Kind {
	o.Replace = append(o.Replace, "bucket")
	k := t.Kind("aws:s3/"+token, o)
	k.Plane = ops{
		create: func(ctx context.Context, in value.Map) (string, value.Map, error) {
			name := value.String(in, "bucket")
			if err := s.put(ctx, &name, in); err != nil {
				return "", nil, err
			}
			return name, value.Map{}, nil
		},
		read: func(ctx context.Context, id string, _ value.Map) (value.Map, error) {
			now, err := s.get(ctx, &id)
			if err != nil {
				return nil, err
			}
			if now == nil {
				return nil, kind.ErrNotFound
			}
			out, err := tell(k.Inputs, now)
			return value.Merge(out, value.Map{"bucket": id}), err
		},
		update: func(ctx context.Context, id string, _, in value.Map) (value.Map, error) {
			return value.Map{}, s.put(ctx, &id, in)
		},
		delete: func(ctx context.Context, id string, _ value.Map) error { return s.drop(ctx, &id) },
	}
	return k
}

// settings returns the kinds that are settings of a bucket.
func (b bucketPlane) settings(t sdk.Source) []kind.Kind {
	owner := []string{"expectedBucketOwner"}
	return []kind.Kind{
		b.policy().of(t, "bucketPolicy:BucketPolicy", sdk.Overlay{Document: []string{"policy"}}),
		b.publicAccess().of(t, "bucketPublicAccessBlock:BucketPublicAccessBlock", sdk.Overlay{Default: map[string]any{
			"blockPublicAcls": false, "blockPublicPolicy": false, "ignorePublicAcls": false, "restrictPublicBuckets": false,
		}}),
		b.ownership().of(t, "bucketOwnershipControls:BucketOwnershipControls", sdk.Overlay{}),
		b.versioning().of(t, "bucketVersioningV2:BucketVersioningV2", sdk.Overlay{Unused: append(owner, "mfa", "versioningConfiguration.mfaDelete")}),
		b.encryption().of(t, "bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", sdk.Overlay{
			Unused: owner, Default: map[string]any{"rules.bucketKeyEnabled": false},
		}),
		b.lifecycle().of(t, "bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", sdk.Overlay{
			Unused: append(owner, "rules.prefix"), Computed: []string{"transitionDefaultMinimumObjectSize"}, Required: []string{"rules"},
			Set: []string{"rules.transitions", "rules.noncurrentVersionTransitions"},
		}),
		b.logging().of(t, "bucketLoggingV2:BucketLoggingV2", sdk.Overlay{Unused: append(owner, "targetGrants", "targetObjectKeyFormat")}),
		b.lock().of(t, "bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2", sdk.Overlay{
			Unused: append(owner, "token"), Default: map[string]any{"objectLockEnabled": "Enabled"},
		}),
	}
}

func (b bucketPlane) policy() setting {
	return setting{
		put: func(ctx context.Context, bucket *string, in value.Map) error {
			_, err := b.api.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: optional(value.String(in, "policy"))})
			return err
		},
		get: func(ctx context.Context, bucket *string) (any, error) {
			return b.api.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: bucket})
		},
		drop: func(ctx context.Context, bucket *string) error {
			_, err := b.api.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: bucket})
			return err
		},
	}
}

func (b bucketPlane) publicAccess() setting {
	return setting{
		put: func(ctx context.Context, bucket *string, in value.Map) error {
			c := &types.PublicAccessBlockConfiguration{}
			if err := fill(in, c); err != nil {
				return err
			}
			_, err := b.api.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: c})
			return err
		},
		get: func(ctx context.Context, bucket *string) (any, error) {
			res, err := b.api.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: bucket})
			if err != nil {
				return nil, err
			}
			return res.PublicAccessBlockConfiguration, nil
		},
		drop: func(ctx context.Context, bucket *string) error {
			_, err := b.api.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: bucket})
			return err
		},
	}
}

func (b bucketPlane) ownership() setting {
	return setting{
		put: func(ctx context.Context, bucket *string, in value.Map) error {
			owner := value.String(value.Object(in, "rule"), "objectOwnership")
			_, err := b.api.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{
				Bucket: bucket, OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnership(owner)}}},
			})
			return err
		},
		get: func(ctx context.Context, bucket *string) (any, error) {
			res, err := b.api.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: bucket})
			if err != nil {
				return nil, err
			}
			return map[string]any{"rule": res.OwnershipControls.Rules[0]}, nil
		},
		drop: func(ctx context.Context, bucket *string) error {
			_, err := b.api.DeleteBucketOwnershipControls(ctx, &s3.DeleteBucketOwnershipControlsInput{Bucket: bucket})
			return err
		},
	}
}

func (b bucketPlane) versioning() setting {
	put := func(ctx context.Context, bucket *string, status string) error {
		_, err := b.api.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
			Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatus(status)},
		})
		return err
	}
	return setting{
		put: func(ctx context.Context, bucket *string, in value.Map) error {
			return put(ctx, bucket, value.String(value.Object(in, "versioningConfiguration"), "status"))
		},
		get: func(ctx context.Context, bucket *string) (any, error) {
			res, err := b.api.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: bucket})
			if err != nil {
				return nil, err
			}
			return map[string]any{"versioningConfiguration": map[string]any{"status": res.Status}}, nil
		},
		// Versioning cannot be taken away. It is suspended, but for a bucket with
		// object lock, whose versions stay until the bucket goes.
		drop: func(ctx context.Context, bucket *string) error {
			err := put(ctx, bucket, string(types.BucketVersioningStatusSuspended))
			if coded(err, "InvalidBucketState") {
				return nil
			}
			return err
		},
	}
}

func (b bucketPlane) encryption() setting {
	return setting{
		put: func(ctx context.Context, bucket *string, in value.Map) error {
			c := &types.ServerSideEncryptionConfiguration{}
			if err := fill(in, c); err != nil {
				return err
			}
			_, err := b.api.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: bucket, ServerSideEncryptionConfiguration: c})
			return err
		},
		get: func(ctx context.Context, bucket *string) (any, error) {
			res, err := b.api.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: bucket})
			if err != nil {
				return nil, err
			}
			return res.ServerSideEncryptionConfiguration, nil
		},
		drop: func(ctx context.Context, bucket *string) error {
			_, err := b.api.DeleteBucketEncryption(ctx, &s3.DeleteBucketEncryptionInput{Bucket: bucket})
			return err
		},
	}
}

func (b bucketPlane) lifecycle() setting {
	return setting{
		put: func(ctx context.Context, bucket *string, in value.Map) error {
			c := &types.BucketLifecycleConfiguration{}
			if err := fill(in, c); err != nil {
				return err
			}
			_, err := b.api.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: bucket, LifecycleConfiguration: c})
			return err
		},
		get: func(ctx context.Context, bucket *string) (any, error) {
			return b.api.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: bucket})
		},
		drop: func(ctx context.Context, bucket *string) error {
			_, err := b.api.DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: bucket})
			return err
		},
	}
}

func (b bucketPlane) logging() setting {
	return setting{
		put: func(ctx context.Context, bucket *string, in value.Map) error {
			c := &types.LoggingEnabled{}
			if err := fill(in, c); err != nil {
				return err
			}
			_, err := b.api.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: bucket, BucketLoggingStatus: &types.BucketLoggingStatus{LoggingEnabled: c}})
			return err
		},
		get: func(ctx context.Context, bucket *string) (any, error) {
			res, err := b.api.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: bucket})
			if err != nil || res.LoggingEnabled == nil {
				return nil, err
			}
			return res.LoggingEnabled, nil
		},
		drop: func(ctx context.Context, bucket *string) error {
			_, err := b.api.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: bucket, BucketLoggingStatus: &types.BucketLoggingStatus{}})
			return err
		},
	}
}

func (b bucketPlane) lock() setting {
	put := func(ctx context.Context, bucket *string, in value.Map) error {
		c := &types.ObjectLockConfiguration{}
		if err := fill(in, c); err != nil {
			return err
		}
		_, err := b.api.PutObjectLockConfiguration(ctx, &s3.PutObjectLockConfigurationInput{Bucket: bucket, ObjectLockConfiguration: c})
		return err
	}
	return setting{
		put: put,
		get: func(ctx context.Context, bucket *string) (any, error) {
			res, err := b.api.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: bucket})
			if err != nil {
				return nil, err
			}
			return res.ObjectLockConfiguration, nil
		},
		drop: func(ctx context.Context, bucket *string) error {
			return put(ctx, bucket, value.Map{"objectLockEnabled": string(types.ObjectLockEnabledEnabled)})
		},
	}
}
