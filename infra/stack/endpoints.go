package stack

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// gateways are the services that are reached by a route, at no charge.
var gateways = []string{"s3", "dynamodb"}

// interfaces are the services that functions and tasks call, each at an address
// in every subnet.
// https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
var interfaces = []string{
	"athena", "ecr.api", "ecr.dkr", "ecs", "glue", "kms", "lambda", "logs", "monitoring", "secretsmanager", "sns", "sqs",
	"ssm", "states", "sts", "xray",
}

// newEndpoints makes the endpoints, and the security groups that lead to them.
func newEndpoints(s scope, n *network, table *ec2.RouteTable) error {
	lists := map[string]pulumi.StringOutput{}
	for _, service := range gateways {
		e, err := ec2.NewVpcEndpoint(s.ctx, service, &ec2.VpcEndpointArgs{
			VpcId: n.vpc.ID(), ServiceName: s.service(service), VpcEndpointType: pulumi.String("Gateway"),
			RouteTableIds: pulumi.StringArray{table.ID()}, Policy: s.ownResources(service), Tags: nameTag(service),
		})
		if err != nil {
			return err
		}
		lists[service] = e.PrefixListId
	}
	group, err := newSecurityGroups(s, n, lists)
	if err != nil {
		return err
	}
	for _, service := range interfaces {
		if _, err := ec2.NewVpcEndpoint(s.ctx, service, &ec2.VpcEndpointArgs{
			VpcId: n.vpc.ID(), ServiceName: s.service(service), VpcEndpointType: pulumi.String("Interface"), PrivateDnsEnabled: pulumi.Bool(true),
			SubnetIds: n.subnetIDs(), SecurityGroupIds: pulumi.StringArray{group.ID()}, Policy: s.ownPrincipals(), Tags: nameTag(service),
		}); err != nil {
			return err
		}
	}
	return nil
}

func (s scope) service(name string) pulumi.String {
	return pulumi.String("com.amazonaws." + s.env.Region + "." + name)
}

// ownPrincipals lets this account's principals through, whatever their own
// policies then allow.
func (s scope) ownPrincipals() pulumi.StringOutput {
	return document(statement{
		Sid: "OwnPrincipals", Principal: everyone, Actions: []string{"*"}, Resources: []pulumi.StringInput{pulumi.String("*")},
		Condition: pulumi.Map{"StringEquals": pulumi.Map{"aws:PrincipalAccount": pulumi.String(s.env.Account)}},
	})
}

// ownResources lets requests through for this account's data, and for what AWS
// itself keeps in S3: the layers of images.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-minimum-s3-perms
func (s scope) ownResources(service string) pulumi.StringOutput {
	own := statement{
		Sid: "OwnResources", Principal: everyone, Actions: []string{service + ":*"}, Resources: []pulumi.StringInput{pulumi.String("*")},
		Condition: pulumi.Map{"StringEquals": pulumi.Map{
			"aws:PrincipalAccount": pulumi.String(s.env.Account), "aws:ResourceAccount": pulumi.String(s.env.Account),
		}},
	}
	if service != "s3" {
		return document(own)
	}
	return document(own, statement{
		Sid: "ImageLayers", Principal: everyone, Actions: []string{"s3:GetObject"},
		Resources: []pulumi.StringInput{pulumi.String("arn:" + s.env.Partition() + ":s3:::prod-" + s.env.Region + "-starport-layer-bucket/*")},
	})
}

// newSecurityGroups makes a group a purpose. Tasks and functions reach the
// endpoints, S3 and DynamoDB on 443 and nothing else; nobody reaches them.
func newSecurityGroups(s scope, n *network, lists map[string]pulumi.StringOutput) (endpoints *ec2.SecurityGroup, err error) {
	purposes := map[resource.SecurityGroup]string{
		resource.MLTasks: "Fargate tasks", resource.MLFunctions: "Lambda functions", resource.Endpoints: "Interface endpoints",
	}
	groups := map[resource.SecurityGroup]*ec2.SecurityGroup{}
	for _, name := range resource.SecurityGroups() {
		groups[name], err = ec2.NewSecurityGroup(s.ctx, string(name), &ec2.SecurityGroupArgs{
			Name: pulumi.String(string(name)), Description: pulumi.String(purposes[name]), VpcId: n.vpc.ID(), Tags: nameTag(string(name)),
		})
		if err != nil {
			return nil, err
		}
	}
	n.tasks, n.functions, endpoints = groups[resource.MLTasks], groups[resource.MLFunctions], groups[resource.Endpoints]
	for name, group := range map[resource.SecurityGroup]*ec2.SecurityGroup{resource.MLTasks: n.tasks, resource.MLFunctions: n.functions} {
		if err := lead(s, string(name), group, endpoints, lists); err != nil {
			return nil, err
		}
	}
	return endpoints, nil
}

// lead opens the way on 443 from a group to the endpoints and the gateways.
func lead(s scope, name string, from, endpoints *ec2.SecurityGroup, lists map[string]pulumi.StringOutput) error {
	port, tcp := pulumi.Int(443), pulumi.String("tcp")
	if _, err := vpc.NewSecurityGroupEgressRule(s.ctx, name+"-endpoints", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: from.ID(), ReferencedSecurityGroupId: endpoints.ID(), IpProtocol: tcp, FromPort: port, ToPort: port,
		Description: pulumi.String("TLS to the interface endpoints"),
	}); err != nil {
		return err
	}
	if _, err := vpc.NewSecurityGroupIngressRule(s.ctx, name+"-endpoints", &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: endpoints.ID(), ReferencedSecurityGroupId: from.ID(), IpProtocol: tcp, FromPort: port, ToPort: port,
		Description: pulumi.String("TLS from " + name),
	}); err != nil {
		return err
	}
	for _, service := range gateways {
		if _, err := vpc.NewSecurityGroupEgressRule(s.ctx, name+"-"+service, &vpc.SecurityGroupEgressRuleArgs{
			SecurityGroupId: from.ID(), PrefixListId: lists[service], IpProtocol: tcp, FromPort: port, ToPort: port,
			Description: pulumi.String("TLS to " + service),
		}); err != nil {
			return err
		}
	}
	return nil
}
