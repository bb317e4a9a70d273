package ecr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// lifecyclePolicy: https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
type lifecyclePolicy struct {
	Rules []lifecycleRule `json:"rules"`
}

type lifecycleRule struct {
	RulePriority int                `json:"rulePriority"`
	Description  string             `json:"description"`
	Selection    lifecycleSelection `json:"selection"`
	Action       struct {
		Type string `json:"type"`
	} `json:"action"`
}

type lifecycleSelection struct {
	TagStatus      string   `json:"tagStatus"`
	TagPrefixList  []string `json:"tagPrefixList"`
	TagPatternList []string `json:"tagPatternList"`
	CountType      string   `json:"countType"`
	CountUnit      string   `json:"countUnit"`
	CountNumber    int      `json:"countNumber"`
}

// parseLifecycle reads a policy with its rules in the order of priority.
func parseLifecycle(text string) (lifecyclePolicy, error) {
	var p lifecyclePolicy
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, err
	}
	if len(p.Rules) == 0 {
		return p, fmt.Errorf("it has no rules")
	}
	slices.SortFunc(p.Rules, func(a, b lifecycleRule) int { return a.RulePriority - b.RulePriority })
	for i, r := range p.Rules {
		if i > 0 && p.Rules[i-1].RulePriority == r.RulePriority {
			return p, fmt.Errorf("two rules have the priority %d", r.RulePriority)
		}
		if err := r.check(i == len(p.Rules)-1); err != nil {
			return p, fmt.Errorf("rule %d: %w", r.RulePriority, err)
		}
	}
	return p, nil
}

func (r lifecycleRule) check(last bool) error {
	s := r.Selection
	lists := len(s.TagPrefixList) + len(s.TagPatternList)
	switch {
	case r.RulePriority < 1:
		return fmt.Errorf("its priority is below 1")
	case r.Action.Type != "expire":
		return fmt.Errorf("its action %q is not expire", r.Action.Type)
	case s.TagStatus != "any" && s.TagStatus != "tagged" && s.TagStatus != "untagged":
		return fmt.Errorf("its tagStatus %q is none of any, tagged, untagged", s.TagStatus)
	case s.TagStatus == "any" && !last:
		return fmt.Errorf("a rule with the tagStatus any must have the highest priority number")
	case s.TagStatus == "tagged" && lists == 0:
		return fmt.Errorf("tagStatus tagged needs a tagPrefixList or a tagPatternList")
	case len(s.TagPrefixList) > 0 && len(s.TagPatternList) > 0:
		return fmt.Errorf("it has both a tagPrefixList and a tagPatternList")
	case s.TagStatus != "tagged" && lists > 0:
		return fmt.Errorf("tags can be listed with the tagStatus tagged only")
	case s.CountNumber < 1:
		return fmt.Errorf("its countNumber is below 1")
	case s.CountType == "sinceImagePushed" && s.CountUnit != "days":
		return fmt.Errorf("sinceImagePushed needs the countUnit days")
	case s.CountType == "imageCountMoreThan" && s.CountUnit != "":
		return fmt.Errorf("imageCountMoreThan takes no countUnit")
	case s.CountType != "sinceImagePushed" && s.CountType != "imageCountMoreThan":
		return fmt.Errorf("its countType %q is none of imageCountMoreThan, sinceImagePushed", s.CountType)
	}
	return nil
}

// selects reports whether a rule is about an image: every listed prefix or
// pattern must be that of one of its tags.
func (s lifecycleSelection) selects(img taggedImage) bool {
	switch s.TagStatus {
	case "any":
		return true
	case "untagged":
		return len(img.tags) == 0
	}
	for _, prefix := range s.TagPrefixList {
		if !slices.ContainsFunc(img.tags, func(t string) bool { return strings.HasPrefix(t, prefix) }) {
			return false
		}
	}
	for _, pattern := range s.TagPatternList {
		matches := func(t string) bool { ok, err := path.Match(pattern, t); return ok && err == nil }
		if !slices.ContainsFunc(img.tags, matches) {
			return false
		}
	}
	return len(img.tags) > 0
}

// expired returns the digests that a policy removes at a time. An image whose
// tags a rule is about is out of reach for the rules after it; all images
// count for every rule; what an index refers to goes with the index only.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
func (p lifecyclePolicy) expired(all []taggedImage, now time.Time) map[string]bool {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b taggedImage) int { return b.Pushed.Compare(a.Pushed.Time) })
	children := map[string]bool{}
	for _, img := range all {
		for _, c := range img.Children {
			children[c] = true
		}
	}
	claimed, gone := map[string]bool{}, map[string]bool{}
	for _, rule := range p.Rules {
		var selected []taggedImage
		for _, img := range all {
			if rule.Selection.selects(img) && !children[img.Digest] {
				selected = append(selected, img)
			}
		}
		for i, img := range selected {
			if !claimed[img.Digest] && rule.Selection.ends(i, img, now) {
				gone[img.Digest] = true
			}
		}
		for _, img := range selected {
			claimed[img.Digest] = true
		}
	}
	return gone
}

// ends reports whether the n-th newest image is one too many or too old.
func (s lifecycleSelection) ends(n int, img taggedImage, now time.Time) bool {
	if s.CountType == "imageCountMoreThan" {
		return n >= s.CountNumber
	}
	return now.Sub(img.Pushed.Time) > time.Duration(s.CountNumber)*24*time.Hour
}

// expire applies a repository's lifecycle policy.
func (s *Service) expire(id repoID) error {
	return s.blobs.prune(func(tx state.Tx) (repoID, []string, error) {
		repo, err := getRepository(tx, id)
		if err != nil || repo.Lifecycle == "" {
			return id, nil, err
		}
		policy, err := parseLifecycle(repo.Lifecycle)
		if err != nil {
			return id, nil, fmt.Errorf("lifecycle policy of %s: %w", id.name, err)
		}
		all, err := allImages(tx, id)
		if err != nil {
			return id, nil, err
		}
		repo.LifecycleEvaluated.Time = s.now()
		if err := repositories.Put(tx, id.key(), repo); err != nil {
			return id, nil, err
		}
		unused, err := removeImages(tx, id, policy.expired(all, s.now()))
		return id, unused, err
	})
}

// Expire applies every lifecycle policy, for images that have become too old.
func (s *Service) Expire() error {
	var ids []repoID
	err := s.store.View(func(tx state.Tx) error {
		all, err := repositories.List(tx, "", "", 0)
		for _, e := range all {
			ids = append(ids, repoID{e.Value.Account, e.Value.Region, e.Value.Name})
		}
		return err
	})
	for _, id := range ids {
		if e := s.expire(id); e != nil && !wire.IsCode(e, "RepositoryNotFoundException") {
			err = errors.Join(err, e)
		}
	}
	return err
}
