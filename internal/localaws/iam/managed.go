package iam

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"time"
)

// awsManaged are the AWS-managed policies that can be attached here, with the
// documents that AWS publishes at
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html
var awsManaged = awsPolicies(
	managed{"/service-role/AWSLambdaBasicExecutionRole", "v1", "2015-04-09T15:03:43Z", "", "Provides write permissions to CloudWatch Logs.", logging},
	managed{"/service-role/AWSLambdaVPCAccessExecutionRole", "v3", "2016-02-11T23:15:26Z", "AWSLambdaVPCAccessExecutionPermissions",
		"Provides minimum permissions for a Lambda function to execute while accessing a resource within a VPC - create, describe, delete network interfaces and write permissions to CloudWatch Logs.",
		append(logging, "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
			"ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses")},
	managed{"/service-role/AWSLambdaSQSQueueExecutionRole", "v1", "2018-06-14T21:50:45Z", "", "Provides receive message, delete message, and read attribute access to SQS queues, and write permissions to CloudWatch logs.",
		append([]string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}, logging...)},
	managed{"/service-role/AWSLambdaRole", "v1", "2015-02-06T18:41:28Z", "", "Default policy for AWS Lambda service role.", []string{"lambda:InvokeFunction"}},
	managed{"/service-role/AmazonECSTaskExecutionRolePolicy", "v1", "2017-11-16T18:48:22Z", "", "Provides access to other AWS service resources that are required to run Amazon ECS tasks",
		[]string{"ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "logs:CreateLogStream", "logs:PutLogEvents"}},
	managed{"/AWSXRayDaemonWriteAccess", "v2", "2018-08-28T23:00:33Z", "AWSXRayDaemonWriteAccess", "Allow the AWS X-Ray Daemon to relay raw trace segments data to the service's API and retrieve sampling data (rules, targets, etc.) to be used by the X-Ray SDK.",
		[]string{"xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries"}},
	managed{"/AmazonS3ReadOnlyAccess", "v3", "2015-02-06T18:40:59Z", "", "Provides read only access to all buckets via the AWS Management Console.",
		[]string{"s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"}},
	managed{"/AmazonS3FullAccess", "v2", "2015-02-06T18:40:58Z", "", "Provides full access to all buckets via the AWS Management Console.", []string{"s3:*", "s3-object-lambda:*"}},
	managed{"/AdministratorAccess", "v1", "2015-02-06T18:39:46Z", "", "Provides full access to AWS services and resources.", []string{"*"}},
)

var logging = []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}

// managed is a policy that allows actions on every resource.
type managed struct {
	path, version, created, sid, description string
	actions                                  []string
}

func awsPolicies(all ...managed) map[string]Policy {
	byARN := map[string]Policy{}
	for _, m := range all {
		p := m.policy()
		byARN[p.ARN] = p
	}
	return byARN
}

func (m managed) policy() Policy {
	arn := "arn:aws:iam::aws:policy" + m.path
	path, name := splitPolicyARN(arn)
	created, err := time.Parse(time.RFC3339, m.created)
	if err != nil {
		panic("iam: " + err.Error())
	}
	number := int(m.version[1] - '0')
	sum := sha256.Sum256([]byte(arn))
	return Policy{
		Name: name, Path: path, ARN: arn, ID: "ANPA" + base32.StdEncoding.EncodeToString(sum[:])[:17],
		Description: m.description, Created: created, Updated: created, Default: number, Last: number,
		Versions: map[int]Version{number: {m.document(), created}},
	}
}

func (m managed) document() string {
	type statement struct {
		Sid      string `json:",omitempty"`
		Effect   string
		Action   []string
		Resource string
	}
	text, err := json.Marshal(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{{m.sid, "Allow", m.actions, "*"}}})
	if err != nil {
		panic("iam: " + err.Error())
	}
	return string(text)
}
