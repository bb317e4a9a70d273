// Command training-task trains the model that MODEL_NAME names on the pipeline's
// tables.
package main

import (
	"context"
	"os"

	"engage/internal/resource"
	"engage/workers/task"
	"engage/workers/train"
)

func main() { os.Exit(task.Main(resource.TrainingTask, run)) }

func run(ctx context.Context, s task.Setup) (train.Result, error) {
	c := train.Config{Model: s.Model, Version: s.Version, RunID: string(s.RunID), Seed: s.Seed, Params: train.DefaultParams()}
	d, err := train.FromStore(ctx, s.Store, c, s.Dataset, s.Log)
	if err != nil {
		return train.Result{}, err
	}
	d.Progress = task.Progress(s.Log)
	return train.Run(ctx, c, d)
}
