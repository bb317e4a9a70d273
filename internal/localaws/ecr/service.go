// Package ecr is Elastic Container Registry: the API, and the registry itself
// in the OCI distribution protocol.
//
// API: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/Welcome.html
// Registry: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
package ecr

import (
	"context"
	"fmt"
	"sync"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Config is what the registry needs.
type Config struct {
	Store *state.Store
	// Authorizer checks what a token's owner may do in the registry. The
	// default allows everything.
	Authorizer wire.Authorizer
	// Meter counts what is stored. The default counts nothing.
	Meter wire.Meter
	// Refused hears of what a client of the registry's own protocol may not do,
	// for the request log. The default forgets it.
	Refused func(service, action string, caller wire.Caller, err error)
	// Clock is for timestamps. The default is time.Now.
	Clock func() time.Time
	// Domain ends the registry's names, "<account>.dkr.ecr.<region>.<domain>".
	// The default is amazonaws.com, so that image names are those of AWS.
	Domain string
}

// Service keeps repositories and their images.
type Service struct {
	cfg   Config
	store *state.Store
	blobs *blobStore
	wire  *wire.Service

	mu      sync.Mutex
	uploads map[string]*upload
	parts   map[string]time.Time // when an upload was last written to
}

// New opens the registry. Blobs are files below the store's directory.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil {
		return nil, fmt.Errorf("ecr: no store is set")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	if cfg.Refused == nil {
		cfg.Refused = func(string, string, wire.Caller, error) {}
	}
	if cfg.Domain == "" {
		cfg.Domain = "amazonaws.com"
	}
	blobs, err := openBlobs(cfg.Store)
	if err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	s := &Service{cfg: cfg, store: cfg.Store, blobs: blobs, uploads: map[string]*upload{}, parts: map[string]time.Time{}}
	s.wire = s.operations()
	return s, nil
}

// Wire returns the service's operations, and the registry beside them.
func (s *Service) Wire() *wire.Service { return s.wire }

func (s *Service) now() time.Time { return s.cfg.Clock() }

func (s *Service) authorize(ctx context.Context, caller wire.Caller, actions []string, id repoID) error {
	if s.cfg.Authorizer == nil {
		return nil
	}
	policy := ""
	_ = s.store.View(func(tx state.Tx) error {
		repo, err := repositories.Get(tx, id.key())
		policy = repo.Policy
		return err
	})
	var accesses []wire.Access
	for _, action := range actions {
		a := wire.Access{Action: "ecr:" + action, Resource: id.arn(), Owner: id.account, Policy: policy}
		if id.name == "" {
			a.Resource, a.Owner = "*", ""
		}
		accesses = append(accesses, a)
	}
	call := &wire.Call{Service: s.wire, Operation: actions[0], Caller: caller}
	return s.cfg.Authorizer.Authorize(ctx, call, accesses)
}

