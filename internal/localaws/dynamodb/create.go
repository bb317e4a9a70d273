package dynamodb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type indexInput struct {
	IndexName             string     `required:"true"`
	KeySchema             schema     `required:"true"`
	Projection            projection `required:"true"`
	ProvisionedThroughput *throughput
	OnDemandThroughput    *onDemandThroughput
}

type streamInput struct {
	StreamEnabled  bool
	StreamViewType string
}

type sseInput struct {
	Enabled        *bool
	SSEType        string `enum:"AES256,KMS"`
	KMSMasterKeyID string `json:"KMSMasterKeyId"`
}

type createTableInput struct {
	TableName                 string                `required:"true"`
	AttributeDefinitions      []attributeDefinition `required:"true"`
	KeySchema                 schema                `required:"true" max:"2"`
	LocalSecondaryIndexes     []indexInput
	GlobalSecondaryIndexes    []indexInput
	BillingMode               string `enum:"PROVISIONED,PAY_PER_REQUEST"`
	ProvisionedThroughput     *throughput
	OnDemandThroughput        *onDemandThroughput
	StreamSpecification       *streamInput
	SSESpecification          *sseInput
	Tags                      []tag
	TableClass                string `enum:"STANDARD,STANDARD_INFREQUENT_ACCESS"`
	DeletionProtectionEnabled bool
}

