package stack_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	awsconfig "github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"engage/infra/stack"
	"engage/internal/resource"
)

// root is the directory of the project's files.
const root = "../.."

// stackFile reads a stack's file as an engine does.
func stackFile(path string) map[string]string {
	GinkgoHelper()
	project, err := workspace.LoadProject(filepath.Join(root, "Pulumi.yaml"))
	Expect(err).NotTo(HaveOccurred())
	sink := diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: colors.Never})
	file, err := workspace.LoadProjectStack(sink, project, path)
	Expect(err).NotTo(HaveOccurred())
	values, err := file.Config.Decrypt(config.NopDecrypter)
	Expect(err).NotTo(HaveOccurred())
	out := map[string]string{}
	for key, value := range values {
		out[key.Namespace()+":"+key.Name()] = value
	}
	return out
}

// proposal is a setting that is commented out: its first word ends with a colon.
var proposal = regexp.MustCompile(`(?m)^( +)# ( *(?:- )?[A-Za-z0-9:]+:(?: .*)?)$`)

// takenIn returns a stack's file with the settings that it comments out.
func takenIn(path string) string {
	GinkgoHelper()
	text, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	whole := proposal.ReplaceAllString(string(text), "$1$2")
	Expect(whole).NotTo(Equal(string(text)))
	file := filepath.Join(GinkgoT().TempDir(), filepath.Base(path))
	Expect(os.WriteFile(file, []byte(whole), 0o600)).To(Succeed())
	return file
}

var _ = Describe("The file of a stack", func() {
	// with adds where the build is, which a test must not leave to the tree.
	with := func(values map[string]string) map[string]string {
		GinkgoHelper()
		settings := map[string]any{}
		if text := values["engage:settings"]; text != "" {
			Expect(json.Unmarshal([]byte(text), &settings)).To(Succeed())
		}
		settings["dist"] = dist()
		text, err := json.Marshal(settings)
		Expect(err).NotTo(HaveOccurred())
		values["engage:settings"] = string(text)
		return values
	}

	for _, kind := range []resource.Kind{resource.Local, resource.AWS} {
		path := filepath.Join(root, "Pulumi."+string(kind)+".yaml")

		It("can be deployed as it is: "+string(kind), func() {
			cfg, err := load(string(kind), with(stackFile(path)))
			Expect(err).NotTo(HaveOccurred())
			Expect(cfg.Kind).To(Equal(kind))
			Expect(cfg.Options).To(Equal(stack.Options{}))
		})

		It("can be deployed with everything that it proposes: "+string(kind), func() {
			cfg, err := load(string(kind), with(stackFile(takenIn(path))))
			Expect(err).NotTo(HaveOccurred())
			plain, err := load(string(kind), with(stackFile(path)))
			Expect(err).NotTo(HaveOccurred())
			plain.Dist = cfg.Dist
			Expect(cfg).NotTo(Equal(plain))
		})
	}

	It("proposes endpoints that the plugin knows", func() {
		var endpoints []map[string]string
		Expect(json.Unmarshal([]byte(stackFile(takenIn(filepath.Join(root, "Pulumi.local.yaml")))["aws:endpoints"]), &endpoints)).To(Succeed())
		known := map[string]bool{}
		for _, f := range reflect.VisibleFields(reflect.TypeFor[awsconfig.ProviderEndpoint]()) {
			known[f.Tag.Get("pulumi")] = true
		}
		Expect(endpoints).To(HaveLen(1))
		Expect(endpoints[0]).NotTo(BeEmpty())
		for name, url := range endpoints[0] {
			Expect(known).To(HaveKey(name))
			Expect(url).To(Equal("http://127.0.0.1:4566"))
		}
	})

	It("proposes an endpoint for each service of the graph", func() {
		text, err := os.ReadFile(filepath.Join(root, "Pulumi.local.yaml"))
		Expect(err).NotTo(HaveOccurred())
		for service, name := range services(kinds[resource.Local]()) {
			Expect(string(text)).To(MatchRegexp(`[ -] `+name+`: http`), "of "+service)
		}
	})
})

// services returns the services of a graph, and what the plugin calls them
// where it does not say what its modules say.
func services(g *graph) map[string]string {
	names := map[string]string{"cfg": "configservice", "vpc": "ec2", "ec2transitgateway": "ec2"}
	out := map[string]string{}
	for token := range g.tokens() {
		service, isAWS := strings.CutPrefix(strings.Split(token, "/")[0], "aws:")
		if !isAWS {
			continue
		}
		out[service] = service
		if name, ok := names[service]; ok {
			out[service] = name
		}
	}
	return out
}
