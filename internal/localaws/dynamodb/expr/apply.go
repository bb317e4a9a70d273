package expr

import (
	"cmp"
	"slices"

	"engage/internal/localaws/dynamodb/attr"
)

// The errors of updates that do not fit the item.
var (
	errType    = errorf("An operand in the update expression has an incorrect data type")
	errPath    = errorf("The document path provided in the update expression is invalid for update")
	errMissing = errorf("The provided expression refers to an attribute that does not exist in the item")
)

// Apply returns the item changed. All operands are those of the item before.
// Errors: *Error.
func (u *Update) Apply(old attr.Item) (attr.Item, error) {
	item := old.Clone()
	actions := slices.Clone(u.actions)
	// An index is that of the list before the update, so what removes elements
	// comes last, from the end of lists; what appends goes by its index.
	slices.SortStableFunc(actions, func(a, b action) int {
		if (a.verb == "REMOVE") != (b.verb == "REMOVE") {
			return cmp.Compare(boolean(a.verb == "REMOVE"), boolean(b.verb == "REMOVE"))
		}
		order := cmp.Compare(a.path[len(a.path)-1].Index, b.path[len(b.path)-1].Index)
		if a.verb == "REMOVE" {
			return -order
		}
		return order
	})
	for _, a := range actions {
		if err := a.apply(old, item); err != nil {
			return nil, errorf("%s", err.Error()) // of a number, too
		}
	}
	return item, nil
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (a action) apply(old, item attr.Item) error {
	now, there := a.path.Find(item)
	switch a.verb {
	case "REMOVE":
		return change(item, a.path, nil)
	case "SET":
		v, err := a.operand.evaluate(old)
		if err != nil {
			return err
		}
		return change(item, a.path, &v)
	case "ADD":
		v, err := added(now, there, a.operand.value)
		if err != nil {
			return err
		}
		return change(item, a.path, &v)
	}
	if !there {
		return nil
	}
	return a.deleteFrom(item, now)
}

// evaluate returns what SET sets.
func (n *node) evaluate(item attr.Item) (attr.Value, error) {
	switch n.op {
	case opValue:
		return n.value, nil
	case opPath:
		v, there := n.path.Find(item)
		if !there {
			return v, errMissing
		}
		return v, nil
	case "if_not_exists":
		if v, there := n.args[0].path.Find(item); there {
			return v, nil
		}
		return n.args[1].evaluate(item)
	}
	left, err := n.args[0].evaluate(item)
	if err != nil {
		return left, err
	}
	right, err := n.args[1].evaluate(item)
	if err != nil {
		return right, err
	}
	return combine(n.op, left, right)
}

func combine(op string, left, right attr.Value) (attr.Value, error) {
	want := attr.N
	if op == "list_append" {
		want = attr.L
	}
	if left.Kind != want || right.Kind != want {
		return attr.Value{}, errType
	}
	switch op {
	case "+":
		return attr.Add(left, right)
	case "-":
		return attr.Subtract(left, right)
	}
	return attr.Value{Kind: attr.L, List: slices.Concat(left.List, right.List)}, nil
}

// added is a number more, or the union with a set.
func added(now attr.Value, there bool, v attr.Value) (attr.Value, error) {
	switch {
	case !there:
		return v, nil
	case now.Kind != v.Kind:
		return v, errType
	case v.Kind == attr.N:
		return attr.Add(now, v)
	}
	union := slices.Clone(now.Set)
	for _, m := range v.Set {
		if !slices.Contains(now.Set, m) {
			union = append(union, m)
		}
	}
	return attr.Value{Kind: v.Kind, Set: union}, nil
}

// deleteFrom takes members out of a set; an empty set is no attribute.
func (a action) deleteFrom(item attr.Item, now attr.Value) error {
	v := a.operand.value
	if now.Kind != v.Kind {
		return errType
	}
	rest := slices.DeleteFunc(slices.Clone(now.Set), func(m string) bool { return slices.Contains(v.Set, m) })
	if len(rest) == 0 {
		return change(item, a.path, nil)
	}
	return change(item, a.path, &attr.Value{Kind: v.Kind, Set: rest})
}

// change sets what a path leads to, or removes it. The item is the caller's own.
func change(item attr.Item, path Path, v *attr.Value) error {
	if len(path) == 1 {
		setMember(item, path[0].Name, v)
		return nil
	}
	parent, there := item[path[0].Name]
	if !there {
		return errPath
	}
	parent, err := changeIn(parent, path[1:], v)
	if err != nil {
		return err
	}
	item[path[0].Name] = parent
	return nil
}

func setMember(m attr.Item, name string, v *attr.Value) {
	if v == nil {
		delete(m, name)
		return
	}
	m[name] = *v
}

// changeIn returns the container with the change made inside of it.
func changeIn(container attr.Value, path Path, v *attr.Value) (attr.Value, error) {
	step := path[0]
	if step.Name != "" && container.Kind != attr.M || step.Name == "" && container.Kind != attr.L {
		return container, errPath
	}
	if len(path) > 1 {
		child, there := step.of(container)
		if !there {
			return container, errPath
		}
		child, err := changeIn(child, path[1:], v)
		if err != nil {
			return container, err
		}
		v = &child
	}
	if step.Name != "" {
		setMember(container.Map, step.Name, v)
		return container, nil
	}
	container.List = setElement(container.List, step.Index, v)
	return container, nil
}

// setElement sets or removes an element; an index beyond the end appends.
func setElement(list []attr.Value, at int, v *attr.Value) []attr.Value {
	switch {
	case v == nil && at < len(list):
		return slices.Delete(list, at, at+1)
	case v == nil:
		return list
	case at < len(list):
		list[at] = *v
		return list
	}
	return append(list, *v)
}
