package ecs

import (
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Tag is a name and a value that a resource carries.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// KeyValue is an environment variable, or a detail.
type KeyValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type secret struct {
	Name      string `json:"name" required:"true"`
	ValueFrom string `json:"valueFrom" required:"true"`
}

type portMapping struct {
	ContainerPort int    `json:"containerPort,omitempty"`
	HostPort      int    `json:"hostPort,omitempty"`
	Protocol      string `json:"protocol,omitempty"`
	Name          string `json:"name,omitempty"`
	AppProtocol   string `json:"appProtocol,omitempty"`
}

type mountPoint struct {
	SourceVolume  string `json:"sourceVolume"`
	ContainerPath string `json:"containerPath"`
	ReadOnly      bool   `json:"readOnly,omitempty"`
}

type logConfiguration struct {
	LogDriver     string            `json:"logDriver" required:"true"`
	Options       map[string]string `json:"options,omitempty"`
	SecretOptions unsupported       `json:"secretOptions,omitempty"`
}

type dependency struct {
	ContainerName string `json:"containerName" required:"true"`
	Condition     string `json:"condition" required:"true" enum:"START,COMPLETE,SUCCESS"`
}

type capabilities struct {
	Add  unsupported `json:"add,omitempty"`
	Drop []string    `json:"drop,omitempty"` // nothing runs with capabilities here
}

type linuxParameters struct {
	InitProcessEnabled bool          `json:"initProcessEnabled,omitempty"`
	Capabilities       *capabilities `json:"capabilities,omitempty"`
	Devices            unsupported   `json:"devices,omitempty"`
	MaxSwap            unsupported   `json:"maxSwap,omitempty"`
	SharedMemorySize   unsupported   `json:"sharedMemorySize,omitempty"`
	Swappiness         unsupported   `json:"swappiness,omitempty"`
	Tmpfs              unsupported   `json:"tmpfs,omitempty"`
}

// containerDefinition: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
type containerDefinition struct {
	Name                   string            `json:"name" required:"true"`
	Image                  string            `json:"image" required:"true"`
	CPU                    int               `json:"cpu"`
	Memory                 int               `json:"memory,omitempty"`
	MemoryReservation      int               `json:"memoryReservation,omitempty"`
	PortMappings           []portMapping     `json:"portMappings"`
	Essential              *bool             `json:"essential,omitempty"`
	EntryPoint             []string          `json:"entryPoint,omitempty"`
	Command                []string          `json:"command,omitempty"`
	Environment            []KeyValue        `json:"environment"`
	Secrets                []secret          `json:"secrets,omitempty"`
	MountPoints            []mountPoint      `json:"mountPoints"`
	LinuxParameters        *linuxParameters  `json:"linuxParameters,omitempty"`
	DependsOn              []dependency      `json:"dependsOn,omitempty"`
	StartTimeout           int               `json:"startTimeout,omitempty" max:"120"`
	StopTimeout            int               `json:"stopTimeout,omitempty" max:"120"`
	User                   string            `json:"user,omitempty"`
	WorkingDirectory       string            `json:"workingDirectory,omitempty"`
	ReadonlyRootFilesystem bool              `json:"readonlyRootFilesystem,omitempty"`
	DockerLabels           map[string]string `json:"dockerLabels,omitempty"`
	LogConfiguration       *logConfiguration `json:"logConfiguration,omitempty"`
	VersionConsistency     string            `json:"versionConsistency,omitempty"`

	CredentialSpecs       unsupported `json:"credentialSpecs,omitempty"`
	DisableNetworking     unsupported `json:"disableNetworking,omitempty"`
	DNSSearchDomains      unsupported `json:"dnsSearchDomains,omitempty"`
	DNSServers            unsupported `json:"dnsServers,omitempty"`
	DockerSecurityOptions unsupported `json:"dockerSecurityOptions,omitempty"`
	EnvironmentFiles      unsupported `json:"environmentFiles,omitempty"`
	ExtraHosts            unsupported `json:"extraHosts,omitempty"`
	FirelensConfiguration unsupported `json:"firelensConfiguration,omitempty"`
	HealthCheck           unsupported `json:"healthCheck,omitempty"`
	Hostname              unsupported `json:"hostname,omitempty"`
	Interactive           unsupported `json:"interactive,omitempty"`
	Links                 unsupported `json:"links,omitempty"`
	Privileged            unsupported `json:"privileged,omitempty"`
	PseudoTerminal        unsupported `json:"pseudoTerminal,omitempty"`
	RepositoryCredentials unsupported `json:"repositoryCredentials,omitempty"`
	ResourceRequirements  unsupported `json:"resourceRequirements,omitempty"`
	RestartPolicy         unsupported `json:"restartPolicy,omitempty"`
	SystemControls        unsupported `json:"systemControls,omitempty"`
	Ulimits               unsupported `json:"ulimits,omitempty"`
	VolumesFrom           unsupported `json:"volumesFrom,omitempty"`
}

func (c *containerDefinition) essential() bool { return c.Essential == nil || *c.Essential }

type hostVolume struct {
	SourcePath unsupported `json:"sourcePath,omitempty"`
}

type volume struct {
	Name               string      `json:"name" required:"true"`
	Host               *hostVolume `json:"host,omitempty"`
	ConfiguredAtLaunch unsupported `json:"configuredAtLaunch,omitempty"`
	Docker             unsupported `json:"dockerVolumeConfiguration,omitempty"`
	EFS                unsupported `json:"efsVolumeConfiguration,omitempty"`
	FSx                unsupported `json:"fsxWindowsFileServerVolumeConfiguration,omitempty"`
}

type runtimePlatform struct {
	CPUArchitecture       string `json:"cpuArchitecture,omitempty" enum:"X86_64,ARM64"`
	OperatingSystemFamily string `json:"operatingSystemFamily,omitempty" enum:"LINUX"`
}

type ephemeralStorage struct {
	SizeInGiB int `json:"sizeInGiB" min:"20" max:"200"`
}

// taskDefinition: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html
type taskDefinition struct {
	TaskDefinitionArn       string                `json:"taskDefinitionArn"`
	ContainerDefinitions    []containerDefinition `json:"containerDefinitions"`
	Family                  string                `json:"family"`
	TaskRoleArn             string                `json:"taskRoleArn,omitempty"`
	ExecutionRoleArn        string                `json:"executionRoleArn,omitempty"`
	NetworkMode             string                `json:"networkMode,omitempty"`
	Revision                int                   `json:"revision"`
	Volumes                 []volume              `json:"volumes"`
	Status                  string                `json:"status"`
	RequiresAttributes      []KeyValue            `json:"requiresAttributes,omitempty"`
	PlacementConstraints    []string              `json:"placementConstraints"`
	Compatibilities         []string              `json:"compatibilities"`
	RuntimePlatform         *runtimePlatform      `json:"runtimePlatform,omitempty"`
	RequiresCompatibilities []string              `json:"requiresCompatibilities,omitempty"`
	CPU                     string                `json:"cpu,omitempty"`
	Memory                  string                `json:"memory,omitempty"`
	EphemeralStorage        *ephemeralStorage     `json:"ephemeralStorage,omitempty"`
	RegisteredAt            wire.Time             `json:"registeredAt,omitzero"`
	DeregisteredAt          wire.Time             `json:"deregisteredAt,omitzero"`
	RegisteredBy            string                `json:"registeredBy,omitempty"`
}

type storedDefinition struct {
	taskDefinition
	Tags []Tag
}

// Attachment is a task's network interface.
type Attachment struct {
	ID      string     `json:"id"`
	Type    string     `json:"type"`
	Status  string     `json:"status"`
	Details []KeyValue `json:"details"`
}

// NetworkInterface is where a container can be reached.
type NetworkInterface struct {
	AttachmentID       string `json:"attachmentId"`
	PrivateIPv4Address string `json:"privateIpv4Address"`
}

// Container is one process of a task.
type Container struct {
	ContainerArn      string             `json:"containerArn"`
	TaskArn           string             `json:"taskArn"`
	Name              string             `json:"name"`
	Image             string             `json:"image"`
	ImageDigest       string             `json:"imageDigest,omitempty"`
	RuntimeID         string             `json:"runtimeId,omitempty"`
	LastStatus        string             `json:"lastStatus"`
	ExitCode          *int               `json:"exitCode,omitempty"`
	Reason            string             `json:"reason,omitempty"`
	NetworkBindings   []string           `json:"networkBindings"`
	NetworkInterfaces []NetworkInterface `json:"networkInterfaces"`
	HealthStatus      string             `json:"healthStatus"`
	CPU               string             `json:"cpu"`
	Memory            string             `json:"memory,omitempty"`
}

// Task: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
type Task struct {
	Attachments          []Attachment      `json:"attachments"`
	Attributes           []KeyValue        `json:"attributes"`
	AvailabilityZone     string            `json:"availabilityZone,omitempty"`
	CapacityProviderName string            `json:"capacityProviderName,omitempty"`
	ClusterArn           string            `json:"clusterArn"`
	Connectivity         string            `json:"connectivity,omitempty"`
	ConnectivityAt       wire.Time         `json:"connectivityAt,omitzero"`
	Containers           []Container       `json:"containers"`
	CPU                  string            `json:"cpu"`
	CreatedAt            wire.Time         `json:"createdAt,omitzero"`
	DesiredStatus        string            `json:"desiredStatus"`
	EnableExecuteCommand bool              `json:"enableExecuteCommand"`
	EphemeralStorage     *ephemeralStorage `json:"ephemeralStorage,omitempty"`
	ExecutionStoppedAt   wire.Time         `json:"executionStoppedAt,omitzero"`
	Group                string            `json:"group,omitempty"`
	LastStatus           string            `json:"lastStatus"`
	LaunchType           string            `json:"launchType,omitempty"`
	Memory               string            `json:"memory"`
	Overrides            overrides         `json:"overrides"`
	PlatformVersion      string            `json:"platformVersion,omitempty"`
	PlatformFamily       string            `json:"platformFamily,omitempty"`
	PullStartedAt        wire.Time         `json:"pullStartedAt,omitzero"`
	PullStoppedAt        wire.Time         `json:"pullStoppedAt,omitzero"`
	StartedAt            wire.Time         `json:"startedAt,omitzero"`
	StartedBy            string            `json:"startedBy,omitempty"`
	StopCode             string            `json:"stopCode,omitempty"`
	StoppedAt            wire.Time         `json:"stoppedAt,omitzero"`
	StoppedReason        string            `json:"stoppedReason,omitempty"`
	StoppingAt           wire.Time         `json:"stoppingAt,omitzero"`
	Tags                 []Tag             `json:"tags,omitempty"`
	TaskArn              string            `json:"taskArn"`
	TaskDefinitionArn    string            `json:"taskDefinitionArn"`
	Version              int               `json:"version"`
}

// ID returns the last part of the task's ARN.
func (t *Task) ID() string { return t.TaskArn[strings.LastIndexByte(t.TaskArn, '/')+1:] }

type overrides struct {
	ContainerOverrides []containerOverride `json:"containerOverrides"`
	CPU                string              `json:"cpu,omitempty"`
	Memory             string              `json:"memory,omitempty"`
	ExecutionRoleArn   string              `json:"executionRoleArn,omitempty"`
	TaskRoleArn        string              `json:"taskRoleArn,omitempty"`
	EphemeralStorage   *ephemeralStorage   `json:"ephemeralStorage,omitempty"`
	Accelerators       unsupported         `json:"inferenceAcceleratorOverrides,omitempty"`
}

type containerOverride struct {
	Name                 string      `json:"name"`
	Command              []string    `json:"command,omitempty"`
	Environment          []KeyValue  `json:"environment,omitempty"`
	CPU                  int         `json:"cpu,omitempty"`
	Memory               int         `json:"memory,omitempty"`
	MemoryReservation    int         `json:"memoryReservation,omitempty"`
	EnvironmentFiles     unsupported `json:"environmentFiles,omitempty"`
	ResourceRequirements unsupported `json:"resourceRequirements,omitempty"`
}

// record is what is kept of a task.
type record struct {
	Task
	Account, Region, Cluster string
	RunID                    string
	Secrets                  []string // unguessable path parts of the containers, by index
}

func (r *record) key() string { return state.Key(r.Account, r.Region, r.Cluster, r.ID()) }

type setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type strategyItem struct {
	CapacityProvider string `json:"capacityProvider" required:"true"`
	Weight           int    `json:"weight"`
	Base             int    `json:"base"`
}

type cluster struct {
	Account, Region, Name string
	Settings              []setting
	Providers             []string
	Strategy              []strategyItem
	Tags                  []Tag
	Configuration         map[string]any
}

// given is a RunTask call with a client token, and what it started.
type given struct {
	Hash  string
	Tasks []string // keys
}

var (
	clusters    = state.NewCollection[cluster]("ecs/clusters")
	definitions = state.NewCollection[storedDefinition]("ecs/task-definitions") // account, region, family, revision
	revisions   = state.NewCollection[int]("ecs/revisions")                     // account, region, family
	tasks       = state.NewCollection[record]("ecs/tasks")                      // account, region, cluster, id
	clientCalls = state.NewCollection[given]("ecs/client-tokens")
)

func clientError(format string, args ...any) *wire.Error {
	return wire.Errorf("ClientException", format, args...)
}

func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf("InvalidParameterException", format, args...)
}
