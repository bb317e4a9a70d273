package stack

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// buckets are the buckets by their logical names.
type buckets map[resource.Bucket]*PrivateBucket

// The days of the owner's requirements: logs are at hand for 90 days and kept
// for seven years.
const (
	hotDays  = 90
	coldDays = 2557
)

func newStorage(s scope, k keys) (buckets, error) {
	if _, err := s3.NewAccountPublicAccessBlock(s.ctx, "account", &s3.AccountPublicAccessBlockArgs{
		BlockPublicAcls: pulumi.Bool(true), BlockPublicPolicy: pulumi.Bool(true),
		IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true),
	}); err != nil {
		return nil, err
	}
	logs, err := newPrivateBucket(s, bucketSpec{
		name: resource.Logs, archive: hotDays, expire: coldDays,
		statements: []statement{s.deliverAccessLogs(), s.deliverFlowLogs()},
	})
	if err != nil {
		return nil, err
	}
	out := buckets{resource.Logs: logs}
	for _, name := range resource.Buckets() {
		if name == resource.Logs {
			continue
		}
		spec := bucketSpec{name: name, key: k[resource.DataKey].Arn, logs: logs}
		if name == resource.Audit {
			spec.key, spec.lock, spec.archive, spec.expire = k[resource.LogsKey].Arn, true, hotDays, coldDays
			spec.statements = s.deliverTrail()
		}
		if out[name], err = newPrivateBucket(s, spec); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// deliverAccessLogs lets S3 write access logs.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
func (s scope) deliverAccessLogs() statement {
	return statement{
		Sid: "AccessLogs", Principal: services("logging.s3.amazonaws.com"), Actions: []string{"s3:PutObject"},
		Resources: arns(s.env.ObjectsARN(resource.AccessLogs)), Condition: s.ownAccount(),
	}
}

// deliverFlowLogs lets the log delivery service write flow logs.
// https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html
func (s scope) deliverFlowLogs() statement {
	return statement{
		Sid: "FlowLogs", Principal: services("delivery.logs.amazonaws.com"), Actions: []string{"s3:PutObject"},
		Resources: arns(s.env.ObjectsARN(resource.FlowLogs)), Condition: s.ownAccount(),
	}
}

// deliverTrail lets CloudTrail and AWS Config write what happened.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
func (s scope) deliverTrail() []statement {
	deliverers := services("cloudtrail.amazonaws.com", "config.amazonaws.com")
	return []statement{
		{
			Sid: "Look", Principal: deliverers, Actions: []string{"s3:GetBucketAcl", "s3:ListBucket"},
			Resources: arns(s.env.BucketARN(resource.Audit)), Condition: s.ownAccount(),
		},
		{
			Sid: "Write", Principal: deliverers, Actions: []string{"s3:PutObject"},
			Resources: arns(s.env.ObjectsARN(resource.Trail), s.env.ObjectsARN(changeRecords)), Condition: s.ownAccount(),
		},
	}
}

// changeRecords is where AWS Config writes how resources changed.
var changeRecords = resource.Location{Bucket: resource.Audit, Prefix: "config/"}
