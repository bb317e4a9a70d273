package lambda

import (
	"encoding/json"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"engage/internal/localaws/wire"
)

// Environment is the variables of a function.
type Environment struct {
	Variables map[string]string `json:",omitempty"`
}

// DeadLetterConfig is where events go that could not be worked on.
type DeadLetterConfig struct {
	TargetArn string `json:",omitempty"`
}

// TracingConfig says whether a function is traced by itself, or only when its
// caller is.
type TracingConfig struct {
	Mode string `enum:"Active,PassThrough" json:",omitempty"`
}

// EphemeralStorage is kept and returned, in MB.
type EphemeralStorage struct {
	Size int `min:"512" max:"10240"`
}

// LoggingConfig says how a function logs.
type LoggingConfig struct {
	LogFormat           string `enum:"JSON,Text" json:",omitempty"`
	LogGroup            string `json:",omitempty"`
	ApplicationLogLevel string `enum:"TRACE,DEBUG,INFO,WARN,ERROR,FATAL" json:",omitempty"`
	SystemLogLevel      string `enum:"DEBUG,INFO,WARN" json:",omitempty"`
}

// VpcConfig is kept and returned; functions run on this machine's loopback.
type VpcConfig struct {
	SubnetIds               []string `json:",omitempty"`
	SecurityGroupIds        []string `json:",omitempty"`
	Ipv6AllowedForDualStack bool     `json:",omitempty"`
	VpcId                   string   `json:",omitempty"`
}

// SnapStart has no other value than None here.
type SnapStart struct {
	ApplyOn string `json:",omitempty"`
}

// settings are what CreateFunction and UpdateFunctionConfiguration have in
// common. A nil member was not given.
type settings struct {
	Description       *string
	Role              *string
	Handler           *string
	Runtime           *string
	Timeout           *int
	MemorySize        *int
	Environment       *Environment
	DeadLetterConfig  *DeadLetterConfig
	TracingConfig     *TracingConfig
	EphemeralStorage  *EphemeralStorage
	LoggingConfig     *LoggingConfig
	VpcConfig         *VpcConfig
	KMSKeyArn         *string
	Layers            []string          `json:",omitempty"`
	FileSystemConfigs []json.RawMessage `json:",omitempty"`
	SnapStart         *SnapStart
}

// over returns the settings with what change gives.
func (s settings) over(change settings) settings {
	s.Description = given(change.Description, s.Description)
	s.Role = given(change.Role, s.Role)
	s.Handler = given(change.Handler, s.Handler)
	s.Runtime = given(change.Runtime, s.Runtime)
	s.Timeout = given(change.Timeout, s.Timeout)
	s.MemorySize = given(change.MemorySize, s.MemorySize)
	s.Environment = given(change.Environment, s.Environment)
	s.DeadLetterConfig = given(change.DeadLetterConfig, s.DeadLetterConfig)
	s.TracingConfig = given(change.TracingConfig, s.TracingConfig)
	s.EphemeralStorage = given(change.EphemeralStorage, s.EphemeralStorage)
	if c := change.LoggingConfig; c != nil {
		logging := *c
		logging.LogFormat = orDefault(c.LogFormat, s.LoggingConfig.LogFormat)
		s.LoggingConfig = &logging
	}
	s.VpcConfig = given(change.VpcConfig, s.VpcConfig)
	s.KMSKeyArn = given(change.KMSKeyArn, s.KMSKeyArn)
	return s
}

func given[T any](change, old *T) *T {
	if change != nil {
		return change
	}
	return old
}

// defaultSettings are AWS's.
func defaultSettings() settings {
	return settings{
		Description: new(""), Timeout: new(3), MemorySize: new(128), EphemeralStorage: &EphemeralStorage{512},
		TracingConfig: &TracingConfig{"PassThrough"}, LoggingConfig: &LoggingConfig{LogFormat: "Text"},
	}
}

var (
	roleExpr    = regexp.MustCompile(`^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$`)
	handlerExpr = regexp.MustCompile(`^\S{1,128}$`)
	envExpr     = regexp.MustCompile(`^[a-zA-Z]([a-zA-Z0-9_])+$`)
)

// check refuses settings that AWS refuses, and those that this machine cannot honour, by name.
func (s *Service) check(c settings) error {
	if c.Role != nil && !roleExpr.MatchString(*c.Role) {
		return wire.ValidationException("1 validation error detected: Value '%s' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+", *c.Role)
	}
	if c.Handler != nil && !handlerExpr.MatchString(*c.Handler) {
		return wire.ValidationException("1 validation error detected: Value '%s' at 'handler' failed to satisfy constraint: Member must satisfy regular expression pattern: [^\\s]+", *c.Handler)
	}
	if err := checkRuntime(c.Runtime); err != nil {
		return err
	}
	if err := checkEnvironment(c.Environment); err != nil {
		return err
	}
	switch {
	case len(c.Layers) > 0:
		return wire.NotImplemented("Lambda Layers")
	case len(c.FileSystemConfigs) > 0:
		return wire.NotImplemented("Lambda FileSystemConfigs")
	case c.SnapStart != nil && c.SnapStart.ApplyOn != "" && c.SnapStart.ApplyOn != "None":
		return wire.NotImplemented("Lambda SnapStart %s", c.SnapStart.ApplyOn)
	}
	if c.DeadLetterConfig != nil && c.DeadLetterConfig.TargetArn != "" {
		return s.checkTarget("DeadLetterConfig", c.DeadLetterConfig.TargetArn, "sqs", "sns")
	}
	return nil
}

// checkRuntime lets those runtimes pass whose functions bring their own bootstrap.
func checkRuntime(name *string) error {
	switch {
	case name == nil, *name == "provided.al2023", *name == "provided.al2":
		return nil
	}
	return invalid("Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [provided.al2, provided.al2023] or be a valid ARN", *name)
}

// hostArchitecture is this machine's, as Lambda calls it.
func hostArchitecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

// reserved are variables that Lambda sets itself.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
var reserved = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
	"AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

const maxEnvironment = 4096 // bytes of names and values

func checkEnvironment(e *Environment) error {
	if e == nil {
		return nil
	}
	var taken []string
	size := 0
	for _, k := range slices.Sorted(maps.Keys(e.Variables)) {
		if slices.Contains(reserved, k) {
			taken = append(taken, k)
		} else if !envExpr.MatchString(k) {
			return wire.ValidationException("1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]")
		}
		if strings.ContainsRune(e.Variables[k], 0) {
			return invalid("The environment variable %s has a NUL character.", k)
		}
		size += len(k) + len(e.Variables[k])
	}
	if len(taken) > 0 {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(taken, ", "))
	}
	if size > maxEnvironment {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: %s", marshal(e.Variables))
	}
	return nil
}
