package cloudtrail

import (
	"context"
	"crypto/x509"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

// API returns the operations.
func (s *Service) API() *wire.Service {
	return &wire.Service{Name: "cloudtrail", Protocol: wire.JSON11,
		Targets: []string{"CloudTrail_20131101", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"},
		Operations: []wire.Operation{
			wire.JSON("CreateTrail", s.create, touch("CreateTrail", func(in *trailInput) string { return in.Name })),
			wire.JSON("UpdateTrail", s.update, touch("UpdateTrail", func(in *trailInput) string { return in.Name })),
			wire.JSON("GetTrail", s.get, touch("GetTrail", nameOf)),
			wire.JSON("DescribeTrails", s.describe, nil),
			wire.JSON("ListTrails", s.list, nil),
			wire.JSON("DeleteTrail", s.remove, touch("DeleteTrail", nameOf)),
			wire.JSON("StartLogging", s.start, touch("StartLogging", nameOf)),
			wire.JSON("StopLogging", s.stop, touch("StopLogging", nameOf)),
			wire.JSON("GetTrailStatus", s.status, touch("GetTrailStatus", nameOf)),
			wire.JSON("PutEventSelectors", s.putSelectors, touch("PutEventSelectors", func(in *selectorsInput) string { return in.TrailName })),
			wire.JSON("GetEventSelectors", s.getSelectors, touch("GetEventSelectors", func(in *trailNameInput) string { return in.TrailName })),
			wire.JSON("LookupEvents", s.lookupEvents, nil),
			wire.JSON("ListPublicKeys", s.publicKeys, nil),
			wire.JSON("AddTags", s.addTags, touch("AddTags", func(in *tagsInput) string { return in.ResourceID })),
			wire.JSON("RemoveTags", s.removeTags, touch("RemoveTags", func(in *tagsInput) string { return in.ResourceID })),
			wire.JSON("ListTags", s.listTags, nil),
		}}
}

// plain is a trail's name, which may be given as its ARN.
func plain(text string) string {
	if _, resource := target.Split(text); resource != "" {
		return strings.TrimPrefix(resource, "trail/")
	}
	return text
}

func touch[I any](action string, name func(*I) string) wire.Touches[I] {
	return func(call *wire.Call, in *I) []wire.Access {
		return []wire.Access{{Action: "cloudtrail:" + action, Resource: call.ARN("cloudtrail", "trail/"+plain(name(in)))}}
	}
}

func lookup(tx state.Tx, call *wire.Call, text string) (trail, error) {
	t, err := trails.Get(tx, state.Key(call.Caller.Account, call.Caller.Region, plain(text)))
	if errors.Is(err, state.ErrNotFound) {
		return t, wire.Errorf("TrailNotFoundException", "Unknown trail: %s for the user: %s", plain(text), call.Caller.Account)
	}
	return t, err
}

func (s *Service) find(call *wire.Call, name string) (t trail, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		t, err = lookup(tx, call, name)
		return err
	})
	return t, err
}

func (s *Service) change(call *wire.Call, name string, f func(*trail) error) (t trail, err error) {
	s.flush.Lock() // a delivery writes its trail back
	defer s.flush.Unlock()
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		if t, err = lookup(tx, call, name); err != nil {
			return err
		}
		if err := f(&t); err != nil {
			return err
		}
		return trails.Put(tx, t.key(), t)
	})
	if err != nil {
		return t, err
	}
	return t, s.refresh()
}

type tagPair struct {
	Key   string `required:"true" max:"128"`
	Value string `max:"256"`
}

type trailInput struct {
	Name                       string `required:"true"`
	S3BucketName               *string
	S3KeyPrefix                *string `max:"200"`
	IncludeGlobalServiceEvents *bool
	IsMultiRegionTrail         *bool
	EnableLogFileValidation    *bool
	KmsKeyId                   *string
	CloudWatchLogsLogGroupArn  *string
	CloudWatchLogsRoleArn      *string
	TagsList                   []tagPair
}

// trailOutput is AWS's Trail, and the answer of CreateTrail and UpdateTrail.
type trailOutput struct {
	Name                       string
	S3BucketName               string
	S3KeyPrefix                string `json:",omitempty"`
	IncludeGlobalServiceEvents bool
	IsMultiRegionTrail         bool
	HomeRegion                 string `json:",omitempty"`
	TrailARN                   string
	LogFileValidationEnabled   bool
	HasCustomEventSelectors    bool
	HasInsightSelectors        bool
	IsOrganizationTrail        bool
	KmsKeyId                   string `json:",omitempty"`
	CloudWatchLogsLogGroupArn  string `json:",omitempty"`
	CloudWatchLogsRoleArn      string `json:",omitempty"`
}

func (t trail) output() trailOutput {
	return trailOutput{t.Name, t.Bucket, t.Prefix, t.Global, t.Multi, t.Region, t.arn(), t.Validate, len(t.Selectors)+len(t.Advanced) > 0, false, false,
		t.Key, t.LogGroup, t.LogRole}
}

