package dynamodb

import (
	"context"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// The states that answers show.
const (
	creating = "CREATING"
	updating = "UPDATING"
	deleting = "DELETING"
	active   = "ACTIVE"
)

type tableDescription struct {
	AttributeDefinitions      []attributeDefinition `json:",omitempty"`
	TableName                 string
	KeySchema                 schema `json:",omitempty"`
	TableStatus               string
	CreationDateTime          wire.Time
	ProvisionedThroughput     throughputDescription
	TableSizeBytes            int64
	ItemCount                 int64
	TableArn                  string
	TableID                   string              `json:"TableId"`
	BillingModeSummary        *billing            `json:",omitempty"`
	LocalSecondaryIndexes     []indexDescription  `json:",omitempty"`
	GlobalSecondaryIndexes    []indexDescription  `json:",omitempty"`
	SSEDescription            *sseDescription     `json:",omitempty"`
	TableClassSummary         *tableClass         `json:",omitempty"`
	OnDemandThroughput        *onDemandThroughput `json:",omitempty"`
	WarmThroughput            warmThroughput
	DeletionProtectionEnabled bool
}

type throughputDescription struct {
	LastIncreaseDateTime   *wire.Time `json:",omitempty"`
	LastDecreaseDateTime   *wire.Time `json:",omitempty"`
	NumberOfDecreasesToday int64
	ReadCapacityUnits      int64
	WriteCapacityUnits     int64
}

type billing struct {
	BillingMode                       string
	LastUpdateToPayPerRequestDateTime *wire.Time `json:",omitempty"`
}

type indexDescription struct {
	IndexName             string
	KeySchema             schema
	Projection            projection
	IndexStatus           string                 `json:",omitempty"`
	Backfilling           *bool                  `json:",omitempty"`
	ProvisionedThroughput *throughputDescription `json:",omitempty"`
	OnDemandThroughput    *onDemandThroughput    `json:",omitempty"`
	WarmThroughput        *warmThroughput        `json:",omitempty"`
	IndexSizeBytes        int64
	ItemCount             int64
	IndexArn              string
}

type sseDescription struct {
	Status          string
	SSEType         string
	KMSMasterKeyArn string
}

type tableClass struct{ TableClass string }

type warmThroughput struct {
	ReadUnitsPerSecond  int64
	WriteUnitsPerSecond int64
	Status              string
}

// What a table on demand is warm for, as recorded on AWS.
const (
	onDemandReads  = 12000
	onDemandWrites = 4000
)

func warm(t throughput) warmThroughput {
	w := warmThroughput{t.ReadCapacityUnits, t.WriteCapacityUnits, active}
	if t == (throughput{}) {
		w.ReadUnitsPerSecond, w.WriteUnitsPerSecond = onDemandReads, onDemandWrites
	}
	return w
}

func timeOf(t time.Time) *wire.Time {
	if t.IsZero() {
		return nil
	}
	w := wire.TimeOf(t)
	return &w
}

// describe writes a table as answers show it.
func (t *table) describe(tx state.Tx, status string) tableDescription {
	total, _ := counts.Get(tx, state.Key(t.ID, t.ID)) // an empty table has none
	d := tableDescription{
		AttributeDefinitions: t.Attributes, TableName: t.Name, KeySchema: t.Keys, TableStatus: status, CreationDateTime: wire.TimeOf(t.Created),
		TableSizeBytes: total.Bytes, ItemCount: total.Items, TableArn: t.arn(), TableID: t.ID, OnDemandThroughput: t.OnDemandLimits,
		WarmThroughput: warm(t.Throughput), DeletionProtectionEnabled: t.Protected,
		ProvisionedThroughput: throughputDescription{timeOf(t.ThroughputChange.Increased), timeOf(t.ThroughputChange.Decreased), 0,
			t.Throughput.ReadCapacityUnits, t.Throughput.WriteCapacityUnits},
	}
	switch {
	case t.onDemand():
		d.BillingModeSummary = &billing{"PAY_PER_REQUEST", timeOf(t.OnDemand)}
	case !t.OnDemand.IsZero():
		d.BillingModeSummary = &billing{"PROVISIONED", timeOf(t.OnDemand)}
	}
	if t.KeyARN != "" {
		d.SSEDescription = &sseDescription{"ENABLED", "KMS", t.KeyARN}
	}
	if t.Class != "" {
		d.TableClassSummary = &tableClass{t.Class}
	}
	for _, x := range t.Local {
		d.LocalSecondaryIndexes = append(d.LocalSecondaryIndexes, t.describeIndex(tx, x))
	}
	for _, x := range t.Global {
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, t.describeGlobal(tx, x, status))
	}
	return d
}

