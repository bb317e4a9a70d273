package lambda

import (
	"errors"
	"time"

	"engage/internal/localaws/lambda/code"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// function is what is kept of a function.
type function struct {
	Account, Region, Name string
	Settings              settings
	Code                  code.Package
	Architecture          string
	Modified              time.Time
	Revision              string
	ActiveAt              time.Time // end of Pending
	UpdatedAt             time.Time // end of InProgress
	Reserved              *int
	Statements            []statement
	Async                 *asyncConfig
	Tags                  map[string]string
}

var functions = state.NewCollection[function]("lambda/functions")

func (f *function) key() string { return state.Key(f.Account, f.Region, f.Name) }

func (f *function) arn() string {
	return "arn:aws:lambda:" + f.Region + ":" + f.Account + ":function:" + f.Name
}

func (f *function) memory() int { return *f.Settings.MemorySize }

func (f *function) timeout() time.Duration { return time.Duration(*f.Settings.Timeout) * time.Second }

func (f *function) logGroup() string {
	if c := f.Settings.LoggingConfig; c != nil && c.LogGroup != "" {
		return c.LogGroup
	}
	return "/aws/lambda/" + f.Name
}

func (f *function) jsonLogs() bool {
	return f.Settings.LoggingConfig != nil && f.Settings.LoggingConfig.LogFormat == "JSON"
}

// get returns a function or AWS's error.
func get(tx state.Tx, r ref) (function, error) {
	f, err := functions.Get(tx, r.key())
	if errors.Is(err, state.ErrNotFound) {
		return f, notFound("Function not found: %s", r.arn())
	}
	return f, err
}

// lookup finds the function that a call names.
func (s *Service) lookup(c wire.Caller, name, qualifier string) (f function, err error) {
	r, err := parseRef(c, name, qualifier)
	if err != nil {
		return f, err
	}
	err = s.cfg.Store.View(func(tx state.Tx) error {
		f, err = get(tx, r)
		return err
	})
	return f, err
}

// change changes what is kept of a function. A revision that is given must be
// the current one.
func (s *Service) change(c wire.Caller, name, revision string, change func(*function) error) (f function, err error) {
	r, err := parseRef(c, name, "")
	if err != nil {
		return f, err
	}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		if f, err = get(tx, r); err != nil {
			return err
		}
		if revision != "" && revision != f.Revision {
			return lambdaError(412, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
		}
		if err := change(&f); err != nil {
			return err
		}
		f.Revision = newUUID()
		return functions.Put(tx, f.key(), f)
	})
	return f, err
}

// lambdaError is an error with the members that Lambda's errors have.
func lambdaError(status int, errorCode, format string, args ...any) *wire.Error {
	e := wire.StatusErrorf(status, errorCode, format, args...)
	return e.With("Type", "User").With("Message", e.Message)
}

func notFound(format string, args ...any) error {
	return lambdaError(404, "ResourceNotFoundException", format, args...)
}

func invalid(format string, args ...any) error {
	return lambdaError(400, "InvalidParameterValueException", format, args...)
}

func conflict(format string, args ...any) error {
	return lambdaError(409, "ResourceConflictException", format, args...)
}
