package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// The exit codes.
const (
	exitOK          = 0
	exitViolations  = 1   // the data was checked and is not valid
	exitFailed      = 2   // bad use, or the work could not be done
	exitInterrupted = 130 // by a signal, as shells have it
)

// errViolations makes the exit code 1; the report has been printed by then.
var errViolations = errors.New("the data is not valid")

// streams are where a command reads and writes: data to Out, talk to Err.
type streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// terminal reports whether talk goes to a person at a terminal.
func (s streams) terminal() bool {
	f, ok := s.Err.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// say writes a line of talk.
func (s streams) say(format string, args ...any) { fmt.Fprintf(s.Err, format+"\n", args...) }

// json writes v as indented JSON.
func (s streams) json(v any) error {
	encoder := json.NewEncoder(s.Out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errViolations):
		return exitViolations
	case errors.Is(err, errRunFailed):
		s.say("engage: %s", oneLine(err))
		return exitViolations
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		s.say("engage: interrupted")
		return exitInterrupted
	default:
		s.say("engage: %s", oneLine(err))
		return exitFailed
	}
}

// oneLine joins the lines of an error, so that a script sees one line per failure.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "engage",
		Short: "Engagement prediction: customers with a known truth, and AWS on this machine",
		Long: `engage is for predicting how engaged each customer of a hybrid app (dating,
social feed, gig marketplace) will be. It makes customers whose truth is
known, checks data sets, trains models, scores and explains customers, runs an
AWS endpoint on this machine, and packs what is deployed there or on AWS.

Exit codes: 0 done; 1 the data was checked and is not valid; 2 bad use, or the
work could not be done; 130 interrupted.`,
		Example: `  engage data generate --rows 100000 --seed 1 --out .engage/data/seed-1
  engage data describe .engage/data/seed-1
  engage train --data .engage/data/seed-1 --out .engage/models/engagement/v1.0
  engage completion bash > /etc/bash_completion.d/engage`,
		Version:                    version(),
		SilenceErrors:              true, // run prints them, on one line
		SuggestionsMinimumDistance: 2,
		SilenceUsage:               true,
		Args:                       cobra.ArbitraryArgs, // needsCommand refuses them
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.RunE = needsCommand
	root.SetFlagErrorFunc(explainFlag)
	root.AddCommand(newData(s), newLocal(s), newBuild(s), newImages(s), newEnv(s), newPipeline(s), newSQL(s))
	root.AddCommand(newTrain(s), newScore(s), newFeatures(s), newExplain(s))
	return root
}

// needsCommand refuses a command line that stops short of a command, or names
// one that does not exist.
func needsCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("name a command: see \"%s --help\"", c.CommandPath())
	}
	hint := ""
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("did you mean %q? ", near[0])
	}
	return fmt.Errorf("there is no command %q: %ssee \"%s --help\"", args[0], hint, c.CommandPath())
}

// explainFlag tells what is wrong with a flag without the words of a parser.
func explainFlag(c *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	if errors.As(err, &value) {
		f := value.GetFlag()
		return fmt.Errorf("--%s takes %s, not %q: see \"%s --help\"", f.Name, kinds[f.Value.Type()], value.GetValue(), c.CommandPath())
	}
	return fmt.Errorf("%w: see \"%s --help\"", err, c.CommandPath())
}

// kinds tells what a flag of a type takes.
var kinds = map[string]string{
	"int": "a whole number, such as 1000000", "uint64": "a whole number from 0, such as 7", "bool": "true or false",
	"string": "text", "stringSlice": "a list with commas",
}

// takes checks the number of arguments; what names them, for a person.
func takes(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return fmt.Errorf("%q takes %s, not %d arguments: see \"%s --help\"", c.CommandPath(), what, len(args), c.CommandPath())
		}
		return nil
	}
}

// version tells the module's version, or the revision that was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return fmt.Sprintf("%s %.12s", info.Main.Version, setting.Value)
		}
	}
	return info.Main.Version
}
