package shap

import "fmt"

// A CoverError tells of a tree without the covers that the expectations need.
type CoverError struct {
	Tree   int
	Reason string
}

// Error is one line that names the tree and what is wrong with its covers.
func (e *CoverError) Error() string {
	return fmt.Sprintf("explain model: tree %d: %s: the covers (sum_hessian) must be those of the training: save the model again with XGBoost", e.Tree, e.Reason)
}

// A DepthError tells of a tree that is too deep, or has too many distinct
// features on one path.
type DepthError struct {
	Tree      int
	What      string // "levels", or "distinct features on a path"
	Got, Most int
}

// Error is one line that names the tree and the limit.
func (e *DepthError) Error() string {
	return fmt.Sprintf("explain model: tree %d has %d %s, more than %d: train with a smaller max_depth", e.Tree, e.Got, e.What, e.Most)
}
