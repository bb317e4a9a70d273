package dynamodb

import (
	"context"
	"errors"
	"slices"

	"engage/internal/localaws/dynamodb/attr"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type updateTableInput struct {
	TableName                   string `required:"true"`
	AttributeDefinitions        []attributeDefinition
	BillingMode                 string `enum:"PROVISIONED,PAY_PER_REQUEST"`
	ProvisionedThroughput       *throughput
	OnDemandThroughput          *onDemandThroughput
	GlobalSecondaryIndexUpdates []indexUpdate
	StreamSpecification         *streamInput
	SSESpecification            *sseInput
	TableClass                  string `enum:"STANDARD,STANDARD_INFREQUENT_ACCESS"`
	DeletionProtectionEnabled   *bool
}

type indexUpdate struct {
	Create *indexInput
	Update *struct {
		IndexName             string `required:"true"`
		ProvisionedThroughput *throughput
		OnDemandThroughput    *onDemandThroughput
	}
	Delete *struct {
		IndexName string `required:"true"`
	}
}

func (s *Service) updateTable(ctx context.Context, call *wire.Call, in *updateTableInput) (*tableOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	encrypted, err := s.encryption(ctx, call, in.SSESpecification)
	if err != nil {
		return nil, err
	}
	out := &tableOutput{}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		t, err := lookupNamed(tx, call, in.TableName)
		if err != nil {
			return err
		}
		before := *t
		before.Global = slices.Clone(t.Global)
		if err := in.apply(tx, s, t); err != nil {
			return err
		}
		if in.SSESpecification != nil {
			t.KeyARN = encrypted
		}
		out.TableDescription = t.describe(tx, updating)
		in.showPassage(&out.TableDescription, &before, t)
		return tables.Put(tx, t.key(), *t)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// encryption returns the ARN of the key that a request asks for, "" for none.
// It calls another service, so it is no part of a transaction.
func (s *Service) encryption(ctx context.Context, call *wire.Call, in *sseInput) (string, error) {
	var t table
	err := s.setKey(ctx, call, &t, in)
	return t.KeyARN, err
}

func (in *updateTableInput) check() error {
	if in.StreamSpecification != nil && in.StreamSpecification.StreamEnabled {
		return wire.NotImplemented("a stream (StreamSpecification)")
	}
	if in.BillingMode == "" && in.ProvisionedThroughput == nil && in.OnDemandThroughput == nil && in.GlobalSecondaryIndexUpdates == nil &&
		in.StreamSpecification == nil && in.SSESpecification == nil && in.TableClass == "" && in.DeletionProtectionEnabled == nil {
		return invalid("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	}
	if in.BillingMode == "PAY_PER_REQUEST" && in.ProvisionedThroughput != nil {
		return badParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	}
	if in.ProvisionedThroughput != nil {
		return in.ProvisionedThroughput.check("provisionedThroughput")
	}
	return nil
}

// apply makes the changes that a request asks for.
func (in *updateTableInput) apply(tx state.Tx, s *Service, t *table) error {
	if err := in.bill(s, t); err != nil {
		return err
	}
	if in.TableClass != "" {
		t.Class = in.TableClass
	}
	if in.DeletionProtectionEnabled != nil {
		t.Protected = *in.DeletionProtectionEnabled
	}
	if in.OnDemandThroughput != nil {
		t.OnDemandLimits = in.OnDemandThroughput
	}
	if err := t.define(in.AttributeDefinitions); err != nil {
		return err
	}
	for _, u := range in.GlobalSecondaryIndexUpdates {
		if err := t.updateIndex(tx, u); err != nil {
			return err
		}
	}
	used := t.keyNames()
	t.Attributes = slices.DeleteFunc(t.Attributes, func(a attributeDefinition) bool { return !slices.Contains(used, a.AttributeName) })
	return nil
}

// bill changes the billing mode or the throughput.
func (in *updateTableInput) bill(s *Service, t *table) error {
	want := in.ProvisionedThroughput
	switch {
	case in.BillingMode == "PAY_PER_REQUEST":
		if !t.onDemand() {
			t.OnDemand, t.Throughput = s.now(), throughput{}
			for i := range t.Global {
				t.Global[i].Throughput = throughput{}
			}
		}
		return nil
	case want == nil && in.BillingMode == "PROVISIONED" && t.onDemand():
		return badParameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	case want == nil:
		return nil
	case in.BillingMode == "" && t.onDemand():
		return badParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	case *want == t.Throughput && len(in.GlobalSecondaryIndexUpdates) == 0:
		return invalid("The provisioned throughput for the table will not change. The requested value equals the current value. "+
			"Current ReadCapacityUnits provisioned for the table: %d. Requested ReadCapacityUnits: %d. "+
			"Current WriteCapacityUnits provisioned for the table: %d. Requested WriteCapacityUnits: %d. "+
			"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
			t.Throughput.ReadCapacityUnits, want.ReadCapacityUnits, t.Throughput.WriteCapacityUnits, want.WriteCapacityUnits)
	}
	if want.ReadCapacityUnits > t.Throughput.ReadCapacityUnits || want.WriteCapacityUnits > t.Throughput.WriteCapacityUnits {
		t.ThroughputChange.Increased = s.now()
	}
	if want.ReadCapacityUnits < t.Throughput.ReadCapacityUnits || want.WriteCapacityUnits < t.Throughput.WriteCapacityUnits {
		t.ThroughputChange.Decreased = s.now()
	}
	t.Throughput = *want
	return nil
}

// define adds definitions of key attributes, which must not change.
func (t *table) define(all []attributeDefinition) error {
	for _, a := range all {
		switch have := t.typeOf(a.AttributeName); {
		case have == attr.Invalid:
			t.Attributes = append(t.Attributes, a)
		case have.String() != a.AttributeType:
			return badParameter("Cannot change the type of the attribute %s from %s to %s", a.AttributeName, have, a.AttributeType)
		}
	}
	t.Attributes = sorted(t.Attributes)
	return nil
}

func (t *table) updateIndex(tx state.Tx, u indexUpdate) error {
	n := 0
	for _, there := range []bool{u.Create != nil, u.Update != nil, u.Delete != nil} {
		if there {
			n++
		}
	}
	switch {
	case n != 1:
		return badParameter("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null, and only one")
	case u.Create != nil:
		if x, _ := t.index(u.Create.IndexName); x != nil {
			return invalid("Attempting to create an index which already exists")
		}
		if err := t.addGlobal(*u.Create); err != nil {
			return err
		}
		return t.backfill(tx, t.Global[len(t.Global)-1])
	case u.Delete != nil:
		return t.dropIndex(tx, u.Delete.IndexName)
	}
	x, global := t.index(u.Update.IndexName)
	if !global {
		return errNoIndex()
	}
	if u.Update.ProvisionedThroughput != nil {
		x.Throughput = *u.Update.ProvisionedThroughput
		if err := x.Throughput.check("globalSecondaryIndexUpdates.1.member.update.provisionedThroughput"); err != nil {
			return err
		}
	}
	if u.Update.OnDemandThroughput != nil {
		x.Limits = u.Update.OnDemandThroughput
	}
	return nil
}

func errNoIndex() error {
	return wire.Errorf("ResourceNotFoundException", "Requested resource not found")
}

func (t *table) dropIndex(tx state.Tx, name string) error {
	x, global := t.index(name)
	if !global {
		return errNoIndex()
	}
	if err := items.DeletePrefix(tx, state.Prefix(x.ID)); err != nil {
		return err
	}
	if err := counts.Delete(tx, state.Key(t.ID, x.ID)); err != nil && !errors.Is(err, state.ErrNotFound) {
		return err
	}
	t.Global = slices.DeleteFunc(t.Global, func(y index) bool { return y.Name == name })
	return nil
}

// backfill makes the entries of a new index. What does not fit its key has none.
func (t *table) backfill(tx state.Tx, x index) error {
	all, err := items.List(tx, state.Prefix(t.ID), "", 0)
	if err != nil {
		return err
	}
	for _, e := range all {
		if _, err := t.reindex(tx, x, nil, e.Value); err != nil {
			return err
		}
	}
	return nil
}

// showPassage shows in the answer what AWS takes its time for.
func (in *updateTableInput) showPassage(d *tableDescription, before, now *table) {
	var gone []indexDescription
	for _, u := range in.GlobalSecondaryIndexUpdates {
		for i := range d.GlobalSecondaryIndexes {
			x := &d.GlobalSecondaryIndexes[i]
			switch {
			case u.Create != nil && u.Create.IndexName == x.IndexName:
				filling := false
				x.IndexStatus, x.Backfilling = creating, &filling
			case u.Update != nil && u.Update.IndexName == x.IndexName:
				x.IndexStatus = updating
			}
		}
		if u.Delete != nil {
			x, _ := before.index(u.Delete.IndexName)
			gone = append(gone, indexDescription{IndexName: x.Name, KeySchema: x.Keys, Projection: x.Projection, IndexStatus: deleting,
				ProvisionedThroughput: &throughputDescription{ReadCapacityUnits: x.Throughput.ReadCapacityUnits, WriteCapacityUnits: x.Throughput.WriteCapacityUnits},
				IndexArn:              now.arn() + "/index/" + x.Name})
		}
	}
	d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, gone...)
	if before.KeyARN != now.KeyARN {
		arn := now.KeyARN
		if arn == "" {
			arn = before.KeyARN // shown while the encryption is taken back, as recorded on AWS
		}
		d.SSEDescription = &sseDescription{updating, "KMS", arn}
	}
}
