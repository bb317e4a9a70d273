package stack_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/infra/stack"
	"engage/internal/resource"
)

const (
	subnetToken   = "aws:ec2/subnet:Subnet"
	groupToken    = "aws:ec2/securityGroup:SecurityGroup"
	endpointToken = "aws:ec2/vpcEndpoint:VpcEndpoint"
)

var _ = onEach("The network", func(here func() *graph) {
	It("has private subnets in three zones, within its block and apart", func() {
		var zones []string
		var blocks []netip.Prefix
		network := netip.MustParsePrefix(here().all("aws:ec2/vpc:Vpc")[0].text("cidrBlock"))
		for _, s := range here().all(subnetToken) {
			Expect(s.at("mapPublicIpOnLaunch")).To(BeFalse(), s.String())
			block := netip.MustParsePrefix(s.text("cidrBlock"))
			Expect(network.Contains(block.Addr())).To(BeTrue(), s.String())
			for _, other := range blocks {
				Expect(block.Overlaps(other)).To(BeFalse(), s.String())
			}
			zones, blocks = append(zones, s.text("availabilityZone")), append(blocks, block)
		}
		Expect(zones).To(ConsistOf("us-east-1a", "us-east-1b", "us-east-1c"))
	})

	It("has no way to the internet", func() {
		for token := range here().tokens() {
			Expect(token).NotTo(Or(ContainSubstring("nternetGateway"), ContainSubstring("natGateway"), ContainSubstring("/eip:"),
				ContainSubstring("transitGateway"), ContainSubstring("vpnGateway"), ContainSubstring("vpcPeering"), ContainSubstring("ec2/route:")))
		}
		for _, token := range []string{"aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable"} {
			for _, table := range here().all(token) {
				Expect(table.in).NotTo(HaveKey("routes"), table.String())
			}
		}
	})

	It("routes each subnet by the private table", func() {
		var subnets []string
		for _, a := range here().all("aws:ec2/routeTableAssociation:RouteTableAssociation") {
			Expect(a.text("routeTableId")).To(Equal("ec2-private"))
			subnets = append(subnets, a.text("subnetId"))
		}
		Expect(subnets).To(ConsistOf(ids(here().all(subnetToken))...))
	})

	It("has defaults that let nothing through", func() {
		for _, token := range []string{"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"} {
			list := here().all(token)
			Expect(list).To(HaveLen(1), token)
			Expect(list[0].in).NotTo(Or(HaveKey("ingress"), HaveKey("egress")), token)
		}
	})

	It("denies what administers machines before it allows anything", func() {
		acl := here().all("aws:ec2/networkAcl:NetworkAcl")
		Expect(acl).To(HaveLen(1))
		Expect(acl[0].texts("subnetIds")).To(ConsistOf(ids(here().all(subnetToken))...))
		for _, direction := range []string{"ingress", "egress"} {
			list := acl[0].list(direction)
			slices.SortFunc(list, func(a, b declared) int { return int(a.at("ruleNo").(float64) - b.at("ruleNo").(float64)) })
			firstAllowed := slices.IndexFunc(list, func(r declared) bool { return r.text("action") == "allow" })
			lastDenied := len(list) - 1
			for list[lastDenied].text("action") != "deny" {
				lastDenied--
			}
			Expect(lastDenied).To(BeNumerically("<", firstAllowed), direction)
			for _, port := range []float64{20, 21, 22, 23, 3389} {
				Expect(decide(list, port)).To(Equal("deny"), "%s of %v", direction, port)
			}
			Expect(decide(list, 443)).To(Equal("allow"), direction)
			Expect(decide(list, 80)).To(BeEmpty(), "%s: nothing speaks without TLS", direction)
		}
	})

	It("has security groups whose ways out are the endpoints, by TLS", func() {
		Expect(here().values(groupToken, "name")).To(Equal(sorted(resource.SecurityGroups()...)))
		for _, group := range here().all(groupToken) {
			Expect(group.in).NotTo(Or(HaveKey("ingress"), HaveKey("egress")), "rules are resources of their own: "+group.String())
			Expect(group.text("description")).NotTo(BeEmpty(), group.String())
		}
		want := []string{}
		for _, from := range []resource.SecurityGroup{resource.MLTasks, resource.MLFunctions} {
			want = append(want, way(from, "ec2-"+string(resource.Endpoints)), way(from, "prefixListId-of-s3"), way(from, "prefixListId-of-dynamodb"))
		}
		Expect(ways(here().all("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"))).To(ConsistOf(toAny(want)...))
	})

	It("lets only tasks and functions in, to the endpoints alone", func() {
		Expect(ways(here().all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"))).To(ConsistOf(
			way(resource.Endpoints, "ec2-"+string(resource.MLTasks)), way(resource.Endpoints, "ec2-"+string(resource.MLFunctions))))
	})

	It("has an endpoint for each service that is called", func() {
		var gateways, interfaces []string
		for _, e := range here().all(endpointToken) {
			service := strings.TrimPrefix(e.text("serviceName"), "com.amazonaws."+testRegion+".")
			if e.text("vpcEndpointType") == "Gateway" {
				gateways = append(gateways, service)
				Expect(e.texts("routeTableIds")).To(ConsistOf("ec2-private"), e.String())
				continue
			}
			interfaces = append(interfaces, service)
			Expect(e.at("privateDnsEnabled")).To(BeTrue(), e.String())
			Expect(e.texts("subnetIds")).To(ConsistOf(ids(here().all(subnetToken))...), e.String())
			Expect(e.texts("securityGroupIds")).To(ConsistOf("ec2-"+string(resource.Endpoints)), e.String())
		}
		Expect(gateways).To(ConsistOf("s3", "dynamodb"))
		Expect(interfaces).To(ContainElements(toAny(called(here()))...))
	})

	It("lets only this account's principals through the endpoints", func() {
		for _, r := range here().rules(endpointToken) {
			if r.sid == "ImageLayers" { // which AWS keeps in buckets of its own
				Expect(r.actions).To(Equal([]string{"s3:GetObject"}))
				Expect(r.resources).To(Equal([]string{"arn:aws:s3:::prod-" + testRegion + "-starport-layer-bucket/*"}))
				continue
			}
			Expect(r.has("StringEquals", "aws:PrincipalAccount", testAccount)).To(BeTrue(), r.String())
			if r.owner.text("vpcEndpointType") == "Gateway" {
				Expect(r.has("StringEquals", "aws:ResourceAccount", testAccount)).To(BeTrue(), r.String())
			}
		}
	})

	It("records all traffic, in CloudWatch and in the log bucket", func() {
		var places []string
		for _, f := range here().all("aws:ec2/flowLog:FlowLog") {
			Expect(f.text("trafficType")).To(Equal("ALL"), f.String())
			Expect(f.text("vpcId")).To(Equal("ec2-vpc"), f.String())
			places = append(places, f.text("logDestination"))
		}
		group := here().one(groupLogToken, "name", string(resource.FlowLogGroup))
		Expect(places).To(ConsistOf(group.arn, string(here().env.BucketARN(resource.Logs))+"/"+resource.FlowLogs.Prefix))
	})
})

