package lambda

import (
	"context"
	"time"

	"engage/internal/localaws/lambda/code"
	"engage/internal/localaws/wire"
)

// FunctionConfiguration describes a function.
type FunctionConfiguration struct {
	FunctionName               string
	FunctionArn                string
	Runtime                    string
	Role                       string
	Handler                    string
	CodeSize                   int64
	Description                string
	Timeout                    int
	MemorySize                 int
	LastModified               string
	CodeSha256                 string
	Version                    string
	VpcConfig                  *VpcConfig        `json:",omitempty"`
	DeadLetterConfig           *DeadLetterConfig `json:",omitempty"`
	Environment                *Environment      `json:",omitempty"`
	KMSKeyArn                  string            `json:",omitempty"`
	TracingConfig              *TracingConfig    `json:",omitempty"`
	RevisionId                 string
	State                      string
	StateReason                string `json:",omitempty"`
	StateReasonCode            string `json:",omitempty"`
	LastUpdateStatus           string `json:",omitempty"`
	LastUpdateStatusReason     string `json:",omitempty"`
	LastUpdateStatusReasonCode string `json:",omitempty"`
	PackageType                string
	Architectures              []string
	EphemeralStorage           *EphemeralStorage
	SnapStart                  SnapStartResponse
	LoggingConfig              *LoggingConfig
}

// SnapStartResponse says that snapshots are off.
type SnapStartResponse struct{ ApplyOn, OptimizationStatus string }

// describe returns the configuration as it is at a time.
func (f *function) describe(now time.Time) *FunctionConfiguration {
	c := f.Settings
	logging := *c.LoggingConfig
	logging.LogGroup = f.logGroup()
	d := &FunctionConfiguration{
		FunctionName: f.Name, FunctionArn: f.qualifiedARN(), Runtime: *c.Runtime, Role: *c.Role, Handler: *c.Handler,
		CodeSize: f.Code.Size, CodeSha256: f.Code.Sha256, Description: *c.Description, Timeout: *c.Timeout, MemorySize: *c.MemorySize,
		LastModified: f.Modified.UTC().Format("2006-01-02T15:04:05.000+0000"), Version: f.version(), VpcConfig: c.VpcConfig,
		DeadLetterConfig: c.DeadLetterConfig, Environment: c.Environment, TracingConfig: c.TracingConfig, RevisionId: f.Revision,
		State: "Active", LastUpdateStatus: "Successful", PackageType: "Zip", Architectures: []string{f.Architecture},
		EphemeralStorage: c.EphemeralStorage, SnapStart: SnapStartResponse{"None", "Off"}, LoggingConfig: &logging,
	}
	if c.KMSKeyArn != nil {
		d.KMSKeyArn = *c.KMSKeyArn
	}
	if now.Before(f.ActiveAt) {
		d.State, d.StateReason, d.StateReasonCode = "Pending", "The function is being created.", "Creating"
		d.LastUpdateStatus = ""
	} else if now.Before(f.UpdatedAt) {
		d.LastUpdateStatus, d.LastUpdateStatusReason, d.LastUpdateStatusReasonCode = "InProgress", "The function is being created.", "Creating"
	}
	return d
}

// pending is what AWS answers however soon a new function or version is active.
func (d *FunctionConfiguration) pending() {
	d.State, d.StateReason, d.StateReasonCode = "Pending", "The function is being created.", "Creating"
	d.LastUpdateStatus, d.LastUpdateStatusReason, d.LastUpdateStatusReasonCode = "", "", ""
}

// FunctionCode is the code of a function: a zip, or where in S3 it is.
type FunctionCode struct {
	ZipFile         []byte
	S3Bucket        string
	S3Key           string
	S3ObjectVersion string
}

