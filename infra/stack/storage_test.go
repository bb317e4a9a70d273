package stack_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/internal/resource"
)

const bucketToken = "aws:s3/bucketV2:BucketV2"

// setting returns a setting of a bucket: the one resource of a type about it.
func (g *graph) setting(bucket declared, token string) declared {
	GinkgoHelper()
	return g.one("aws:s3/"+token, "bucket", bucket.id)
}

var _ = onEach("Buckets", func(here func() *graph) {
	// each runs a spec over every bucket.
	each := func(text string, spec func(g *graph, b declared)) {
		It(text, func() {
			for _, b := range here().all(bucketToken) {
				spec(here(), b)
			}
		})
	}

	It("are those that the code knows", func() {
		var names []string
		for _, b := range resource.Buckets() {
			names = append(names, here().env.Bucket(b))
		}
		Expect(here().values(bucketToken, "bucket")).To(Equal(sorted(names...)))
	})

	each("are closed to the public", func(g *graph, b declared) {
		Expect(g.setting(b, "bucketPublicAccessBlock:BucketPublicAccessBlock").in).To(And(
			HaveKeyWithValue("blockPublicAcls", true), HaveKeyWithValue("blockPublicPolicy", true),
			HaveKeyWithValue("ignorePublicAcls", true), HaveKeyWithValue("restrictPublicBuckets", true)), b.String())
	})

	each("belong to their owner, without ACLs", func(g *graph, b declared) {
		Expect(g.setting(b, "bucketOwnershipControls:BucketOwnershipControls").text("rule", "objectOwnership")).To(Equal("BucketOwnerEnforced"), b.String())
		Expect(b.in).NotTo(HaveKey("acl"))
	})

	each("keep versions", func(g *graph, b declared) {
		Expect(g.setting(b, "bucketVersioningV2:BucketVersioningV2").text("versioningConfiguration", "status")).To(Equal("Enabled"), b.String())
	})

	each("are encrypted, with a bucket key where the key is ours", func(g *graph, b declared) {
		rule := g.setting(b, "bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2")
		algorithm := rule.text("rules", "applyServerSideEncryptionByDefault", "sseAlgorithm")
		key := rule.text("rules", "applyServerSideEncryptionByDefault", "kmsMasterKeyId")
		if b.id == g.env.Bucket(resource.Logs) { // log delivery takes no key of ours
			Expect(algorithm).To(Equal("AES256"))
			return
		}
		Expect(algorithm).To(Equal("aws:kms"), b.String())
		Expect(rule.at("rules", "bucketKeyEnabled")).To(BeTrue(), b.String())
		want := resource.DataKey
		if b.id == g.env.Bucket(resource.Audit) {
			want = resource.LogsKey
		}
		Expect(key).To(Equal(g.key(want).arn), b.String())
	})

	each("take requests over TLS only", func(g *graph, b declared) {
		var found bool
		for _, r := range rules(g.setting(b, "bucketPolicy:BucketPolicy"), "policy") {
			if r.allow {
				Expect(r.everyone()).To(BeFalse(), r.String())
				Expect(r.has("StringEquals", "aws:SourceAccount", testAccount)).To(BeTrue(), r.String())
				continue
			}
			found = true
			Expect(r.everyone()).To(BeTrue())
			Expect(r.actions).To(Equal([]string{"s3:*"}))
			Expect(r.resources).To(ConsistOf(b.arn, b.arn+"/*"))
			Expect(r.has("Bool", "aws:SecureTransport", "false")).To(BeTrue())
			_, excepted := r.condition["NotIpAddress"]
			Expect(excepted).To(Equal(g.env.Kind == resource.Local), "only the loopback of a local endpoint is let through")
		}
		Expect(found).To(BeTrue(), b.String())
	})

	each("log who asked for what, but for the one that holds the logs", func(g *graph, b declared) {
		logs := g.env.Bucket(resource.Logs)
		if b.id == logs {
			for _, d := range g.of("aws:s3/bucketLoggingV2:BucketLoggingV2") {
				Expect(d.text("bucket")).NotTo(Equal(logs))
			}
			return
		}
		logging := g.setting(b, "bucketLoggingV2:BucketLoggingV2")
		Expect(logging.text("targetBucket")).To(Equal(logs), b.String())
		Expect(logging.text("targetPrefix")).To(HavePrefix(resource.AccessLogs.Prefix), b.String())
	})

	each("forget old versions and unfinished uploads", func(g *graph, b declared) {
		rule := g.setting(b, "bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2")
		Expect(rule.text("rules", "status")).To(Equal("Enabled"), b.String())
		Expect(rule.at("rules", "abortIncompleteMultipartUpload", "daysAfterInitiation")).To(Equal(7.0), b.String())
		Expect(rule.at("rules", "noncurrentVersionExpiration", "noncurrentDays")).To(Equal(90.0), b.String())
	})

	each("are emptied with the stack on a local endpoint only", func(g *graph, b declared) {
		Expect(b.at("forceDestroy")).To(Equal(g.env.Kind == resource.Local), b.String())
	})

	It("keep logs at hand for 90 days and then for seven years", func() {
		for _, name := range []resource.Bucket{resource.Logs, resource.Audit} {
			b := here().one(bucketToken, "bucket", here().env.Bucket(name))
			rule := here().setting(b, "bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2")
			Expect(rule.at("rules", "transitions", "days")).To(Equal(90.0))
			Expect(rule.text("rules", "transitions", "storageClass")).To(Equal("GLACIER"))
			Expect(rule.at("rules", "expiration", "days")).To(BeNumerically(">=", 7*365))
		}
	})

	It("lock the audit bucket, and no other", func() {
		g := here()
		for _, b := range g.all(bucketToken) {
			Expect(b.at("objectLockEnabled")).To(Equal(b.id == g.env.Bucket(resource.Audit)), b.String())
		}
		locks := g.all("aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2")
		Expect(locks).To(HaveLen(1))
		Expect(locks[0].text("bucket")).To(Equal(g.env.Bucket(resource.Audit)))
		mode, days := locks[0].text("rule", "defaultRetention", "mode"), locks[0].at("rule", "defaultRetention", "days")
		if g.env.Kind == resource.AWS {
			Expect(mode).To(Equal("COMPLIANCE"))
			Expect(days).To(BeNumerically(">=", 7*365))
		} else {
			Expect(mode).To(Equal("GOVERNANCE"), "an administrator must be able to delete a local stack")
		}
	})

	It("are closed by the account too", func() {
		blocks := here().all("aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock")
		Expect(blocks).To(HaveLen(1))
		Expect(blocks[0].in).To(And(HaveKeyWithValue("blockPublicAcls", true), HaveKeyWithValue("blockPublicPolicy", true),
			HaveKeyWithValue("ignorePublicAcls", true), HaveKeyWithValue("restrictPublicBuckets", true)))
	})

	It("take records from the services that write them, where they write", func() {
		g := here()
		got := map[string][]string{}
		for _, r := range g.rules("aws:s3/bucketPolicy:BucketPolicy") {
			if r.allow && strings.Join(r.actions, " ") == "s3:PutObject" {
				for _, service := range r.principals["Service"] {
					got[service] = append(got[service], r.resources...)
				}
			}
		}
		trail := []string{string(g.env.ObjectsARN(resource.Trail)), string(g.env.BucketARN(resource.Audit)) + "/config/*"}
		Expect(got).To(Equal(map[string][]string{
			"logging.s3.amazonaws.com":    {string(g.env.ObjectsARN(resource.AccessLogs))},
			"delivery.logs.amazonaws.com": {string(g.env.ObjectsARN(resource.FlowLogs))},
			"cloudtrail.amazonaws.com":    trail,
			"config.amazonaws.com":        trail,
		}))
	})

	It("are groups of settings under one component each", func() {
		for _, b := range here().all(bucketToken) {
			Expect(b.parent).To(ContainSubstring("engage:aws:PrivateBucket"), b.String())
		}
	})
})
