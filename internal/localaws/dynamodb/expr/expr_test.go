package expr_test

import (
	"encoding/json"
	"strings"
	"testing"

	"engage/internal/localaws/dynamodb/attr"
	"engage/internal/localaws/dynamodb/expr"
)

func read[T any](t testing.TB, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func item(t testing.TB, text string) attr.Item { return read[attr.Item](t, text) }

const (
	names  = `{"#n":"name","#y":"year","#dot":"a.b"}`
	values = `{":s":{"S":"b"},":n":{"N":"5"},":m":{"N":"7"},":l":{"L":[{"N":"1"}]},":ss":{"SS":["x","y"]},":b":{"B":"AQ=="},":t":{"S":"SS"},":true":{"BOOL":true},":map":{"M":{}}}`
)

func scope(t testing.TB) *expr.Scope {
	t.Helper()
	s, err := expr.NewScope(read[map[string]string](t, names), item(t, values))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const movie = `{"a":{"N":"5"},"s":{"S":"abc"},"name":{"S":"b"},"l":{"L":[{"N":"1"},{"S":"two"},{"M":{"k":{"N":"9"}}}]},
	"m":{"M":{"x":{"N":"5"},"y":{"M":{"z":{"S":"deep"}}}}},"ss":{"SS":["x","y","z"]},"ns":{"NS":["5","6"]},"t":{"BOOL":true},"a.b":{"S":"dotted"},"b":{"B":"AQI="}}`

func TestConditions(t *testing.T) {
	it := item(t, movie)
	for text, want := range map[string]bool{
		"a = :n": true, "a <> :n": false, "absent <> :n": true, "absent = :n": false, "absent < :n": false, "a < :m": true, "a >= :n": true, ":m > a": true,
		"s > :n": false, "#n = :s": true, "m.x = :n": true, "l[0] < :n": true, "l[9] < :n": false, "l[2].k > :m": true, "#dot <> :s": true,
		"a BETWEEN :n AND :m": true, "l[0] between :n and :m": false, "a IN (:m, :n)": true, "a in (:m)": false,
		"attribute_exists(m.y.z)": true, "attribute_exists(m.q)": false, "attribute_not_exists(m.q)": true, "attribute_type(ss, :t)": true, "attribute_type(a, :t)": false,
		"begins_with(s, #n)": false, "begins_with(b, :b)": true, "contains(s, :s)": true, "contains(ss, :s)": false, "contains(ns, a)": true, "contains(l, l[1])": true,
		"size(s) > size(l)": false, "size(s) < :n": true, "size(ss) < :n AND NOT size(absent) > :n": true, "NOT a = :n": false, "NOT (a = :m) AND a = :n": true,
		"a = :m OR a = :n AND t = :true": true, "(a = :m OR a = :n) AND t = :true": true, "a = :n AND a = :m OR t = :true": true, "not not a = :n": true, "(a) = (:n)": true,
	} {
		c, err := scope(t).Condition("ConditionExpression", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := c.Holds(it); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

// The words are those of AWS; those of syntax errors are as published in reports of its users.
func TestWhatConditionsAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "The expression can not be empty;",
		"a":                               `Syntax error; token: "<EOF>", near: "a"`,
		"a = = :n":                        `Syntax error; token: "=", near: "= = :n"`,
		"a = :n b":                        `Syntax error; token: "b", near: ":n b"`,
		"a-b = :n":                        `Syntax error; token: "-", near: "a-b"`,
		"_a = :n":                         `Syntax error; token: "_", near: "_a"`,
		"a[x] = :n":                       `Syntax error; token: "x", near: "[x]"`,
		"(a = :n) = :n":                   `Syntax error; token: "=", near: ") = :n"`,
		"((a = :n))":                      "The expression has redundant parentheses;",
		"size(a)":                         "The function is not allowed to be used this way in an expression; function: size",
		"begins_with(s, :s) = :n":         "The function is not allowed to be used this way in an expression; function: begins_with",
		"foo(a)":                          "Invalid function name; function: foo",
		"status = :n":                     "Attribute name is a reserved keyword; reserved keyword: status",
		"m.Name = :n":                     "Attribute name is a reserved keyword; reserved keyword: Name",
		"#q = :n":                         "An expression attribute name used in the document path is not defined; attribute name: #q",
		"a = :q":                          "An expression attribute value used in expression is not defined; attribute value: :q",
		"contains(a)":                     "Incorrect number of operands for operator or function; operator or function: contains, number of operands: 1",
		"a = a":                           "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]",
		"attribute_exists(:n)":            "Operator or function requires a document path; operator or function: attribute_exists",
		"begins_with(a, :n)":              "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
		"attribute_type(a, :s)":           "Invalid attribute type name found; type: b, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
		"a < :ss":                         "Incorrect operand type for operator or function; operator or function: <, operand type: SS",
		"a BETWEEN :m AND :n":             "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:7}, upper bound operand: AttributeValue: {N:5}",
		"a BETWEEN :s AND :n":             "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {N:5}",
		strings.Repeat("a = :n OR ", 500): "Expression size has exceeded the maximum allowed size; expression size: 5000",
	} {
		_, err := scope(t).Condition("FilterExpression", text)
		if err == nil || err.Error() != "Invalid FilterExpression: "+want {
			t.Errorf("%.40s: got %v, want %s", text, err, want)
		}
	}
}

func TestUpdates(t *testing.T) {
	for text, want := range map[string]string{
		"SET c = :n":                            `{"a":{"N":"5"},"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]},"m":{"M":{"x":{"N":"1"}}},"ss":{"SS":["x","z"]},"c":{"N":"5"}}`,
		"set a = a + :n, c = a - :m":            `{"a":{"N":"10"},"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]},"m":{"M":{"x":{"N":"1"}}},"ss":{"SS":["x","z"]},"c":{"N":"-2"}}`,
		"SET a = if_not_exists(q, :m) + a":      `{"a":{"N":"12"},"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]},"m":{"M":{"x":{"N":"1"}}},"ss":{"SS":["x","z"]}}`,
		"SET l = list_append(:l, l) REMOVE m.x": `{"a":{"N":"5"},"l":{"L":[{"N":"1"},{"N":"1"},{"N":"2"},{"N":"3"}]},"m":{"M":{}},"ss":{"SS":["x","z"]}}`,
		"REMOVE l[0], l[2], a SET l[1] = :n":    `{"l":{"L":[{"N":"5"}]},"m":{"M":{"x":{"N":"1"}}},"ss":{"SS":["x","z"]}}`,
		"SET l[9] = :n, l[7] = :m, m.#y = l[0]": `{"a":{"N":"5"},"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"},{"N":"7"},{"N":"5"}]},"m":{"M":{"x":{"N":"1"},"year":{"N":"1"}}},"ss":{"SS":["x","z"]}}`,
		"ADD a :n, c :m, ss :ss DELETE m :ss":   "",
		"ADD a :n, c :m, ss :ss":                `{"a":{"N":"10"},"c":{"N":"7"},"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]},"m":{"M":{"x":{"N":"1"}}},"ss":{"SS":["x","y","z"]}}`,
		"DELETE ss :ss, q :ss":                  `{"a":{"N":"5"},"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]},"m":{"M":{"x":{"N":"1"}}},"ss":{"SS":["z"]}}`,
	} {
		const start = `{"a":{"N":"5"},"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]},"m":{"M":{"x":{"N":"1"}}},"ss":{"SS":["x","z"]}}`
		old, before := item(t, start), item(t, start)
		u, err := scope(t).Update("UpdateExpression", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := u.Apply(old)
		if want == "" {
			if err == nil {
				t.Errorf("%s: no error", text)
			}
		} else if err != nil || !got.Equal(item(t, want)) {
			t.Errorf("%s: got %v %v", text, got, err)
		}
		if !old.Equal(before) {
			t.Errorf("%s changed the old item", text)
		}
	}
}

func TestWhatUpdatesAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"INVALID SYNTAX HERE":        `Syntax error; token: "INVALID", near: "INVALID SYNTAX"`,
		"ADD hits : incr":            `Syntax error; token: ":", near: "hits : incr"`,
		"SET a = :n,":                `Syntax error; token: "<EOF>", near: ","`,
		"SET a = :n SET c = a":       `The "SET" section can only be used once in an update expression;`,
		"SET a = :n, a.x = :m":       "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, x]",
		"SET a.x = :n, a[0] = :m":    "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, x], path two: [a, [0]]",
		"SET a = plus(:n)":           "Invalid function name; function: plus",
		"SET a = a + :s":             "Incorrect operand type for operator or function; operator or function: +, operand type: S",
		"SET a = list_append(a, :n)": "Incorrect operand type for operator or function; operator or function: list_append, operand type: N",
		"ADD a :s":                   "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND",
		"DELETE a :n":                "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
	} {
		_, err := scope(t).Update("UpdateExpression", text)
		if err == nil || err.Error() != "Invalid UpdateExpression: "+want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"SET q = nope":              "The provided expression refers to an attribute that does not exist in the item",
		"SET q.r = :n":              "The document path provided in the update expression is invalid for update",
		"SET a.r = :n":              "The document path provided in the update expression is invalid for update",
		"SET a = s + :n":            "An operand in the update expression has an incorrect data type",
		"ADD s :n":                  "An operand in the update expression has an incorrect data type",
		"SET a = list_append(a, l)": "An operand in the update expression has an incorrect data type",
	} {
		u, err := scope(t).Update("UpdateExpression", text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if _, err := u.Apply(item(t, movie)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestProjections(t *testing.T) {
	for text, want := range map[string]string{
		"a, #n":              `{"a":{"N":"5"},"name":{"S":"b"}}`,
		"m.y.z, m.q, absent": `{"m":{"M":{"y":{"M":{"z":{"S":"deep"}}}}}}`,
		"l[2].k, l[0], l[7]": `{"l":{"L":[{"N":"1"},{"M":{"k":{"N":"9"}}}]}}`,
		"a.x, s[0]":          `{}`,
	} {
		p, err := scope(t).Projection("ProjectionExpression", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := p.Of(item(t, movie)); !got.Equal(item(t, want)) {
			t.Errorf("%s: got %v", text, got)
		}
	}
	if _, err := scope(t).Projection("ProjectionExpression", "a, a"); err == nil {
		t.Error("a path was taken twice")
	}
}

func TestKeyConditions(t *testing.T) {
	got, err := scope(t).KeyConditions("KeyConditionExpression", ":n > a AND (begins_with(#n, :s))")
	if err != nil || len(got) != 2 || got[0].Name != "a" || got[0].Op != "<" || got[1].Name != "name" || got[1].Op != expr.BeginsWith {
		t.Errorf("got %+v %v", got, err)
	}
	for text, want := range map[string]string{
		"a = :n OR s = :s":   "Invalid operator used in KeyConditionExpression: OR",
		"NOT a = :n":         "Invalid operator used in KeyConditionExpression: NOT",
		"a <> :n":            "Invalid operator used in KeyConditionExpression: <>",
		"contains(a, :s)":    "Invalid operator used in KeyConditionExpression: contains",
		"a = s":              "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
		"m.x = :n":           "KeyConditionExpressions cannot have conditions on nested attributes",
		"size(a) = :n":       "KeyConditionExpressions cannot contain nested operations",
		":n = :m":            "Invalid condition in KeyConditionExpression: No key attribute specified",
		"a = :n AND a > :m":  "KeyConditionExpressions must only contain one condition per key",
		"begins_with(:s, s)": "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand",
	} {
		if _, err := scope(t).KeyConditions("KeyConditionExpression", text); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestUnusedPlaceholdersAreRefused(t *testing.T) {
	s, err := expr.NewScope(map[string]string{"#a": "a", "#b": "b"}, attr.Item{":v": attr.String("x"), ":w": attr.String("x")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Condition("ConditionExpression", "#a = :v"); err != nil {
		t.Fatal(err)
	}
	if err := s.Finish("ConditionExpression"); err == nil || err.Error() != "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}" {
		t.Errorf("got %v", err)
	}
	s, _ = expr.NewScope(nil, attr.Item{":v": attr.String("x")})
	if err := s.Finish("UpdateExpression", "ConditionExpression"); err == nil ||
		err.Error() != "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and ConditionExpression are null" {
		t.Errorf("got %v", err)
	}
}

func TestLegacyConditions(t *testing.T) {
	for text, want := range map[string]bool{
		`{"a":{"ComparisonOperator":"EQ","AttributeValueList":[{"N":"5"}]}}`:                                             true,
		`{"a":{"ComparisonOperator":"BETWEEN","AttributeValueList":[{"N":"6"},{"N":"9"}]}}`:                              false,
		`{"q":{"ComparisonOperator":"NULL"},"s":{"ComparisonOperator":"NOT_CONTAINS","AttributeValueList":[{"S":"q"}]}}`: true,
	} {
		c, err := expr.Legacy(read[map[string]expr.Comparison](t, text), "")
		if err != nil || c.Holds(item(t, movie)) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := expr.Legacy(map[string]expr.Comparison{"a": {ComparisonOperator: "EQ"}}, ""); err == nil {
		t.Error("EQ without a value was accepted")
	}
}

func FuzzExpressions(f *testing.F) {
	for _, seed := range []string{"a = :n AND NOT (size(l[0].k) > :m OR #n IN (:s, :n))", "SET a = if_not_exists(q, :n) + :m, l[3] = list_append(l, :l) REMOVE m.x ADD ss :ss DELETE ss :ss", "a, l[0].x, #n", "((a", "l[99999999999999999999]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		it := item(t, movie)
		before := it.Clone()
		if c, err := scope(t).Condition("x", text); err == nil {
			c.Holds(it)
		}
		if p, err := scope(t).Projection("x", text); err == nil {
			p.Of(it)
		}
		if u, err := scope(t).Update("x", text); err == nil {
			_, _ = u.Apply(it)
		}
		_, _ = scope(t).KeyConditions("x", text)
		if !it.Equal(before) {
			t.Fatalf("%q changed the item", text)
		}
	})
}
