package glue

import (
	"strings"

	"engage/internal/localaws/wire"
)

// touch states what an operation touches: the database and table that its input names.
func touch[I any](s *Service, action string, names func(*I) (db, table string)) func(*wire.Call, *I) []wire.Access {
	return func(call *wire.Call, in *I) []wire.Access {
		db, table := names(in)
		sc := scopeOf(call.Caller)
		return s.guarded(sc, sc.access(action, strings.ToLower(db), strings.ToLower(table)))
	}
}

// nothing names no database: an operation on the catalog itself.
func nothing[I any](*I) (db, table string) { return "", "" }

func (s *Service) operations() []wire.Operation {
	op := []wire.Operation{
		wire.JSON("CreateDatabase", s.createDatabaseOp, touch(s, "CreateDatabase", func(in *createDatabaseInput) (string, string) { return in.DatabaseInput.Name, "" })),
		wire.JSON("GetDatabase", s.getDatabaseOp, touch(s, "GetDatabase", func(in *databaseName) (string, string) { return in.Name, "" })),
		wire.JSON("GetDatabases", s.getDatabasesOp, touch(s, "GetDatabases", func(*getDatabasesInput) (string, string) { return "", "" })),
		wire.JSON("UpdateDatabase", s.updateDatabaseOp, touch(s, "UpdateDatabase", func(in *updateDatabaseInput) (string, string) { return in.Name, "" })),
		wire.JSON("DeleteDatabase", s.deleteDatabaseOp, touch(s, "DeleteDatabase", func(in *databaseName) (string, string) { return in.Name, "" })),
		wire.JSON("CreateTable", s.createTableOp, touch(s, "CreateTable", func(in *createTableInput) (string, string) { return in.DatabaseName, in.TableInput.Name })),
		wire.JSON("GetTable", s.getTableOp, touch(s, "GetTable", func(in *tableName) (string, string) { return in.DatabaseName, in.Name })),
		wire.JSON("GetTables", s.getTablesOp, touch(s, "GetTables", func(in *getTablesInput) (string, string) { return in.DatabaseName, "*" })),
		wire.JSON("UpdateTable", s.updateTableOp, touch(s, "UpdateTable", func(in *updateTableInput) (string, string) { return in.DatabaseName, in.TableInput.Name })),
		wire.JSON("DeleteTable", s.deleteTableOp, touch(s, "DeleteTable", func(in *tableName) (string, string) { return in.DatabaseName, in.Name })),
		wire.JSON("BatchDeleteTable", s.batchDeleteTable, touch(s, "BatchDeleteTable", func(in *batchDeleteTableInput) (string, string) { return in.DatabaseName, "*" })),
		wire.JSON("GetTableVersions", s.getTableVersions, touch(s, "GetTableVersions", versionNames)),
		wire.JSON("GetTableVersion", s.getTableVersion, touch(s, "GetTableVersion", versionNames)),
		wire.JSON("DeleteTableVersion", s.deleteTableVersion, touch(s, "DeleteTableVersion", versionNames)),
		wire.JSON("BatchDeleteTableVersion", s.batchDeleteVersion, touch(s, "BatchDeleteTableVersion", func(in *batchDeleteVersionInput) (string, string) { return in.DatabaseName, in.TableName })),
	}
	op = append(append(op, s.partitionOperations()...), append(s.settingOperations(), s.statisticsOperations()...)...)
	return append(op,
		wire.JSON("TagResource", s.tagResource, touchTags(s, "TagResource", func(in *tagInput) string { return in.ResourceARN })),
		wire.JSON("UntagResource", s.untagResource, touchTags(s, "UntagResource", func(in *untagInput) string { return in.ResourceARN })),
		wire.JSON("GetTags", s.getTags, touchTags(s, "GetTags", func(in *getTagsInput) string { return in.ResourceARN })))
}

func versionNames(in *versionsInput) (string, string) { return in.DatabaseName, in.TableName }

func (s *Service) partitionOperations() []wire.Operation {
	return []wire.Operation{
		wire.JSON("CreatePartition", s.createPartitionOp, touch(s, "CreatePartition", func(in *createPartitionInput) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("BatchCreatePartition", s.batchCreate, touch(s, "BatchCreatePartition", func(in *batchCreateInput) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("GetPartition", s.getPartitionOp, touch(s, "GetPartition", func(in *partitionName) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("GetPartitions", s.getPartitionsOp, touch(s, "GetPartitions", func(in *getPartitionsInput) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("BatchGetPartition", s.batchGet, touch(s, "BatchGetPartition", func(in *batchGetInput) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("UpdatePartition", s.updatePartition, touch(s, "UpdatePartition", func(in *updatePartitionInput) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("DeletePartition", s.deletePartitionOp, touch(s, "DeletePartition", func(in *partitionName) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("BatchDeletePartition", s.batchDelete, touch(s, "BatchDeletePartition", func(in *batchDeleteInput) (string, string) { return in.DatabaseName, in.TableName })),
	}
}

func (s *Service) settingOperations() []wire.Operation {
	return []wire.Operation{
		wire.JSON("PutDataCatalogEncryptionSettings", s.putEncryption, touch(s, "PutDataCatalogEncryptionSettings", nothing[putEncryptionInput])),
		wire.JSON("GetDataCatalogEncryptionSettings", s.getEncryption, touch(s, "GetDataCatalogEncryptionSettings", nothing[getEncryptionInput])),
		wire.JSON("PutResourcePolicy", s.putPolicy, touch(s, "PutResourcePolicy", nothing[putPolicyInput])),
		wire.JSON("GetResourcePolicy", s.getPolicy, touch(s, "GetResourcePolicy", nothing[getPolicyInput])),
		wire.JSON("DeleteResourcePolicy", s.deletePolicy, touch(s, "DeleteResourcePolicy", nothing[deletePolicyInput])),
	}
}

func (s *Service) statisticsOperations() []wire.Operation {
	return []wire.Operation{
		wire.JSON("UpdateColumnStatisticsForTable", s.updateStatistics, touch(s, "UpdateColumnStatisticsForTable", func(in *updateStatisticsInput) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("GetColumnStatisticsForTable", s.getStatistics, touch(s, "GetColumnStatisticsForTable", func(in *getStatisticsInput) (string, string) { return in.DatabaseName, in.TableName })),
		wire.JSON("DeleteColumnStatisticsForTable", s.deleteStatistics, touch(s, "DeleteColumnStatisticsForTable", func(in *deleteStatisticsInput) (string, string) { return in.DatabaseName, in.TableName })),
	}
}
