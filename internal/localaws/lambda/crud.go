package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"regexp"
	"strings"

	"engage/internal/localaws/lambda/code"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// maxZip bounds a package, in bytes; AWS takes 250 MB unpacked.
const maxZip = code.MaxUnpacked

// fetch keeps the code that an input gives.
func (s *Service) fetch(ctx context.Context, c wire.Caller, in *FunctionCode, dryRun bool) (code.Package, error) {
	data := in.ZipFile
	switch {
	case len(data) > 0 && in.S3Bucket != "":
		return code.Package{}, invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
	case in.S3Bucket != "" && in.S3Key != "":
		var err error
		if data, err = s.download(ctx, c, in); err != nil {
			return code.Package{}, err
		}
	case len(data) == 0:
		return code.Package{}, invalid("Please provide a source for function code.")
	}
	keep := s.code.Add
	if dryRun {
		keep = code.Describe
	}
	pkg, err := keep(data)
	var fault *code.Error
	if errors.As(err, &fault) {
		return pkg, invalid("%s", fault.Reason)
	}
	return pkg, err
}

func (s *Service) download(ctx context.Context, c wire.Caller, in *FunctionCode) ([]byte, error) {
	if s.cfg.Objects == nil {
		return nil, wire.NotImplemented("Lambda code from S3")
	}
	body, err := s.cfg.Objects.Open(ctx, c, in.S3Bucket, in.S3Key, in.S3ObjectVersion)
	if e := wire.AsError(err); err != nil && e.Code != "InternalFailure" {
		return nil, invalid("Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %s", e.Code, e.Message)
	}
	if err != nil {
		return nil, fmt.Errorf("read code from S3: %w", err)
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, maxZip+1))
	if err != nil {
		return nil, fmt.Errorf("read code from S3: %w", err)
	}
	if len(data) > maxZip {
		return nil, invalid("Unzipped size must be smaller than %d bytes", maxZip)
	}
	return data, nil
}

// create keeps a new function, and returns it or the version that is published of it.
func (s *Service) create(f function, publish bool) (created function, err error) {
	return created, s.cfg.Store.Update(func(tx state.Tx) (err error) {
		if functions.Has(tx, f.key()) {
			return conflict("Function already exist: %s", f.Name)
		}
		if created = f; publish {
			if created, err = publishVersion(tx, &f, nil); err != nil {
				return err
			}
		}
		return functions.Put(tx, f.key(), f)
	})
}

// nameInput is the input of operations that name a function and no more.
type nameInput struct {
	FunctionName string `uri:"FunctionName" json:"-"`
	Qualifier    string `query:"Qualifier" json:"-"`
}

func byName(in *nameInput) string { return in.FunctionName }

// GetFunctionOutput is the output of GetFunction.
type GetFunctionOutput struct {
	Configuration *FunctionConfiguration
	Code          codeLocation
	Tags          map[string]string  `json:",omitempty"`
	Concurrency   *ConcurrencyOutput `json:",omitempty"`
}

type codeLocation struct{ RepositoryType, Location string }

const codePath = "/_lambda/code/"

func (s *Service) getFunction(_ context.Context, call *wire.Call, in *nameInput) (*GetFunctionOutput, error) {
	f, err := s.lookup(call.Caller, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	out := &GetFunctionOutput{
		Configuration: f.describe(s.cfg.Clock.Now()), Tags: f.Tags,
		Code: codeLocation{"S3", s.cfg.Endpoint() + codePath + f.Code.ID},
	}
	if f.Reserved != nil {
		out.Concurrency = &ConcurrencyOutput{f.Reserved}
	}
	return out, nil
}

var codeID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// serveCode answers the location that GetFunction tells.
func (s *Service) serveCode() wire.Foreign {
	return wire.Foreign{
		Name:    "GetCode",
		Matches: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, codePath) },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id := path.Base(r.URL.Path)
			if !codeID.MatchString(id) || r.Method != http.MethodGet {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/zip")
			http.ServeFile(w, r, s.code.Zip(id))
		}),
	}
}

func (s *Service) getConfiguration(_ context.Context, call *wire.Call, in *nameInput) (*FunctionConfiguration, error) {
	f, err := s.lookup(call.Caller, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return f.describe(s.cfg.Clock.Now()), nil
}

func (s *Service) deleteFunction(_ context.Context, call *wire.Call, in *nameInput) (*wire.Empty, error) {
	r, err := parseRef(call.Caller, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if r.qualifier != "" {
		return nil, s.deleteVersion(r)
	}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := get(tx, r); err != nil {
			return err
		}
		return errors.Join(functions.Delete(tx, r.key()), versions.DeletePrefix(tx, r.key()+"\x00"), aliases.DeletePrefix(tx, r.key()+"\x00"))
	})
	if err != nil {
		return nil, err
	}
	return nil, s.pools.retire(r.key(), everyVersion)
}

// ListFunctionsInput is the input of ListFunctions.
type ListFunctionsInput struct {
	Marker          string `query:"Marker" json:"-"`
	MaxItems        *int   `query:"MaxItems" json:"-" min:"1" max:"10000"`
	FunctionVersion string `query:"FunctionVersion" json:"-" enum:"ALL"`
	MasterRegion    string `query:"MasterRegion" json:"-"`
}

// ListFunctionsOutput is the output of ListFunctions.
type ListFunctionsOutput struct {
	Functions  []*FunctionConfiguration
	NextMarker *string
}

