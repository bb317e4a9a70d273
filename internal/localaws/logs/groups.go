package logs

import (
	"context"
	"errors"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// CreateLogGroupInput is the input of CreateLogGroup.
type CreateLogGroupInput struct {
	LogGroupName              string            `json:"logGroupName" required:"true"`
	KmsKeyID                  string            `json:"kmsKeyId" max:"256"`
	Tags                      map[string]string `json:"tags" max:"50"`
	LogGroupClass             string            `json:"logGroupClass" enum:"STANDARD,INFREQUENT_ACCESS"`
	DeletionProtectionEnabled bool              `json:"deletionProtectionEnabled"`
}

func (in *CreateLogGroupInput) group() string { return in.LogGroupName }

func (s *Service) createLogGroup(_ context.Context, call *wire.Call, in *CreateLogGroupInput) (*wire.Empty, error) {
	if err := checkGroupName(in.LogGroupName); err != nil {
		return nil, err
	}
	g := group{
		Created: s.now(), KMSKey: in.KmsKeyID, Tags: in.Tags,
		Class: in.LogGroupClass, Protected: in.DeletionProtectionEnabled,
	}
	if g.Class == "" {
		g.Class = "STANDARD"
	}
	return nil, s.cfg.Store.Update(func(tx state.Tx) error {
		err := groups.Create(tx, groupKey(call.Caller, in.LogGroupName), g)
		if errors.Is(err, state.ErrExists) {
			return errGroupExists
		}
		return err
	})
}

// DeleteLogGroupInput is the input of DeleteLogGroup.
type DeleteLogGroupInput struct {
	LogGroupName string `json:"logGroupName" required:"true"`
}

func (in *DeleteLogGroupInput) group() string { return in.LogGroupName }

func (s *Service) deleteLogGroup(_ context.Context, call *wire.Call, in *DeleteLogGroupInput) (*wire.Empty, error) {
	var ids []string
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		g, err := getGroup(tx, call.Caller, in.LogGroupName)
		if err != nil {
			return err
		}
		if g.Protected {
			return wire.ValidationException("The log group %s has deletion protection enabled and cannot be deleted.", in.LogGroupName)
		}
		prefix := state.Prefix(call.Caller.Account, call.Caller.Region, in.LogGroupName)
		all, err := streams.List(tx, prefix, "", 0)
		if err != nil {
			return err
		}
		ids = nil
		for _, e := range all {
			ids = append(ids, e.Value.ID)
		}
		for _, remove := range []func(state.Tx, string) error{streams.DeletePrefix, metricFilters.DeletePrefix, subscriptions.DeletePrefix} {
			if err := remove(tx, prefix); err != nil {
				return err
			}
		}
		return groups.Delete(tx, groupKey(call.Caller, in.LogGroupName))
	})
	if err != nil {
		return nil, err
	}
	return nil, s.discard(ids)
}

// DescribeLogGroupsInput is the input of DescribeLogGroups.
type DescribeLogGroupsInput struct {
	LogGroupNamePrefix    string `json:"logGroupNamePrefix"`
	LogGroupNamePattern   string `json:"logGroupNamePattern"`
	LogGroupClass         string `json:"logGroupClass" enum:"STANDARD,INFREQUENT_ACCESS"`
	Limit                 *int   `json:"limit" min:"1" max:"50"`
	NextToken             string `json:"nextToken"`
	IncludeLinkedAccounts bool   `json:"includeLinkedAccounts"`
}

// LogGroup describes a log group.
type LogGroup struct {
	Arn                       string `json:"arn"`
	CreationTime              int64  `json:"creationTime"`
	DeletionProtectionEnabled *bool  `json:"deletionProtectionEnabled,omitempty"`
	KmsKeyID                  string `json:"kmsKeyId,omitempty"`
	LogGroupArn               string `json:"logGroupArn"`
	LogGroupClass             string `json:"logGroupClass"`
	LogGroupName              string `json:"logGroupName"`
	MetricFilterCount         int    `json:"metricFilterCount"`
	RetentionInDays           int    `json:"retentionInDays,omitempty"`
	StoredBytes               *int64 `json:"storedBytes,omitempty"`
}

// DescribeLogGroupsOutput is the output of DescribeLogGroups.
type DescribeLogGroupsOutput struct {
	LogGroups []LogGroup `json:"logGroups"`
	NextToken string     `json:"nextToken,omitempty"`
}

const defaultPage = 50

func pageSize(limit *int) int {
	if limit == nil {
		return defaultPage
	}
	return *limit
}