// onDemand reports whether the table is billed by request.
func (t *table) onDemand() bool { return t.Throughput == throughput{} }

func (t *table) describeIndex(tx state.Tx, x index) indexDescription {
	total, _ := counts.Get(tx, state.Key(t.ID, x.ID)) // an empty index has none
	return indexDescription{IndexName: x.Name, KeySchema: x.Keys, Projection: x.Projection,
		IndexSizeBytes: total.Bytes, ItemCount: total.Items, IndexArn: t.arn() + "/index/" + x.Name}
}

func (t *table) describeGlobal(tx state.Tx, x index, status string) indexDescription {
	d := t.describeIndex(tx, x)
	d.IndexStatus = active
	if status == creating {
		d.IndexStatus = creating
	}
	w := warm(x.Throughput)
	d.ProvisionedThroughput = &throughputDescription{ReadCapacityUnits: x.Throughput.ReadCapacityUnits, WriteCapacityUnits: x.Throughput.WriteCapacityUnits}
	d.OnDemandThroughput, d.WarmThroughput = x.Limits, &w
	return d
}

type describeOutput struct{ Table tableDescription }

func (s *Service) describeTable(_ context.Context, call *wire.Call, in *tableInput) (*describeOutput, error) {
	out := &describeOutput{}
	err := s.cfg.Store.View(func(tx state.Tx) error {
		t, err := lookupNamed(tx, call, in.TableName)
		if err == nil {
			out.Table = t.describe(tx, active)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

type tableOutput struct{ TableDescription tableDescription }

func (s *Service) deleteTable(_ context.Context, call *wire.Call, in *tableInput) (*tableOutput, error) {
	out := &tableOutput{}
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		t, err := lookupNamed(tx, call, in.TableName)
		if err != nil {
			return err
		}
		if t.Protected {
			return invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
		}
		out.TableDescription = t.describe(tx, deleting)
		return t.remove(tx)
	})
	if err != nil {
		return nil, err
	}
	d := &out.TableDescription // of a table that goes AWS shows no more than this
	d.AttributeDefinitions, d.KeySchema, d.LocalSecondaryIndexes, d.GlobalSecondaryIndexes = nil, nil, nil, nil
	return out, nil
}

// remove forgets a table with all that is in it.
func (t *table) remove(tx state.Tx) error {
	for _, x := range t.indexes() {
		if err := items.DeletePrefix(tx, state.Prefix(x.ID)); err != nil {
			return err
		}
	}
	for _, remove := range []func(state.Tx, string) error{items.DeletePrefix, counts.DeletePrefix, expires.DeletePrefix} {
		if err := remove(tx, state.Prefix(t.ID)); err != nil {
			return err
		}
	}
	return tables.Delete(tx, t.key())
}

type listInput struct {
	ExclusiveStartTableName string
	Limit                   *int `min:"1" max:"100"`
}

type listOutput struct {
	TableNames             []string
	LastEvaluatedTableName string `json:",omitempty"`
}

const maxListed = 100

func (s *Service) listTables(_ context.Context, call *wire.Call, in *listInput) (*listOutput, error) {
	limit := maxListed
	if in.Limit != nil {
		limit = *in.Limit
	}
	prefix := state.Prefix(call.Caller.Account, call.Caller.Region)
	out := &listOutput{TableNames: []string{}}
	after := ""
	if in.ExclusiveStartTableName != "" {
		after = prefix + in.ExclusiveStartTableName
	}
	err := s.cfg.Store.View(func(tx state.Tx) error {
		for raw := range tables.Scan(tx, prefix, after) {
			if len(out.TableNames) == limit {
				out.LastEvaluatedTableName = out.TableNames[limit-1]
				break
			}
			out.TableNames = append(out.TableNames, raw.Key()[len(prefix):])
		}
		return nil
	})
	return out, err
}
