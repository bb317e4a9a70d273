package gbdt

import (
	"fmt"
	"io"
	"strconv"
)

// MaxBytes is how long a document may be that Read accepts, 1 GiB: a model of
// 500 trees of depth 8 takes about 25 MB.
const MaxBytes = 1 << 30

// A Model is an ensemble of trees. It does not change; any number of goroutines
// may use it.
type Model struct {
	objectiveName string
	objective     objective
	names, types  []string
	features      int
	groups        int
	attributes    map[string]string
	base          []float32 // a margin for each group
	columns       []Column
	trees         []Tree
	rounds        []int // the first tree of each round, and the number of trees
}

// A Tree is a tree in arrays over its nodes, the root first, siblings side by
// side. Callers must not change what it holds.
type Tree struct {
	Group int // the output that the tree adds to
	Depth int // the most edges from the root to a leaf
	Nodes []Node
	Value []float32 // of leaves
	Cover []float32 // the sum of second derivatives of the training rows; all 0 if it was not saved
}

// A Node sends a row whose column is less than the threshold to node Left, others
// to Left+1. A leaf sends every row to itself.
type Node struct {
	Threshold float32
	Column    uint32 // index into the Columns of the model
	Left      uint32
}

// Leaf tells whether node i of the tree is a leaf.
func (t *Tree) Leaf(i int) bool { return t.Nodes[i].Left == uint32(i) }

// Read reads a model of at most MaxBytes bytes.
func Read(r io.Reader) (*Model, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	return Parse(data)
}

// Parse reads a model that XGBoost saved as JSON or UBJSON. The errors are
// *FormatError, *ModelError and *UnsupportedError.
func Parse(data []byte) (*Model, error) {
	if len(data) == 0 {
		return nil, &FormatError{Reason: "it is empty"}
	}
	if len(data) > MaxBytes {
		return nil, &FormatError{Offset: MaxBytes, Reason: "it is longer than 1 GiB"}
	}
	s, err := readSaved(open(data))
	if err != nil {
		return nil, err
	}
	return build(s)
}

// Objective is XGBoost's name of what the model was trained for.
func (m *Model) Objective() string { return m.objectiveName }

// NumFeatures is the length of a row.
func (m *Model) NumFeatures() int { return m.features }

// FeatureNames are the names of the features in the order of a row, nil if none were saved.
func (m *Model) FeatureNames() []string { return m.names }

// FeatureTypes are "float", "int", "i", "q" or "c" (categorical), nil if none were saved.
func (m *Model) FeatureTypes() []string { return m.types }

// Attribute returns an attribute that was saved with the model.
func (m *Model) Attribute(name string) (string, bool) {
	v, ok := m.attributes[name]
	return v, ok
}

// Groups is the number of margins of a row: the classes of a classifier, otherwise 1.
func (m *Model) Groups() int { return m.groups }

// Base returns the margin of a group without any tree.
func (m *Model) Base(group int) float32 { return m.base[group] }

// Trees are the trees in the order in which they are added.
func (m *Model) Trees() []Tree { return m.trees }

// Columns says how the columns that the nodes compare are made of a row.
func (m *Model) Columns() []Column { return m.columns }

// NumRounds is the number of boosting rounds.
func (m *Model) NumRounds() int { return len(m.rounds) - 1 }

// BestRound is the round that early stopping found best, and whether it was saved.
func (m *Model) BestRound() (int, bool) {
	n, err := strconv.Atoi(m.attributes["best_iteration"])
	if err != nil || n < 0 || n >= m.NumRounds() {
		return 0, false
	}
	return n, true
}

// Slice returns the model of the rounds from begin up to, not including, end.
// It shares memory with m.
func (m *Model) Slice(begin, end int) (*Model, error) {
	if begin < 0 || begin >= end || end > m.NumRounds() {
		return nil, &ModelError{
			Where:  fmt.Sprintf("rounds %d to %d", begin, end),
			Reason: fmt.Sprintf("the model has %d", m.NumRounds()),
		}
	}
	part := *m
	first := m.rounds[begin]
	part.trees = m.trees[first:m.rounds[end]]
	part.rounds = nil
	for _, r := range m.rounds[begin : end+1] {
		part.rounds = append(part.rounds, r-first)
	}
	return &part, nil
}
