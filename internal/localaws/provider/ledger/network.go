package ledger

import (
	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/value"
)

// The types that other types refer to.
const (
	vpcToken = "aws:ec2/vpc:Vpc"
)

// network returns the kinds of the EC2 service: what a network is made of.
func network() []Spec {
	return []Spec{vpc()}
}

// vpc is https://www.pulumi.com/registry/packages/aws/api-docs/ec2/vpc/.
func vpc() Spec {
	return Spec{
		Kind: kind.Kind{
			Token: vpcToken,
			Inputs: kind.Object{
				"cidrBlock":          {Replace: true, Computed: true},
				"enableDnsHostnames": {Type: kind.Bool, Computed: true},
				"enableDnsSupport":   {Type: kind.Bool, Default: true},
				"instanceTenancy":    {Default: "default", Enum: []string{"default", "dedicated"}},
				"tags":               {Type: kind.Dict},
			},
			Output: []string{"arn", "defaultNetworkAclId", "defaultRouteTableId", "defaultSecurityGroupId", "dhcpOptionsId", "mainRouteTableId", "ownerId", "tagsAll"},
		},
		ID: func(m Making) string { return "vpc-" + m.Hex(17) },
		Outputs: func(m Making) value.Map {
			return value.Map{"arn": m.ARN("ec2", "vpc/"+m.ID), "ownerId": m.Account}
		},
	}
}
