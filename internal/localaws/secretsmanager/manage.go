package secretsmanager

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type idInput struct {
	SecretID string `json:"SecretId" required:"true"`
}

func idOf(in *idInput) string { return in.SecretID }

// entry is AWS's SecretListEntry and, nearly, DescribeSecret's answer.
type entry struct {
	named
	Description            string              `json:",omitempty"`
	KmsKeyID               string              `json:"KmsKeyId,omitempty"`
	RotationEnabled        bool                `json:",omitempty"`
	RotationLambdaARN      string              `json:",omitempty"`
	RotationRules          *rules              `json:",omitempty"`
	NextRotationDate       *wire.Time          `json:",omitempty"`
	LastRotatedDate        *wire.Time          `json:",omitempty"`
	LastChangedDate        *wire.Time          `json:",omitempty"`
	LastAccessedDate       *wire.Time          `json:",omitempty"`
	DeletedDate            *wire.Time          `json:",omitempty"`
	CreatedDate            *wire.Time          `json:",omitempty"`
	Tags                   []tagPair           `json:",omitempty"`
	VersionIdsToStages     map[string][]string `json:",omitempty"`
	SecretVersionsToStages map[string][]string `json:",omitempty"`
}

func stamp(t *time.Time) *wire.Time {
	if t == nil {
		return nil
	}
	w := wire.TimeOf(*t)
	return &w
}

func (s secret) entry() entry {
	e := entry{named: named{s.arn(), s.Name}, Description: s.Description, KmsKeyID: s.KeyID, RotationEnabled: s.Rotation.Enabled,
		RotationLambdaARN: s.Rotation.Lambda, RotationRules: s.Rotation.Rules, NextRotationDate: stamp(s.Rotation.Next), LastRotatedDate: stamp(s.Rotated),
		LastChangedDate: stamp(&s.Changed), LastAccessedDate: stamp(s.Accessed), DeletedDate: stamp(s.Deleted), CreatedDate: stamp(&s.Created)}
	for _, name := range slices.Sorted(maps.Keys(s.Tags)) {
		e.Tags = append(e.Tags, tagPair{name, s.Tags[name]})
	}
	return e
}

func (s secret) stages() map[string][]string {
	all := map[string][]string{}
	for id, v := range s.Versions {
		if len(v.Stages) > 0 {
			all[id] = v.Stages
		}
	}
	return all
}

func (s *Service) describe(_ context.Context, call *wire.Call, in *idInput) (*entry, error) {
	found, err := s.find(call, in.SecretID)
	e := found.entry()
	e.VersionIdsToStages = found.stages()
	return &e, err
}

type filter struct {
	Key    string `required:"true"`
	Values []string
}

type listInput struct {
	MaxResults             *int `min:"1" max:"100"`
	NextToken              string
	Filters                []filter
	SortOrder              string `enum:"asc,desc"`
	IncludePlannedDeletion bool
}

type listOutput struct {
	SecretList []entry
	NextToken  string `json:",omitempty"`
}

// match applies a filter: a value that begins with ! excludes.
func (f filter) match(s secret) (bool, error) {
	var have []string
	switch f.Key {
	case "name":
		have = []string{s.Name}
	case "description":
		have = []string{s.Description}
	case "tag-key":
		have = slices.Collect(maps.Keys(s.Tags))
	case "tag-value":
		have = slices.Collect(maps.Values(s.Tags))
	case "all":
		have = append(slices.Collect(maps.Values(s.Tags)), append(slices.Collect(maps.Keys(s.Tags)), s.Name, s.Description)...)
	default:
		return false, wire.NotImplemented("the filter %s", f.Key)
	}
	return slices.ContainsFunc(f.Values, func(want string) bool {
		prefix, not := strings.CutPrefix(want, "!")
		return not != slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, prefix) })
	}), nil
}

