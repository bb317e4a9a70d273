// Package awserr sorts the errors of AWS's services into the classes of package
// store, and says them on one line.
package awserr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"engage/internal/store"
)

// classes are the codes by which services say the two classes.
var classes = map[string]error{
	"AccessDenied":              store.ErrDenied,
	"AccessDeniedException":     store.ErrDenied,
	"Forbidden":                 store.ErrDenied,
	"KMS.AccessDeniedException": store.ErrDenied,
	"UnauthorizedException":     store.ErrDenied,
	"NoSuchKey":                 store.ErrNotFound,
	"NoSuchBucket":              store.ErrNotFound,
	"NoSuchVersion":             store.ErrNotFound,
	"NotFound":                  store.ErrNotFound,
	"EntityNotFoundException":   store.ErrNotFound,
	"ParameterNotFound":         store.ErrNotFound,
	"ResourceNotFoundException": store.ErrNotFound,
}

// Error is an answer of a service.
type Error struct {
	Operation string // like "S3 GetObject"
	Code      string
	Message   string
	err       error
}

// Error leaves out what only AWS's support can use: ids of requests and hosts.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s: %s", e.Operation, e.Code, e.Message) }

// Unwrap returns the class, if any, and the SDK's own error.
func (e *Error) Unwrap() []error {
	if class, ok := Class(e.Code); ok {
		return []error{class, e.err}
	}
	return []error{e.err}
}

// Class returns the class of a code.
func Class(code string) (error, bool) {
	class, ok := classes[code]
	return class, ok
}

// Of returns err as an *Error if a service answered it, and else as it is.
func Of(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	e := &Error{Operation: "AWS", Code: api.ErrorCode(), Message: oneLine(api.ErrorMessage()), err: err}
	var op *smithy.OperationError
	if errors.As(err, &op) {
		e.Operation = op.ServiceID + " " + op.OperationName
	}
	return e
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
