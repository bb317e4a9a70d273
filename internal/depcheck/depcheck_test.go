package depcheck_test

import (
	"slices"
	"strings"
	"testing"

	"engage/internal/depcheck"
)

// pkg describes a library by its path and imports; a path that ends in /cmd or
// lies in engage/cmd is a program.
func pkg(path string, imports ...string) depcheck.Package {
	name := path[strings.LastIndex(path, "/")+1:]
	if name == "cmd" || strings.HasPrefix(path, "engage/cmd/") {
		name = "main"
	}
	return depcheck.Package{Path: path, Name: name, Imports: imports}
}

// Each case is a small module and the imports in it that the rules of engage forbid.
func TestRules(t *testing.T) {
	const (
		pulumi = "github.com/pulumi/pulumi/sdk/v3/go/pulumi"
		proto  = "github.com/pulumi/pulumi/sdk/v3/proto/go"
		cobra  = "github.com/spf13/cobra"
		s3     = "github.com/aws/aws-sdk-go-v2/service/s3"
	)
	for _, tc := range []struct {
		name     string
		packages []depcheck.Package
		want     []string // chains, without the rule
	}{
		{"a module that keeps them", []depcheck.Package{
			pkg("engage/internal/schema", "fmt"),
			pkg("engage/internal/feature", "engage/internal/schema", "encoding/json"),
			pkg("engage/internal/model/xgboost", "C", "engage/internal/feature", "math/rand/v2", "gonum.org/v1/gonum/stat"),
			pkg("engage/internal/store/s3", s3),
			pkg("engage/internal/localaws/s3", "net/http", "engage/internal/localaws/iam"),
			pkg("engage/internal/localaws/provider", proto),
			pkg("engage/lambdas/predict", "engage/internal/model/xgboost", "engage/internal/store/s3", "engage/internal/schema"),
			pkg("engage/lambdas/predict/cmd", "engage/lambdas/predict", "log/slog", s3),
			pkg("engage/infra/stack", pulumi, "engage/internal/resource", "engage/statemachine"),
			pkg("engage/cmd/engage", cobra, "engage/datagen", "engage/internal/localaws/s3", "engage/internal/csvfile"),
			pkg("engage/test/e2e", "engage/infra/stack", "testing"),
		}, nil},
		{"the contract leans on a module", []depcheck.Package{
			pkg("engage/internal/schema", "github.com/parquet-go/parquet-go"),
			pkg("engage/internal/feature", "engage/internal/frame"),
		}, []string{
			"engage/internal/schema -> github.com/parquet-go/parquet-go",
			"engage/internal/feature -> engage/internal/frame",
		}},
		{"the endpoint knows engage", []depcheck.Package{
			pkg("engage/internal/localaws/glue", "engage/internal/schema"),
		}, []string{"engage/internal/localaws/glue -> engage/internal/schema"}},
		{"a model logs and fetches", []depcheck.Package{
			pkg("engage/internal/model/als", "log/slog", s3),
		}, []string{
			"engage/internal/model/als -> " + s3,
			"engage/internal/model/als -> log/slog",
			"engage/internal/model/als -> " + s3,
		}},
		{"a handler knows the infrastructure", []depcheck.Package{
			pkg("engage/lambdas/dataprep", "engage/infra/stack"),
			pkg("engage/workers/train", "engage/internal/localaws/s3"),
		}, []string{
			"engage/lambdas/dataprep -> engage/infra/stack",
			"engage/workers/train -> engage/internal/localaws/s3",
		}},
		{"lambda and worker know each other", []depcheck.Package{
			pkg("engage/lambdas/a/cmd", "engage/workers/b"),
			pkg("engage/workers/b/cmd", "engage/lambdas/a"),
		}, []string{
			"engage/lambdas/a/cmd -> engage/workers/b",
			"engage/workers/b/cmd -> engage/lambdas/a",
		}},
		{"the generator writes files, at second hand", []depcheck.Package{
			pkg("engage/datagen", "engage/internal/graph"),
			pkg("engage/internal/graph", "engage/internal/csvfile"),
			pkg("engage/internal/csvfile", "os"),
			pkg("engage/datagen/cmd", "os", "engage/internal/csvfile"),
		}, []string{"engage/datagen -> engage/internal/graph -> engage/internal/csvfile"}},
		{"Pulumi spreads", []depcheck.Package{
			pkg("engage/internal/cost", pulumi),
			pkg("engage/internal/localaws/sfn", proto),
		}, []string{
			"engage/internal/cost -> " + pulumi,
			"engage/internal/cost -> " + pulumi,
			"engage/internal/localaws/sfn -> " + proto,
		}},
		{"infrastructure reaches inside", []depcheck.Package{
			pkg("engage/infra", "engage/internal/localaws/s3"),
		}, []string{"engage/infra -> engage/internal/localaws/s3"}},
		{"flags in a library", []depcheck.Package{
			pkg("engage/internal/dataset", cobra),
			pkg("engage/lambdas/predict/cmd", "github.com/spf13/pflag"),
		}, []string{
			"engage/internal/dataset -> " + cobra,
			"engage/lambdas/predict/cmd -> github.com/spf13/pflag",
		}},
		{"tests import the suites", []depcheck.Package{
			{Path: "engage/internal/cost", Name: "cost", TestImports: []string{"engage/test/oracles"}},
		}, []string{"engage/internal/cost -> engage/test/oracles"}},
		{"production code imports testing", []depcheck.Package{
			pkg("engage/internal/cost", "engage/internal/golden"),
		}, []string{"engage/internal/cost -> engage/internal/golden"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, v := range depcheck.Check(tc.packages, depcheck.Rules) {
				got = append(got, strings.Join(v.Chain, " -> "))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

func TestEveryRuleIsComplete(t *testing.T) {
	names := map[string]bool{}
	for _, r := range depcheck.Rules {
		if r.Name == "" || len(r.From) == 0 || len(r.Never) == 0 || names[r.Name] {
			t.Errorf("rule %+v: want a name of its own, packages and what they never import", r)
		}
		names[r.Name] = true
	}
}

func TestPatterns(t *testing.T) {
	for _, tc := range []struct {
		pattern, path string
		want          bool
	}{
		{"a.b/c/...", "a.b/c", true},
		{"a.b/c/...", "a.b/c/d/e", true},
		{"a.b/c/...", "a.b/cd", false},
		{"a.b/c", "a.b/c/d", false},
		{"...", "fmt", true},
		{"std", "net/http", true},
		{"std", "engage/internal/schema", false},
		{"std", "engagement", true},
		{"std", "golang.org/x/sync", false},
		{"std", "C", false},
	} {
		rule := depcheck.Rule{Name: "r", From: []string{"x.y/p"}, Never: []string{tc.pattern}}
		found := depcheck.Check([]depcheck.Package{pkg("x.y/p", tc.path)}, []depcheck.Rule{rule})
		if got := len(found) == 1; got != tc.want {
			t.Errorf("pattern %q, path %q: got %v", tc.pattern, tc.path, got)
		}
	}
}

// A cycle through test packages must not keep the walk from ending, and the
// shortest chain is the one that is told.
func TestDeepWalk(t *testing.T) {
	packages := []depcheck.Package{
		pkg("m/a", "m/b", "m/c"), pkg("m/b", "m/c", "m/a"), pkg("m/c", "os"),
	}
	rule := depcheck.Rule{Name: "r", From: []string{"m/a"}, Never: []string{"os"}, Deep: true}
	got := depcheck.Check(packages, []depcheck.Rule{rule})
	if len(got) != 1 || got[0].String() != "r: m/a -> m/c -> os" {
		t.Errorf("got %v", got)
	}
}

func TestCheckNames(t *testing.T) {
	packages := []depcheck.Package{
		pkg("engage/internal/utils"), pkg("engage/internal/frame"),
		{Path: "engage/internal/x", Name: "common"}, pkg("engage/internal/helpers/csv"),
	}
	got := depcheck.CheckNames(packages, depcheck.BannedNames)
	want := []string{"engage/internal/utils", "engage/internal/x", "engage/internal/helpers/csv"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