func (s *Service) describeLogGroups(_ context.Context, call *wire.Call, in *DescribeLogGroupsInput) (*DescribeLogGroupsOutput, error) {
	if in.LogGroupNamePrefix != "" && in.LogGroupNamePattern != "" {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	c := call.Caller
	out := &DescribeLogGroupsOutput{LogGroups: []LogGroup{}}
	after := ""
	if in.NextToken != "" {
		after = groupKey(c, in.NextToken)
	}
	err := s.cfg.Store.View(func(tx state.Tx) error {
		for raw := range groups.Scan(tx, state.Prefix(c.Account, c.Region), after) {
			g, err := raw.Value()
			if err != nil {
				return err
			}
			name := state.Parts(raw.Key())[2]
			if !in.selects(name, g) {
				continue
			}
			if len(out.LogGroups) == pageSize(in.Limit) {
				out.NextToken = out.LogGroups[len(out.LogGroups)-1].LogGroupName
				return nil
			}
			described, err := s.describeGroup(tx, c, name, g)
			if err != nil {
				return err
			}
			if in.LogGroupNamePattern != "" { // then AWS tells less, as recorded
				described.DeletionProtectionEnabled, described.StoredBytes = nil, nil
			}
			out.LogGroups = append(out.LogGroups, described)
		}
		return nil
	})
	return out, err
}

func (in *DescribeLogGroupsInput) selects(name string, g group) bool {
	return strings.HasPrefix(name, in.LogGroupNamePrefix) && strings.Contains(strings.ToLower(name), strings.ToLower(in.LogGroupNamePattern)) &&
		(in.LogGroupClass == "" || in.LogGroupClass == g.Class)
}

// describeGroup includes the stored bytes of the streams that are open; AWS
// updates the figure with a delay of up to a day.
func (s *Service) describeGroup(tx state.Tx, c wire.Caller, name string, g group) (LogGroup, error) {
	arn := GroupARN(c, name)
	d := LogGroup{
		Arn: arn + ":*", LogGroupArn: arn, LogGroupName: name, CreationTime: g.Created, KmsKeyID: g.KMSKey,
		LogGroupClass: g.Class, RetentionInDays: g.Retention, DeletionProtectionEnabled: &g.Protected,
		MetricFilterCount: countOf(tx, metricFilters, c, name), StoredBytes: new(int64),
	}
	all, err := streams.List(tx, state.Prefix(c.Account, c.Region, name), "", 0)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range all {
		if f := s.open[e.Value.ID]; f != nil {
			*d.StoredBytes += f.Stats(0).Bytes
		}
	}
	return d, err
}

// PutRetentionPolicyInput is the input of PutRetentionPolicy.
type PutRetentionPolicyInput struct {
	LogGroupName    string `json:"logGroupName" required:"true"`
	RetentionInDays *int   `json:"retentionInDays" required:"true"`
}

func (in *PutRetentionPolicyInput) group() string { return in.LogGroupName }

// retentions are the days that AWS accepts.
var retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func (s *Service) putRetentionPolicy(_ context.Context, call *wire.Call, in *PutRetentionPolicyInput) (*wire.Empty, error) {
	if !slices.Contains(retentions, *in.RetentionInDays) {
		return nil, invalid("1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: %v", *in.RetentionInDays, retentions)
	}
	return s.changeGroup(call.Caller, in.LogGroupName, func(g *group) { g.Retention = *in.RetentionInDays })
}

// DeleteRetentionPolicyInput is the input of DeleteRetentionPolicy.
type DeleteRetentionPolicyInput struct {
	LogGroupName string `json:"logGroupName" required:"true"`
}

func (in *DeleteRetentionPolicyInput) group() string { return in.LogGroupName }

func (s *Service) deleteRetentionPolicy(_ context.Context, call *wire.Call, in *DeleteRetentionPolicyInput) (*wire.Empty, error) {
	return s.changeGroup(call.Caller, in.LogGroupName, func(g *group) { g.Retention = 0 })
}

// AssociateKmsKeyInput is the input of AssociateKmsKey. The key is kept and
// returned; events are not encrypted with it.
type AssociateKmsKeyInput struct {
	LogGroupName       string `json:"logGroupName"`
	ResourceIdentifier string `json:"resourceIdentifier"`
	KmsKeyID           string `json:"kmsKeyId" required:"true" max:"256"`
}

func (in *AssociateKmsKeyInput) group() string {
	return eitherName(in.LogGroupName, in.ResourceIdentifier)
}

func (s *Service) associateKmsKey(_ context.Context, call *wire.Call, in *AssociateKmsKeyInput) (*wire.Empty, error) {
	return s.changeGroup(call.Caller, in.group(), func(g *group) { g.KMSKey = in.KmsKeyID })
}

// DisassociateKmsKeyInput is the input of DisassociateKmsKey.
type DisassociateKmsKeyInput struct {
	LogGroupName       string `json:"logGroupName"`
	ResourceIdentifier string `json:"resourceIdentifier"`
}

func (in *DisassociateKmsKeyInput) group() string {
	return eitherName(in.LogGroupName, in.ResourceIdentifier)
}

func (s *Service) disassociateKmsKey(_ context.Context, call *wire.Call, in *DisassociateKmsKeyInput) (*wire.Empty, error) {
	return s.changeGroup(call.Caller, in.group(), func(g *group) { g.KMSKey = "" })
}