func (s *Service) listFunctions(_ context.Context, call *wire.Call, in *ListFunctionsInput) (*ListFunctionsOutput, error) {
	if in.MasterRegion != "" {
		return nil, wire.NotImplemented("MasterRegion (Lambda@Edge)")
	}
	size := 50
	if in.MaxItems != nil {
		size = min(*in.MaxItems, size)
	}
	c := call.Caller
	if in.FunctionVersion == "ALL" {
		return s.listAllVersions(c, in.Marker, size)
	}
	after := ""
	if in.Marker != "" {
		after = state.Key(c.Account, c.Region, in.Marker)
	}
	out := &ListFunctionsOutput{Functions: []*FunctionConfiguration{}}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		all, err := functions.List(tx, state.Prefix(c.Account, c.Region), after, size+1)
		if len(all) > size {
			all = all[:size]
			out.NextMarker = &all[size-1].Value.Name
		}
		for _, e := range all {
			out.Functions = append(out.Functions, e.Value.describe(s.cfg.Clock.Now()))
		}
		return err
	})
}

// UpdateFunctionCodeInput is the input of UpdateFunctionCode.
type UpdateFunctionCodeInput struct {
	FunctionName    string   `uri:"FunctionName" json:"-"`
	Architectures   []string `max:"1"`
	DryRun          bool
	Publish         bool
	RevisionId      string
	ZipFile         []byte
	S3Bucket        string
	S3Key           string
	S3ObjectVersion string
}

func (s *Service) updateCode(ctx context.Context, call *wire.Call, in *UpdateFunctionCodeInput) (*FunctionConfiguration, error) {
	if len(in.Architectures) == 1 && in.Architectures[0] != hostArchitecture() {
		return nil, wire.NotImplemented("the Lambda architecture %s on this %s machine", in.Architectures[0], hostArchitecture())
	}
	if _, err := s.lookup(call.Caller, in.FunctionName, ""); err != nil {
		return nil, err
	}
	pkg, err := s.fetch(ctx, call.Caller, &FunctionCode{in.ZipFile, in.S3Bucket, in.S3Key, in.S3ObjectVersion}, in.DryRun)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		f, err := s.lookup(call.Caller, in.FunctionName, "")
		f.Code = pkg
		return f.describe(s.cfg.Clock.Now()), err
	}
	return s.update(call.Caller, in.FunctionName, in.RevisionId, in.Publish, func(f *function) { f.Code = pkg })
}

// UpdateFunctionConfigurationInput is the input of UpdateFunctionConfiguration.
type UpdateFunctionConfigurationInput struct {
	FunctionName      string `uri:"FunctionName" json:"-"`
	RevisionId        string
	Description       *string `max:"256"`
	Role              *string
	Handler           *string
	Runtime           *string
	Timeout           *int `min:"1" max:"900"`
	MemorySize        *int `min:"128" max:"10240"`
	Environment       *Environment
	DeadLetterConfig  *DeadLetterConfig
	TracingConfig     *TracingConfig
	EphemeralStorage  *EphemeralStorage
	LoggingConfig     *LoggingConfig
	VpcConfig         *VpcConfig
	KMSKeyArn         *string
	Layers            []string
	FileSystemConfigs []json.RawMessage
	SnapStart         *SnapStart
}

func (in *UpdateFunctionConfigurationInput) settings() settings {
	return settings{
		Description: in.Description, Role: in.Role, Handler: in.Handler, Runtime: in.Runtime, Timeout: in.Timeout,
		MemorySize: in.MemorySize, Environment: in.Environment, DeadLetterConfig: in.DeadLetterConfig, TracingConfig: in.TracingConfig,
		EphemeralStorage: in.EphemeralStorage, LoggingConfig: in.LoggingConfig, VpcConfig: in.VpcConfig, KMSKeyArn: in.KMSKeyArn,
		Layers: in.Layers, FileSystemConfigs: in.FileSystemConfigs, SnapStart: in.SnapStart,
	}
}

func updateTouches(call *wire.Call, in *UpdateFunctionConfigurationInput) []wire.Access {
	name := func(in *UpdateFunctionConfigurationInput) string { return in.FunctionName }
	accesses := on("UpdateFunctionConfiguration", name)(call, in)
	if in.Role != nil {
		accesses = append(accesses, passRole(*in.Role))
	}
	return accesses
}

func (s *Service) updateConfiguration(ctx context.Context, call *wire.Call, in *UpdateFunctionConfigurationInput) (*FunctionConfiguration, error) {
	if err := s.check(in.settings()); err != nil {
		return nil, err
	}
	f, err := s.lookup(call.Caller, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	if in.Role != nil {
		if err := s.checkRole(ctx, call.Caller, f.Name, *in.Role); err != nil {
			return nil, err
		}
	}
	return s.update(call.Caller, in.FunctionName, in.RevisionId, false, func(f *function) { f.Settings = f.Settings.over(in.settings()) })
}

// update changes what instances are made from: the present ones are not used
// again. It describes the function, or the version that is published of it.
func (s *Service) update(c wire.Caller, name, revision string, publish bool, change func(*function)) (*FunctionConfiguration, error) {
	var published function
	f, err := s.edit(c, name, revision, func(tx state.Tx, f *function) (err error) {
		now := s.cfg.Clock.Now()
		if now.Before(f.ActiveAt) || now.Before(f.UpdatedAt) {
			return conflict("The operation cannot be performed at this time. An update is in progress for resource: %s", f.arn())
		}
		change(f)
		f.Modified, f.UpdatedAt = now, now.Add(s.cfg.Pending)
		if publish {
			published, err = publishVersion(tx, f, nil)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.pools.retire(f.key(), onlyLatest); err != nil {
		return nil, wire.InternalFailure(err)
	}
	if publish {
		d := published.describe(s.cfg.Clock.Now())
		d.pending()
		return d, nil
	}
	d := f.describe(s.cfg.Clock.Now())
	d.LastUpdateStatus, d.LastUpdateStatusReason, d.LastUpdateStatusReasonCode = "InProgress", "The function is being created.", "Creating"
	return d, nil
}
