// Command bootstrap is the function pre-cleanup-lambda.
package main

import (
	"time"

	"engage/internal/pipeline"
	"engage/internal/resource"
	"engage/lambdas/bootstrap"
	precleanup "engage/lambdas/pre-cleanup"
)

func main() {
	bootstrap.Main(resource.PreCleanup, func(s bootstrap.Setup) (bootstrap.Handler[pipeline.Run, pipeline.Cleanup], error) {
		objects, err := s.Store()
		if err != nil {
			return nil, err
		}
		return precleanup.Handler{Store: objects, Catalog: s.Catalog(), Now: time.Now}.Handle, nil
	})
}
