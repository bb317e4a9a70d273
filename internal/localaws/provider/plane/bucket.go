package plane

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

const bucketToken = "aws:s3/bucketV2:BucketV2"

// buckets returns the kinds of S3.
func buckets(cfg Config, t sdk.Source) []kind.Kind {
	b := bucketPlane{Config: cfg, api: s3.NewFromConfig(cfg.AWS, func(o *s3.Options) { o.UsePathStyle = true })}
	bucket := t.Kind(bucketToken, sdk.Overlay{
		Replace: []string{"bucket", "bucketPrefix", "objectLockEnabled"}, Name: map[string]kind.Naming{"bucket": {Max: 63, Lower: true}},
		Default: map[string]any{"forceDestroy": false, "objectLockEnabled": false},
		// Each of these has a resource type of its own.
		Unused: []string{
			"accelerationStatus", "acl", "bucketPrefix", "corsRules", "grants", "lifecycleRules", "loggings", "objectLockConfiguration", "policy",
			"replicationConfigurations", "requestPayer", "serverSideEncryptionConfigurations", "versionings", "websites",
		},
	})
	bucket.Plane = ops{b.create, b.read, b.update, b.delete}
	return append([]kind.Kind{bucket}, b.settings(t)...)
}

type bucketPlane struct {
	Config
	api *s3.Client
}

func (b bucketPlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	name := value.String(in, "bucket")
	req := &s3.CreateBucketInput{Bucket: &name, ObjectLockEnabledForBucket: aws.Bool(value.Bool(in, "objectLockEnabled"))}
	if b.AWS.Region != "us-east-1" {
		req.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(b.AWS.Region)}
	}
	if _, err := b.api.CreateBucket(ctx, req); err != nil {
		return "", nil, err
	}
	return made(name, b.outputs(name), func() error { return b.tag(ctx, name, in) })
}

// outputs are what AWS forms of a bucket's name.
// https://docs.aws.amazon.com/general/latest/gr/s3.html
func (b bucketPlane) outputs(name string) value.Map {
	return value.Map{
		"arn": "arn:" + b.Partition + ":s3:::" + name, "region": b.AWS.Region, "hostedZoneId": "Z3AQBSTGFYJSTF",
		"bucketDomainName": name + ".s3.amazonaws.com", "bucketRegionalDomainName": name + ".s3." + b.AWS.Region + ".amazonaws.com",
		"websiteDomain": "", "websiteEndpoint": "",
	}
}

func (b bucketPlane) tag(ctx context.Context, name string, in value.Map) error {
	tags := value.StringMap(in, "tags")
	if len(tags) == 0 {
		_, err := b.api.DeleteBucketTagging(ctx, &s3.DeleteBucketTaggingInput{Bucket: &name})
		return err
	}
	set := &types.Tagging{}
	for k, v := range tags {
		set.TagSet = append(set.TagSet, types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	_, err := b.api.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: &name, Tagging: set})
	return err
}

func (b bucketPlane) read(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	if _, err := b.api.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &id}); err != nil {
		return nil, err
	}
	out := value.Merge(b.outputs(id), value.Map{"bucket": id, "tags": value.Map{}})
	res, err := b.api.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &id})
	if coded(err, "NoSuchTagSet") {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	tags := value.Map{}
	for _, t := range res.TagSet {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return value.Merge(out, value.Map{"tags": tags}), nil
}

func (b bucketPlane) update(ctx context.Context, id string, _, in value.Map) (value.Map, error) {
	return b.outputs(id), b.tag(ctx, id, in)
}

// delete empties the bucket first if the program said so.
func (b bucketPlane) delete(ctx context.Context, id string, state value.Map) error {
	if value.Bool(state, "forceDestroy") {
		if err := b.empty(ctx, id); err != nil {
			return err
		}
	}
	_, err := b.api.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &id})
	return err
}

// empty deletes every version of every object, past what governance holds back.
func (b bucketPlane) empty(ctx context.Context, id string) error {
	pages := s3.NewListObjectVersionsPaginator(b.api, &s3.ListObjectVersionsInput{Bucket: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		var objects []types.ObjectIdentifier
		for _, v := range page.Versions {
			objects = append(objects, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			objects = append(objects, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if err := b.erase(ctx, id, objects); err != nil {
			return err
		}
	}
	return nil
}

func (b bucketPlane) erase(ctx context.Context, id string, objects []types.ObjectIdentifier) error {
	if len(objects) == 0 {
		return nil
	}
	res, err := b.api.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &id, BypassGovernanceRetention: aws.Bool(true), Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)},
	})
	if err != nil {
		return err
	}
	if len(res.Errors) > 0 {
		return &undeletedError{count: len(res.Errors), key: aws.ToString(res.Errors[0].Key), why: aws.ToString(res.Errors[0].Message)}
	}
	return nil
}
