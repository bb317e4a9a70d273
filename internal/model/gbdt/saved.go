package gbdt

// saved is what a document says, as it says it.
type saved struct {
	learner    bool // present
	version    []int32
	objective  string
	booster    string
	attributes map[string]string
	names      []string
	types      []string
	params     map[string]string // of learner_model_param
	model      map[string]string // of gbtree_model_param
	treeClass  []int32
	indptr     []int32
	trees      []savedTree
}

// savedTree is one tree in parallel arrays over its nodes.
type savedTree struct {
	params      map[string]string
	left, right []int32
	index       []int32
	condition   []float32
	cover       []float32
	defaultLeft []int32
	splitType   []int32
	categories  []int32
	catNodes    []int32
	catSegments []int32
	catSizes    []int32
}

// readSaved reads a whole document.
func readSaved(d document) (*saved, error) {
	s := &saved{}
	err := d.object(func(key string) error {
		switch key {
		case "learner":
			s.learner = true
			return s.readLearner(d)
		case "version":
			return into(&s.version, d.ints)
		}
		return d.skip()
	})
	if err != nil {
		return nil, err
	}
	return s, d.end()
}

// into replaces an array by what read finds.
func into[T any](to *[]T, read func([]T) ([]T, error)) error {
	v, err := read(nil)
	*to = v
	return err
}

func (s *saved) readLearner(d document) error {
	return d.object(func(key string) (err error) {
		switch key {
		case "objective":
			s.objective, err = readNamed(d, nil)
		case "gradient_booster":
			s.booster, err = readNamed(d, func(key string) error { return s.readBooster(d, key) })
		case "attributes":
			s.attributes, err = readTexts(d)
		case "learner_model_param":
			s.params, err = readTexts(d)
		case "feature_names":
			s.names, err = readList(d)
		case "feature_types":
			s.types, err = readList(d)
		default:
			err = d.skip()
		}
		return err
	})
}

// readNamed reads an object for its name and hands the other members on.
func readNamed(d document, member func(key string) error) (name string, err error) {
	err = d.object(func(key string) (err error) {
		switch {
		case key == "name":
			name, err = d.text()
			return err
		case member != nil:
			return member(key)
		}
		return d.skip()
	})
	return name, err
}

func readTexts(d document) (map[string]string, error) {
	texts := map[string]string{}
	err := d.object(func(key string) (err error) {
		texts[key], err = d.text()
		return err
	})
	return texts, err
}

func readList(d document) (list []string, err error) {
	err = d.array(func() error {
		s, err := d.text()
		list = append(list, s)
		return err
	})
	return list, err
}

func (s *saved) readBooster(d document, key string) error {
	if key != "model" {
		return d.skip()
	}
	return d.object(func(key string) (err error) {
		switch key {
		case "gbtree_model_param":
			s.model, err = readTexts(d)
		case "tree_info":
			err = into(&s.treeClass, d.ints)
		case "iteration_indptr":
			err = into(&s.indptr, d.ints)
		case "trees":
			err = d.array(func() error { return s.readTree(d) })
		default:
			err = d.skip()
		}
		return err
	})
}

func (s *saved) readTree(d document) error {
	var t savedTree
	err := d.object(func(key string) (err error) {
		switch key {
		case "tree_param":
			t.params, err = readTexts(d)
		case "split_conditions":
			err = into(&t.condition, d.floats)
		case "sum_hessian":
			err = into(&t.cover, d.floats)
		default:
			if to := t.integers(key); to != nil {
				return into(to, d.ints)
			}
			err = d.skip()
		}
		return err
	})
	s.trees = append(s.trees, t)
	return err
}

// integers returns where an array of whole numbers belongs, nil for a key that
// scoring does not need.
func (t *savedTree) integers(key string) *[]int32 {
	switch key {
	case "left_children":
		return &t.left
	case "right_children":
		return &t.right
	case "split_indices":
		return &t.index
	case "default_left":
		return &t.defaultLeft
	case "split_type":
		return &t.splitType
	case "categories":
		return &t.categories
	case "categories_nodes":
		return &t.catNodes
	case "categories_segments":
		return &t.catSegments
	case "categories_sizes":
		return &t.catSizes
	}
	return nil
}
