package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// awkward has what shells give a meaning to.
const awkward = `it's a "$(touch x)" \ back\'slash; ` + "`id`\n*"

// A shell that evaluates what is printed has the values, byte for byte.
func TestShellsTakeValuesAsTheyAre(t *testing.T) {
	dir := t.TempDir()
	for shell, write := range shells {
		program, err := exec.LookPath(shell)
		if err != nil {
			t.Logf("%s is not installed", shell)
			continue
		}
		c := exec.Command(program, "-c", `eval "$SCRIPT"; printenv VALUE`)
		if shell == "fish" {
			c = exec.Command(program, "-c", `eval $SCRIPT; printenv VALUE`)
		}
		c.Dir, c.Env = dir, append(os.Environ(), "SCRIPT="+write(variable{name: "VALUE", value: awkward}))
		if out, err := c.CombinedOutput(); err != nil || string(out) != awkward+"\n" {
			t.Errorf("%s has %q, %v; want %q", shell, out, err, awkward)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("a value ran: %v", entries)
	}
	for line, want := range map[string]string{
		shells["fish"](variable{name: "V", value: `a'b\c`}):              `set -gx V 'a\'b\\c'`,
		shells["fish"](variable{name: "PATH", value: "a:b", list: true}): `set -gx --path PATH 'a:b'`,
	} {
		if line != want {
			t.Errorf("%s, want %s", line, want)
		}
	}
}

func TestEnv(t *testing.T) {
	t.Setenv(homeVar, filepath.Join(t.TempDir(), "a 'home'"))
	if code, out, talk := command(t, "env"); code != exitFailed || out != "" || !strings.Contains(talk, `no endpoint is running; start one with "engage local up"`) {
		t.Errorf("without an endpoint: exit code %d, %q, %q", code, out, talk)
	}
	dir, config := serving(t)
	if code, _, talk := command(t, "env", "--dir", dir, "--shell", "csh"); code != exitFailed || !strings.Contains(talk, "sh or fish") {
		t.Errorf("another shell: exit code %d, %q", code, talk)
	}
	t.Setenv("AWS_SESSION_TOKEN", "of another account")
	t.Setenv("PATH", os.Getenv("PATH")+":"+testDir(t))
	vars := map[string]string{}
	code, out, _ := command(t, "env", "--dir", dir, "--json")
	if err := json.Unmarshal([]byte(out), &vars); code != exitOK || err != nil {
		t.Fatalf("exit code %d, %v: %s", code, err, out)
	}
	if vars["AWS_ENDPOINT_URL"] != *config.BaseEndpoint || vars["AWS_SESSION_TOKEN"] != "" || !strings.HasPrefix(vars["PULUMI_DEBUG_PROVIDERS"], "aws:") {
		t.Errorf("the variables are %v", vars)
	}
	if want := "file://" + filepath.Join(os.Getenv(homeVar), "pulumi"); vars["PULUMI_BACKEND_URL"] != want {
		t.Errorf("the backend is %s, want %s", vars["PULUMI_BACKEND_URL"], want)
	}
	if list := filepath.SplitList(vars["PATH"]); list[0] != testDir(t) || slices.Contains(list[1:], testDir(t)) {
		t.Errorf("PATH is %s", vars["PATH"])
	}
	_, script, _ := command(t, "env", "--dir", dir)
	for name, value := range vars { // what a shell makes of the script is what JSON says
		c := exec.Command("sh", "-c", script+"\nprintenv "+name)
		if got, err := c.CombinedOutput(); err != nil || string(got) != value+"\n" {
			t.Errorf("%s is %q, %v; want %q", name, got, err, value)
		}
	}
}

// A passphrase that is set is never replaced.
func TestEnvKeepsAPassphrase(t *testing.T) {
	dir, _ := serving(t)
	for name, want := range map[string]string{"": localPassphrase, "PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_CONFIG_PASSPHRASE_FILE": ""} {
		vars, err := environment(dir, func(asked string) (string, bool) { return "mine", asked == name })
		if got := byName(vars)["PULUMI_CONFIG_PASSPHRASE"]; err != nil || got != want {
			t.Errorf("with %q set, it is %q, %v; want %q", name, got, err, want)
		}
		if name == "" && !slices.Contains(slices.Collect(maps.Keys(byName(vars))), "PATH") {
			t.Error("without PATH, there is none")
		}
	}
}

// testDir is the directory of the program that runs.
func testDir(t *testing.T) string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(program)
}
