package stack_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/infra/stack"
	"engage/internal/resource"
)

// optional are the types that only an option declares.
var optional = []string{
	"aws:networkfirewall/firewallPolicy:FirewallPolicy", "aws:networkfirewall/firewall:Firewall", "aws:macie2/account:Account",
	"aws:shield/subscription:Subscription", "aws:cloudhsmv2/cluster:Cluster", "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
	"pulumi:providers:aws",
}

// with declares a graph with options.
func with(options stack.Options) *graph {
	GinkgoHelper()
	cfg := stack.Defaults(resource.AWS)
	cfg.Options = options
	g, err := deploy(cfg)
	Expect(err).NotTo(HaveOccurred())
	return g
}

var _ = onEach("Costly options", func(here func() *graph) {
	It("are off", func() {
		Expect(stack.Defaults(here().env.Kind).Options).To(BeZero())
		for _, token := range optional {
			Expect(here().of(token)).To(BeEmpty(), token)
		}
	})
})

var _ = DescribeTable("A costly option that is on", func(options stack.Options, want ...string) {
	g := with(options)
	for _, token := range want {
		Expect(g.of(token)).NotTo(BeEmpty(), token)
	}
	for _, token := range optional {
		if !containsString(want, token) {
			Expect(g.of(token)).To(BeEmpty(), token)
		}
	}
},
	Entry("the firewall", stack.Options{NetworkFirewall: true}, "aws:networkfirewall/firewallPolicy:FirewallPolicy", "aws:networkfirewall/firewall:Firewall"),
	Entry("Macie", stack.Options{Macie: true}, "aws:macie2/account:Account"),
	Entry("Shield", stack.Options{ShieldAdvanced: true}, "aws:shield/subscription:Subscription"),
	Entry("CloudHSM", stack.Options{CloudHSM: true}, "aws:cloudhsmv2/cluster:Cluster"),
	Entry("replicas", stack.Options{ReplicaRegion: "eu-west-1"}, "aws:s3/bucketReplicationConfig:BucketReplicationConfig", "pulumi:providers:aws"),
)

func containsString(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

var _ = Describe("Replicas in another region", func() {
	It("are made there of models and results, as closed as what they copy", func() {
		g := with(stack.Options{ReplicaRegion: "eu-west-1"})
		Expect(g.all("pulumi:providers:aws")[0].text("region")).To(Equal("eu-west-1"))
		configs := g.all("aws:s3/bucketReplicationConfig:BucketReplicationConfig")
		Expect(configs).To(HaveLen(2))
		for _, c := range configs {
			copies := g.one(bucketToken, "bucket", c.text("bucket")+"-replica")
			Expect(copies.provider).To(ContainSubstring("::replica"), c.String())
			Expect(g.setting(copies, "bucketPolicy:BucketPolicy").provider).To(Equal(copies.provider), c.String())
			Expect(c.text("rules", "destination", "bucket")).To(Equal(copies.arn))
			Expect(g.setting(copies, "bucketVersioningV2:BucketVersioningV2").text("versioningConfiguration", "status")).To(Equal("Enabled"))
			Expect(g.setting(copies, "bucketPublicAccessBlock:BucketPublicAccessBlock").in).To(HaveKeyWithValue("restrictPublicBuckets", true))
			encryption := g.setting(copies, "bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2")
			key := encryption.text("rules", "applyServerSideEncryptionByDefault", "kmsMasterKeyId")
			Expect(key).To(HaveSuffix("engagement-replica"))
			Expect(c.text("rules", "destination", "encryptionConfiguration", "replicaKmsKeyId")).To(Equal(key))
			Expect(c.text("rules", "sourceSelectionCriteria", "sseKmsEncryptedObjects", "status")).To(Equal("Enabled"))
			Expect(rules(g.setting(copies, "bucketPolicy:BucketPolicy"), "policy")[0].resources).To(ConsistOf(copies.arn, copies.arn+"/*"))
		}
	})

	It("are written by a role that writes nothing else", func() {
		g := with(stack.Options{ReplicaRegion: "eu-west-1"})
		for _, r := range g.rules(rolePolicyToken) {
			for _, a := range r.actions {
				if a == "s3:ReplicateObject" {
					Expect(r.resources).To(HaveLen(1), r.String())
					Expect(r.resources[0]).To(HaveSuffix("-replica/*"), r.String())
				}
			}
		}
	})
})

var _ = Describe("The firewall", func() {
	It("inspects every subnet and drops what no rule passes", func() {
		g := with(stack.Options{NetworkFirewall: true})
		policy := g.all("aws:networkfirewall/firewallPolicy:FirewallPolicy")[0]
		Expect(policy.texts("firewallPolicy", "statefulDefaultActions")).To(Equal([]string{"aws:drop_strict"}))
		firewall := g.all("aws:networkfirewall/firewall:Firewall")[0]
		Expect(firewall.list("subnetMappings")).To(HaveLen(3))
		Expect(firewall.at("deleteProtection")).To(BeTrue())
	})
})
