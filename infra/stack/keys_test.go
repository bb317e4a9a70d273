package stack_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/internal/resource"
)

const keyToken = "aws:kms/key:Key"

// key returns the key that an alias names.
func (g *graph) key(name resource.Key) declared {
	GinkgoHelper()
	alias := g.one("aws:kms/alias:Alias", "name", name.Alias())
	for _, d := range g.of(keyToken) {
		if "keyId-of-"+d.name == alias.text("targetKeyId") {
			return d
		}
	}
	Fail("no key has the alias " + name.Alias())
	return declared{}
}

var _ = onEach("Keys", func(here func() *graph) {
	It("are one a purpose, with an alias", func() {
		Expect(here().all(keyToken)).To(HaveLen(len(resource.Keys())))
		for _, name := range resource.Keys() {
			here().key(name)
		}
	})

	It("rotate each year, and can be had back for a month", func() {
		for _, d := range here().all(keyToken) {
			Expect(d.in).To(And(HaveKeyWithValue("enableKeyRotation", true), HaveKeyWithValue("rotationPeriodInDays", 365.0),
				HaveKeyWithValue("deletionWindowInDays", 30.0)), d.String())
		}
	})

	It("are used by this account and by named services for it, never by everyone", func() {
		for _, r := range here().rules(keyToken) {
			Expect(r.everyone()).To(BeFalse(), r.String())
			Expect(r.principals).To(HaveLen(1), r.String())
			if accounts, ok := r.principals["AWS"]; ok {
				Expect(accounts).To(Equal([]string{"arn:aws:iam::" + testAccount + ":root"}), r.String())
				continue
			}
			Expect(r.principals["Service"]).NotTo(BeEmpty(), r.String())
			Expect(r.condition).NotTo(BeEmpty(), r.String())
		}
	})

	It("can always be administered, and cannot be used by services that have no business with them", func() {
		want := map[resource.Key][]string{
			resource.DataKey: nil, resource.SecretKey: nil, resource.ComputeKey: nil,
			resource.LogsKey:    {"logs." + testRegion + ".amazonaws.com", "cloudtrail.amazonaws.com", "config.amazonaws.com"},
			resource.MessageKey: {"budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"},
		}
		for name, services := range want {
			var got []string
			administered := false
			for _, r := range rules(here().key(name), "policy") {
				got = append(got, r.principals["Service"]...)
				for _, a := range r.actions {
					administered = administered || a == "kms:PutKeyPolicy" && r.principals["AWS"] != nil
				}
			}
			Expect(got).To(ConsistOf(toAny(services)...), string(name))
			Expect(administered).To(BeTrue(), string(name))
		}
	})
})