func (s *Service) list(_ context.Context, call *wire.Call, in *listInput) (*listOutput, error) {
	var all []secret
	err := s.cfg.Store.View(func(tx state.Tx) error {
		found, err := secrets.List(tx, state.Prefix(call.Caller.Account, call.Caller.Region), "", 0)
		for _, e := range found {
			gone := e.Value.Purge != nil && !s.cfg.Clock().Before(*e.Value.Purge)
			if ok, bad := in.wants(e.Value); bad != nil {
				return bad
			} else if ok && !gone {
				all = append(all, e.Value)
			}
		}
		return err
	})
	slices.SortStableFunc(all, func(a, b secret) int { return a.Created.Compare(b.Created) })
	if in.SortOrder != "asc" {
		slices.Reverse(all) // AWS lists the newest first
	}
	limit := 100
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	if i := slices.IndexFunc(all, func(s secret) bool { return s.Name == in.NextToken }); in.NextToken != "" {
		all = all[i+1:]
	}
	out := &listOutput{SecretList: []entry{}}
	for i, each := range all {
		if i == limit {
			out.NextToken = all[i-1].Name
			break
		}
		e := each.entry()
		e.SecretVersionsToStages = each.stages()
		out.SecretList = append(out.SecretList, e)
	}
	return out, err
}

func (in *listInput) wants(s secret) (bool, error) {
	for _, f := range in.Filters {
		if ok, err := f.match(s); !ok {
			return false, err
		}
	}
	return s.Deleted == nil || in.IncludePlannedDeletion, nil
}

type listVersionsInput struct {
	SecretID          string `json:"SecretId" required:"true"`
	IncludeDeprecated bool
	MaxResults        *int `min:"1" max:"100"`
	NextToken         string
}

type versionEntry struct {
	VersionID        string     `json:"VersionId"`
	VersionStages    []string   `json:",omitempty"`
	CreatedDate      wire.Time  `json:",omitempty"`
	LastAccessedDate *wire.Time `json:",omitempty"`
	KmsKeyIds        []string   `json:",omitempty"`
}

type listVersionsOutput struct {
	named
	Versions  []versionEntry
	NextToken string `json:",omitempty"`
}

func (s *Service) listVersions(_ context.Context, call *wire.Call, in *listVersionsInput) (*listVersionsOutput, error) {
	found, err := s.find(call, in.SecretID)
	if err != nil {
		return nil, err
	}
	limit := 100
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	out := &listVersionsOutput{named: named{found.arn(), found.Name}, Versions: []versionEntry{}}
	for _, id := range slices.Sorted(maps.Keys(found.Versions)) {
		v := found.Versions[id]
		if id <= in.NextToken || len(v.Stages) == 0 && !in.IncludeDeprecated {
			continue
		}
		if len(out.Versions) == limit {
			out.NextToken = out.Versions[limit-1].VersionID
			break
		}
		out.Versions = append(out.Versions, versionEntry{id, v.Stages, wire.TimeOf(v.Created), stamp(v.Accessed), []string{v.KeyID}})
	}
	return out, nil
}

type deleteInput struct {
	SecretID string `json:"SecretId" required:"true"`
	Window   *int   `json:"RecoveryWindowInDays" min:"7" max:"30"`
	Force    bool   `json:"ForceDeleteWithoutRecovery"`
}

type deleteOutput struct {
	named
	DeletionDate wire.Time
}

func (s *Service) remove(_ context.Context, call *wire.Call, in *deleteInput) (*deleteOutput, error) {
	if in.Force && in.Window != nil {
		return nil, errParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	}
	days := 30
	if in.Window != nil {
		days = *in.Window
	}
	out := &deleteOutput{}
	return out, s.cfg.Store.Update(func(tx state.Tx) error {
		now := s.cfg.Clock()
		found, err := s.lookup(tx, call, in.SecretID)
		if in.Force && wire.IsCode(err, "ResourceNotFoundException") { // deleting is idempotent then, as on AWS
			out.named, out.DeletionDate = named{call.ARN("secretsmanager", "secret:"+in.SecretID), in.SecretID}, wire.TimeOf(now)
			return nil
		}
		if err != nil {
			return err
		}
		purge := now.AddDate(0, 0, days)
		out.named, out.DeletionDate = named{found.arn(), found.Name}, wire.TimeOf(purge)
		if in.Force {
			out.DeletionDate = wire.TimeOf(now)
			return secrets.Delete(tx, found.key())
		}
		if err := found.live(); err != nil {
			return err
		}
		found.Deleted, found.Purge = &now, &purge
		s.alarm.Tell()
		return secrets.Put(tx, found.key(), found)
	})
}

