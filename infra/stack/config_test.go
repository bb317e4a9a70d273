package stack_test

import (
	"errors"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/infra/stack"
	"engage/internal/resource"
)

// dist makes what a build leaves, without content, and returns where.
func dist() string {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	Expect(os.Mkdir(filepath.Join(dir, "lambda"), 0o755)).To(Succeed())
	for _, f := range stack.PipelineFunctions() {
		Expect(os.WriteFile(filepath.Join(dir, "lambda", string(f)+".zip"), nil, 0o644)).To(Succeed())
	}
	Expect(os.Mkdir(filepath.Join(dir, "image"), 0o755)).To(Succeed())
	Expect(os.WriteFile(filepath.Join(dir, "image", "tag"), []byte(builtTag+"\n"), 0o644)).To(Succeed())
	return dir
}

// builtTag is the tag that a build gave to the image.
const builtTag = "0123456789ab"

// problems returns what is wrong with the defaults once they are changed.
func problems(change func(c *stack.Config)) []string {
	GinkgoHelper()
	cfg := stack.Defaults(resource.AWS)
	cfg.Dist, cfg.ImageTag = dist(), builtTag
	change(&cfg)
	err := cfg.Validate()
	if err == nil {
		return nil
	}
	var bad *stack.ConfigError
	Expect(errors.As(err, &bad)).To(BeTrue())
	Expect(err.Error()).NotTo(ContainSubstring("\n"))
	return bad.Problems
}

var _ = Describe("A configuration", func() {
	It("needs nothing that is not given", func() {
		Expect(problems(func(*stack.Config) {})).To(BeEmpty())
		Expect(problems(func(c *stack.Config) { *c = stack.Defaults(resource.Local); c.Dist, c.ImageTag = dist(), builtTag })).To(BeEmpty())
	})

	DescribeTable("is refused for what is out of range", func(change func(c *stack.Config), want string) {
		Expect(problems(change)).To(ConsistOf(HavePrefix(want)))
	},
		Entry("no block", func(c *stack.Config) { c.NetworkCIDR = "ten" }, `cidr: "ten" is no private IPv4 block`),
		Entry("a block of another size", func(c *stack.Config) { c.NetworkCIDR = "10.0.0.0/20" }, "cidr: "),
		Entry("a public block", func(c *stack.Config) { c.NetworkCIDR = "8.8.0.0/16" }, "cidr: "),
		Entry("a block that begins within", func(c *stack.Config) { c.NetworkCIDR = "10.20.1.0/16" }, "cidr: "),
		Entry("an IPv6 block", func(c *stack.Config) { c.NetworkCIDR = "fd00::/16" }, "cidr: "),
		Entry("no mail address", func(c *stack.Config) { c.AlertEmail = "nobody" }, `alerts: "nobody"`),
		Entry("days that CloudWatch does not know", func(c *stack.Config) { c.LogRetentionDays = 42 }, "logRetentionDays: 42 is not one of"),
		Entry("no days at all", func(c *stack.Config) { c.LogRetentionDays = 0 }, "logRetentionDays: 0"),
		Entry("no time in the audit", func(c *stack.Config) { c.AuditRetentionDays = 0 }, "auditRetentionDays: 0 is not from 1 to 36500"),
		Entry("more than a century in the audit", func(c *stack.Config) { c.AuditRetentionDays = 36501 }, "auditRetentionDays: 36501"),
		Entry("a cut-off that Athena does not take", func(c *stack.Config) { c.ScannedBytesLimit = 10<<20 - 1 }, "scannedBytesLimit: 10485759"),
		Entry("no budget", func(c *stack.Config) { c.MonthlyBudgetUSD = 0 }, "monthlyBudgetUSD: 0"),
		Entry("no version", func(c *stack.Config) { c.ModelVersion = "newest" }, "modelVersion: "),
		Entry("a seed below zero", func(c *stack.Config) { c.Seed = -1 }, "seed: -1"),
		Entry("no image", func(c *stack.Config) { c.Dist, c.ImageTag = dist(), "" }, "image: "),
		Entry("a tag that moves", func(c *stack.Config) { c.ImageTag = "latest" }, `image: give a tag of its own; "latest" moves`),
		Entry("a replica beside the original", func(c *stack.Config) { c.Options.ReplicaRegion = c.Region }, "options.replicaRegion: "),
		Entry("a replica nowhere", func(c *stack.Config) { c.Options.ReplicaRegion = "mars" }, "options.replicaRegion: "),
		Entry("a region that is none", func(c *stack.Config) { c.Region = "mars" }, "aws:region: "),
		Entry("a build that is not there", func(c *stack.Config) { c.Dist = "/nowhere" }, "dist: /nowhere has no "),
	)

	It("lists every problem at once", func() {
		Expect(problems(func(c *stack.Config) {
			c.NetworkCIDR, c.LogRetentionDays, c.MonthlyBudgetUSD, c.Seed, c.ImageTag, c.Dist = "", 2, -5, -1, "latest", "/nowhere"
		})).To(ConsistOf(HavePrefix("cidr"), HavePrefix("logRetentionDays"), HavePrefix("monthlyBudgetUSD"), HavePrefix("seed"), HavePrefix("image"), HavePrefix("dist")))
	})

	It("says which archives a build lacks, and what makes them", func() {
		dir := dist()
		Expect(os.Remove(filepath.Join(dir, "lambda", string(resource.DataPrep)+".zip"))).To(Succeed())
		Expect(problems(func(c *stack.Config) { c.Dist = dir })).To(ConsistOf(
			"dist: " + dir + ` has no data-prep-lambda.zip; run "task build"`))
	})
})

