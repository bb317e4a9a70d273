package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"engage/internal/localaws/daemon"
	"engage/internal/resource"
)

// Variables that say where this program keeps things.
const (
	homeVar    = "ENGAGE_DIR" // directory of all state; the default is .engage
	defaultDir = ".engage"
)

// home is the directory of all state.
func home() string { return cmp.Or(os.Getenv(homeVar), defaultDir) }

// localPassphrase encrypts the secrets of a stack on the embedded endpoint where
// no passphrase is set. It is no secret: whoever reads that state reads the
// endpoint's own beside it.
const localPassphrase = "local"

// variable is an environment variable to set.
type variable struct {
	name, value string
	list        bool // directories, as in PATH
}

func newEnv(s streams) *cobra.Command {
	var dir, shell string
	var asJSON bool
	c := &cobra.Command{
		Use:   "env",
		Short: "Print what a shell needs to run pulumi and AWS's tools against the endpoint",
		Long: `Print assignments of the environment variables that point pulumi, the AWS SDKs and
the AWS CLI at the embedded endpoint that runs. A passphrase that is set is kept;
otherwise one is set that is no secret, for stacks on this machine only.`,
		Example: `  eval "$(bin/engage env)"
  bin/engage env --shell fish | source`,
		Args: takes(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			write, ok := shells[shell]
			if !ok {
				return fmt.Errorf("--shell %q: want sh or fish", shell)
			}
			vars, err := environment(dir, os.LookupEnv)
			if err != nil {
				return err
			}
			if asJSON {
				return s.json(byName(vars))
			}
			for _, v := range vars {
				if _, err := fmt.Fprintln(s.Out, write(v)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", filepath.Join(home(), "local"), "directory of the endpoint's state")
	c.Flags().StringVar(&shell, "shell", "sh", "syntax: sh or fish")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = c.MarkFlagDirname("dir")
	return c
}

// environment returns the variables for the endpoint of a directory. Errors:
// daemon.ErrNotRunning.
func environment(dir string, lookup func(string) (string, bool)) ([]variable, error) {
	info, err := daemon.Find(dir)
	if err != nil {
		return nil, err
	}
	if info.Provider == 0 {
		return nil, fmt.Errorf("the endpoint in %s does not speak Pulumi's protocol: stop it with \"engage local down\" and start it again", dir)
	}
	state, err := filepath.Abs(home())
	if err != nil {
		return nil, fmt.Errorf("find the state's directory: %w", err)
	}
	vars := []variable{
		{name: "PULUMI_BACKEND_URL", value: "file://" + filepath.ToSlash(filepath.Join(state, "pulumi"))},
		{name: "PULUMI_HOME", value: filepath.Join(state, "pulumi-home")},
		{name: "PULUMI_DEBUG_PROVIDERS", value: fmt.Sprintf("aws:%d", info.Provider)},
		{name: "PULUMI_SKIP_UPDATE_CHECK", value: "true"},
		{name: "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", value: "true"},
		{name: "AWS_ENDPOINT_URL", value: info.URL},
		{name: "AWS_ACCESS_KEY_ID", value: "test"},
		{name: "AWS_SECRET_ACCESS_KEY", value: "test"},
		{name: "AWS_REGION", value: resource.LocalEnvironment().Region},
		{name: "AWS_DEFAULT_REGION", value: resource.LocalEnvironment().Region}, // the AWS CLI reads no other
		{name: "AWS_EC2_METADATA_DISABLED", value: "true"},
	}
	if set(lookup, "AWS_SESSION_TOKEN") { // of another account's session, which would be sent with this key
		vars = append(vars, variable{name: "AWS_SESSION_TOKEN"})
	}
	if !set(lookup, "PULUMI_CONFIG_PASSPHRASE") && !set(lookup, "PULUMI_CONFIG_PASSPHRASE_FILE") {
		vars = append(vars, variable{name: "PULUMI_CONFIG_PASSPHRASE", value: localPassphrase})
	}
	path, err := programs(lookup)
	return append(vars, path), err
}

func set(lookup func(string) (string, bool), name string) bool {
	_, ok := lookup(name)
	return ok
}

// programs puts this program's directory first, where the tools that were built
// with it are.
func programs(lookup func(string) (string, bool)) (variable, error) {
	program, err := os.Executable()
	if err != nil {
		return variable{}, fmt.Errorf("find this program: %w", err)
	}
	bin, path := filepath.Dir(program), ""
	if path, _ = lookup("PATH"); path != "" {
		rest := slices.DeleteFunc(filepath.SplitList(path), func(dir string) bool { return dir == bin })
		path = strings.Join(append([]string{bin}, rest...), string(filepath.ListSeparator))
	}
	return variable{name: "PATH", value: cmp.Or(path, bin), list: true}, nil
}

// shells write a variable so that the shell takes its value as it is.
var shells = map[string]func(variable) string{
	"sh": func(v variable) string {
		return "export " + v.name + "='" + strings.ReplaceAll(v.value, "'", `'\''`) + "'"
	},
	"fish": func(v variable) string {
		quoted := "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v.value) + "'"
		if v.list {
			return "set -gx --path " + v.name + " " + quoted
		}
		return "set -gx " + v.name + " " + quoted
	},
}

func byName(vars []variable) map[string]string {
	out := make(map[string]string, len(vars))
	for _, v := range vars {
		out[v.name] = v.value
	}
	return out
}
