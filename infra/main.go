// Command infra is engage's Pulumi program: it declares the whole AWS graph. Run
// it with "pulumi up --stack local", or "--stack aws".
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/constant"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/infra/stack"
)

func main() {
	var said error
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		if said = apart(func() error { return deploy(ctx) }); said != nil {
			_ = ctx.Log.Error(oneLine(said), nil) // without an engine there is nobody to tell
		}
		return said
	})
	if err != nil {
		if said == nil { // it came out later, of a resource that was being made
			fmt.Fprintln(os.Stderr, oneLine(err))
		}
		os.Exit(constant.ExitStatusLoggedError)
	}
}

// apart runs f on a call stack of its own. Pulumi keeps the callers of every
// declaration in the state and writes the state before and after each step: those
// that are not this program's tell only where Go is installed, and were a third
// of what is written.
func apart(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return <-done
}

func deploy(ctx *pulumi.Context) error {
	cfg, err := stack.Load(ctx)
	if err != nil {
		return err
	}
	out, err := stack.Deploy(ctx, cfg)
	if err != nil {
		return err
	}
	out.Export(ctx)
	return nil
}

// oneLine writes an error, which may be of several, on one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