// load reads the configuration of a stack that sets values.
func load(stackName string, values map[string]string) (cfg stack.Config, err error) {
	err = pulumi.RunErr(func(ctx *pulumi.Context) error {
		cfg, err = stack.Load(ctx)
		return err
	}, pulumi.WithMocks("engage", stackName, &graph{}), func(info *pulumi.RunInfo) { info.Config = values })
	return cfg, err
}

var _ = Describe("Reading a configuration", func() {
	settings := func(json string) map[string]string { return map[string]string{"engage:settings": json} }

	It("takes defaults by the kind of environment", func() {
		local, err := load("local", settings(`{"dist": "`+dist()+`"}`))
		Expect(err).NotTo(HaveOccurred())
		Expect(local.Kind).To(Equal(resource.Local))
		Expect(local.Schedules).To(BeFalse())
		Expect(local.ImageTag).To(Equal(builtTag))
		real, err := load("aws", settings(`{"dist": "`+dist()+`"}`))
		Expect(err).NotTo(HaveOccurred())
		Expect(real.Kind).To(Equal(resource.AWS))
		Expect(real.Schedules).To(BeTrue())
	})

	It("takes what the stack sets", func() {
		values := settings(`{"dist": "` + dist() + `", "logRetentionDays": 400, "options": {"macie": true}}`)
		values["aws:region"], values["engage:environment"] = "eu-west-1", "local"
		cfg, err := load("try", values)
		Expect(err).NotTo(HaveOccurred())
		Expect(cfg.Kind).To(Equal(resource.Local))
		Expect(cfg.Region).To(Equal("eu-west-1"))
		Expect(cfg.LogRetentionDays).To(Equal(400))
		Expect(cfg.Options).To(Equal(stack.Options{Macie: true}))
	})

	It("refuses a name that it does not know, a value of another type and what is no JSON", func() {
		for json, word := range map[string]string{
			`{"logRetention": 7}`:           `engage:settings: unknown field "logRetention"`,
			`{"logRetentionDays": "seven"}`: "engage:settings: cannot unmarshal string into Go struct field Config.logRetentionDays",
			`{"logRetentionDays": 7`:        "engage:settings: unexpected EOF",
			`{} {}`:                         "engage:settings: there is more after the end",
		} {
			_, err := load("local", settings(json))
			Expect(err).To(MatchError(And(ContainSubstring(word), ContainSubstring("pulumi config set"))), json)
		}
	})

	It("refuses an environment that is none", func() {
		_, err := load("try", map[string]string{"engage:environment": "production"})
		Expect(err).To(MatchError(ContainSubstring(`engage:environment: "production" is neither`)))
	})
})
