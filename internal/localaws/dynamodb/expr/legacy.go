package expr

import (
	"maps"
	"slices"

	"engage/internal/localaws/dynamodb/attr"
)

// Comparison is a condition as requests had it before there were expressions.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
type Comparison struct {
	AttributeValueList []attr.Value
	ComparisonOperator string `required:"true"`
}

// legacy says what an old operator is now, and how many values it takes (-1
// is any number but none).
var legacy = map[string]struct {
	op     string
	negate bool
	values int
}{
	"EQ": {"=", false, 1}, "NE": {"<>", false, 1}, "LT": {"<", false, 1}, "LE": {"<=", false, 1}, "GT": {">", false, 1}, "GE": {">=", false, 1},
	"NULL": {"attribute_not_exists", false, 0}, "NOT_NULL": {"attribute_exists", false, 0},
	"CONTAINS": {"contains", false, 1}, "NOT_CONTAINS": {"contains", true, 1}, "BEGINS_WITH": {BeginsWith, false, 1},
	"IN": {opIn, false, -1}, "BETWEEN": {opBetween, false, 2},
}

func (c Comparison) check() error {
	known, ok := legacy[c.ComparisonOperator]
	if !ok {
		return errorf("1 validation error detected: Value '%s' at 'comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]", c.ComparisonOperator)
	}
	for _, v := range c.AttributeValueList {
		if message := v.Check(); message != "" {
			return &Error{message}
		}
	}
	if n := len(c.AttributeValueList); n != known.values && !(known.values < 0 && n > 0) {
		return errorf("One or more parameter values were invalid: Invalid number of argument(s) for the %s ComparisonOperator", c.ComparisonOperator)
	}
	return nil
}

func (c Comparison) node(attribute string) *node {
	known := legacy[c.ComparisonOperator]
	n := &node{op: known.op, args: []*node{{op: opPath, path: Path{{Name: attribute}}}}}
	for _, v := range c.AttributeValueList {
		n.args = append(n.args, &node{op: opValue, value: v})
	}
	if known.negate {
		return &node{op: opNot, args: []*node{n}}
	}
	return n
}

// Legacy returns the condition that comparisons are, joined by "AND" (the
// default) or "OR". No comparison is no condition. Errors: *Error.
func Legacy(comparisons map[string]Comparison, join string) (*Condition, error) {
	if len(comparisons) == 0 {
		return nil, nil
	}
	root := &node{op: opAnd}
	if join == "OR" {
		root.op = opOr
	}
	for _, name := range slices.Sorted(maps.Keys(comparisons)) {
		if err := comparisons[name].check(); err != nil {
			return nil, err
		}
		root.args = append(root.args, comparisons[name].node(name))
	}
	return &Condition{root}, nil
}

// LegacyKeys returns the key conditions that comparisons are. Errors: *Error.
func LegacyKeys(comparisons map[string]Comparison) ([]KeyCondition, error) {
	if len(comparisons) == 0 || len(comparisons) > 2 {
		return nil, errorf("Conditions can be of length 1 or 2 only")
	}
	var all []KeyCondition
	for _, name := range slices.Sorted(maps.Keys(comparisons)) {
		c := comparisons[name]
		if err := c.check(); err != nil {
			return nil, err
		}
		op := legacy[c.ComparisonOperator].op
		if mirrored[op] == "" && op != BeginsWith && op != Between {
			return nil, errorf("Attempted conditional constraint is not an indexable operation")
		}
		all = append(all, KeyCondition{name, op, c.AttributeValueList})
	}
	return all, nil
}

// AttributeUpdate is a change as requests had it before there were expressions.
type AttributeUpdate struct {
	Value  *attr.Value
	Action string `enum:"ADD,PUT,DELETE"`
}

// LegacyUpdate returns the update that changes of whole attributes are. Errors: *Error.
func LegacyUpdate(changes map[string]AttributeUpdate) (*Update, error) {
	u := &Update{}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		a, err := changes[name].action(name)
		if err != nil {
			return nil, err
		}
		u.actions = append(u.actions, a)
	}
	return u, nil
}

func (c AttributeUpdate) action(name string) (action, error) {
	a := action{verb: "SET", path: Path{{Name: name}}}
	if c.Value == nil {
		if c.Action != "DELETE" {
			return a, errorf("One or more parameter values were invalid: Only DELETE action is allowed when no attribute value is specified")
		}
		a.verb = "REMOVE"
		return a, nil
	}
	if message := c.Value.Check(); message != "" {
		return a, &Error{message}
	}
	a.operand = &node{op: opValue, value: *c.Value}
	k := c.Value.Kind
	switch c.Action {
	case "DELETE":
		if !k.IsSet() {
			return a, errorf("One or more parameter values were invalid: DELETE action with value is not supported for the type %s", k)
		}
		a.verb = "DELETE"
	case "ADD":
		if !k.IsSet() && k != attr.N {
			return a, errorf("One or more parameter values were invalid: ADD action is not supported for the type %s", k)
		}
		a.verb = "ADD"
	}
	return a, nil
}
