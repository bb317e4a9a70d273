// The whole graph through the real engine: pulumi's own command line, the
// compiled program and an endpoint in a process of its own.
package preview_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/infra/stack"
	"engage/internal/resource"
)

func TestPreview(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "The graph through the engine")
}

// TestMain makes this test program a Pulumi program when an engine runs it.
func TestMain(m *testing.M) {
	if name := os.Getenv(programVar); name != "" && os.Getenv("PULUMI_MONITOR") != "" {
		pulumi.Run(programs[name])
		return
	}
	os.Exit(m.Run())
}

// built is what all specs use: programs that are built once, and archives.
var built struct {
	dir    string // all that this suite writes lies under it
	engage string
	infra  string
	tools  string // directory with pulumi and pulumi-language-go
	dist   string
}

// took is how long what the suite measures took, in the order of measuring.
var took []string

var _ = BeforeSuite(func() {
	built.dir = must(os.MkdirTemp("", "engage-preview"))
	built.engage, built.infra, built.dist = filepath.Join(built.dir, "engage"), filepath.Join(built.dir, "engage-infra"), filepath.Join(built.dir, "dist")
	handler := filepath.Join(built.dir, "bootstrap")
	compile(root(), nil, built.engage, "./cmd/engage")
	compile(root(), nil, built.infra, "./infra")
	compile(root(), []string{"CGO_ENABLED=0"}, handler, "./test/preview/testdata/handler")
	pack(handler)
	built.tools = tools()
})

var _ = AfterSuite(func() {
	if built.dir != "" {
		Expect(os.RemoveAll(built.dir)).To(Succeed())
	}
	for _, line := range took {
		fmt.Println(line)
	}
})

// root is the directory of the module.
func root() string { GinkgoHelper(); return must(filepath.Abs(filepath.Join("..", ".."))) }

func compile(dir string, env []string, out string, args ...string) {
	GinkgoHelper()
	c := exec.Command("go", append([]string{"build", "-o", out}, args...)...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	said, err := c.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "go build %s: %s", args, said)
}

// tools returns the directory of pulumi and its language host: those on PATH, or
// in bin/, or built here, which takes minutes the first time.
func tools() string {
	GinkgoHelper()
	dirs := append(filepath.SplitList(os.Getenv("PATH")), filepath.Join(root(), "bin"))
	for _, dir := range dirs {
		if executable(dir, "pulumi") && executable(dir, "pulumi-language-go") {
			return dir
		}
	}
	dir, module := filepath.Join(built.dir, "tools"), filepath.Join(root(), "tools")
	Expect(os.Mkdir(dir, 0o755)).To(Succeed())
	compile(module, nil, filepath.Join(dir, "pulumi-language-go"), "./pulumi-language-go")
	version := "-ldflags=-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.200.0"
	compile(module, nil, filepath.Join(dir, "pulumi"), version, "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi")
	return dir
}

func executable(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// pack makes an archive with a bootstrap for each function.
func pack(bootstrap string) {
	GinkgoHelper()
	var text bytes.Buffer
	w := zip.NewWriter(&text)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Store}
	header.SetMode(0o755)
	must(must(w.CreateHeader(header)).Write(must(os.ReadFile(bootstrap))))
	Expect(w.Close()).To(Succeed())
	Expect(os.MkdirAll(filepath.Join(built.dist, "lambda"), 0o755)).To(Succeed())
	Expect(os.Mkdir(filepath.Join(built.dist, "image"), 0o755)).To(Succeed())
	Expect(os.WriteFile(filepath.Join(built.dist, "image", "tag"), []byte("v1\n"), 0o644)).To(Succeed())
	first := ""
	for _, f := range stack.PipelineFunctions() {
		name := filepath.Join(built.dist, "lambda", string(f)+".zip")
		if first == "" {
			first = name
			Expect(os.WriteFile(name, text.Bytes(), 0o644)).To(Succeed())
			continue
		}
		Expect(os.Link(first, name)).To(Succeed())
	}
}

// must fails the spec on an error.
func must[T any](v T, err error) T {
	GinkgoHelper()
	if err != nil {
		Fail(err.Error())
	}
	return v
}

// endpoint is an endpoint in a process of its own.
type endpoint struct {
	dir  string
	PID  int    `json:"pid"`
	URL  string `json:"url"`
	Port int    `json:"provider_port"`
}

// start starts the endpoint of a directory on free ports.
func start(dir string) *endpoint {
	GinkgoHelper()
	e := &endpoint{dir: dir}
	c := exec.Command(built.engage, "local", "up", "--json", "--port", "0", "--dir", dir)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	Expect(err).NotTo(HaveOccurred(), said.String())
	Expect(json.Unmarshal(out, e)).To(Succeed(), string(out))
	Expect(e.Port).NotTo(BeZero())
	return e
}

// stop ends the endpoint; one that was killed is no error.
func (e *endpoint) stop() {
	GinkgoHelper()
	said, err := exec.Command(built.engage, "local", "down", "--dir", e.dir).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(said))
}