func (s *Service) createTable(ctx context.Context, call *wire.Call, in *createTableInput) (*tableOutput, error) {
	t, err := s.newTable(ctx, call, in)
	if err != nil {
		return nil, err
	}
	out := &tableOutput{}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		if tables.Has(tx, t.key()) {
			return wire.Errorf("ResourceInUseException", "Table already exists: %s", t.Name)
		}
		out.TableDescription = t.describe(tx, creating)
		return tables.Put(tx, t.key(), *t)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// newTable makes the table that a request describes.
func (s *Service) newTable(ctx context.Context, call *wire.Call, in *createTableInput) (*table, error) {
	account, region, name := splitTable(call, in.TableName)
	if !isName(name) {
		return nil, errName()
	}
	if in.StreamSpecification != nil && in.StreamSpecification.StreamEnabled {
		return nil, wire.NotImplemented("a stream (StreamSpecification)")
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	t := &table{ID: id, Name: name, Account: account, Region: region, Created: s.now(), Attributes: sorted(in.AttributeDefinitions),
		Keys: in.KeySchema, Class: in.TableClass, Protected: in.DeletionProtectionEnabled, Tags: map[string]string{}}
	if err := t.setBilling(in); err != nil {
		return nil, err
	}
	if err := t.checkKeys(t.Keys); err != nil {
		return nil, err
	}
	if err := t.addIndexes(in); err != nil {
		return nil, err
	}
	if err := t.checkUnused(); err != nil {
		return nil, err
	}
	if err := t.tag(in.Tags); err != nil {
		return nil, err
	}
	return t, s.setKey(ctx, call, t, in.SSESpecification)
}

func sorted(all []attributeDefinition) []attributeDefinition {
	return slices.SortedFunc(slices.Values(all), func(a, b attributeDefinition) int { return strings.Compare(a.AttributeName, b.AttributeName) })
}

func (t *table) setBilling(in *createTableInput) error {
	if in.BillingMode == "PAY_PER_REQUEST" {
		if in.ProvisionedThroughput != nil {
			return badParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
		}
		t.OnDemand, t.OnDemandLimits = t.Created, in.OnDemandThroughput
		return nil
	}
	if in.ProvisionedThroughput == nil {
		return badParameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	}
	if in.OnDemandThroughput != nil {
		return badParameter("OnDemandThroughput can only be specified when BillingMode is PAY_PER_REQUEST")
	}
	t.Throughput = *in.ProvisionedThroughput
	return in.ProvisionedThroughput.check("provisionedThroughput")
}

// check refuses what is not positive, which would be a table on demand.
func (t throughput) check(path string) error {
	for _, unit := range []struct {
		name   string
		amount int64
	}{{"readCapacityUnits", t.ReadCapacityUnits}, {"writeCapacityUnits", t.WriteCapacityUnits}} {
		if unit.amount < 1 {
			return invalid("1 validation error detected: Value '%d' at '%s.%s' failed to satisfy constraint: Member must have value greater than or equal to 1", unit.amount, path, unit.name)
		}
	}
	return nil
}

// checkKeys checks the key of the table or of an index.
func (t *table) checkKeys(k schema) error {
	var defined []string
	for _, a := range t.Attributes {
		defined = append(defined, a.AttributeName)
	}
	for _, name := range k.names() {
		if !slices.Contains(defined, name) {
			return badParameter("Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: [%s]",
				strings.Join(k.names(), ", "), strings.Join(defined, ", "))
		}
	}
	switch {
	case len(k) == 0 || len(k) > 2:
		return invalid("1 validation error detected: Value '%v' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2 and greater than or equal to 1", k.names())
	case k[0].KeyType != "HASH":
		return invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	case len(k) == 2 && k[0].AttributeName == k[1].AttributeName:
		return invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	case len(k) == 2 && k[1].KeyType != "RANGE":
		return invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
	}
	return nil
}

// The most indexes of a table:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const (
	maxLocal  = 5
	maxGlobal = 20
)

func (t *table) addIndexes(in *createTableInput) error {
	if in.LocalSecondaryIndexes != nil && len(in.LocalSecondaryIndexes) == 0 {
		return badParameter("List of LocalSecondaryIndexes is empty")
	}
	if in.GlobalSecondaryIndexes != nil && len(in.GlobalSecondaryIndexes) == 0 {
		return badParameter("List of GlobalSecondaryIndexes is empty")
	}
	for _, x := range in.LocalSecondaryIndexes {
		if err := t.addLocal(x); err != nil {
			return err
		}
	}
	for _, x := range in.GlobalSecondaryIndexes {
		if err := t.addGlobal(x); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) addLocal(in indexInput) error {
	if t.Keys.sort() == "" {
		return badParameter("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
	}
	x, err := t.newIndex(in)
	if err != nil {
		return err
	}
	switch {
	case x.Keys.sort() == "":
		return badParameter("Index KeySchema does not have a range key for index: %s", x.Name)
	case x.Keys.hash() != t.Keys.hash():
		return badParameter("Index KeySchema does not have the same leading hash key as table KeySchema for index: %s. index hash key: %s, table hash key: %s",
			x.Name, x.Keys.hash(), t.Keys.hash())
	case len(t.Local) == maxLocal:
		return badParameter("Number of LocalSecondaryIndexes exceeds per-table limit of %d", maxLocal)
	}
	t.Local = append(t.Local, x)
	return nil
}

func (t *table) addGlobal(in indexInput) error {
	x, err := t.newIndex(in)
	if err != nil {
		return err
	}
	switch {
	case t.onDemand() && in.ProvisionedThroughput != nil:
		return badParameter("ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST", x.Name)
	case !t.onDemand() && in.ProvisionedThroughput == nil:
		return badParameter("ProvisionedThroughput must be specified for index: %s", x.Name)
	case len(t.Global) == maxGlobal:
		return badParameter("GlobalSecondaryIndex count exceeds the per-table limit of %d", maxGlobal)
	}
	if in.ProvisionedThroughput != nil {
		x.Throughput = *in.ProvisionedThroughput
		if err := x.Throughput.check("provisionedThroughput"); err != nil {
			return err
		}
	}
	x.Limits = in.OnDemandThroughput
	t.Global = append(t.Global, x)
	return nil
}

func (t *table) newIndex(in indexInput) (index, error) {
	x := index{Name: in.IndexName, Keys: in.KeySchema, Projection: in.Projection}
	if !isName(x.Name) {
		return x, errName()
	}
	if err := t.checkKeys(x.Keys); err != nil {
		return x, err
	}
	kind := x.Projection.ProjectionType
	switch other, _ := t.index(x.Name); {
	case kind == "":
		return x, badParameter("Unknown ProjectionType: null")
	case kind != "INCLUDE" && len(x.Projection.NonKeyAttributes) > 0:
		return x, badParameter("ProjectionType is %s, but NonKeyAttributes is specified", kind)
	case kind == "INCLUDE" && len(x.Projection.NonKeyAttributes) == 0:
		return x, badParameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	case other != nil:
		return x, badParameter("Duplicate index name: %s", x.Name)
	}
	x.ID = t.newIndexID()
	return x, nil
}

// newIndexID returns an id that no index of the table has had while others
// that it has now were there.
func (t *table) newIndexID() string {
	for n := 1; ; n++ {
		id := fmt.Sprintf("%s.%d", t.ID, n)
		if !slices.ContainsFunc(t.indexes(), func(x index) bool { return x.ID == id }) {
			return id
		}
	}
}

// checkUnused refuses definitions of attributes that are in no key.
func (t *table) checkUnused() error {
	for _, a := range t.Attributes {
		used := t.Keys.has(a.AttributeName) || slices.ContainsFunc(t.indexes(), func(x index) bool { return x.Keys.has(a.AttributeName) })
		if used {
			continue
		}
		if len(t.indexes()) == 0 {
			return badParameter("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
		}
		var defined []string
		for _, d := range t.Attributes {
			defined = append(defined, d.AttributeName)
		}
		return badParameter("Some AttributeDefinitions are not used. AttributeDefinitions: [%s], keys used: [%s]", strings.Join(defined, ", "), strings.Join(t.keyNames(), ", "))
	}
	return nil
}

// keyNames returns the attributes of all keys, each once, sorted.
func (t *table) keyNames() []string {
	names := t.Keys.names()
	for _, x := range t.indexes() {
		names = append(names, x.Keys.names()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