var _ = Describe("A region with too few zones", func() {
	It("is refused by name, with what to do", func() {
		_, err := deploy(stack.Defaults(resource.AWS), "us-east-1a", "us-east-1b")
		Expect(err).To(MatchError(And(ContainSubstring("us-east-1 has 2 zones and 3 are needed"), ContainSubstring("pulumi config set aws:region"))))
	})
})

// decide returns what the first rule about a port says, "" if there is none.
func decide(list []declared, port float64) string {
	for _, r := range list {
		if from, to := r.at("fromPort").(float64), r.at("toPort").(float64); from <= port && port <= to {
			return r.text("action")
		}
	}
	return ""
}

// way is one rule of a security group in a line: whose, where to and how.
func way(group resource.SecurityGroup, other string) string {
	return fmt.Sprintf("ec2-%s %s tcp 443-443", group, other)
}

func ways(list []declared) []string {
	var out []string
	for _, r := range list {
		Expect(r.in).NotTo(Or(HaveKey("cidrIpv4"), HaveKey("cidrIpv6")), r.String())
		Expect(r.text("description")).NotTo(BeEmpty(), r.String())
		other := r.text("referencedSecurityGroupId") + r.text("prefixListId")
		out = append(out, fmt.Sprintf("%s %s %s %v-%v", r.text("securityGroupId"), other, r.text("ipProtocol"), r.at("fromPort"), r.at("toPort")))
	}
	return out
}

// called returns the services that roles inside the network call, by the names
// that their endpoints have.
func called(g *graph) []string {
	endpoints := map[string][]string{
		"athena": {"athena"}, "ecr": {"ecr.api", "ecr.dkr"}, "glue": {"glue"}, "kms": {"kms"}, "logs": {"logs"},
		"secretsmanager": {"secretsmanager"}, "sns": {"sns"}, "sqs": {"sqs"}, "ssm": {"ssm"}, "xray": {"xray"}, "states": {"states"},
		"lambda": {"lambda"}, "s3": nil, "dynamodb": nil, "ec2": nil, // S3 and DynamoDB by gateways; Lambda itself calls EC2
	}
	var out []string
	for _, r := range g.rules(rolePolicyToken) {
		role := g.one(roleToken, "name", r.owner.text("role"))
		if service := rules(role, "assumeRolePolicy")[0].principals["Service"][0]; service != "lambda.amazonaws.com" && service != "ecs-tasks.amazonaws.com" {
			continue
		}
		for _, a := range r.actions {
			service, _, _ := strings.Cut(a, ":")
			names, known := endpoints[service]
			Expect(known).To(BeTrue(), "%s calls %s, whose endpoint this spec does not know", r, service)
			out = append(out, names...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func ids(list []declared) []any {
	var out []any
	for _, d := range list {
		out = append(out, d.id)
	}
	return out
}
