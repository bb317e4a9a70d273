// Command bootstrap is the function data-validation-lambda.
package main

import (
	"time"

	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"engage/internal/pipeline"
	"engage/internal/resource"
	"engage/internal/store/ssm"
	"engage/lambdas/bootstrap"
	datavalidation "engage/lambdas/data-validation"
)

func main() {
	bootstrap.Main(resource.DataValidation, func(s bootstrap.Setup) (bootstrap.Handler[pipeline.Run, pipeline.Validation], error) {
		objects, err := s.Store()
		if err != nil {
			return nil, err
		}
		sql, err := s.SQL()
		if err != nil {
			return nil, err
		}
		notes := ssm.Parameters{Client: awsssm.NewFromConfig(s.AWS), Key: resource.SecretKey}
		return datavalidation.Handler{Store: objects, SQL: sql, Catalog: s.Catalog(), Parameters: notes, Now: time.Now}.Handle, nil
	})
}
