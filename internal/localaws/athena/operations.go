package athena

import (
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

func (s *Service) operations() []wire.Operation {
	op := []wire.Operation{
		wire.JSON("StartQueryExecution", s.start, touch("StartQueryExecution", func(in *startInput) string { return in.WorkGroup })),
		wire.JSON("GetQueryExecution", s.getExecution, s.touchExecution("GetQueryExecution")),
		wire.JSON("BatchGetQueryExecution", s.batchGet, func(call *wire.Call, in *batchGetInput) []wire.Access {
			var out []wire.Access
			for _, id := range in.QueryExecutionIDs {
				out = append(out, s.touchExecution("BatchGetQueryExecution")(call, &executionID{id})...)
			}
			return out
		}),
		wire.JSON("ListQueryExecutions", s.listExecutions, touch("ListQueryExecutions", func(in *listInput) string { return in.WorkGroup })),
		wire.JSON("StopQueryExecution", s.stop, s.touchExecution("StopQueryExecution")),
		wire.JSON("GetQueryResults", s.results, func(call *wire.Call, in *resultsInput) []wire.Access {
			return s.touchExecution("GetQueryResults")(call, &executionID{in.QueryExecutionID})
		}),
		wire.JSON("CreateWorkGroup", s.createWorkGroup, touch("CreateWorkGroup", func(in *createWorkGroupInput) string { return in.Name })),
		wire.JSON("GetWorkGroup", s.getWorkGroup, touch("GetWorkGroup", func(in *workGroupName) string { return in.WorkGroup })),
		wire.JSON("UpdateWorkGroup", s.updateWorkGroup, touch("UpdateWorkGroup", func(in *updateWorkGroupInput) string { return in.WorkGroup })),
		wire.JSON("DeleteWorkGroup", s.deleteWorkGroup, touch("DeleteWorkGroup", func(in *deleteWorkGroupInput) string { return in.WorkGroup })),
		wire.JSON("ListWorkGroups", s.listWorkGroups, anywhere[listGroupsInput]("ListWorkGroups")),
		wire.JSON("CreatePreparedStatement", s.createPrepared, touch("CreatePreparedStatement", func(in *preparedInput) string { return in.WorkGroup })),
		wire.JSON("UpdatePreparedStatement", s.updatePrepared, touch("UpdatePreparedStatement", func(in *preparedInput) string { return in.WorkGroup })),
		wire.JSON("GetPreparedStatement", s.getPrepared, touch("GetPreparedStatement", func(in *preparedName) string { return in.WorkGroup })),
		wire.JSON("DeletePreparedStatement", s.deletePrepared, touch("DeletePreparedStatement", func(in *preparedName) string { return in.WorkGroup })),
		wire.JSON("ListPreparedStatements", s.listPrepared, touch("ListPreparedStatements", func(in *listInput) string { return in.WorkGroup })),
		wire.JSON("BatchGetPreparedStatement", s.batchPrepared, touch("BatchGetPreparedStatement", func(in *batchPreparedInput) string { return in.WorkGroup })),
		wire.JSON("GetQueryRuntimeStatistics", s.runtimeStatistics, s.touchExecution("GetQueryRuntimeStatistics")),
	}
	return append(append(op, s.namedOperations()...), s.metadataOperations()...)
}

func (s *Service) namedOperations() []wire.Operation {
	return []wire.Operation{
		wire.JSON("CreateNamedQuery", s.createNamed, touch("CreateNamedQuery", func(in *createNamedInput) string { return in.WorkGroup })),
		wire.JSON("GetNamedQuery", s.getNamed, s.touchNamed("GetNamedQuery")),
		wire.JSON("UpdateNamedQuery", s.updateNamed, func(call *wire.Call, in *updateNamedInput) []wire.Access {
			return s.touchNamed("UpdateNamedQuery")(call, &namedID{in.NamedQueryID})
		}),
		wire.JSON("DeleteNamedQuery", s.deleteNamed, s.touchNamed("DeleteNamedQuery")),
		wire.JSON("ListNamedQueries", s.listNamed, touch("ListNamedQueries", func(in *listInput) string { return in.WorkGroup })),
		wire.JSON("BatchGetNamedQuery", s.batchNamed, func(call *wire.Call, in *batchNamedInput) []wire.Access {
			var out []wire.Access
			for _, id := range in.NamedQueryIDs {
				out = append(out, s.touchNamed("BatchGetNamedQuery")(call, &namedID{id})...)
			}
			return out
		}),
		wire.JSON("TagResource", s.tagResource, touchARN("TagResource", func(in *tagInput) string { return in.ResourceARN })),
		wire.JSON("UntagResource", s.untagResource, touchARN("UntagResource", func(in *untagInput) string { return in.ResourceARN })),
		wire.JSON("ListTagsForResource", s.listTags, touchARN("ListTagsForResource", func(in *listTagsInput) string { return in.ResourceARN })),
	}
}

func (s *Service) metadataOperations() []wire.Operation {
	return []wire.Operation{
		wire.JSON("ListDatabases", s.listDatabases, touchCatalog[listDatabasesInput]("ListDatabases")),
		wire.JSON("GetDatabase", s.getDatabase, touchCatalog[getDatabaseInput]("GetDatabase")),
		wire.JSON("ListTableMetadata", s.listTables, touchCatalog[listTablesInput]("ListTableMetadata")),
		wire.JSON("GetTableMetadata", s.getTable, touchCatalog[getTableInput]("GetTableMetadata")),
		wire.JSON("ListDataCatalogs", s.listCatalogs, anywhere[listCatalogsInput]("ListDataCatalogs")),
		wire.JSON("GetDataCatalog", s.getCatalog, touchCatalog[getCatalogInput]("GetDataCatalog")),
		wire.JSON("ListEngineVersions", s.listVersions, anywhere[listVersionsInput]("ListEngineVersions")),
	}
}

// touch states the work group that an operation is about.
func touch[I any](action string, group func(*I) string) func(*wire.Call, *I) []wire.Access {
	return func(call *wire.Call, in *I) []wire.Access {
		return []wire.Access{{Action: "athena:" + action, Resource: call.ARN("athena", "workgroup/"+orPrimary(group(in)))}}
	}
}

func (s *Service) touchExecution(action string) func(*wire.Call, *executionID) []wire.Access {
	return func(call *wire.Call, in *executionID) []wire.Access {
		group := primary
		_ = s.cfg.Store.View(func(tx state.Tx) error { // an id that does not exist is named by the operation itself
			if x, err := executions.Get(tx, key(call.Caller, in.QueryExecutionID)); err == nil {
				group = x.WorkGroup
			}
			return nil
		})
		return []wire.Access{{Action: "athena:" + action, Resource: call.ARN("athena", "workgroup/"+group)}}
	}
}

// anywhere is what an action touches that is about no one resource.
func anywhere[I any](action string) func(*wire.Call, *I) []wire.Access {
	return func(*wire.Call, *I) []wire.Access {
		return []wire.Access{{Action: "athena:" + action, Resource: "*"}}
	}
}
