package depcheck

// module is the path of the module that the rules are about.
const module = "engage"

// contract is the one description of names and data that everything else is derived from.
var contract = []string{"engage/internal/resource", "engage/internal/schema", "engage/internal/feature", "engage/internal/pipeline"}

// Rules are the dependency direction of engage. Rules about packages that do
// not exist hold for nothing.
var Rules = []Rule{
	{
		Name:  "the contract rests on the standard library alone",
		From:  contract,
		Never: []string{"..."},
		May:   join(contract, "std"),
	}, {
		Name:  "the embedded endpoint knows nothing of engage",
		From:  []string{"engage/internal/localaws/..."},
		Never: []string{"engage/..."},
		May:   []string{"engage/internal/localaws/..."},
		Mains: true,
		Deep:  true,
	}, {
		Name:  "models are pure: features, data and numerics",
		From:  []string{"engage/internal/model/..."},
		Never: []string{"..."},
		May: []string{"std", "C", "engage/internal/model/...", "engage/internal/feature", "engage/internal/schema",
			"engage/internal/frame", "engage/internal/graph", "gonum.org/v1/gonum/...", "github.com/sjwhitworth/golearn/..."},
	}, {
		Name:  "models do no logging and no network",
		From:  []string{"engage/internal/model/..."},
		Never: []string{"log/...", "net/...", "github.com/aws/..."},
		Deep:  true,
	}, {
		Name:  "handlers and workers use models, stores, queries and the contract",
		From:  []string{"engage/lambdas/...", "engage/workers/..."},
		Never: []string{"engage/..."},
		May: join(contract, "engage/lambdas/...", "engage/workers/...", "engage/internal/model/...",
			"engage/internal/store/...", "engage/internal/query/...", "engage/internal/agent/...", "engage/internal/frame",
			"engage/internal/dataset", "engage/internal/parquetfile", "engage/internal/csvfile"),
	}, {
		Name:  "lambdas and workers do not know each other",
		From:  []string{"engage/lambdas/..."},
		Never: []string{"engage/workers/..."},
		Mains: true,
		Deep:  true,
	}, {
		Name:  "workers and lambdas do not know each other",
		From:  []string{"engage/workers/..."},
		Never: []string{"engage/lambdas/..."},
		Mains: true,
		Deep:  true,
	}, {
		Name: "the generator writes nothing: adapters are handed its rows",
		From: []string{"engage/datagen/..."},
		Never: []string{"os/...", "net/...", "log/...", "engage/internal/dataset/...", "engage/internal/csvfile/...",
			"engage/internal/parquetfile/...", "engage/internal/store/...", "engage/cmd/..."},
		Deep: true,
	}, {
		Name:  "state machines are built from the contract",
		From:  []string{"engage/statemachine/..."},
		Never: []string{"engage/..."},
		May:   join(contract, "engage/statemachine/..."),
	}, {
		Name:  "infrastructure is built from state machines and the contract",
		From:  []string{"engage/infra/..."},
		Never: []string{"engage/..."},
		May:   join(contract, "engage/infra/...", "engage/statemachine/..."),
		Mains: true,
	}, {
		Name:   "only infrastructure uses Pulumi's SDK",
		From:   []string{"engage/..."},
		Except: []string{"engage/infra/..."},
		Never:  []string{"github.com/pulumi/..."},
		// The provider speaks Pulumi's wire protocol, checked by the next rule.
		May:   []string{"github.com/pulumi/pulumi/sdk/v3/proto/..."},
		Mains: true,
	}, {
		Name:   "only the endpoint's provider speaks Pulumi's protocol",
		From:   []string{"engage/..."},
		Except: []string{"engage/infra/...", "engage/internal/localaws/provider/..."},
		Never:  []string{"github.com/pulumi/..."},
		Mains:  true,
	}, {
		Name:   "only the command line knows flags",
		From:   []string{"engage/..."},
		Except: []string{"engage/cmd/..."},
		Never:  []string{"github.com/spf13/cobra/...", "github.com/spf13/pflag/..."},
		Mains:  true,
	}, {
		Name:   "nothing imports the test suites",
		From:   []string{"engage/..."},
		Except: []string{"engage/test/..."},
		Never:  []string{"engage/test/..."},
		Mains:  true,
		Tests:  true,
	}, {
		Name:   "only tests use testing and goldens",
		From:   []string{"engage/..."},
		Except: []string{"engage/internal/golden", "engage/test/..."},
		Never:  []string{"engage/internal/golden", "testing"},
		Mains:  true,
	},
}

// BannedNames are names of packages that say nothing about what is in them.
var BannedNames = []string{"util", "utils", "common", "helper", "helpers", "misc", "shared"}

func join(paths []string, more ...string) []string {
	return append(append([]string(nil), paths...), more...)
}
