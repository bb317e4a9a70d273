package dynamodb

import (
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Config says what the service works with.
type Config struct {
	// Store keeps tables and items. There is no default.
	Store *state.Store
	// Invoker finds KMS keys. Without it a table with a KMS key is refused.
	Invoker wire.Invoker
	// Clock is for times and expiry. The default is time.Now.
	Clock func() time.Time
	// After makes a channel that fires after a time, and a function that lets
	// go of it. The default is a time.Timer.
	After func(time.Duration) (<-chan time.Time, func())
	// Random makes ids. The default is crypto/rand.Reader.
	Random io.Reader
	// Meter counts request units. The default counts nothing.
	Meter wire.Meter
}

// Service is DynamoDB.
type Service struct{ cfg Config }

// New opens the service.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.After == nil {
		cfg.After = func(d time.Duration) (<-chan time.Time, func()) {
			t := time.NewTimer(d)
			return t.C, func() { t.Stop() }
		}
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	return &Service{cfg}
}

// API returns the operations.
func (s *Service) API() *wire.Service {
	return &wire.Service{Name: "dynamodb", Targets: []string{"DynamoDB_20120810"}, Protocol: wire.JSON10, Operations: s.operations()}
}

func (s *Service) operations() []wire.Operation {
	return []wire.Operation{
		wire.JSON("CreateTable", s.createTable, onTable("CreateTable", func(in *createTableInput) string { return in.TableName })),
		wire.JSON("DescribeTable", s.describeTable, onTable("DescribeTable", nameOf)),
		wire.JSON("UpdateTable", s.updateTable, onTable("UpdateTable", func(in *updateTableInput) string { return in.TableName })),
		wire.JSON("DeleteTable", s.deleteTable, onTable("DeleteTable", nameOf)),
		wire.JSON("ListTables", s.listTables, nil),
		wire.JSON("TagResource", s.tagResource, onARN("TagResource", func(in *tagInput) string { return in.ResourceARN })),
		wire.JSON("UntagResource", s.untagResource, onARN("UntagResource", func(in *untagInput) string { return in.ResourceARN })),
		wire.JSON("ListTagsOfResource", s.listTags, onARN("ListTagsOfResource", func(in *listTagsInput) string { return in.ResourceARN })),
		wire.JSON("UpdateTimeToLive", s.updateTTL, onTable("UpdateTimeToLive", func(in *updateTTLInput) string { return in.TableName })),
		wire.JSON("DescribeTimeToLive", s.describeTTL, onTable("DescribeTimeToLive", nameOf)),
		wire.JSON("UpdateContinuousBackups", s.updateBackups, onTable("UpdateContinuousBackups", func(in *updateBackupsInput) string { return in.TableName })),
		wire.JSON("DescribeContinuousBackups", s.describeBackups, onTable("DescribeContinuousBackups", nameOf)),
		wire.JSON("PutItem", s.putItem, onItem(s, "PutItem", func(in *putInput) (string, keys) { return in.TableName, keys{in.Item} })),
		wire.JSON("GetItem", s.getItem, onItem(s, "GetItem", func(in *getInput) (string, keys) { return in.TableName, keys{in.Key} })),
		wire.JSON("UpdateItem", s.updateItem, onItem(s, "UpdateItem", func(in *updateInput) (string, keys) { return in.TableName, keys{in.Key} })),
		wire.JSON("DeleteItem", s.deleteItem, onItem(s, "DeleteItem", func(in *deleteInput) (string, keys) { return in.TableName, keys{in.Key} })),
		wire.JSON("Query", s.query, s.queryAccess),
		wire.JSON("Scan", s.scan, scanAccess),
		wire.JSON("BatchGetItem", s.batchGet, s.batchGetAccess),
		wire.JSON("BatchWriteItem", s.batchWrite, s.batchWriteAccess),
		wire.JSON("TransactGetItems", s.transactGet, s.transactGetAccess),
		wire.JSON("TransactWriteItems", s.transactWrite, s.transactWriteAccess),
	}
}

// tableInput is the input of what takes a table alone.
type tableInput struct {
	TableName string `required:"true"`
}

func nameOf(in *tableInput) string { return in.TableName }

func (s *Service) now() time.Time { return s.cfg.Clock().UTC().Truncate(time.Millisecond) }

func (s *Service) newID() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(s.cfg.Random, raw[:]); err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]), nil
}
