package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"engage/internal/localaws/cloudtrail"
)

func newAudit(s streams, o *localOptions) *cobra.Command {
	c := &cobra.Command{
		Use:     "audit",
		Short:   "Prove that the record of calls is whole",
		Example: "  engage local audit verify",
		Args:    cobra.ArbitraryArgs, // needsCommand refuses them
		RunE:    needsCommand,
	}
	c.AddCommand(newVerify(s, o))
	return c
}

func newVerify(s streams, o *localOptions) *cobra.Command {
	var trail string
	c := o.jsonFlag(o.local("verify", "Check every file of the CloudTrail trails: none changed, removed or added",
		`Deliver what was recorded, then check the signatures and the chain of the digests
of each CloudTrail trail, and the log files that they name.

Exit codes: 0 every trail is whole; 1 a file was changed, removed or added;
2 a trail could not be checked.`, func(ctx context.Context) error {
			var answer struct {
				Trails []cloudtrail.TrailReport `json:"trails"`
			}
			if err := o.ask(ctx, "/_localaws/audit/verify", url.Values{"trail": {trail}}, &answer); err != nil {
				return err
			}
			if err := printTrails(s, o.asJSON, answer.Trails); err != nil {
				return err
			}
			return verdict(answer.Trails)
		}))
	c.Flags().StringVar(&trail, "trail", "", "this trail only, by name or ARN")
	c.Example = `  engage local audit verify
  engage local audit verify --trail audit --json`
	return c
}

func printTrails(s streams, asJSON bool, reports []cloudtrail.TrailReport) error {
	if asJSON {
		return s.json(reports)
	}
	for _, r := range reports {
		_, err := fmt.Fprintf(s.Out, "%s in s3://%s: %d digests, %d log files, %d findings\n", r.Trail, r.Bucket, r.Digests, r.LogFiles, len(r.Findings))
		if err != nil {
			return err
		}
		for _, f := range r.Findings {
			if _, err := fmt.Fprintf(s.Out, "  %s: %s\n", f.Key, f.Problem); err != nil {
				return err
			}
		}
	}
	return nil
}

// verdict decides the exit code. What was found weighs more than what could
// not be checked.
func verdict(reports []cloudtrail.TrailReport) error {
	var unchecked error
	for _, r := range reports {
		if len(r.Findings) > 0 {
			return errViolations
		}
		if r.Error != "" && unchecked == nil {
			unchecked = fmt.Errorf("%s was not checked to its end: %s", r.Trail, r.Error)
		}
	}
	return unchecked
}
