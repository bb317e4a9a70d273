package stack

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// newFlowLogs records what crosses the network: in CloudWatch, where alarms look,
// and in S3, where it is kept for years.
func newFlowLogs(s scope, k keys, b buckets, v *ec2.Vpc) error {
	group, err := newLogGroup(s, k, resource.FlowLogGroup)
	if err != nil {
		return err
	}
	role, err := newRole(s, resource.FlowLogsRole, "vpc-flow-logs.amazonaws.com", []statement{writeLogs(s, resource.FlowLogGroup)})
	if err != nil {
		return err
	}
	if _, err := ec2.NewFlowLog(s.ctx, "cloudwatch", &ec2.FlowLogArgs{
		VpcId: v.ID(), TrafficType: pulumi.String("ALL"), LogDestinationType: pulumi.String("cloud-watch-logs"),
		LogDestination: group.Arn, IamRoleArn: role.Arn, MaxAggregationInterval: pulumi.Int(60),
	}); err != nil {
		return err
	}
	_, err = ec2.NewFlowLog(s.ctx, "s3", &ec2.FlowLogArgs{
		VpcId: v.ID(), TrafficType: pulumi.String("ALL"), LogDestinationType: pulumi.String("s3"),
		LogDestination:     pulumi.Sprintf("%s/%s", b[resource.Logs].Bucket.Arn, resource.FlowLogs.Prefix),
		DestinationOptions: &ec2.FlowLogDestinationOptionsArgs{FileFormat: pulumi.String("parquet"), PerHourPartition: pulumi.Bool(true)},
	})
	return err
}
