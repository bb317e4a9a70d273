// Package plane makes the resources that services here execute: it is a client
// of the endpoint's own wire, through the AWS SDK, so what a program declares is
// the same thing that any other caller sees, checks and changes.
package plane

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// Config says where the services are and whose resources are made.
type Config struct {
	AWS       aws.Config // its region, credentials and endpoint
	Partition string
	Account   string
}

// Kinds returns every kind whose service is executed.
func Kinds(cfg Config) []kind.Kind {
	types := sdk.Source(sdk.Types())
	return slices.Concat(
		buckets(cfg, types), roles(cfg, types), linkedRoles(cfg, types), keys(cfg, types), topics(cfg, types), queues(cfg, types),
		logGroups(cfg, types), secrets(cfg, types), parameters(cfg, types), catalogs(cfg, types), workgroups(cfg, types),
		repositories(cfg, types), tasks(cfg, types), machines(cfg, types), rules(cfg, types), trails(cfg, types), functions(cfg, types),
	)
}

// ops is a plane of four functions. A kind whose every change replaces it has no
// update.
type ops struct {
	create func(ctx context.Context, inputs value.Map) (string, value.Map, error)
	read   func(ctx context.Context, id string, state value.Map) (value.Map, error)
	update func(ctx context.Context, id string, old, inputs value.Map) (value.Map, error)
	delete func(ctx context.Context, id string, state value.Map) error
}

func (o ops) Create(ctx context.Context, inputs value.Map) (string, value.Map, error) {
	return o.create(ctx, inputs)
}

// Read is kind.ErrNotFound for whatever AWS calls it.
func (o ops) Read(ctx context.Context, id string, state value.Map) (value.Map, error) {
	now, err := o.read(ctx, id, state)
	if missing(err) {
		return nil, kind.ErrNotFound
	}
	return now, err
}

func (o ops) Update(ctx context.Context, id string, old, inputs value.Map) (value.Map, error) {
	if o.update == nil {
		return nil, errors.New("the resource cannot be changed, only replaced")
	}
	return o.update(ctx, id, old, inputs)
}

// Delete is quiet about what is gone already.
func (o ops) Delete(ctx context.Context, id string, state value.Map) error {
	if err := o.delete(ctx, id, state); !missing(err) {
		return err
	}
	return nil
}

// gone are the codes by which services say that there is no such thing.
var gone = []string{
	"NoSuchBucket", "NoSuchKey", "NotFound", "NoSuchBucketPolicy", "NoSuchPublicAccessBlockConfiguration", "OwnershipControlsNotFoundError",
	"ServerSideEncryptionConfigurationNotFoundError", "NoSuchLifecycleConfiguration", "ObjectLockConfigurationNotFoundError",
	"ReplicationConfigurationNotFoundError", "NoSuchEntity", "NotFoundException", "ResourceNotFoundException", "EntityNotFoundException",
	"RepositoryNotFoundException", "LifecyclePolicyNotFoundException", "RepositoryPolicyNotFoundException", "ClusterNotFoundException",
	"StateMachineDoesNotExist", "NotFound", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "ParameterNotFound",
	"TrailNotFoundException", "PolicyNotFound",
}

func missing(err error) bool {
	if errors.Is(err, kind.ErrNotFound) {
		return true
	}
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(gone, api.ErrorCode())
}

// coded tells whether a service answered with one of the codes.
func coded(err error, codes ...string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}

// made runs what follows a resource's making: when a step fails, the resource
// exists all the same, and the id beside the error says so.
func made(id string, out value.Map, steps ...func() error) (string, value.Map, error) {
	for _, step := range steps {
		if err := step(); err != nil {
			return id, out, err
		}
	}
	return id, out, nil
}

// arn forms the ARN of something of a service.
func (c Config) arn(service, id string) string {
	return "arn:" + c.Partition + ":" + service + ":" + c.AWS.Region + ":" + c.Account + ":" + id
}

// optional is a string for a member that may be absent: nil for "".
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// whole is an integer for a member that may be absent: nil for one not given.
func whole(m value.Map, name string) *int32 {
	f, ok := m[name].(float64)
	if !ok {
		return nil
	}
	return aws.Int32(int32(f))
}
