package stack

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// network is a VPC without a way in or out: private subnets in three zones, and
// AWS's services at endpoints inside it.
type network struct {
	vpc       *ec2.Vpc
	subnets   []*ec2.Subnet
	tasks     *ec2.SecurityGroup
	functions *ec2.SecurityGroup
}

// subnetBits are the bits of a subnet's prefix: 4,091 addresses each.
const subnetBits = 20

func newNetwork(s scope, k keys, b buckets) (network, error) {
	n := network{}
	var err error
	n.vpc, err = ec2.NewVpc(s.ctx, "vpc", &ec2.VpcArgs{
		CidrBlock: pulumi.String(s.cfg.NetworkCIDR), EnableDnsSupport: pulumi.Bool(true), EnableDnsHostnames: pulumi.Bool(true),
		Tags: nameTag("engagement"),
	})
	if err != nil {
		return n, err
	}
	if err := closeDefaults(s, n.vpc); err != nil {
		return n, err
	}
	table, err := ec2.NewRouteTable(s.ctx, "private", &ec2.RouteTableArgs{VpcId: n.vpc.ID(), Tags: nameTag("private")})
	if err != nil {
		return n, err
	}
	if n.subnets, err = newSubnets(s, n.vpc, table); err != nil {
		return n, err
	}
	if err := newNetworkACL(s, n.vpc, n.subnets); err != nil {
		return n, err
	}
	if err := newEndpoints(s, &n, table); err != nil {
		return n, err
	}
	if err := newFlowLogs(s, k, b, n.vpc); err != nil {
		return n, err
	}
	return n, newFirewall(s, n)
}

func nameTag(name string) pulumi.StringMap { return pulumi.StringMap{"Name": pulumi.String(name)} }

// closeDefaults takes every rule out of what a VPC comes with, so that nothing
// works by accident.
func closeDefaults(s scope, vpc *ec2.Vpc) error {
	if _, err := ec2.NewDefaultSecurityGroup(s.ctx, "default", &ec2.DefaultSecurityGroupArgs{
		VpcId: vpc.ID(), Tags: nameTag("default: closed"),
	}); err != nil {
		return err
	}
	if _, err := ec2.NewDefaultNetworkAcl(s.ctx, "default", &ec2.DefaultNetworkAclArgs{
		DefaultNetworkAclId: vpc.DefaultNetworkAclId, Tags: nameTag("default: closed"),
	}); err != nil {
		return err
	}
	_, err := ec2.NewDefaultRouteTable(s.ctx, "default", &ec2.DefaultRouteTableArgs{
		DefaultRouteTableId: vpc.DefaultRouteTableId, Tags: nameTag("default: no routes"),
	})
	return err
}

// newSubnets makes one private subnet in each of the first three zones.
func newSubnets(s scope, vpc *ec2.Vpc, table *ec2.RouteTable) ([]*ec2.Subnet, error) {
	zones, err := aws.GetAvailabilityZones(s.ctx, &aws.GetAvailabilityZonesArgs{State: pulumi.StringRef("available")})
	if err != nil {
		return nil, fmt.Errorf("ask for zones: %w", err)
	}
	names := resource.Subnets()
	if len(zones.Names) < len(names) {
		return nil, fmt.Errorf("region %s has %d zones and %d are needed; choose another with \"pulumi config set aws:region\"", s.cfg.Region, len(zones.Names), len(names))
	}
	block := netip.MustParsePrefix(s.cfg.NetworkCIDR)
	subnets := make([]*ec2.Subnet, len(names))
	for i, name := range names {
		subnets[i], err = ec2.NewSubnet(s.ctx, string(name), &ec2.SubnetArgs{
			VpcId: vpc.ID(), CidrBlock: pulumi.String(subnetBlock(block, i).String()), AvailabilityZone: pulumi.String(zones.Names[i]),
			MapPublicIpOnLaunch: pulumi.Bool(false), Tags: nameTag(string(name)),
		})
		if err != nil {
			return nil, err
		}
		if _, err := ec2.NewRouteTableAssociation(s.ctx, string(name), &ec2.RouteTableAssociationArgs{
			SubnetId: subnets[i].ID(), RouteTableId: table.ID(),
		}); err != nil {
			return nil, err
		}
	}
	return subnets, nil
}

// subnetBlock returns the i-th subnet of a /16.
func subnetBlock(block netip.Prefix, i int) netip.Prefix {
	address := block.Addr().As4()
	address[2] = byte(i << (24 - subnetBits))
	return netip.PrefixFrom(netip.AddrFrom4(address), subnetBits)
}

// aclRule is one rule of the network ACL, in the order of evaluation.
type aclRule struct {
	number   int
	deny     bool
	protocol string
	from, to int
	block    string // "" for the network itself
}

const anywhere = "0.0.0.0/0"

// What reaches a subnet: TLS from within, and the answers of S3 and DynamoDB,
// whose gateway endpoints answer from public addresses. A network ACL keeps no
// state, so answers need a rule; what administers machines is denied before it.
var (
	inward = []aclRule{
		{number: 10, deny: true, protocol: "tcp", from: 20, to: 23, block: anywhere},
		{number: 20, deny: true, protocol: "tcp", from: 3389, to: 3389, block: anywhere},
		{number: 100, protocol: "tcp", from: 443, to: 443},
		{number: 110, protocol: "tcp", from: 1024, to: 65535, block: anywhere},
	}
	outward = []aclRule{
		{number: 10, deny: true, protocol: "tcp", from: 20, to: 23, block: anywhere},
		{number: 20, deny: true, protocol: "tcp", from: 3389, to: 3389, block: anywhere},
		{number: 100, protocol: "tcp", from: 443, to: 443, block: anywhere},
		{number: 110, protocol: "tcp", from: 1024, to: 65535},
	}
)

func newNetworkACL(s scope, vpc *ec2.Vpc, subnets []*ec2.Subnet) error {
	args := &ec2.NetworkAclArgs{VpcId: vpc.ID(), Tags: nameTag("private")}
	ids := pulumi.StringArray{}
	for _, subnet := range subnets {
		ids = append(ids, subnet.ID())
	}
	args.SubnetIds = ids
	ingress, egress := ec2.NetworkAclIngressArray{}, ec2.NetworkAclEgressArray{}
	for _, r := range inward {
		ingress = append(ingress, &ec2.NetworkAclIngressArgs{
			RuleNo: pulumi.Int(r.number), Action: r.action(), Protocol: pulumi.String(r.protocol),
			FromPort: pulumi.Int(r.from), ToPort: pulumi.Int(r.to), CidrBlock: r.source(s),
		})
	}
	for _, r := range outward {
		egress = append(egress, &ec2.NetworkAclEgressArgs{
			RuleNo: pulumi.Int(r.number), Action: r.action(), Protocol: pulumi.String(r.protocol),
			FromPort: pulumi.Int(r.from), ToPort: pulumi.Int(r.to), CidrBlock: r.source(s),
		})
	}
	args.Ingress, args.Egress = ingress, egress
	_, err := ec2.NewNetworkAcl(s.ctx, "private", args)
	return err
}

func (r aclRule) action() pulumi.String {
	if r.deny {
		return "deny"
	}
	return "allow"
}

func (r aclRule) source(s scope) pulumi.String {
	if r.block == "" {
		return pulumi.String(s.cfg.NetworkCIDR)
	}
	return pulumi.String(r.block)
}
