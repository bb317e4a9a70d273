package preview_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var refusedGroup = regexp.MustCompile(`LogGroup (many-[0-9]+) \*\*creating failed\*\* error: .*ResourceAlreadyExistsException`)

var _ = Describe("An endpoint that is killed while it makes things", func() {
	// What was being made at that moment may exist and not be in the state, as when
	// AWS's answer is lost: the next up names it, and loses nothing.
	It("leaves a state from which the next up goes on, once it has what it names out of its way", func(ctx context.Context) {
		dir := must(os.MkdirTemp(built.dir, "killed"))
		e := start(filepath.Join(dir, "endpoint"))
		p := newProject(dir, must(os.Executable()), e.Port)
		p.env[programVar] = "many"
		see := newSDK(e.URL)
		c := p.command("up", "--stack", "local", "--yes", "--skip-preview")
		var said strings.Builder
		c.Stdout, c.Stderr = &said, &said
		Expect(c.Start()).To(Succeed())
		Eventually(func() int { return len(see.groups(ctx)) }, "60s", "5ms").Should(BeNumerically(">", 10))
		e.kill()
		Expect(c.Wait()).NotTo(Succeed(), said.String())
		kept := p.count()

		e = start(e.dir)
		DeferCleanup(e.stop)
		p.door, see = e.Port, newSDK(e.URL)
		o := p.run("up", "--stack", "local", "--yes", "--skip-preview", "--continue-on-error")
		Expect(p.count()).To(BeNumerically(">=", kept))
		if o.failed {
			named := refusedGroup.FindAllStringSubmatch(o.text, -1)
			Expect(named).NotTo(BeEmpty(), o.text)
			for _, m := range named {
				must(see.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &m[1]}))
			}
			o = p.up()
		}
		Expect(o.failed).To(BeFalse(), o.text)
		Expect(p.count()).To(And(Equal(2*many), BeNumerically(">", kept)))
	})
})
