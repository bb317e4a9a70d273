package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"engage/internal/dataset"
)

// command runs a command line and returns its exit code, data and talk.
func command(t *testing.T, args ...string) (code int, out, talk string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	return code, stdout.String(), stderr.String()
}

// generated makes a small data set.
func generated(t *testing.T, more ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if code, _, talk := command(t, append([]string{"data", "generate", "--rows", "1500", "--out", dir}, more...)...); code != exitOK {
		t.Fatalf("generate: exit code %d: %s", code, talk)
	}
	return dir
}

func TestGenerateDescribeValidate(t *testing.T) {
	dir := generated(t)
	code, out, talk := command(t, "data", "validate", dir)
	if code != exitOK || !strings.Contains(out, "valid") || talk != "" {
		t.Errorf("validate: exit code %d, %q, %q", code, out, talk)
	}
	code, out, _ = command(t, "data", "describe", dir)
	for _, want := range []string{"1,500 customers", "engagement_score", "customers.parquet", "avg_daily_logins"} {
		if code != exitOK || !strings.Contains(out, want) {
			t.Errorf("describe: exit code %d, %q is not in it:\n%s", code, want, out)
		}
	}
}

// With --json, data is one JSON document on standard output.
func TestJSON(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	code, out, talk := command(t, "data", "generate", "--rows", "1500", "--seed", "9", "--out", dir, "--json", "--defects")
	var m dataset.Manifest
	if err := json.Unmarshal([]byte(out), &m); code != exitOK || err != nil || m.Seed != 9 || m.Rows != 1500 {
		t.Errorf("generate --json: exit code %d, error %v, manifest %+v", code, err, m)
	}
	if !strings.Contains(talk, "wrote 1,500 customers") {
		t.Errorf("generate --json says %q on standard error", talk)
	}
	var report dataset.Report
	code, out, _ = command(t, "data", "validate", dir, "--json")
	if err := json.Unmarshal([]byte(out), &report); code != exitViolations || err != nil || report.Violations == 0 {
		t.Errorf("validate --json of faulty data: exit code %d, error %v, %d violations", code, err, report.Violations)
	}
	code, out, _ = command(t, "data", "validate", dir, "--samples", "1")
	if code != exitViolations || !strings.Contains(out, "violations of") {
		t.Errorf("validate of faulty data: exit code %d, %q", code, out)
	}
	var d dataset.Description
	code, out, _ = command(t, "data", "describe", dir, "--json")
	if err := json.Unmarshal([]byte(out), &d); code != exitOK || err != nil || d.Manifest.Seed != 9 {
		t.Errorf("describe --json: exit code %d, error %v", code, err)
	}
	var columns []map[string]any
	code, out, _ = command(t, "data", "describe", "--json")
	if err := json.Unmarshal([]byte(out), &columns); code != exitOK || err != nil || len(columns) < 50 {
		t.Errorf("describe --json without a directory: exit code %d, error %v, %d columns", code, err, len(columns))
	}
}

// Bad use is told in one line that says what to do, with exit code 2, and
// leaves nothing behind.
func TestBadUse(t *testing.T) {
	work := t.TempDir()
	file := filepath.Join(work, "file")
	foreign := filepath.Join(work, "foreign.csv")
	truncated := filepath.Join(work, "customers.parquet")
	whole, err := os.ReadFile(filepath.Join(generated(t), dataset.CustomersParquet))
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string][]byte{file: []byte("x"), foreign: []byte("a,b\n1,2\n"), truncated: whole[:len(whole)/2]} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(work, "out")
	tests := map[string]struct {
		args []string
		want string // in the line
	}{
		"no command":          {[]string{}, "--help"},
		"half a command":      {[]string{"data"}, "--help"},
		"unknown command":     {[]string{"data", "invent"}, "invent"},
		"unknown flag":        {[]string{"data", "generate", "--out", out, "--cows", "3"}, "--cows"},
		"no directory":        {[]string{"data", "generate"}, "out"},
		"a typing error":      {[]string{"data", "generat"}, "generate"},
		"too many arguments":  {[]string{"data", "generate", "more"}, "no arguments"},
		"no format":           {[]string{"data", "generate", "--out", out, "--format", ""}, "csv, parquet"},
		"negative workers":    {[]string{"data", "generate", "--out", out, "--workers", "-4"}, "workers"},
		"no samples":          {[]string{"data", "validate", work, "--samples", "0"}, "samples"},
		"two paths":           {[]string{"data", "validate", work, work}, "one path"},
		"port out of range":   {[]string{"local", "serve", "--dir", out, "--port", "70000"}, "65535"},
		"no rows":             {[]string{"data", "generate", "--out", out, "--rows", "0"}, "want 1 to"},
		"negative rows":       {[]string{"data", "generate", "--out", out, "--rows", "-7"}, "want 1 to"},
		"rows as a word":      {[]string{"data", "generate", "--out", out, "--rows", "many"}, "many"},
		"unknown format":      {[]string{"data", "generate", "--out", out, "--format", "xlsx"}, "csv, parquet"},
		"not empty":           {[]string{"data", "generate", "--out", work, "--rows", "10"}, "--force"},
		"a file, no dir":      {[]string{"data", "generate", "--out", filepath.Join(file, "x"), "--rows", "10"}, "director"},
		"validate nothing":    {[]string{"data", "validate", filepath.Join(work, "missing")}, "does not exist"},
		"validate a stranger": {[]string{"data", "validate", foreign}, "foreign.csv"},
		"validate half":       {[]string{"data", "validate", truncated}, "truncated"},
		"validate no set":     {[]string{"data", "validate", t.TempDir()}, "dataset.json"},
		"describe nothing":    {[]string{"data", "describe", filepath.Join(work, "missing")}, "missing"},
	}
	for name, tt := range tests {
		code, data, talk := command(t, tt.args...)
		line := strings.TrimSuffix(talk, "\n")
		if code != exitFailed || data != "" {
			t.Errorf("%s: exit code %d, standard output %q", name, code, data)
		}
		if !strings.HasPrefix(line, "engage: ") || strings.Contains(line, "\n") || !strings.Contains(line, tt.want) {
			t.Errorf("%s: said %q, want one line with %q", name, line, tt.want)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("bad use made the output directory")
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, talk bytes.Buffer
	dir := filepath.Join(t.TempDir(), "data")
	code := run(ctx, []string{"data", "generate", "--out", dir}, streams{In: strings.NewReader(""), Out: &out, Err: &talk})
	if code != exitInterrupted || !strings.Contains(talk.String(), "interrupted") {
		t.Errorf("exit code %d, said %q", code, talk.String())
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the directory is left")
	}
}

func TestHelpAndCompletion(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"data", "generate", "--help"}, {"completion", "bash"}, {"--version"}} {
		if code, out, _ := command(t, args...); code != exitOK || out == "" {
			t.Errorf("%v: exit code %d, %d bytes", args, code, len(out))
		}
	}
	if _, out, _ := command(t, "data", "generate", "--help"); !strings.Contains(out, "Examples:") {
		t.Error("help has no examples")
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", -123: "-123"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %q, want %q", n, got, want)
		}
	}
}
