package intrinsic

import (
	"fmt"

	"engage/internal/localaws/asl/jsonpath"
)

// Env is what a call reads from outside: documents, and randomness, which is injected.
type Env interface {
	// Resolve reads a path from the document that it starts from.
	Resolve(*jsonpath.Path) (any, error)
	// Uint64 is a source of random numbers for States.UUID and an unseeded States.MathRandom.
	Uint64() uint64
}

// Error says that a function could not be applied: States.IntrinsicFailure.
// A path that cannot be read is not one of these; it is returned as the Env gave it.
type Error struct {
	Call string
	Err  error
}

func (e *Error) Error() string {
	return fmt.Sprintf("The function '%s' had the following error: %s", e.Call, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// function is one intrinsic: how many arguments it takes (max < 0: any number) and what it does.
type function struct {
	min, max int
	run      runner
}

type runner func(env Env, args []any) (any, error)

// Eval evaluates the call, inner calls first.
func (c *Call) Eval(env Env) (any, error) {
	args := make([]any, len(c.args))
	for i, a := range c.args {
		v, err := a.eval(env, c.name == "States.Format" && i == 0)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	v, err := c.run(env, args)
	if err != nil {
		return nil, &Error{Call: c.text, Err: err}
	}
	return v, nil
}

func (a *argument) eval(env Env, template bool) (any, error) {
	switch {
	case a.path != nil:
		return env.Resolve(a.path)
	case a.call != nil:
		return a.call.Eval(env)
	case template && a.raw != "":
		return a.raw, nil
	}
	return a.literal, nil
}
