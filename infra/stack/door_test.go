package stack_test

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	presource "github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"engage/infra/stack"
	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/ledger"
	"engage/internal/localaws/provider/plane"
	"engage/internal/localaws/provider/value"
	"engage/internal/resource"
)

// door is the table of resource types of the embedded endpoint. Nothing is made.
func door() kind.Table {
	return kind.NewTable(
		plane.Kinds(plane.Config{AWS: aws.Config{Region: testRegion}, Partition: "aws", Account: testAccount}),
		ledger.Kinds(ledger.Config{Partition: "aws", Account: testAccount, Region: testRegion}, ledger.Specs()),
	)
}

// refused tells why the door would not take a resource.
func refused(table kind.Table, d declared) []string {
	k, err := table.Find(d.token)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	_, failures := k.Check(nil, received(d.in).(value.Map), d.name, []byte{1, 2, 3, 4})
	for _, f := range failures {
		out = append(out, fmt.Sprintf("%s: %s: %s", d, f.Path, f.Reason))
	}
	return out
}

// received is a value as the door gets it.
func received(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := value.Map{}
		for name, e := range v {
			out[name] = received(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = received(e)
		}
		return out
	case *presource.Archive:
		return value.File{Path: v.Path, Archive: true}
	}
	return v
}

var _ = onEach("The embedded endpoint", func(here func() *graph) {
	It("takes every resource as it is declared", func() {
		table, count := door(), 0
		for _, d := range here().resources {
			if len(d.token) > 4 && d.token[:4] == "aws:" {
				Expect(refused(table, d)).To(BeEmpty())
				count++
			}
		}
		Expect(count).To(BeNumerically(">", 150))
	})
})

var _ = DescribeTable("The embedded endpoint takes options", func(options stack.Options) {
	cfg := stack.Defaults(resource.Local)
	cfg.Options = options
	g, err := deploy(cfg)
	Expect(err).NotTo(HaveOccurred())
	table := door()
	for _, d := range g.resources {
		if len(d.token) > 4 && d.token[:4] == "aws:" {
			Expect(refused(table, d)).To(BeEmpty())
		}
	}
},
	Entry("the firewall", stack.Options{NetworkFirewall: true}),
	Entry("Macie", stack.Options{Macie: true}),
	Entry("Shield", stack.Options{ShieldAdvanced: true}),
	Entry("CloudHSM", stack.Options{CloudHSM: true}),
)

var _ = Describe("Replicas on the embedded endpoint", func() {
	It("are refused by name: S3 here copies nothing to other regions", func() {
		_, err := door().Find("aws:s3/bucketReplicationConfig:BucketReplicationConfig")
		Expect(err).To(MatchError(ContainSubstring("aws:s3/bucketReplicationConfig:BucketReplicationConfig is not supported by the embedded endpoint")))
	})
})
