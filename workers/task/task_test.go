package task_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"engage/internal/resource"
	"engage/workers/task"
)

// environment is what a task's container is told, with changes.
func environment(changes map[resource.EnvVar]string) func(string) string {
	values := resource.LocalEnvironment().Buckets()
	values[resource.RunIDVar], values[resource.ModelVersionVar] = "run-7", "v1.2"
	values[resource.DatasetVar], values[resource.SeedVar], values[resource.BatchSizeVar] = "landing/seed-1/", "18446744073709551615", "5000"
	for name, v := range changes {
		values[name] = v
	}
	return func(name string) string { return values[resource.EnvVar(name)] }
}

func TestRead(t *testing.T) {
	s, err := task.Read(environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	if s.RunID != "run-7" || s.Version != (resource.Version{Major: 1, Minor: 2}) || s.Seed != 1<<64-1 || s.BatchRows != 5000 ||
		s.Model != resource.EngagementModel || s.Dataset != "landing/seed-1/" || s.Buckets[resource.Data] != "engagement-data" {
		t.Errorf("%+v", s)
	}
	if s, err := task.Read(environment(map[resource.EnvVar]string{resource.ModelNameVar: "churn", resource.BatchSizeVar: ""})); err != nil || s.Model != resource.ChurnModel || s.BatchRows != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// Everything that is wrong is told, each by the name of its variable.
func TestReadRefuses(t *testing.T) {
	bad := map[resource.EnvVar]string{
		resource.RunIDVar: "a/b", resource.ModelVersionVar: "1", resource.ModelNameVar: "weather", resource.SeedVar: "-1",
		resource.BatchSizeVar: "0", resource.BucketModelsVar: "",
	}
	_, err := task.Read(environment(bad))
	for name := range bad {
		if err == nil || !strings.Contains(err.Error(), string(name)) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}

func TestMainEndsWithACode(t *testing.T) {
	run := func(err error) int {
		return task.Main(resource.TrainingTask, func(context.Context, task.Setup) (string, error) { return "result", err })
	}
	t.Setenv(string(resource.RegionVar), "us-east-1")
	for _, v := range resource.EnvVars() {
		if text := environment(nil)(string(v)); text != "" {
			t.Setenv(string(v), text)
		}
	}
	if code := run(nil); code != 0 {
		t.Errorf("done: exit code %d", code)
	}
	if code := run(errors.New("no")); code != 1 {
		t.Errorf("failed: exit code %d", code)
	}
	t.Setenv(string(resource.SeedVar), "x")
	if code := run(nil); code != 1 {
		t.Errorf("a bad environment: exit code %d", code)
	}
}

func TestProgressTellsTenths(t *testing.T) {
	var out bytes.Buffer
	p := task.Progress(slog.New(slog.NewJSONHandler(&out, nil)))
	for i := range 1000 {
		p("train", i+1, 1000)
	}
	p("evaluate", 1, 0)
	p("evaluate", 2, 0)
	if n := strings.Count(out.String(), "\n"); n != 12 { // the first of each stage, and ten tenths
		t.Errorf("%d lines:\n%s", n, out.String())
	}
}
