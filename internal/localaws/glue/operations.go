package glue

import (
	"context"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// touch states what an operation touches: the database and table that its input names.
func touch[I any](action string, names func(*I) (db, table string)) func(*wire.Call, *I) []wire.Access {
	return func(call *wire.Call, in *I) []wire.Access {
		db, table := names(in)
		return scopeOf(call.Caller).access(action, strings.ToLower(db), strings.ToLower(table))
	}
}

func (s *Service) operations() []wire.Operation {
	op := []wire.Operation{
		wire.JSON("CreateDatabase", s.createDatabaseOp, touch("CreateDatabase", func(in *createDatabaseInput) (string, string) { return in.DatabaseInput.Name, "" })),
		wire.JSON("GetDatabase", s.getDatabaseOp, touch("GetDatabase", func(in *databaseName) (string, string) { return in.Name, "" })),
		wire.JSON("GetDatabases", s.getDatabasesOp, touch("GetDatabases", func(*getDatabasesInput) (string, string) { return "", "" })),
		wire.JSON("UpdateDatabase", s.updateDatabaseOp, touch("UpdateDatabase", func(in *updateDatabaseInput) (string, string) { return in.Name, "" })),
		wire.JSON("DeleteDatabase", s.deleteDatabaseOp, touch("DeleteDatabase", func(in *databaseName) (string, string) { return in.Name, "" })),
		wire.JSON("CreateTable", s.createTableOp, touch("CreateTable", func(in *createTableInput) (string, string) { return in.DatabaseName, in.TableInput.Name })),
		wire.JSON("GetTable", s.getTableOp, touch("GetTable", func(in *tableName) (string, string) { return in.DatabaseName, in.Name })),
		wire.JSON("GetTables", s.getTablesOp, touch("GetTables", func(in *getTablesInput) (string, string) { return in.DatabaseName, "*" })),
		wire.JSON("UpdateTable", s.updateTableOp, touch("UpdateTable", func(in *updateTableInput) (string, string) { return in.DatabaseName, in.TableInput.Name })),
		wire.JSON("DeleteTable", s.deleteTableOp, touch("DeleteTable", func(in *tableName) (string, string) { return in.DatabaseName, in.Name })),
		wire.JSON("BatchDeleteTable", s.batchDeleteTable, touch("BatchDeleteTable", func(in *batchDeleteTableInput) (string, string) { return in.DatabaseName, "*" })),
		wire.JSON("GetTableVersions", s.getTableVersions, touch("GetTableVersions", versionNames)),
		wire.JSON("GetTableVersion", s.getTableVersion, touch("GetTableVersion", versionNames)),
		wire.JSON("DeleteTableVersion", s.deleteTableVersion, touch("DeleteTableVersion", versionNames)),
		wire.JSON("BatchDeleteTableVersion", s.batchDeleteVersion, touch("BatchDeleteTableVersion", func(in *batchDeleteVersionInput) (string, string) { return in.DatabaseName, in.TableName })),
	}
	return append(append(op, s.partitionOperations()...),
		wire.JSON("TagResource", s.tagResource, touchTags("TagResource", func(in *tagInput) string { return in.ResourceARN })),
		wire.JSON("UntagResource", s.untagResource, touchTags("UntagResource", func(in *untagInput) string { return in.ResourceARN })),
		wire.JSON("GetTags", s.getTags, touchTags("GetTags", func(in *getTagsInput) string { return in.ResourceARN })))
}

func versionNames(in *versionsInput) (string, string) { return in.DatabaseName, in.TableName }

func (s *Service) partitionOperations() []wire.Operation {
	return []wire.Operation{
		wire.JSON("CreatePartition", s.createPartitionOp, touch("CreatePartition", func(in *createPartitionInput) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("BatchCreatePartition", s.batchCreate, touch("BatchCreatePartition", func(in *batchCreateInput) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("GetPartition", s.getPartitionOp, touch("GetPartition", func(in *partitionName) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("GetPartitions", s.getPartitionsOp, touch("GetPartitions", func(in *getPartitionsInput) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("BatchGetPartition", s.batchGet, touch("BatchGetPartition", func(in *batchGetInput) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("UpdatePartition", s.updatePartition, touch("UpdatePartition", func(in *updatePartitionInput) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("DeletePartition", s.deletePartitionOp, touch("DeletePartition", func(in *partitionName) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("BatchDeletePartition", s.batchDelete, touch("BatchDeletePartition", func(in *batchDeleteInput) (string, string) { return in.DatabaseName, in.TableName })),
	}
}

type tagInput struct {
	ResourceARN string            `json:"ResourceArn" required:"true"`
	TagsToAdd   map[string]string `required:"true"`
}

type untagInput struct {
	ResourceARN  string   `json:"ResourceArn" required:"true"`
	TagsToRemove []string `required:"true"`
}

type getTagsInput struct {
	ResourceARN string `json:"ResourceArn" required:"true"`
}

type getTagsOutput struct{ Tags map[string]string }

func touchTags[I any](action string, arn func(*I) string) func(*wire.Call, *I) []wire.Access {
	return func(_ *wire.Call, in *I) []wire.Access {
		return []wire.Access{{Action: "glue:" + action, Resource: arn(in)}}
	}
}

// tagged changes the tags of the database or table that an ARN names.
func (s *Service) tagged(call *wire.Call, arn string, change func(map[string]string)) error {
	sc := scopeOf(call.Caller)
	resource, ok := strings.CutPrefix(arn, sc.arn(""))
	kind, name, _ := strings.Cut(resource, "/")
	return s.cfg.Store.Update(func(tx state.Tx) error {
		switch {
		case ok && kind == "database":
			d, err := getDatabase(tx, sc, name)
			if err != nil {
				return err
			}
			d.Tags = changed(d.Tags, change)
			return databases.Put(tx, sc.key(name), d)
		case ok && kind == "table":
			db, tableName, _ := strings.Cut(name, "/")
			t, err := getTable(tx, sc, db, tableName)
			if err != nil {
				return err
			}
			t.Tags = changed(t.Tags, change)
			return tables.Put(tx, sc.key(db, tableName), t)
		}
		return invalid("%s does not name a database or table of this account and region", arn)
	})
}

func changed(tags map[string]string, change func(map[string]string)) map[string]string {
	if tags == nil {
		tags = map[string]string{}
	}
	change(tags)
	return tags
}

func (s *Service) tagResource(_ context.Context, call *wire.Call, in *tagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.tagged(call, in.ResourceARN, func(m map[string]string) {
		for k, v := range in.TagsToAdd {
			m[k] = v
		}
	})
}

func (s *Service) untagResource(_ context.Context, call *wire.Call, in *untagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.tagged(call, in.ResourceARN, func(m map[string]string) {
		for _, k := range in.TagsToRemove {
			delete(m, k)
		}
	})
}

func (s *Service) getTags(_ context.Context, call *wire.Call, in *getTagsInput) (*getTagsOutput, error) {
	out := &getTagsOutput{Tags: map[string]string{}}
	return out, s.tagged(call, in.ResourceARN, func(m map[string]string) {
		for k, v := range m {
			out.Tags[k] = v
		}
	})
}
