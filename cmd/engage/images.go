package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/spf13/cobra"

	"engage/internal/pack"
	"engage/internal/pack/registry"
	"engage/internal/resource"
)

func newImages(s streams) *cobra.Command {
	c := &cobra.Command{
		Use:     "images",
		Short:   "Push the workers' image to the stack's registry",
		Example: "  engage images push",
		Args:    cobra.ArbitraryArgs, // needsCommand refuses them
		RunE:    needsCommand,
	}
	c.AddCommand(newPush(s))
	return c
}

// pushOptions are the flags of push.
type pushOptions struct {
	layout, endpoint, repository, tag string
	asJSON                            bool
}

func newPush(s streams) *cobra.Command {
	var o pushOptions
	c := &cobra.Command{
		Use:   "push",
		Short: "Push the image that \"engage build\" left to the stack's ECR repository",
		Long: `Push the image to ECR, with the login that ECR gives. Where and as whom is decided
as by every AWS SDK, by AWS_ENDPOINT_URL, AWS_REGION and the credentials; --endpoint
comes before the variable. An image that is there already is not pushed again. Tags
never move: to push another image, use another tag.`,
		Example: `  engage images push
  engage images push --endpoint http://127.0.0.1:4566 --json`,
		Args: takes(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			done, err := o.push(c.Context())
			if err != nil {
				return err
			}
			if done.Already {
				s.say("it is there already")
			}
			if o.asJSON {
				return s.json(done)
			}
			_, err = fmt.Fprintf(s.Out, "%s\n%s\n", done.Reference, done.Digest)
			return err
		},
	}
	c.Flags().StringVar(&o.layout, "image", filepath.Join("dist", "image"), "OCI layout to push")
	c.Flags().StringVar(&o.endpoint, "endpoint", "", "URL of the AWS endpoint (default: AWS_ENDPOINT_URL, or AWS itself)")
	c.Flags().StringVar(&o.repository, "repository", string(resource.MLRepository), "name of the repository")
	c.Flags().StringVar(&o.tag, "tag", "", "tag (default: the one that the build gave, from the content)")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	_ = c.MarkFlagDirname("image")
	return c
}

func (o *pushOptions) push(ctx context.Context) (registry.Pushed, error) {
	image, tag, err := pack.ReadLayout(o.layout)
	if err != nil {
		return registry.Pushed{}, err
	}
	if o.tag != "" {
		tag = o.tag
	}
	if o.endpoint != "" && !strings.HasPrefix(o.endpoint, "http://") && !strings.HasPrefix(o.endpoint, "https://") {
		return registry.Pushed{}, fmt.Errorf("--endpoint %q: want a URL, such as http://127.0.0.1:4566", o.endpoint)
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return registry.Pushed{}, fmt.Errorf("read AWS's configuration: %w", err)
	}
	if cfg.Region == "" {
		return registry.Pushed{}, errors.New("no region is set: set AWS_REGION, or run 'eval \"$(bin/engage env)\"' for the embedded endpoint")
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return registry.Pushed{}, errors.New("no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or run 'eval \"$(bin/engage env)\"' for the embedded endpoint")
	}
	if o.endpoint != "" {
		cfg.BaseEndpoint = &o.endpoint
	}
	return registry.Push(ctx, ecr.NewFromConfig(cfg), image, o.repository, tag)
}