var trailName = regexp.MustCompile(`^[a-zA-Z0-9](?:[._-]?[a-zA-Z0-9]){2,127}$`)

func (in *trailInput) apply(t *trail) {
	for _, text := range []struct {
		given *string
		into  *string
	}{
		{in.S3BucketName, &t.Bucket}, {in.S3KeyPrefix, &t.Prefix}, {in.KmsKeyId, &t.Key},
		{in.CloudWatchLogsLogGroupArn, &t.LogGroup}, {in.CloudWatchLogsRoleArn, &t.LogRole},
	} {
		if text.given != nil {
			*text.into = *text.given
		}
	}
	for _, flag := range []struct{ given, into *bool }{
		{in.IncludeGlobalServiceEvents, &t.Global}, {in.IsMultiRegionTrail, &t.Multi}, {in.EnableLogFileValidation, &t.Validate},
	} {
		if flag.given != nil {
			*flag.into = *flag.given
		}
	}
}

func (s *Service) create(ctx context.Context, call *wire.Call, in *trailInput) (*trailOutput, error) {
	if !trailName.MatchString(in.Name) {
		return nil, wire.Errorf("InvalidTrailNameException", "Trail name must have 3 to 128 letters, digits, periods, underscores or dashes, and begin and end with a letter or digit.")
	}
	if in.S3BucketName == nil || *in.S3BucketName == "" {
		return nil, wire.Errorf("InvalidS3BucketNameException", "A trail needs an S3BucketName.")
	}
	t := trail{Name: in.Name, Account: call.Caller.Account, Region: call.Caller.Region, Global: true, Tags: map[string]string{}}
	in.apply(&t)
	for _, p := range in.TagsList {
		t.Tags[p.Key] = p.Value
	}
	if err := s.check(ctx, t); err != nil {
		return nil, err
	}
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		if errors.Is(trails.Create(tx, t.key(), t), state.ErrExists) {
			return wire.Errorf("TrailAlreadyExistsException", "Trail %s already exists for customer: %s", t.Name, t.Account)
		}
		return nil
	})
	out := t.output()
	return &out, err
}

func (s *Service) update(ctx context.Context, call *wire.Call, in *trailInput) (*trailOutput, error) {
	t, err := s.find(call, in.Name)
	if err != nil {
		return nil, err
	}
	in.apply(&t)
	if err := s.check(ctx, t); err != nil { // before the change: what it asks for may write, too
		return nil, err
	}
	t, err = s.change(call, in.Name, func(t *trail) error {
		was := *t
		in.apply(t)
		if t.Bucket != was.Bucket || t.Prefix != was.Prefix {
			t.Intended, t.IntendedDigest = nil, nil
		}
		return nil
	})
	out := t.output()
	return &out, err
}

type nameInput struct {
	Name string `required:"true"`
}

func nameOf(in *nameInput) string { return in.Name }

type getOutput struct{ Trail trailOutput }

func (s *Service) get(_ context.Context, call *wire.Call, in *nameInput) (*getOutput, error) {
	t, err := s.find(call, in.Name)
	return &getOutput{t.output()}, err
}

type describeInput struct {
	TrailNameList       []string `json:"trailNameList"`
	IncludeShadowTrails *bool    `json:"includeShadowTrails"`
}

type describeOutput struct {
	TrailList []trailOutput `json:"trailList"`
}

// all returns the account's trails: those of the region, and those of others
// that are for all regions.
func (s *Service) all(call *wire.Call, shadows bool) (found []trail, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		entries, err := trails.List(tx, state.Prefix(call.Caller.Account), "", 0)
		for _, e := range entries {
			if e.Value.Region == call.Caller.Region || shadows && e.Value.Multi {
				found = append(found, e.Value)
			}
		}
		return err
	})
	return found, err
}

func (s *Service) describe(_ context.Context, call *wire.Call, in *describeInput) (*describeOutput, error) {
	found, err := s.all(call, in.IncludeShadowTrails == nil || *in.IncludeShadowTrails)
	out := &describeOutput{[]trailOutput{}}
	for _, t := range found {
		wanted := func(name string) bool { return name == t.arn() || name == t.Name }
		if len(in.TrailNameList) == 0 || slices.ContainsFunc(in.TrailNameList, wanted) {
			out.TrailList = append(out.TrailList, t.output())
		}
	}
	return out, err
}

type listInput struct{ NextToken string }

type trailInfo struct{ Name, TrailARN, HomeRegion string }

type listOutput struct{ Trails []trailInfo }

func (s *Service) list(_ context.Context, call *wire.Call, _ *listInput) (*listOutput, error) {
	found, err := s.all(call, true)
	out := &listOutput{[]trailInfo{}}
	for _, t := range found {
		out.Trails = append(out.Trails, trailInfo{t.Name, t.arn(), t.Region})
	}
	return out, err
}