func (s *Service) restore(_ context.Context, call *wire.Call, in *idInput) (*named, error) {
	out := &named{}
	return out, s.cfg.Store.Update(func(tx state.Tx) error {
		found, err := s.lookup(tx, call, in.SecretID)
		if err != nil {
			return err
		}
		found.Deleted, found.Purge = nil, nil
		*out = named{found.arn(), found.Name}
		return secrets.Put(tx, found.key(), found)
	})
}

type stageInput struct {
	SecretID     string `json:"SecretId" required:"true"`
	VersionStage string `required:"true"`
	Remove       string `json:"RemoveFromVersionId"`
	MoveTo       string `json:"MoveToVersionId"`
}

func (s *Service) updateStage(_ context.Context, call *wire.Call, in *stageInput) (*named, error) {
	name, err := s.change(call, in.SecretID, func(found *secret) error {
		have := found.staged(in.VersionStage)
		if in.MoveTo != "" && found.Versions[in.MoveTo] == nil || in.Remove != "" && found.Versions[in.Remove] == nil {
			return wire.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret version.")
		}
		if have != in.Remove && (in.Remove != "" || have != "" && have != in.MoveTo) {
			return errParameter("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", in.VersionStage, have)
		}
		if in.MoveTo == "" {
			if in.VersionStage == current {
				return errParameter("You can't remove the staging label AWSCURRENT: move it to another version.")
			}
			found.drop(in.VersionStage)
			return nil
		}
		found.move(in.VersionStage, in.MoveTo)
		return nil
	})
	return &name, err
}

type policyInput struct {
	SecretID          string `json:"SecretId" required:"true"`
	ResourcePolicy    string `required:"true" max:"20480"`
	BlockPublicPolicy bool
}

func (s *Service) putPolicy(_ context.Context, call *wire.Call, in *policyInput) (*named, error) {
	document, err := policy.Parse(policy.Resource, in.ResourcePolicy)
	if err != nil {
		return nil, wire.Errorf("MalformedPolicyDocumentException", "%s", err)
	}
	if in.BlockPublicPolicy && document.Public() {
		return nil, wire.Errorf("PublicPolicyException", "You can't attach a policy that allows everyone to use the secret.")
	}
	name, err := s.change(call, in.SecretID, func(found *secret) error {
		found.Policy = in.ResourcePolicy
		return nil
	})
	return &name, err
}

type policyOutput struct {
	named
	ResourcePolicy string `json:",omitempty"`
}

func (s *Service) getPolicy(_ context.Context, call *wire.Call, in *idInput) (*policyOutput, error) {
	found, err := s.find(call, in.SecretID)
	return &policyOutput{named{found.arn(), found.Name}, found.Policy}, err
}

func (s *Service) deletePolicy(_ context.Context, call *wire.Call, in *idInput) (*named, error) {
	name, err := s.change(call, in.SecretID, func(found *secret) error {
		found.Policy = ""
		return nil
	})
	return &name, err
}

type tagInput struct {
	SecretID string    `json:"SecretId" required:"true"`
	Tags     []tagPair `required:"true"`
}

func (s *Service) tag(_ context.Context, call *wire.Call, in *tagInput) (*wire.Empty, error) {
	_, err := s.change(call, in.SecretID, func(found *secret) error {
		if found.Tags == nil {
			found.Tags = map[string]string{}
		}
		for _, t := range in.Tags {
			found.Tags[t.Key] = t.Value
		}
		if len(found.Tags) > 50 {
			return errParameter("A secret has at most 50 tags")
		}
		return nil
	})
	return &wire.Empty{}, err
}

type untagInput struct {
	SecretID string   `json:"SecretId" required:"true"`
	TagKeys  []string `required:"true"`
}

func (s *Service) untag(_ context.Context, call *wire.Call, in *untagInput) (*wire.Empty, error) {
	_, err := s.change(call, in.SecretID, func(found *secret) error {
		for _, name := range in.TagKeys {
			delete(found.Tags, name)
		}
		return nil
	})
	return &wire.Empty{}, err
}