// CreateFunctionInput is the input of CreateFunction.
type CreateFunctionInput struct {
	FunctionName     string        `required:"true"`
	Code             *FunctionCode `required:"true"`
	PackageType      string        `enum:"Zip,Image"`
	Architectures    []string      `max:"1"`
	Tags             map[string]string
	Publish          bool
	Description      *string `max:"256"`
	Role             *string `required:"true"`
	Handler          *string
	Runtime          *string
	Timeout          *int `min:"1" max:"900"`
	MemorySize       *int `min:"128" max:"10240"`
	Environment      *Environment
	DeadLetterConfig *DeadLetterConfig
	TracingConfig    *TracingConfig
	EphemeralStorage *EphemeralStorage
	LoggingConfig    *LoggingConfig
	VpcConfig        *VpcConfig
	KMSKeyArn        *string
	Layers           []string
	SnapStart        *SnapStart
}

func (in *CreateFunctionInput) settings() settings {
	return settings{
		Description: in.Description, Role: in.Role, Handler: in.Handler, Runtime: in.Runtime, Timeout: in.Timeout,
		MemorySize: in.MemorySize, Environment: in.Environment, DeadLetterConfig: in.DeadLetterConfig, TracingConfig: in.TracingConfig,
		EphemeralStorage: in.EphemeralStorage, LoggingConfig: in.LoggingConfig, VpcConfig: in.VpcConfig, KMSKeyArn: in.KMSKeyArn,
		Layers: in.Layers, SnapStart: in.SnapStart,
	}
}

// passRole is the permission to hand a role to Lambda.
func passRole(role string) wire.Access {
	return wire.Access{Action: "iam:PassRole", Resource: role, Conditions: map[string][]string{"iam:PassedToService": {"lambda.amazonaws.com"}}}
}

func createTouches(call *wire.Call, in *CreateFunctionInput) []wire.Access {
	accesses := on("CreateFunction", func(in *CreateFunctionInput) string { return in.FunctionName })(call, in)
	return append(accesses, passRole(*in.Role))
}

// checkCreate refuses what AWS or this machine does, before anything is kept.
func (s *Service) checkCreate(in *CreateFunctionInput) error {
	switch {
	case in.PackageType == "Image":
		return wire.NotImplemented("Lambda PackageType Image")
	case in.Handler == nil || in.Runtime == nil:
		return invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	case len(in.Architectures) == 1 && in.Architectures[0] != hostArchitecture():
		return wire.NotImplemented("the Lambda architecture %s on this %s machine", in.Architectures[0], hostArchitecture())
	}
	return s.check(in.settings())
}

func (s *Service) createFunction(ctx context.Context, call *wire.Call, in *CreateFunctionInput) (*createOutput, error) {
	r, err := parseRef(call.Caller, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	if len(r.name) > 64 {
		return nil, wire.ValidationException("1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64", in.FunctionName)
	}
	if err := s.checkCreate(in); err != nil {
		return nil, err
	}
	if err := s.checkRole(ctx, call.Caller, r.name, *in.Role); err != nil {
		return nil, err
	}
	pkg, err := s.fetch(ctx, call.Caller, in.Code, false)
	if err != nil {
		return nil, err
	}
	return s.keepNew(r, in, pkg)
}

// checkRole finds out whether the role can be assumed, as AWS does.
func (s *Service) checkRole(ctx context.Context, c wire.Caller, session, role string) error {
	_, err := s.cfg.Credentials.Assume(ctx, role, session, c)
	if e := wire.AsError(err); err != nil && (wire.IsAccessDenied(err) || e.Code == "NoSuchEntity") {
		return invalid("The role defined for the function cannot be assumed by Lambda.")
	}
	return err
}

// createOutput is the answer of CreateFunction: 201.
type createOutput struct {
	FunctionConfiguration
	Status int `status:"true" json:"-"`
}

func (s *Service) keepNew(r ref, in *CreateFunctionInput, pkg code.Package) (*createOutput, error) {
	now := s.cfg.Clock.Now()
	f := function{
		Account: r.account, Region: r.region, Name: r.name, Settings: defaultSettings().over(in.settings()), Code: pkg,
		Architecture: hostArchitecture(), Modified: now, Revision: newUUID(), ActiveAt: now.Add(s.cfg.Pending), Tags: in.Tags,
	}
	published, err := s.create(f, in.Publish)
	if err != nil {
		return nil, err
	}
	published.qualifier = "" // AWS answers the number, and the unqualified ARN
	d := published.describe(now.Add(-1))
	d.pending()
	return &createOutput{*d, 201}, nil
}
