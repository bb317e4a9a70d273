// Command infra is engage's Pulumi program: it declares the whole AWS graph. Run
// it with "pulumi up --stack local", or "--stack aws".
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/infra/stack"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		cfg, err := stack.Load(ctx)
		if err != nil {
			return err
		}
		out, err := stack.Deploy(ctx, cfg)
		if err != nil {
			return err
		}
		out.Export(ctx)
		return nil
	})
}
