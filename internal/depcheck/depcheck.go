// Package depcheck keeps the dependency direction between the packages of a
// module: a table of rules, checked against what the packages import.
package depcheck

import (
	"fmt"
	"slices"
	"strings"
)

// Package is what the rules need to know of a Go package.
type Package struct {
	Path        string
	Name        string   // "main" for a program
	Imports     []string // imports of the code itself
	TestImports []string // imports of its tests, inside and outside of the package
}

// Rule forbids imports. Patterns are import paths, in which a trailing "/..."
// stands for the path itself and everything below it. "..." alone is every
// package and "std" is the standard library.
type Rule struct {
	Name   string   // what the rule says, in one line
	From   []string // the packages that the rule is about
	Except []string // the packages among them that it leaves alone
	Never  []string // what they must not import
	May    []string // what, among that, they may import all the same

	Mains bool // hold for programs too, which otherwise may wire anything
	Tests bool // hold for imports of tests too
	Deep  bool // hold for what is reached through other packages of the module too
}

// Violation is one import that a rule forbids.
type Violation struct {
	Rule  string
	Chain []string // from the package that the rule is about to what it must not import
}

// String returns the violation on one line.
func (v Violation) String() string {
	return fmt.Sprintf("%s: %s", v.Rule, strings.Join(v.Chain, " -> "))
}

// Check returns every violation of the rules, in the order of rules and packages.
func Check(packages []Package, rules []Rule) []Violation {
	byPath := make(map[string]Package, len(packages))
	for _, p := range packages {
		byPath[p.Path] = p
	}
	var violations []Violation
	for _, r := range rules {
		for _, p := range packages {
			if !r.about(p) {
				continue
			}
			for _, chain := range r.forbidden(p, byPath) {
				violations = append(violations, Violation{r.Name, chain})
			}
		}
	}
	return violations
}

func (r Rule) about(p Package) bool {
	if p.Name == "main" && !r.Mains {
		return false
	}
	return matchAny(r.From, p.Path) && !matchAny(r.Except, p.Path)
}

// forbidden returns the shortest chain to each import that p must not have.
func (r Rule) forbidden(p Package, byPath map[string]Package) [][]string {
	imports := p.Imports
	if r.Tests {
		imports = append(slices.Clone(imports), p.TestImports...)
	}
	var found [][]string
	queue := chains(nil, p.Path, imports)
	seen := map[string]bool{p.Path: true}
	for len(queue) > 0 {
		chain := queue[0]
		queue = queue[1:]
		last := chain[len(chain)-1]
		if seen[last] {
			continue
		}
		seen[last] = true
		if matchAny(r.Never, last) && !matchAny(r.May, last) {
			found = append(found, chain)
		} else if r.Deep {
			queue = append(queue, chains(chain[:len(chain)-1], last, byPath[last].Imports)...)
		}
	}
	return found
}

// chains returns prefix, from and one of the imports, for each import.
func chains(prefix []string, from string, imports []string) [][]string {
	out := make([][]string, len(imports))
	for i, to := range imports {
		out[i] = append(slices.Clone(prefix), from, to)
	}
	return out
}

// CheckNames returns the packages whose name, or the name of a folder above
// them, is banned.
func CheckNames(packages []Package, banned []string) []string {
	var found []string
	for _, p := range packages {
		names := append(strings.Split(p.Path, "/"), p.Name)
		if slices.ContainsFunc(names, func(n string) bool { return slices.Contains(banned, n) }) {
			found = append(found, p.Path)
		}
	}
	return found
}

func matchAny(patterns []string, importPath string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, importPath) })
}

func match(pattern, importPath string) bool {
	switch {
	case pattern == "...":
		return true
	case pattern == "std":
		return standard(importPath)
	}
	if root, ok := strings.CutSuffix(pattern, "/..."); ok {
		return importPath == root || strings.HasPrefix(importPath, root+"/")
	}
	return importPath == pattern
}

// standard reports whether the path is of the standard library: the first
// element of every module that can be fetched has a dot. cgo's "C" is not.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".") && first != module && first != "C"
}
