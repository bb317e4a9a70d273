// Command bootstrap is the function create-qa-table-lambda.
package main

import (
	"engage/internal/pipeline"
	"engage/internal/resource"
	"engage/lambdas/bootstrap"
	createqatable "engage/lambdas/create-qa-table"
)

func main() {
	bootstrap.Main(resource.CreateQATable, func(s bootstrap.Setup) (bootstrap.Handler[pipeline.Run, pipeline.Review], error) {
		objects, err := s.Store()
		if err != nil {
			return nil, err
		}
		sql, err := s.SQL()
		if err != nil {
			return nil, err
		}
		return createqatable.Handler{Store: objects, SQL: sql, Catalog: s.Catalog()}.Handle, nil
	})
}
