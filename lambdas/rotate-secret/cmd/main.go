// Command bootstrap is the function rotate-secret-lambda.
package main

import (
	"crypto/rand"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"engage/internal/resource"
	"engage/lambdas/bootstrap"
	rotatesecret "engage/lambdas/rotate-secret"
)

func main() {
	bootstrap.Main(resource.RotateSecret, func(s bootstrap.Setup) (bootstrap.Handler[rotatesecret.Event, rotatesecret.Result], error) {
		return rotatesecret.Handler{Secrets: secretsmanager.NewFromConfig(s.AWS), Random: rand.Reader}.Handle, nil
	})
}