func (s *Service) remove(_ context.Context, call *wire.Call, in *nameInput) (*wire.Empty, error) {
	s.flush.Lock()
	defer s.flush.Unlock()
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		t, err := lookup(tx, call, in.Name)
		if err != nil {
			return err
		}
		return trails.Delete(tx, t.key())
	})
	return &wire.Empty{}, errors.Join(err, s.refresh())
}

// start lets the trail begin with what is recorded from now on.
func (s *Service) start(_ context.Context, call *wire.Call, in *nameInput) (*wire.Empty, error) {
	if err := s.save(); err != nil {
		return nil, err
	}
	last := ""
	err := s.cfg.Store.View(func(tx state.Tx) error {
		for raw := range events.Scan(tx, "", "") {
			last = raw.Key()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	_, err = s.change(call, in.Name, func(t *trail) error {
		if !t.Logging {
			now := s.cfg.Clock()
			t.Logging, t.Started, t.Cursor = true, &now, last
		}
		return nil
	})
	return &wire.Empty{}, err
}

// stop ends the trail's log, also when what is left cannot be delivered: the
// trail's status tells why.
func (s *Service) stop(ctx context.Context, call *wire.Call, in *nameInput) (*wire.Empty, error) {
	if err := s.save(); err != nil {
		return nil, err
	}
	_ = s.Flush(ctx, false)
	_, err := s.change(call, in.Name, func(t *trail) error {
		now := s.cfg.Clock()
		t.Logging, t.Stopped = false, &now
		return nil
	})
	return &wire.Empty{}, err
}

type statusOutput struct {
	IsLogging                bool
	StartLoggingTime         *wire.Time `json:",omitempty"`
	StopLoggingTime          *wire.Time `json:",omitempty"`
	LatestDeliveryTime       *wire.Time `json:",omitempty"`
	LatestDeliveryError      string     `json:",omitempty"`
	LatestDigestDeliveryTime *wire.Time `json:",omitempty"`
}

func (s *Service) status(_ context.Context, call *wire.Call, in *nameInput) (*statusOutput, error) {
	t, err := s.find(call, in.Name)
	return &statusOutput{t.Logging, stamp(t.Started), stamp(t.Stopped), stamp(t.Delivered), t.DeliveryError, stamp(t.Digested)}, err
}

type keysInput struct {
	StartTime, EndTime *wire.Time
	NextToken          string
}

type publicKey struct {
	Value             []byte
	ValidityStartTime wire.Time
	ValidityEndTime   wire.Time
	Fingerprint       string
}

type keysOutput struct{ PublicKeyList []publicKey }

// keyYears is how long the key is said to be valid around now: it is never changed.
const keyYears = 10

func (s *Service) publicKeys(_ context.Context, _ *wire.Call, _ *keysInput) (*keysOutput, error) {
	key, err := s.PublicKey()
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	return &keysOutput{[]publicKey{{x509.MarshalPKCS1PublicKey(key), wire.TimeOf(now.AddDate(-keyYears, 0, 0)),
		wire.TimeOf(now.AddDate(keyYears, 0, 0)), fingerprint(key)}}}, nil
}

type tagsInput struct {
	ResourceID string `json:"ResourceId" required:"true"`
	TagsList   []tagPair
}

func (s *Service) addTags(_ context.Context, call *wire.Call, in *tagsInput) (*wire.Empty, error) {
	_, err := s.change(call, in.ResourceID, func(t *trail) error {
		if t.Tags == nil {
			t.Tags = map[string]string{}
		}
		for _, p := range in.TagsList {
			t.Tags[p.Key] = p.Value
		}
		return nil
	})
	return &wire.Empty{}, err
}

func (s *Service) removeTags(_ context.Context, call *wire.Call, in *tagsInput) (*wire.Empty, error) {
	_, err := s.change(call, in.ResourceID, func(t *trail) error {
		for _, p := range in.TagsList {
			delete(t.Tags, p.Key)
		}
		return nil
	})
	return &wire.Empty{}, err
}

type listTagsInput struct {
	ResourceIDList []string `json:"ResourceIdList" required:"true" max:"20"`
	NextToken      string
}

type resourceTags struct {
	ResourceID string `json:"ResourceId"`
	TagsList   []tagPair
}

type listTagsOutput struct{ ResourceTagList []resourceTags }

func (s *Service) listTags(_ context.Context, call *wire.Call, in *listTagsInput) (*listTagsOutput, error) {
	out := &listTagsOutput{[]resourceTags{}}
	for _, id := range in.ResourceIDList {
		t, err := s.find(call, id)
		if err != nil {
			return nil, err
		}
		r := resourceTags{id, []tagPair{}}
		for _, name := range slices.Sorted(maps.Keys(t.Tags)) {
			r.TagsList = append(r.TagsList, tagPair{name, t.Tags[name]})
		}
		out.ResourceTagList = append(out.ResourceTagList, r)
	}
	return out, nil
}
