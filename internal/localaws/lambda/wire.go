package lambda

import (
	"context"
	"slices"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Wire returns the service's operations.
func (s *Service) Wire() *wire.Service {
	svc := &wire.Service{Name: "lambda", Protocol: wire.RestJSON, ValidationCode: "ValidationException", Foreign: []wire.Foreign{s.serveCode()}}
	svc.Operations = slices.Concat(s.functionOperations(), s.aliasOperations(), s.mappingOperations(), s.otherOperations())
	return svc
}

// named is an operation whose input names a function and no more.
func named[O any](name, method, uri string, handle wire.Handler[nameInput, O]) wire.Operation {
	return wire.REST(name, method, uri, handle, on(name, byName))
}

func (s *Service) functionOperations() []wire.Operation {
	const all = "/2015-03-31/functions"
	const one = all + "/{FunctionName}"
	return []wire.Operation{
		wire.REST("CreateFunction", "POST", all, s.createFunction, createTouches),
		wire.REST("ListFunctions", "GET", all, s.listFunctions, nil),
		named("GetFunction", "GET", one, s.getFunction),
		named("DeleteFunction", "DELETE", one, answer204(s.deleteFunction)),
		named("GetFunctionConfiguration", "GET", one+"/configuration", s.getConfiguration),
		wire.REST("UpdateFunctionConfiguration", "PUT", one+"/configuration", s.updateConfiguration, updateTouches),
		wire.REST("UpdateFunctionCode", "PUT", one+"/code", s.updateCode,
			on("UpdateFunctionCode", func(in *UpdateFunctionCodeInput) string { return in.FunctionName })),
		wire.REST("PublishVersion", "POST", one+"/versions", s.publishVersion,
			on("PublishVersion", func(in *PublishVersionInput) string { return in.FunctionName })),
		wire.REST("ListVersionsByFunction", "GET", one+"/versions", s.listVersions,
			on("ListVersionsByFunction", func(in *listVersionsInput) string { return in.FunctionName })),
		wire.REST("Invoke", "POST", one+"/invocations", s.invokeOperation, s.invokeTouches),
		wire.REST("AddPermission", "POST", one+"/policy", s.addPermission,
			on("AddPermission", func(in *AddPermissionInput) string { return in.FunctionName })),
		wire.REST("RemovePermission", "DELETE", one+"/policy/{StatementId}", answer204(s.removePermission),
			on("RemovePermission", func(in *RemovePermissionInput) string { return in.FunctionName })),
		named("GetPolicy", "GET", one+"/policy", s.getPolicy),
	}
}

func (s *Service) aliasOperations() []wire.Operation {
	const all = "/2015-03-31/functions/{FunctionName}/aliases"
	const one = all + "/{Name}"
	name := func(in *aliasInput) string { return in.FunctionName }
	return []wire.Operation{
		wire.REST("CreateAlias", "POST", all, s.createAlias, on("CreateAlias", func(in *createAliasInput) string { return in.FunctionName })),
		wire.REST("ListAliases", "GET", all, s.listAliases, on("ListAliases", func(in *listAliasesInput) string { return in.FunctionName })),
		wire.REST("GetAlias", "GET", one, s.getAlias, on("GetAlias", name)),
		wire.REST("UpdateAlias", "PUT", one, s.updateAlias, on("UpdateAlias", func(in *updateAliasInput) string { return in.FunctionName })),
		wire.REST("DeleteAlias", "DELETE", one, answer204(s.deleteAlias), on("DeleteAlias", name)),
	}
}

func (s *Service) otherOperations() []wire.Operation {
	const concurrency = "/functions/{FunctionName}/concurrency"
	const events = "/2019-09-25/functions/{FunctionName}/event-invoke-config"
	const tags = "/2017-03-31/tags/{Resource}"
	eventName := func(in *eventConfigInput) string { return in.FunctionName }
	return []wire.Operation{
		wire.REST("PutFunctionConcurrency", "PUT", "/2017-10-31"+concurrency, s.putConcurrency,
			on("PutFunctionConcurrency", func(in *putConcurrencyInput) string { return in.FunctionName })),
		named("DeleteFunctionConcurrency", "DELETE", "/2017-10-31"+concurrency, answer204(s.deleteConcurrency)),
		named("GetFunctionConcurrency", "GET", "/2019-09-30"+concurrency, s.getConcurrency),
		wire.REST("PutFunctionEventInvokeConfig", "PUT", events, s.putEventConfig, on("PutFunctionEventInvokeConfig", eventName)),
		wire.REST("UpdateFunctionEventInvokeConfig", "POST", events, s.updateEventConfig, on("UpdateFunctionEventInvokeConfig", eventName)),
		named("GetFunctionEventInvokeConfig", "GET", events, s.getEventConfig),
		named("DeleteFunctionEventInvokeConfig", "DELETE", events, answer204(s.deleteEventConfig)),
		named("ListFunctionEventInvokeConfigs", "GET", events+"/list", s.listEventConfigs),
		wire.REST("TagResource", "POST", tags, answer204(s.tag), on("TagResource", func(in *tagInput) string { return in.Resource })),
		wire.REST("UntagResource", "DELETE", tags, answer204(s.untag), on("UntagResource", func(in *untagInput) string { return in.Resource })),
		wire.REST("ListTags", "GET", tags, s.listTags, on("ListTags", func(in *listTagsInput) string { return in.Resource })),
		wire.REST("GetAccountSettings", "GET", "/2016-08-19/account-settings", s.accountSettings, nil),
		named("GetFunctionCodeSigningConfig", "GET", "/2020-06-30/functions/{FunctionName}/code-signing-config", s.getCodeSigning),
	}
}

// noContent is the answer without a body.
type noContent struct {
	Status int `status:"true" json:"-"`
}

func answer204[I any](handle wire.Handler[I, wire.Empty]) wire.Handler[I, noContent] {
	return func(ctx context.Context, call *wire.Call, in *I) (*noContent, error) {
		if _, err := handle(ctx, call, in); err != nil {
			return nil, err
		}
		return &noContent{204}, nil
	}
}

// AccountSettings is the output of GetAccountSettings.
type AccountSettings struct {
	AccountLimit struct {
		TotalCodeSize, CodeSizeUnzipped, CodeSizeZipped      int64
		ConcurrentExecutions, UnreservedConcurrentExecutions int
	}
	AccountUsage struct{ TotalCodeSize, FunctionCount int64 }
}

func (s *Service) accountSettings(_ context.Context, call *wire.Call, _ *wire.Empty) (*AccountSettings, error) {
	out := &AccountSettings{}
	limit := &out.AccountLimit
	limit.TotalCodeSize, limit.CodeSizeUnzipped, limit.CodeSizeZipped = 75<<30, 250<<20, 50<<20
	limit.ConcurrentExecutions, limit.UnreservedConcurrentExecutions = s.cfg.Concurrency, s.cfg.Concurrency
	err := s.cfg.Store.View(func(tx state.Tx) error {
		all, err := functions.List(tx, state.Prefix(call.Caller.Account, call.Caller.Region), "", 0)
		for _, e := range all {
			out.AccountUsage.FunctionCount++
			out.AccountUsage.TotalCodeSize += e.Value.Code.Size
			if e.Value.Reserved != nil {
				limit.UnreservedConcurrentExecutions -= *e.Value.Reserved
			}
		}
		return err
	})
	return out, err
}

// CodeSigning says that a function has no code signing, which no operation here can give it.
type CodeSigning struct{ CodeSigningConfigArn, FunctionName string }

func (s *Service) getCodeSigning(_ context.Context, call *wire.Call, in *nameInput) (*CodeSigning, error) {
	f, err := s.lookup(call.Caller, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	return &CodeSigning{FunctionName: f.Name}, nil
}
