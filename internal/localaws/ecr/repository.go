package ecr

import (
	"context"
	"errors"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type scanning struct {
	ScanOnPush bool `json:"scanOnPush"`
}

type repositoryOutput struct {
	RepositoryArn     string            `json:"repositoryArn"`
	RegistryID        string            `json:"registryId"`
	RepositoryName    string            `json:"repositoryName"`
	RepositoryURI     string            `json:"repositoryUri"`
	CreatedAt         wire.Time         `json:"createdAt"`
	TagMutability     string            `json:"imageTagMutability"`
	TagExclusions     []exclusionFilter `json:"imageTagMutabilityExclusionFilters,omitempty"`
	ImageScanning     scanning          `json:"imageScanningConfiguration"`
	EncryptionSetting encryption        `json:"encryptionConfiguration"`
}

func (s *Service) host(account, region string) string {
	return account + ".dkr.ecr." + region + "." + s.cfg.Domain
}

func (s *Service) describe(r repository) repositoryOutput {
	id := repoID{r.Account, r.Region, r.Name}
	return repositoryOutput{id.arn(), r.Account, r.Name, s.host(r.Account, r.Region) + "/" + r.Name, r.Created,
		r.Mutability, r.Exclusions, scanning{r.ScanOnPush}, r.Encryption}
}

type mutability struct {
	TagMutability string            `json:"imageTagMutability"`
	Exclusions    []exclusionFilter `json:"imageTagMutabilityExclusionFilters"`
}

func (m mutability) check() error {
	switch m.TagMutability {
	case "", "MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION":
	default:
		return invalid("Invalid parameter at 'imageTagMutability' failed to satisfy constraint: 'Member must satisfy enum value set: [IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE, MUTABLE_WITH_EXCLUSION]'")
	}
	if strings.HasSuffix(m.TagMutability, "_WITH_EXCLUSION") != (len(m.Exclusions) > 0) {
		return invalid("Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: filters and a mutability with exclusion need each other")
	}
	return nil
}

type createRepositoryInput struct {
	repositoryName
	mutability
	ImageScanning *scanning   `json:"imageScanningConfiguration"`
	Encryption    *encryption `json:"encryptionConfiguration"`
	Tags          []tag       `json:"tags" max:"50"`
}

type oneRepository struct {
	Repository repositoryOutput `json:"repository"`
}

func (s *Service) createRepository(_ context.Context, call *wire.Call, in *createRepositoryInput) (*oneRepository, error) {
	id := in.id(call)
	if !repositoryPattern.MatchString(id.name) {
		return nil, invalid("Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '%s''", repositoryPattern)
	}
	if err := in.mutability.check(); err != nil {
		return nil, err
	}
	repo := repository{Account: id.account, Region: id.region, Name: id.name, Created: wire.TimeOf(s.now()),
		Mutability: in.TagMutability, Exclusions: in.Exclusions, Encryption: encryption{EncryptionType: "AES256"}, Tags: in.Tags}
	if repo.Mutability == "" {
		repo.Mutability = "MUTABLE"
	}
	if in.Encryption != nil {
		repo.Encryption = *in.Encryption
	}
	if in.ImageScanning != nil {
		repo.ScanOnPush = in.ImageScanning.ScanOnPush
	}
	err := s.store.Update(func(tx state.Tx) error { return repositories.Create(tx, id.key(), repo) })
	if errors.Is(err, state.ErrExists) {
		return nil, wire.Errorf("RepositoryAlreadyExistsException", "The repository with name '%s' already exists in the registry with id '%s'", id.name, id.account)
	}
	return &oneRepository{s.describe(repo)}, err
}

type describeRepositoriesInput struct {
	RegistryID      string   `json:"registryId"`
	RepositoryNames []string `json:"repositoryNames" max:"100"`
	NextToken       string   `json:"nextToken"`
	MaxResults      int      `json:"maxResults" max:"1000"`
}

type describeRepositoriesOutput struct {
	Repositories []repositoryOutput `json:"repositories"`
	NextToken    string             `json:"nextToken,omitempty"`
}

func (s *Service) describeRepositories(_ context.Context, call *wire.Call, in *describeRepositoriesInput) (*describeRepositoriesOutput, error) {
	all := []repositoryOutput{}
	err := s.store.View(func(tx state.Tx) error {
		for _, name := range in.RepositoryNames {
			repo, err := getRepository(tx, repositoryName{in.RegistryID, name}.id(call))
			if err != nil {
				return err
			}
			all = append(all, s.describe(repo))
		}
		if len(in.RepositoryNames) > 0 {
			return nil
		}
		id := repositoryName{in.RegistryID, ""}.id(call)
		entries, err := repositories.List(tx, state.Prefix(id.account, id.region), "", 0)
		for _, e := range entries {
			all = append(all, s.describe(e.Value))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(in.RepositoryNames) > 0 {
		return &describeRepositoriesOutput{Repositories: all}, nil
	}
	shown, next, err := page(all, func(r repositoryOutput) string { return r.RepositoryName }, in.NextToken, in.MaxResults, 100)
	return &describeRepositoriesOutput{shown, next}, err
}

type deleteRepositoryInput struct {
	repositoryName
	Force bool `json:"force"`
}

func (s *Service) deleteRepository(_ context.Context, call *wire.Call, in *deleteRepositoryInput) (*oneRepository, error) {
	id := in.id(call)
	var repo repository
	err := s.blobs.prune(func(tx state.Tx) (repoID, []string, error) {
		var err error
		if repo, err = getRepository(tx, id); err != nil {
			return id, nil, err
		}
		kept, err := images.List(tx, id.prefix(), "", 1)
		if err == nil && len(kept) > 0 && !in.Force {
			err = wire.Errorf("RepositoryNotEmptyException", "The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", id.name, id.account)
		}
		if err != nil {
			return id, nil, err
		}
		linked, err := blobLinks.List(tx, id.prefix(), "", 0)
		var digests []string
		for _, e := range linked {
			digests = append(digests, e.Key[len(id.prefix()):])
		}
		return id, digests, errors.Join(err, repositories.Delete(tx, id.key()),
			images.DeletePrefix(tx, id.prefix()), imageTags.DeletePrefix(tx, id.prefix()))
	})
	if err != nil {
		return nil, err
	}
	return &oneRepository{s.describe(repo)}, nil
}

type putMutabilityInput struct {
	repositoryName
	mutability
}

type mutabilityOutput struct {
	RegistryID     string            `json:"registryId"`
	RepositoryName string            `json:"repositoryName"`
	TagMutability  string            `json:"imageTagMutability"`
	Exclusions     []exclusionFilter `json:"imageTagMutabilityExclusionFilters,omitempty"`
}

func (s *Service) putImageTagMutability(_ context.Context, call *wire.Call, in *putMutabilityInput) (*mutabilityOutput, error) {
	if in.TagMutability == "" {
		return nil, invalid("Invalid parameter at 'imageTagMutability' failed to satisfy constraint: 'must not be null'")
	}
	if err := in.mutability.check(); err != nil {
		return nil, err
	}
	id := in.id(call)
	err := s.change(id, func(r *repository) error {
		r.Mutability, r.Exclusions = in.TagMutability, in.Exclusions
		return nil
	})
	return &mutabilityOutput{id.account, id.name, in.TagMutability, in.Exclusions}, err
}

type scanningDoc struct {
	repositoryName
	ImageScanning *scanning `json:"imageScanningConfiguration" required:"true"`
}

func (s *Service) putImageScanningConfiguration(_ context.Context, call *wire.Call, in *scanningDoc) (*scanningDoc, error) {
	id := in.id(call)
	err := s.change(id, func(r *repository) error {
		r.ScanOnPush = in.ImageScanning.ScanOnPush
		return nil
	})
	return &scanningDoc{repositoryName{id.account, id.name}, in.ImageScanning}, err
}

type tagResourceInput struct {
	ResourceArn string   `json:"resourceArn" required:"true"`
	Tags        []tag    `json:"tags"`
	TagKeys     []string `json:"tagKeys"`
}

type tagsOutput struct {
	Tags []tag `json:"tags"`
}

// ofARN returns the repository that an ARN names.
func ofARN(arn string) (repoID, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) == 6 && parts[2] == "ecr" {
		if name, ok := strings.CutPrefix(parts[5], "repository/"); ok {
			return repoID{parts[4], parts[3], name}, nil
		}
	}
	return repoID{}, invalid("Invalid parameter at 'resourceArn' failed to satisfy constraint: '%s' is no ARN of a repository", arn)
}

func tagging[O any](name string, handle wire.Handler[tagResourceInput, O]) wire.Operation {
	return wire.JSON(name, handle, func(_ *wire.Call, in *tagResourceInput) []wire.Access {
		return []wire.Access{{Action: "ecr:" + name, Resource: in.ResourceArn}}
	})
}

func (s *Service) changeTags(in *tagResourceInput, f func([]tag) []tag) (*wire.Empty, error) {
	id, err := ofARN(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return nil, s.change(id, func(r *repository) error {
		r.Tags = f(r.Tags)
		if len(r.Tags) > 50 {
			return wire.Errorf("TooManyTagsException", "a repository has at most 50 tags")
		}
		return nil
	})
}

func (s *Service) tagResource(_ context.Context, _ *wire.Call, in *tagResourceInput) (*wire.Empty, error) {
	return s.changeTags(in, func(tags []tag) []tag {
		for _, t := range in.Tags {
			tags = slices.DeleteFunc(tags, func(have tag) bool { return have.Key == t.Key })
			tags = append(tags, t)
		}
		return tags
	})
}

func (s *Service) untagResource(_ context.Context, _ *wire.Call, in *tagResourceInput) (*wire.Empty, error) {
	return s.changeTags(in, func(tags []tag) []tag {
		return slices.DeleteFunc(tags, func(have tag) bool { return slices.Contains(in.TagKeys, have.Key) })
	})
}

func (s *Service) listTagsForResource(_ context.Context, _ *wire.Call, in *tagResourceInput) (*tagsOutput, error) {
	id, err := ofARN(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &tagsOutput{Tags: []tag{}}
	return out, s.view(id, func(_ state.Tx, r *repository) error {
		out.Tags = append(out.Tags, r.Tags...)
		return nil
	})
}
