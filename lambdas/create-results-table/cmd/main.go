// Command bootstrap is the function create-results-table-lambda.
package main

import (
	"time"

	"engage/internal/pipeline"
	"engage/internal/resource"
	"engage/lambdas/bootstrap"
	createresultstable "engage/lambdas/create-results-table"
)

func main() {
	bootstrap.Main(resource.CreateResultsTable, func(s bootstrap.Setup) (bootstrap.Handler[pipeline.Run, pipeline.Results], error) {
		objects, err := s.Store()
		if err != nil {
			return nil, err
		}
		sql, err := s.SQL()
		if err != nil {
			return nil, err
		}
		return createresultstable.Handler{Store: objects, SQL: sql, Catalog: s.Catalog(), Now: time.Now}.Handle, nil
	})
}
