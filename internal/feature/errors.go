package feature

import (
	"fmt"

	"engage/internal/schema"
)

// ForbiddenColumnError refuses a column that the model must not read.
type ForbiddenColumnError struct {
	Model  string
	Column schema.Name
	Role   schema.Role
	Reason string
}

// Error is one line that names the model, the column, its role and why.
func (e *ForbiddenColumnError) Error() string {
	return fmt.Sprintf("model %s must not use %s (role %s): %s", e.Model, e.Column, e.Role, e.Reason)
}

// UnknownColumnError refuses a name that the customers table does not have.
type UnknownColumnError struct {
	Model  string
	Column schema.Name
}

// Error is one line that names the model and the column.
func (e *UnknownColumnError) Error() string {
	return fmt.Sprintf("model %s reads %q, which is no column of table %s: check the name", e.Model, e.Column, schema.Customers.Name)
}

// EncodingError refuses an encoding that does not fit the column.
type EncodingError struct {
	Model    string
	Column   schema.Name
	Encoding Encoding
	Reason   string
}

// Error is one line that names the model, the column, the encoding and why.
func (e *EncodingError) Error() string {
	return fmt.Sprintf("model %s cannot encode %s as %s: %s", e.Model, e.Column, e.Encoding, e.Reason)
}

// DuplicateError refuses a second feature of the same name: the same input
// twice, or two encodings of a column that exclude each other.
type DuplicateError struct {
	Model   string
	Feature string
}

// Error is one line that names the model and the feature.
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("model %s has feature %s twice: drop one of the inputs", e.Model, e.Feature)
}

// reasons says why columns of a role are refused.
var reasons = map[schema.Role]string{
	schema.ID:        "an id identifies a row and says nothing about the next one",
	schema.Target:    "it is an outcome, not known when the model predicts",
	schema.Protected: "a protected characteristic is for fairness audits only",
	schema.Personal:  "it identifies a person",
	schema.Derived:   "the pipeline writes it after the model has run",
}
