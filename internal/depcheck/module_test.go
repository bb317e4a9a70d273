package depcheck_test

import (
	"slices"
	"testing"

	"engage/internal/depcheck"
)

func TestModuleKeepsDirection(t *testing.T) {
	packages, err := depcheck.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	known := func(path string) bool {
		return slices.ContainsFunc(packages, func(p depcheck.Package) bool { return p.Path == path })
	}
	for _, path := range []string{"engage/internal/depcheck", "engage/internal/resource", "engage/internal/schema"} {
		if !known(path) {
			t.Fatalf("the list of %d packages lacks %s", len(packages), path)
		}
	}
	for _, v := range depcheck.Check(packages, depcheck.Rules) {
		t.Error(v)
	}
	for _, path := range depcheck.CheckNames(packages, depcheck.BannedNames) {
		t.Errorf("%s: name the package after what it holds", path)
	}
}

func TestLoadOutsideOfAModule(t *testing.T) {
	if packages, err := depcheck.Load(t.TempDir()); err == nil {
		t.Errorf("got %v, want an error", packages)
	}
}
