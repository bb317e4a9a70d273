// Package function holds the functions of Pulumi's AWS package that a program
// calls while it declares its graph: who and where it is, and policy documents.
package function

import (
	"context"
	"fmt"

	"engage/internal/localaws/provider/value"
)

// Function answers a call. Errors: *ArgumentError for arguments that cannot be
// taken.
type Function func(ctx context.Context, args value.Map) (value.Map, error)

// Table is every function by its token, "aws:index/getRegion:getRegion".
type Table map[string]Function

// ArgumentError is an argument that cannot be taken.
type ArgumentError struct{ Name, Reason string }

func (e *ArgumentError) Error() string { return e.Name + ": " + e.Reason }

// NotKnownError is a function that the table does not hold.
type NotKnownError struct{ Token string }

func (e *NotKnownError) Error() string {
	return fmt.Sprintf("function %s is not supported by the embedded endpoint; docs/unsupported.md lists those that are, and the official plugin has all of them", e.Token)
}

// Find returns the function of a token. Errors: *NotKnownError.
func (t Table) Find(token string) (Function, error) {
	f, ok := t[token]
	if !ok {
		return nil, &NotKnownError{Token: token}
	}
	return f, nil
}
