package function

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"

	"engage/internal/localaws/provider/value"
)

// policyDocument writes statements as a policy.
// https://www.pulumi.com/registry/packages/aws/api-docs/iam/getpolicydocument/
func policyDocument(_ context.Context, args value.Map) (value.Map, error) {
	for _, name := range []string{"sourcePolicyDocuments", "overridePolicyDocuments", "sourceJson", "overrideJson"} {
		if value.String(args, name) != "" || len(value.List(args, name)) > 0 {
			return nil, &ArgumentError{name, "merging documents is not supported by the embedded endpoint; write all statements in one"}
		}
	}
	version := value.String(args, "version")
	if version == "" {
		version = "2012-10-17"
	}
	doc := value.Map{"Version": version}
	if id := value.String(args, "policyId"); id != "" {
		doc["Id"] = id
	}
	var list []any
	for i, raw := range value.List(args, "statements") {
		m, ok := raw.(value.Map)
		if !ok {
			return nil, &ArgumentError{fmt.Sprintf("statements[%d]", i), "a statement is an object"}
		}
		st, err := statement(m)
		if err != nil {
			return nil, &ArgumentError{fmt.Sprintf("statements[%d]", i), err.Error()}
		}
		list = append(list, st)
	}
	doc["Statement"] = list
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, err
	}
	flat, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	return value.Merge(args, value.Map{"id": fmt.Sprintf("%d", crc32.ChecksumIEEE(text)), "json": string(text), "minifiedJson": string(flat)}), nil
}

func statement(m value.Map) (value.Map, error) {
	st := value.Map{"Effect": "Allow"}
	if e := value.String(m, "effect"); e != "" {
		st["Effect"] = e
	}
	if sid := value.String(m, "sid"); sid != "" {
		st["Sid"] = sid
	}
	for from, to := range map[string]string{"actions": "Action", "notActions": "NotAction", "resources": "Resource", "notResources": "NotResource"} {
		if list := value.Strings(m, from); len(list) > 0 {
			st[to] = oneOrMany(list)
		}
	}
	for from, to := range map[string]string{"principals": "Principal", "notPrincipals": "NotPrincipal"} {
		if list := value.List(m, from); len(list) > 0 {
			st[to] = principals(list)
		}
	}
	if list := value.List(m, "conditions"); len(list) > 0 {
		conditions, err := conditionsOf(list)
		if err != nil {
			return nil, err
		}
		st["Condition"] = conditions
	}
	return st, nil
}

// oneOrMany writes a list of one as the string itself, and sorts longer ones, as
// the official plugin does.
func oneOrMany(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	sorted := slices.Clone(list)
	slices.Sort(sorted)
	return value.FromStrings(sorted)
}

func principals(list []any) any {
	out := value.Map{}
	for _, raw := range list {
		m, _ := raw.(value.Map)
		kind, ids := value.String(m, "type"), value.Strings(m, "identifiers")
		if kind == "*" && slices.Equal(ids, []string{"*"}) {
			return "*"
		}
		out[kind] = oneOrMany(ids)
	}
	return out
}

func conditionsOf(list []any) (value.Map, error) {
	out := value.Map{}
	for _, raw := range list {
		m, _ := raw.(value.Map)
		test, variable := value.String(m, "test"), value.String(m, "variable")
		if test == "" || variable == "" {
			return nil, fmt.Errorf("a condition has no test or no variable")
		}
		tests, ok := out[test].(value.Map)
		if !ok {
			tests = value.Map{}
			out[test] = tests
		}
		tests[variable] = oneOrMany(value.Strings(m, "values"))
	}
	return out, nil
}
