package gbdt

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxFeatures bounds what a document may claim, so that a damaged number does
// not ask for all memory; maxGroups the same.
const (
	maxFeatures = 1 << 24
	maxGroups   = 1 << 16
)

// build checks a document and makes the model.
func build(s *saved) (*Model, error) {
	if !s.learner {
		return nil, &ModelError{Where: "document", Reason: `it has no "learner", so it is no model of XGBoost's`}
	}
	m := &Model{objectiveName: s.objective, names: s.names, types: s.types, attributes: s.attributes}
	for _, step := range []func(*saved) error{m.setKind, m.setSizes, m.setBase, m.setTrees, m.setRounds} {
		if err := step(s); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// setKind chooses booster and objective.
func (m *Model) setKind(s *saved) error {
	switch s.booster {
	case "gbtree":
	case "":
		return &ModelError{Where: "gradient_booster", Reason: "it has no name"}
	default:
		return &UnsupportedError{What: "booster", Name: s.booster, Hint: "only gbtree is; train with booster=gbtree"}
	}
	o, ok := objectives[s.objective]
	if !ok {
		return &UnsupportedError{What: "objective", Name: s.objective, Hint: "its link is not known"}
	}
	m.objective = o
	return nil
}

// number reads a whole number that a document holds as text.
func number(texts map[string]string, where, key string, absent, most int) (int, error) {
	text, ok := texts[key]
	if !ok {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, &ModelError{Where: where, Reason: fmt.Sprintf("%s is %q, not a number from 0 to %d", key, text, most)}
	}
	return n, nil
}

// setSizes takes the number of features and of groups.
func (m *Model) setSizes(s *saved) (err error) {
	const where = "learner_model_param"
	if m.features, err = number(s.params, where, "num_feature", 0, maxFeatures); err != nil {
		return err
	}
	if m.features == 0 {
		return &ModelError{Where: where, Reason: "num_feature is missing or 0"}
	}
	classes, err := number(s.params, where, "num_class", 0, maxGroups)
	if err != nil {
		return err
	}
	targets, err := number(s.params, where, "num_target", 1, maxGroups)
	if err != nil {
		return err
	}
	m.groups = max(classes, 1) * max(targets, 1)
	if m.groups > maxGroups {
		return &ModelError{Where: where, Reason: fmt.Sprintf("%d classes of %d targets", classes, targets)}
	}
	for _, list := range []struct {
		name string
		n    int
	}{{"feature_names", len(s.names)}, {"feature_types", len(s.types)}} {
		if list.n != 0 && list.n != m.features {
			return &ModelError{Where: list.name, Reason: fmt.Sprintf("%d of %d features", list.n, m.features)}
		}
	}
	return nil
}

// setBase takes the base score: one number, or since 3.1 a list in brackets,
// for all groups or for each.
func (m *Model) setBase(s *saved) error {
	text := s.params["base_score"]
	fields := strings.Split(strings.Trim(text, "[]"), ",")
	if len(fields) != 1 && len(fields) != m.groups {
		return &ModelError{Where: "base_score", Reason: fmt.Sprintf("%d numbers for %d groups", len(fields), m.groups)}
	}
	m.base = make([]float32, m.groups)
	for g := range m.base {
		v, err := strconv.ParseFloat(strings.TrimSpace(fields[min(g, len(fields)-1)]), 32)
		if err != nil {
			return &ModelError{Where: "base_score", Reason: fmt.Sprintf("%q is no number", text)}
		}
		m.base[g] = m.objective.margin(float32(v))
		if !finite(m.base[g]) {
			return &ModelError{Where: "base_score", Reason: fmt.Sprintf("%q has no margin under %s", text, s.objective)}
		}
	}
	return nil
}

func finite(x float32) bool { return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) }

// setTrees checks and flattens each tree.
func (m *Model) setTrees(s *saved) error {
	n, err := number(s.model, "gbtree_model_param", "num_trees", len(s.trees), math.MaxInt32)
	if err != nil {
		return err
	}
	if n != len(s.trees) || len(s.treeClass) != n {
		return &ModelError{Where: "trees", Reason: fmt.Sprintf("%d trees and %d classes of trees where %d are announced", len(s.trees), len(s.treeClass), n)}
	}
	columns := newColumns(m.features)
	for i := range s.trees {
		group := int(s.treeClass[i])
		if group < 0 || group >= m.groups {
			return &ModelError{Where: fmt.Sprintf("tree %d", i), Reason: fmt.Sprintf("it is of class %d of %d", group, m.groups)}
		}
		t, err := flatten(i, &s.trees[i], columns)
		if err != nil {
			return err
		}
		t.Group = group
		m.trees = append(m.trees, t)
	}
	m.columns = columns.list
	return nil
}

// setRounds finds which trees belong to a round: what iteration_indptr says, or
// num_parallel_tree trees for each group.
func (m *Model) setRounds(s *saved) error {
	if len(s.indptr) > 0 {
		return m.setRoundsFrom(s.indptr)
	}
	parallel, err := number(s.model, "gbtree_model_param", "num_parallel_tree", 1, math.MaxInt32)
	if err != nil {
		return err
	}
	step := max(parallel, 1) * m.groups
	if len(m.trees)%step != 0 {
		return &ModelError{Where: "trees", Reason: fmt.Sprintf("%d trees are no whole number of rounds of %d", len(m.trees), step)}
	}
	for i := 0; i <= len(m.trees); i += step {
		m.rounds = append(m.rounds, i)
	}
	return nil
}

func (m *Model) setRoundsFrom(indptr []int32) error {
	for i, at := range indptr {
		if at < 0 || int(at) > len(m.trees) || i == 0 && at != 0 || i > 0 && at < indptr[i-1] {
			return &ModelError{Where: "iteration_indptr", Reason: fmt.Sprintf("%d does not fit %d trees", at, len(m.trees))}
		}
		m.rounds = append(m.rounds, int(at))
	}
	if m.rounds[len(m.rounds)-1] != len(m.trees) {
		return &ModelError{Where: "iteration_indptr", Reason: fmt.Sprintf("it does not end with %d trees", len(m.trees))}
	}
	return nil
}
