package ledger

import (
	"engage/internal/localaws/provider/function"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// The types that other types refer to.
const (
	vpcToken        = "aws:ec2/vpc:Vpc"
	subnetToken     = "aws:ec2/subnet:Subnet"
	routeTableToken = "aws:ec2/routeTable:RouteTable"
	groupToken      = "aws:ec2/securityGroup:SecurityGroup"
)

// network returns the kinds of the EC2 service that make up a network. The
// identifiers, and what a VPC comes with, are those of
// https://docs.aws.amazon.com/vpc/latest/userguide/configure-your-vpc.html.
func network(t sdk.Source) []Spec {
	return []Spec{
		{
			Kind: t.Kind(vpcToken, sdk.Overlay{
				Replace: []string{"cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength", "instanceTenancy"}, Required: []string{"cidrBlock"},
				Default: map[string]any{"instanceTenancy": "default", "enableDnsSupport": true, "enableDnsHostnames": false},
				Enum:    map[string]string{"instanceTenancy": "default dedicated"},
				Unused: []string{"assignGeneratedIpv6CidrBlock", "ipv6CidrBlock", "ipv6CidrBlockNetworkBorderGroup", "ipv6IpamPoolId", "ipv6NetmaskLength",
					"ipv4IpamPoolId", "ipv4NetmaskLength", "enableNetworkAddressUsageMetrics"},
			}),
			ID: random("vpc-0", 16), Outputs: vpcOutputs,
		},
		{
			Kind: t.Kind(subnetToken, sdk.Overlay{
				Replace:  []string{"vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId", "outpostArn"},
				Computed: []string{"availabilityZone", "availabilityZoneId"}, Required: []string{"cidrBlock"},
				Default: map[string]any{"mapPublicIpOnLaunch": false, "assignIpv6AddressOnCreation": false, "enableDns64": false,
					"enableResourceNameDnsARecordOnLaunch": false, "enableResourceNameDnsAaaaRecordOnLaunch": false},
				Unused: []string{"ipv6CidrBlock", "outpostArn", "customerOwnedIpv4Pool", "mapCustomerOwnedIpOnLaunch", "enableLniAtDeviceIndex", "ipv6Native"},
			}),
			ID: random("subnet-0", 16), Refs: []Ref{{"vpcId", vpcToken}}, Outputs: subnetOutputs,
		},
		{
			Kind: t.Kind(routeTableToken, sdk.Overlay{Replace: []string{"vpcId"}, Set: []string{"routes"}, Unused: []string{"propagatingVgws"}}),
			ID:   random("rtb-0", 16), Refs: []Ref{{"vpcId", vpcToken}}, Outputs: owned("route-table/"),
		},
		{
			Kind: t.Kind("aws:ec2/routeTableAssociation:RouteTableAssociation", sdk.Overlay{Replace: []string{"subnetId", "gatewayId"}}),
			ID:   random("rtbassoc-0", 16), Refs: []Ref{{"subnetId", subnetToken}, {"routeTableId", routeTableToken}},
		},
		{
			Kind: t.Kind("aws:ec2/networkAcl:NetworkAcl", sdk.Overlay{Replace: []string{"vpcId"}, Set: []string{"ingress", "egress", "subnetIds"}}),
			ID:   random("acl-0", 16), Refs: []Ref{{"vpcId", vpcToken}, {"subnetIds", subnetToken}}, Outputs: owned("network-acl/"),
		},
		{
			Kind: t.Kind("aws:ec2/defaultNetworkAcl:DefaultNetworkAcl", sdk.Overlay{Replace: []string{"defaultNetworkAclId"}, Set: []string{"ingress", "egress", "subnetIds"}}),
			ID:   by("defaultNetworkAclId"), Outputs: ofDefault("network-acl/"),
		},
		{
			Kind: t.Kind("aws:ec2/defaultRouteTable:DefaultRouteTable", sdk.Overlay{Replace: []string{"defaultRouteTableId"}, Set: []string{"routes"}, Unused: []string{"propagatingVgws"}}),
			ID:   by("defaultRouteTableId"), Outputs: ofDefault("route-table/"),
		},
		{
			Kind: t.Kind("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", sdk.Overlay{
				Replace: []string{"vpcId"}, Required: []string{"vpcId"}, Set: []string{"ingress", "egress"}, Default: map[string]any{"revokeRulesOnDelete": false},
			}),
			ID: defaultGroup, Refs: []Ref{{"vpcId", vpcToken}}, Outputs: func(m Making) value.Map {
				return value.Merge(owned("security-group/")(m), value.Map{"name": "default", "description": "default VPC security group", "namePrefix": ""})
			},
		},
		{
			Kind: t.Kind("aws:ec2/vpcEndpoint:VpcEndpoint", sdk.Overlay{
				Replace: []string{"vpcId", "serviceName", "vpcEndpointType", "serviceRegion", "serviceNetworkArn", "resourceConfigurationArn"}, Required: []string{"serviceName"},
				Default:  map[string]any{"vpcEndpointType": "Gateway", "privateDnsEnabled": false},
				Computed: []string{"policy", "ipAddressType", "dnsOptions", "subnetConfigurations", "serviceRegion"},
				Set:      []string{"routeTableIds", "subnetIds", "securityGroupIds", "subnetConfigurations"}, Document: []string{"policy"},
				Enum:   map[string]string{"vpcEndpointType": "Gateway Interface"},
				Unused: []string{"serviceNetworkArn", "resourceConfigurationArn"},
			}),
			ID: random("vpce-0", 16), Outputs: endpointOutputs,
			Refs: []Ref{{"vpcId", vpcToken}, {"subnetIds", subnetToken}, {"securityGroupIds", groupToken}, {"routeTableIds", routeTableToken}},
		},
		{
			Kind: t.Kind("aws:ec2/flowLog:FlowLog", sdk.Overlay{
				Replace: []string{"vpcId", "subnetId", "eniId", "transitGatewayId", "transitGatewayAttachmentId", "trafficType", "logDestination",
					"logDestinationType", "iamRoleArn", "logFormat", "maxAggregationInterval", "destinationOptions", "deliverCrossAccountRole"},
				Default: map[string]any{"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600.0}, Computed: []string{"logFormat"},
				Enum:   map[string]string{"trafficType": "ACCEPT REJECT ALL", "logDestinationType": "cloud-watch-logs s3 kinesis-data-firehose"},
				Unused: []string{"transitGatewayId", "transitGatewayAttachmentId", "eniId", "deliverCrossAccountRole"},
			}),
			ID: random("fl-0", 16), Refs: []Ref{{"vpcId", vpcToken}, {"subnetId", subnetToken}}, Outputs: func(m Making) value.Map {
				return value.Map{
					"arn":       m.ARN("ec2", "vpc-flow-log/"+m.ID),
					"logFormat": "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}",
				}
			},
		},
	}
}

// vpcOutputs are what a VPC comes with: a main route table, a network ACL and a
// security group, all called default.
func vpcOutputs(m Making) value.Map {
	table := m.Keep("mainRouteTableId", func() string { return "rtb-0" + m.Hex(16) })
	return value.Map{
		"arn": m.ARN("ec2", "vpc/"+m.ID), "ownerId": m.Account, "dhcpOptionsId": "dopt-0" + m.Account[:12] + "dead",
		"mainRouteTableId": table, "defaultRouteTableId": table, "ipv6AssociationId": "",
		"defaultNetworkAclId":    m.Keep("defaultNetworkAclId", func() string { return "acl-0" + m.Hex(16) }),
		"defaultSecurityGroupId": m.Keep("defaultSecurityGroupId", func() string { return "sg-0" + m.Hex(16) }),
	}
}

func defaultGroup(m Making) string {
	return value.String(m.Find(vpcToken, value.String(m.Inputs, "vpcId")), "defaultSecurityGroupId")
}

func subnetOutputs(m Making) value.Map {
	zone := value.String(m.Inputs, "availabilityZone")
	if zone == "" {
		zone = m.Region + "a"
	}
	return value.Map{
		"arn": m.ARN("ec2", "subnet/"+m.ID), "ownerId": m.Account, "availabilityZone": zone,
		"availabilityZoneId": function.ZoneID(zone), "ipv6CidrBlockAssociationId": "",
	}
}

// owned returns the outputs of what has an ARN and an owner.
func owned(kind string) func(Making) value.Map {
	return func(m Making) value.Map {
		return value.Map{"arn": m.ARN("ec2", kind+m.ID), "ownerId": m.Account}
	}
}

// ofDefault returns the outputs of what came with a VPC.
func ofDefault(kind string) func(Making) value.Map {
	return func(m Making) value.Map {
		out := owned(kind)(m)
		if vpc := m.Having(vpcToken, m.ID); vpc != "" {
			out["vpcId"] = vpc
		}
		return out
	}
}

// endpointOutputs gives a gateway the list of its service's addresses, and an
// interface its names and network interfaces.
func endpointOutputs(m Making) value.Map {
	out := value.Map{
		"arn": m.ARN("ec2", "vpc-endpoint/"+m.ID), "ownerId": m.Account, "state": "available", "requesterManaged": false,
		"policy":     `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
		"cidrBlocks": []any{}, "dnsEntries": []any{}, "networkInterfaceIds": []any{}, "prefixListId": "", "ipAddressType": "ipv4",
		"serviceRegion": m.Region, "dnsOptions": nil, "subnetConfigurations": []any{},
	}
	if p := value.String(m.Inputs, "policy"); p != "" {
		out["policy"] = p
	}
	service := value.String(m.Inputs, "serviceName")
	if value.String(m.Inputs, "vpcEndpointType") == "Gateway" {
		out["prefixListId"] = "pl-" + digest(service, 8)
		return out
	}
	var cards []any
	for range value.Strings(m.Inputs, "subnetIds") {
		cards = append(cards, "eni-0"+m.Hex(16))
	}
	if old := value.List(m.Old, "networkInterfaceIds"); len(old) == len(cards) {
		cards = old
	}
	out["networkInterfaceIds"] = cards
	out["dnsEntries"] = []any{value.Map{"dnsName": m.ID + "." + service, "hostedZoneId": "Z" + digest(service, 12)}}
	return out
}
