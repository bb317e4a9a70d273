package gbdt

import "fmt"

// A FormatError tells of bytes that are not the document they should be: cut
// short, or of another format.
type FormatError struct {
	Offset int // in bytes, from the beginning
	Reason string
}

// Error is one line that names the place and what is wrong there.
func (e *FormatError) Error() string {
	return fmt.Sprintf("read model: byte %d: %s: it must be a whole model saved by XGBoost as JSON or UBJSON", e.Offset, e.Reason)
}

// A ModelError tells of a document that contradicts itself or lacks something.
type ModelError struct {
	Where  string // such as "tree 3, node 17"
	Reason string
}

// Error is one line that names the place in the model and what is wrong.
func (e *ModelError) Error() string {
	return fmt.Sprintf("model is inconsistent: %s: %s: save it again with XGBoost", e.Where, e.Reason)
}

// An UnsupportedError tells of a sound model that this package cannot score.
type UnsupportedError struct {
	What string // such as "objective"
	Name string
	Hint string
}

// Error is one line that names what is not supported and what is.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("model has %s %q, which cannot be scored here: %s", e.What, e.Name, e.Hint)
}

// A ShapeError tells of rows or results that do not fit the model.
type ShapeError struct {
	What      string
	Got, Want int
}

// Error is one line with both sizes.
func (e *ShapeError) Error() string {
	return fmt.Sprintf("%s: got %d, the model needs %d", e.What, e.Got, e.Want)
}
