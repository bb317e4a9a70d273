// Command inference-task scores the pipeline's inference table, and makes the
// catalog know the predictions.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/glue"

	"engage/internal/resource"
	"engage/workers/score"
	"engage/workers/task"
)

func main() { os.Exit(task.Main(resource.InferenceTask, run)) }

func run(ctx context.Context, s task.Setup) (score.Result, error) {
	// The predictions' table in the catalog has the score of this model.
	if s.Model != resource.EngagementModel {
		return score.Result{}, fmt.Errorf("environment variable %s: the pipeline scores with the %s model only", resource.ModelNameVar, resource.EngagementModel)
	}
	d, err := score.FromStore(ctx, s.Store, s.Client, s.Buckets, s.Model, s.Version, s.Log)
	if err != nil {
		return score.Result{}, err
	}
	d.Progress = task.Progress(s.Log)
	r, err := score.Run(ctx, score.Config{Version: s.Version, Contributions: score.Top5, BatchRows: s.BatchRows}, d)
	if err != nil {
		return r, err
	}
	return r, score.Register(ctx, glue.NewFromConfig(s.AWS), s.Store.URI(resource.Scored))
}
