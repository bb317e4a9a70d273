package preview_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// many is how many of each the program "many" declares.
const many = 60

// programVar names the program that this test program is to an engine.
const programVar = "ENGAGE_TEST_PROGRAM"

// thing is a resource of any type with any properties, as a program in another
// language, or with another version of the SDK, can declare it.
type thing struct{ pulumi.CustomResourceState }

func declare(ctx *pulumi.Context, token, name string, props pulumi.Map) error {
	return ctx.RegisterResource(token, name, props, &thing{})
}

func topic(ctx *pulumi.Context) error {
	return declare(ctx, "aws:sns/topic:Topic", "kept", pulumi.Map{"name": pulumi.String("kept")})
}

// programs are small programs that go wrong, by name.
var programs = map[string]pulumi.RunFunc{
	"nothing": func(*pulumi.Context) error { return nil },
	"topic":   topic,
	"many": func(ctx *pulumi.Context) error {
		var errs []error
		for i := range many {
			name := fmt.Sprintf("many-%02d", i)
			errs = append(errs, declare(ctx, "aws:cloudwatch/logGroup:LogGroup", name, pulumi.Map{"name": pulumi.String(name)}),
				declare(ctx, "aws:sqs/queue:Queue", name, pulumi.Map{"name": pulumi.String(name)}))
		}
		return errors.Join(errs...)
	},
	"type": func(ctx *pulumi.Context) error {
		return errors.Join(topic(ctx), declare(ctx, "aws:ec2/instance:Instance", "machine", pulumi.Map{}))
	},
	"property": func(ctx *pulumi.Context) error {
		return errors.Join(topic(ctx), declare(ctx, "aws:sqs/queue:Queue", "jobs", pulumi.Map{"visibility": pulumi.Int(3)}))
	},
	"value": func(ctx *pulumi.Context) error {
		return errors.Join(topic(ctx), declare(ctx, "aws:iam/role:Role", "role", pulumi.Map{"assumeRolePolicy": pulumi.String("nope")}))
	},
	"refused": func(ctx *pulumi.Context) error {
		return errors.Join(topic(ctx), declare(ctx, "aws:sqs/queue:Queue", "jobs", pulumi.Map{
			"name": pulumi.String("jobs"), "visibilityTimeoutSeconds": pulumi.Int(99999),
		}))
	},
}

var _ = Describe("A mistake in a program", Ordered, func() {
	var e *endpoint
	var p *project

	BeforeAll(func() {
		dir := filepath.Join(built.dir, "mistakes")
		e = start(filepath.Join(dir, "endpoint"))
		p = newProject(dir, must(os.Executable()), e.Port)
	})
	AfterAll(func() {
		if e != nil {
			e.stop()
		}
	})

	BeforeEach(func() {
		p.env[programVar] = "topic"
		o := p.up()
		Expect(o.failed).To(BeFalse(), o.text)
	})

	DescribeTable("is told in one line, and takes nothing away", func(program string, words ...string) {
		before := p.resources()
		p.env[programVar] = program
		o := p.up()
		Expect(o.failed).To(BeTrue(), o.text)
		Expect(o.text).To(And(contain(words)...))
		Expect(p.resources()).To(Equal(before))
	},
		Entry("a type that the endpoint does not have", "type", "resource type aws:ec2/instance:Instance is not supported by the embedded endpoint", "docs/unsupported.md"),
		Entry("a property that the type does not have", "property", "visibility", "the property is not known; known are"),
		Entry("a value that no service takes", "value", "assumeRolePolicy", "the string is no JSON document"),
		Entry("a value that the service refuses", "refused", "create aws:sqs/queue:Queue", "InvalidAttributeValue"),
	)

	It("is an endpoint that does not run: nothing hangs, and nothing is lost", func() {
		l := must(net.Listen("tcp", "127.0.0.1:0"))
		free := l.Addr().(*net.TCPAddr).Port
		Expect(l.Close()).To(Succeed())
		before := p.resources()
		p.door = free
		o := p.up()
		p.door = e.Port
		Expect(o.failed).To(BeTrue(), o.text)
		Expect(o.text).To(ContainSubstring("aws (resource) plugin [aws] did not begin responding"))
		Expect(o.seconds).To(BeNumerically("<", 60))
		Expect(p.resources()).To(Equal(before))
	})

	It("is an endpoint that does not run: who asks for its environment is told what to do", func() {
		said, err := exec.Command(built.engage, "env", "--dir", filepath.Join(built.dir, "nobody")).CombinedOutput()
		Expect(err).To(HaveOccurred())
		Expect(strings.Split(strings.TrimSpace(string(said)), "\n")).To(ConsistOf(ContainSubstring(`no endpoint is running; start one with "engage local up"`)))
	})

	It("can be undone: an empty program leaves nothing", func() {
		p.env[programVar] = "nothing"
		o := p.up()
		Expect(o.failed).To(BeFalse(), o.text)
		Expect(p.resources()).To(BeEmpty())
	})
})
