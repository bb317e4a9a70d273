package wire

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is what a service answers when it refuses a call. It is rendered in
// the form of the protocol that the call came by.
type Error struct {
	Code    string // AWS's name of the error: "NoSuchBucket"
	Message string
	Status  int            // HTTP status; the default is 400 (500 for a Receiver's fault)
	Fault   Fault          // whose fault it is
	Fields  map[string]any // further members of the error's structure
	Header  http.Header    // further headers of the answer

	// QueryCode is the name that the error had when its service still spoke
	// the query protocol (SQS): sent in x-amzn-query-error.
	QueryCode string

	kind   kind
	access *Access // what was refused, for an AccessDenied
	cause  error
}

// Fault says who has to change something for the call to succeed.
type Fault int

const (
	Sender   Fault = iota // the caller
	Receiver              // this endpoint
)

// String returns the fault as the query protocol spells it.
func (f Fault) String() string {
	if f == Receiver {
		return "Receiver"
	}
	return "Sender"
}

// Error returns code and message on one line.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap returns what the error was made from, which a caller over the wire
// never sees.
func (e *Error) Unwrap() error { return e.cause }

// Because returns the error with its cause, for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// With returns the error with one more member.
func (e *Error) With(name string, value any) *Error {
	c := *e
	c.Fields = map[string]any{name: value}
	for k, v := range e.Fields {
		if k != name {
			c.Fields[k] = v
		}
	}
	return &c
}

// Errorf returns a caller's error with status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

// StatusErrorf is Errorf with another status.
func StatusErrorf(status int, code, format string, args ...any) *Error {
	e := Errorf(code, format, args...)
	e.Status = status
	if status >= 500 {
		e.Fault = Receiver
	}
	return e
}

// AsError returns err as an *Error; what is none becomes InternalFailure.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return InternalFailure(err)
}

// IsCode reports whether err is an *Error with this code.
func IsCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