func (s *Service) operations() *wire.Service {
	return &wire.Service{
		Name: "ecr", SigningNames: []string{"ecr"}, Protocol: wire.JSON11, ValidationCode: "InvalidParameterException",
		Targets: []string{"AmazonEC2ContainerRegistry_V20150921"},
		Foreign: []wire.Foreign{{Name: "registry", Matches: isRegistry, Handler: &registry{s}}},
		Operations: []wire.Operation{
			wire.JSON("GetAuthorizationToken", s.getAuthorizationToken, nil),
			on(s, "CreateRepository", s.createRepository),
			wire.JSON("DescribeRepositories", s.describeRepositories, func(call *wire.Call, in *describeRepositoriesInput) []wire.Access {
				return s.touchAll("DescribeRepositories", in.RegistryID, in.RepositoryNames)(call)
			}),
			on(s, "DeleteRepository", s.deleteRepository),
			on(s, "PutLifecyclePolicy", s.putLifecyclePolicy),
			on(s, "GetLifecyclePolicy", s.getLifecyclePolicy),
			on(s, "DeleteLifecyclePolicy", s.deleteLifecyclePolicy),
			on(s, "PutImageTagMutability", s.putImageTagMutability),
			on(s, "PutImageScanningConfiguration", s.putImageScanningConfiguration),
			on(s, "SetRepositoryPolicy", s.setRepositoryPolicy),
			on(s, "GetRepositoryPolicy", s.getRepositoryPolicy),
			on(s, "DeleteRepositoryPolicy", s.deleteRepositoryPolicy),
			on(s, "ListImages", s.listImages),
			on(s, "DescribeImages", s.describeImages),
			on(s, "BatchGetImage", s.batchGetImage),
			on(s, "BatchDeleteImage", s.batchDeleteImage),
			on(s, "PutImage", s.putImageCall),
			on(s, "BatchCheckLayerAvailability", s.batchCheckLayerAvailability),
			on(s, "InitiateLayerUpload", s.initiateLayerUpload),
			on(s, "UploadLayerPart", s.uploadLayerPart),
			on(s, "CompleteLayerUpload", s.completeLayerUpload),
			tagging("TagResource", s.tagResource),
			tagging("UntagResource", s.untagResource),
			tagging("ListTagsForResource", s.listTagsForResource),
		},
	}
}

// repositoryName is the input's part that names a repository.
type repositoryName struct {
	RegistryID     string `json:"registryId"`
	RepositoryName string `json:"repositoryName"` // required: see on
}

func (n repositoryName) target() repositoryName { return n }

type targeted interface{ target() repositoryName }

func (n repositoryName) id(call *wire.Call) repoID {
	account := n.RegistryID
	if account == "" {
		account = call.Caller.Account
	}
	return repoID{account, call.Caller.Region, n.RepositoryName}
}

// on returns an operation on one repository.
func on[I, O any](s *Service, name string, handle wire.Handler[I, O]) wire.Operation {
	checked := func(ctx context.Context, call *wire.Call, in *I) (*O, error) {
		if any(in).(targeted).target().RepositoryName == "" {
			return nil, wire.ValidationException("1 validation error detected: Value null at 'repositoryName' failed to satisfy constraint: Member must not be null")
		}
		return handle(ctx, call, in)
	}
	return wire.JSON(name, checked, func(call *wire.Call, in *I) []wire.Access {
		return s.touch(name, any(in).(targeted).target())(call)
	})
}

func (s *Service) touch(action string, name repositoryName) func(*wire.Call) []wire.Access {
	return func(call *wire.Call) []wire.Access {
		id := name.id(call)
		a := wire.Access{Action: "ecr:" + action, Resource: id.arn(), Owner: id.account}
		_ = s.store.View(func(tx state.Tx) error { // no repository, no policy
			repo, err := repositories.Get(tx, id.key())
			a.Policy = repo.Policy
			return err
		})
		return []wire.Access{a}
	}
}

func (s *Service) touchAll(action, registry string, names []string) func(*wire.Call) []wire.Access {
	return func(call *wire.Call) []wire.Access {
		var all []wire.Access
		for _, name := range names {
			all = append(all, s.touch(action, repositoryName{registry, name})(call)...)
		}
		if len(names) == 0 {
			all = s.touch(action, repositoryName{registry, "*"})(call)
		}
		return all
	}
}

// view and change run f over one repository.
func (s *Service) view(id repoID, f func(tx state.Tx, repo *repository) error) error {
	return s.store.View(func(tx state.Tx) error {
		repo, err := getRepository(tx, id)
		if err != nil {
			return err
		}
		return f(tx, &repo)
	})
}

func (s *Service) change(id repoID, f func(repo *repository) error) error {
	return s.store.Update(func(tx state.Tx) error {
		repo, err := getRepository(tx, id)
		if err != nil {
			return err
		}
		if err := f(&repo); err != nil {
			return err
		}
		return repositories.Put(tx, id.key(), repo)
	})
}
