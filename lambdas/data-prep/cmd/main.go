// Command bootstrap is the function data-prep-lambda.
package main

import (
	"engage/internal/pipeline"
	"engage/internal/resource"
	"engage/lambdas/bootstrap"
	dataprep "engage/lambdas/data-prep"
)

func main() {
	bootstrap.Main(resource.DataPrep, func(s bootstrap.Setup) (bootstrap.Handler[pipeline.Run, pipeline.Preparation], error) {
		objects, err := s.Store()
		if err != nil {
			return nil, err
		}
		sql, err := s.SQL()
		if err != nil {
			return nil, err
		}
		return dataprep.Handler{Store: objects, SQL: sql, Catalog: s.Catalog()}.Handle, nil
	})
}