// kill ends the endpoint as a power cut would.
func (e *endpoint) kill() {
	GinkgoHelper()
	Expect(must(os.FindProcess(e.PID)).Kill()).To(Succeed())
	Eventually(func() bool { return exec.Command(built.engage, "local", "status", "--dir", e.dir).Run() == nil }, "10s", "20ms").Should(BeFalse())
}

// project is a project of an engine with a stack "local", in directories of its
// own.
type project struct {
	dir  string
	door int
	env  map[string]string
}

// newProject makes a project whose program is a binary, with an empty stack.
func newProject(dir, binary string, door int) *project {
	GinkgoHelper()
	p := &project{dir: dir, door: door, env: map[string]string{"PULUMI_CONFIG_PASSPHRASE": "right"}}
	for _, sub := range []string{"state", "home"} {
		Expect(os.MkdirAll(filepath.Join(dir, sub), 0o755)).To(Succeed())
	}
	about := "name: engage\nruntime:\n  name: go\n  options:\n    binary: program\n"
	Expect(os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte(about), 0o644)).To(Succeed())
	Expect(os.Symlink(binary, filepath.Join(dir, "program"))).To(Succeed())
	p.must("stack", "init", "local")
	return p
}

// outcome is how a command of the engine ended.
type outcome struct {
	text    string // all that it said
	failed  bool
	seconds float64
}

// run runs a command of the engine on the stack.
func (p *project) run(args ...string) outcome {
	GinkgoHelper()
	c := p.command(args...)
	began := time.Now()
	said, err := c.CombinedOutput()
	return outcome{string(said), err != nil, time.Since(began).Seconds()}
}

func (p *project) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	DeferCleanup(cancel)
	c := exec.CommandContext(ctx, filepath.Join(built.tools, "pulumi"), append(args, "--non-interactive", "--color", "never")...)
	env := map[string]string{
		"PULUMI_BACKEND_URL": "file://" + filepath.Join(p.dir, "state"), "PULUMI_HOME": filepath.Join(p.dir, "home"),
		"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
		"PULUMI_DEBUG_PROVIDERS": fmt.Sprintf("aws:%d", p.door), "PATH": built.tools + string(filepath.ListSeparator) + os.Getenv("PATH"),
	}
	maps.Copy(env, p.env)
	c.Dir, c.Env = p.dir, os.Environ()
	for name, value := range env {
		c.Env = append(c.Env, name+"="+value)
	}
	return c
}

// must runs a command that has to succeed.
func (p *project) must(args ...string) outcome {
	GinkgoHelper()
	o := p.run(args...)
	Expect(o.failed).To(BeFalse(), o.text)
	return o
}

func (p *project) up() outcome { return p.run("up", "--stack", "local", "--yes", "--skip-preview") }

// set sets a member of the stack's settings.
func (p *project) set(name, value string) {
	GinkgoHelper()
	p.must("config", "set", "--stack", "local", "--path", "engage:settings."+name, value)
}

// resources returns the resources of the stack's state by their types.
func (p *project) resources() map[string][]string {
	GinkgoHelper()
	var state struct {
		Deployment struct {
			Resources []struct {
				Type, ID string
				Custom   bool
			}
			Pending []any `json:"pending_operations"`
		}
	}
	o := p.must("stack", "export", "--stack", "local")
	Expect(json.Unmarshal([]byte(o.text), &state)).To(Succeed(), o.text)
	out := map[string][]string{}
	for _, r := range state.Deployment.Resources {
		if r.Custom && strings.HasPrefix(r.Type, "aws:") {
			out[r.Type] = append(out[r.Type], r.ID)
		}
	}
	return out
}

// count returns how many resources the state has.
func (p *project) count() int {
	n := 0
	for _, list := range p.resources() {
		n += len(list)
	}
	return n
}

var summary = regexp.MustCompile(`(?m)^ +(?:[+~-]+ )?([0-9]+) (created|updated|deleted|replaced|unchanged|to create|to update|to replace|to delete)\b`)

// changes returns how many resources a command made, changed, replaced and so on.
func (o outcome) changes() map[string]int {
	GinkgoHelper()
	out := map[string]int{}
	for _, m := range summary.FindAllStringSubmatch(o.text, -1) {
		out[m[2]] = must(strconv.Atoi(m[1]))
	}
	return out
}

// measured notes how long something took.
func (o outcome) measured(what string) outcome {
	took = append(took, fmt.Sprintf("%-28s %5.1f s", what, o.seconds))
	return o
}

// errors returns the lines of a command that say what went wrong.
func (o outcome) errors() []string {
	var out []string
	for _, line := range strings.Split(o.text, "\n") {
		if strings.Contains(line, "error:") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

// env is the environment that the specs deploy.
var env = resource.LocalEnvironment()

func sorted[S ~string](names ...S) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	slices.Sort(out)
	return out
}
