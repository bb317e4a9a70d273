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
	Version               string    // a published version's number; "" is $LATEST
	Published             int       // number of the version that was published last

	// What follows is kept with $LATEST, and holds for all versions.
	Reserved     *int
	Policies     map[string][]statement // by qualifier; "" is the function's own
	EventConfigs map[string]asyncConfig // by qualifier, $LATEST for none
	Tags         map[string]string

	qualifier string // that it was named with; "" for none
}

const latest = "$LATEST"

var functions = state.NewCollection[function]("lambda/functions")

func (f *function) key() string { return state.Key(f.Account, f.Region, f.Name) }

func (f *function) arn() string {
	return "arn:aws:lambda:" + f.Region + ":" + f.Account + ":function:" + f.Name
}

// qualifiedARN names the function as the caller did.
func (f *function) qualifiedARN() string {
	return ref{f.Account, f.Region, f.Name, f.qualifier}.arn()
}

// version is the number of what runs, or $LATEST.
func (f *function) version() string { return orDefault(f.Version, latest) }

// async says how events are worked on that were sent with the function's
// qualifier, nil for AWS's defaults.
func (f *function) async() *asyncConfig {
	if a, ok := f.EventConfigs[orDefault(f.qualifier, latest)]; ok {
		return &a
	}
	return nil
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

// get returns what is kept of a function, whatever the qualifier, or AWS's error.
func get(tx state.Tx, r ref) (function, error) {
	f, err := functions.Get(tx, r.key())
	if errors.Is(err, state.ErrNotFound) {
		return f, notFound("Function not found: %s", r.arn())
	}
	return f, err
}

// lookup finds the function that a call names; an alias is its first version.
func (s *Service) lookup(c wire.Caller, name, qualifier string) (function, error) {
	return s.find(c, name, qualifier, alias.primary)
}

func (s *Service) find(c wire.Caller, name, qualifier string, choose func(alias) string) (f function, err error) {
	r, err := parseRef(c, name, qualifier)
	if err != nil {
		return f, err
	}
	err = s.cfg.Store.View(func(tx state.Tx) error {
		f, err = resolve(tx, r, choose)
		return err
	})
	return f, err
}

// change changes what is kept of a function. A revision that is given must be
// the current one.
func (s *Service) change(c wire.Caller, name, revision string, change func(*function) error) (function, error) {
	return s.edit(c, name, revision, func(_ state.Tx, f *function) error { return change(f) })
}

// edit is change with the transaction.
func (s *Service) edit(c wire.Caller, name, revision string, edit func(state.Tx, *function) error) (f function, err error) {
	r, err := parseRef(c, name, "")
	if err != nil {
		return f, err
	}
	if r.qualifier != "" && r.qualifier != latest {
		return f, unqualifiedOnly()
	}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		if f, err = get(tx, r); err != nil {
			return err
		}
		if err := checkRevision(revision, f.Revision); err != nil {
			return err
		}
		if err := edit(tx, &f); err != nil {
			return err
		}
		f.Revision = newUUID()
		return functions.Put(tx, f.key(), f)
	})
	return f, err
}

// checkRevision refuses a change that was made for another state of things.
func checkRevision(given, current string) error {
	if given == "" || given == current {
		return nil
	}
	return lambdaError(412, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
}

func unqualifiedOnly() error {
	return invalid("This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.")
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
