package iam

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"slices"
	"time"
)

// awsManaged are the AWS-managed policies that can be attached here, with the
// documents that AWS publishes at
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html
// compared with public copies of what AWS answers.
var awsManaged = awsPolicies(
	managed{"/service-role/AWSLambdaBasicExecutionRole", "v1", "2015-04-09T15:03:43Z", "Provides write permissions to CloudWatch Logs.",
		onAll("", logging...)},
	managed{"/service-role/AWSLambdaVPCAccessExecutionRole", "v3", "2016-02-11T23:15:26Z",
		"Provides minimum permissions for a Lambda function to execute while accessing a resource within a VPC - create, describe, delete network interfaces and write permissions to CloudWatch Logs.",
		onAll("AWSLambdaVPCAccessExecutionPermissions", slices.Concat(logging, []string{"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
			"ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"})...)},
	managed{"/service-role/AWSLambdaSQSQueueExecutionRole", "v1", "2018-06-14T21:50:45Z", "Provides receive message, delete message, and read attribute access to SQS queues, and write permissions to CloudWatch logs.",
		onAll("", slices.Concat([]string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}, logging)...)},
	managed{"/service-role/AWSLambdaRole", "v1", "2015-02-06T18:41:28Z", "Default policy for AWS Lambda service role.", onAll("", "lambda:InvokeFunction")},
	managed{"/AWSLambda_FullAccess", "v2", "2020-11-17T21:14:08Z", "Grants full access to AWS Lambda service, AWS Lambda console features, and other related AWS services.",
		statements{
			{Action: []string{"cloudformation:DescribeStacks", "cloudformation:ListStackResources", "cloudwatch:ListMetrics", "cloudwatch:GetMetricData", "ec2:DescribeSecurityGroups",
				"ec2:DescribeSubnets", "ec2:DescribeVpcs", "kms:ListAliases", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
				"iam:ListRolePolicies", "iam:ListRoles", "lambda:*", "logs:DescribeLogGroups", "states:DescribeStateMachine", "states:ListStateMachines", "tag:GetResources",
				"xray:GetTraceSummaries", "xray:BatchGetTraces"}},
			{Action: []string{"iam:PassRole"}, Condition: map[string]map[string]string{"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}},
			{Action: []string{"logs:DescribeLogStreams", "logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartLiveTail", "logs:StopLiveTail"}, Resource: "arn:aws:logs:*:*:log-group:/aws/lambda/*"},
		}},
	managed{"/service-role/AmazonECSTaskExecutionRolePolicy", "v1", "2017-11-16T18:48:22Z", "Provides access to other AWS service resources that are required to run Amazon ECS tasks",
		onAll("", "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "logs:CreateLogStream", "logs:PutLogEvents")},
	managed{"/AmazonEC2ContainerRegistryReadOnly", "v3", "2015-12-21T17:04:15Z", "Provides read-only access to Amazon EC2 Container Registry repositories.",
		onAll("", "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:GetRepositoryPolicy", "ecr:DescribeRepositories", "ecr:ListImages",
			"ecr:DescribeImages", "ecr:BatchGetImage", "ecr:GetLifecyclePolicy", "ecr:GetLifecyclePolicyPreview", "ecr:ListTagsForResource", "ecr:DescribeImageScanFindings")},
	managed{"/AWSXRayDaemonWriteAccess", "v2", "2018-08-28T23:00:33Z", "Allow the AWS X-Ray Daemon to relay raw trace segments data to the service's API and retrieve sampling data (rules, targets, etc.) to be used by the X-Ray SDK.",
		onAll("AWSXRayDaemonWriteAccess", "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries")},
	managed{"/AmazonS3ReadOnlyAccess", "v3", "2015-02-06T18:40:59Z", "Provides read only access to all buckets via the AWS Management Console.",
		onAll("", "s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*")},
	managed{"/AmazonS3FullAccess", "v2", "2015-02-06T18:40:58Z", "Provides full access to all buckets via the AWS Management Console.", onAll("", "s3:*", "s3-object-lambda:*")},
	managed{"/AmazonSQSFullAccess", "v1", "2015-02-06T18:41:07Z", "Provides full access to Amazon SQS via the AWS Management Console.", onAll("", "sqs:*")},
	managed{"/CloudWatchLogsFullAccess", "v2", "2015-02-06T18:40:02Z", "Provides full access to CloudWatch Logs", onAll("CloudWatchLogsFullAccess", "logs:*", "cloudwatch:GenerateQuery")},
	managed{"/AWSStepFunctionsFullAccess", "v1", "2017-01-11T21:51:32Z", "An access policy for providing a user/role/etc access to the AWS StepFunctions API.", onAll("", "states:*")},
	managed{"/PowerUserAccess", "v6", "2015-02-06T18:39:47Z", "Provides full access to AWS services and resources, but does not allow management of Users and groups.",
		statements{
			{NotAction: []string{"account:*", "iam:*", "organizations:*"}},
			{Action: []string{"account:GetAccountInformation", "account:GetPrimaryEmail", "account:ListRegions", "iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles",
				"organizations:DescribeOrganization"}},
		}},
	managed{"/AdministratorAccess", "v1", "2015-02-06T18:39:46Z", "Provides full access to AWS services and resources.", onAll("", "*")},
)

var logging = []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}

// statements allow actions, on every resource where they name none.
type statements []struct {
	Sid       string `json:",omitempty"`
	Effect    string
	Action    []string `json:",omitempty"`
	NotAction []string `json:",omitempty"`
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

// onAll is one statement over every resource.
func onAll(sid string, actions ...string) statements { return statements{{Sid: sid, Action: actions}} }

// managed is a policy of AWS's.
type managed struct {
	path, version, created, description string
	statements                          statements
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
	for i := range m.statements {
		m.statements[i].Effect = "Allow"
		m.statements[i].Resource = cmp.Or(m.statements[i].Resource, "*")
	}
	text, err := json.Marshal(struct {
		Version   string
		Statement statements
	}{"2012-10-17", m.statements})
	if err != nil {
		panic("iam: " + err.Error())
	}
	return string(text)
}
