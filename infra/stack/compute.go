package stack

import (
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// compute is what runs code.
type compute struct {
	repository *ecr.Repository
	cluster    *ecs.Cluster
	tasks      map[resource.TaskDefinition]*ecs.TaskDefinition
	functions  map[resource.Function]*Function
}

func newCompute(s scope, k keys, b buckets, n network, m messages, q catalog) (compute, error) {
	c := compute{tasks: map[resource.TaskDefinition]*ecs.TaskDefinition{}, functions: map[resource.Function]*Function{}}
	var err error
	if c.repository, err = newRepository(s, k); err != nil {
		return c, err
	}
	if c.cluster, err = newCluster(s, k); err != nil {
		return c, err
	}
	execution, err := newRole(s, resource.ECSExecutionRole, "ecs-tasks.amazonaws.com", s.mayStartTasks(k))
	if err != nil {
		return c, err
	}
	for _, name := range resource.TaskDefinitions() {
		if c.tasks[name], err = newTask(s, k, b, c.repository, execution, name); err != nil {
			return c, err
		}
	}
	for _, name := range PipelineFunctions() {
		spec := functionSpec{name: name, environment: s.places(b, q, m), may: permissions(s, k, name)}
		if c.functions[name], err = newFunction(s, k, n, m, spec); err != nil {
			return c, err
		}
	}
	return c, nil
}

// places tells code where things are.
func (s scope) places(b buckets, q catalog, m messages) map[resource.EnvVar]pulumi.StringInput {
	out := s.stores(b)
	out[resource.WorkgroupVar], out[resource.AlertTopicVar] = q.workgroup.Name, m.alerts.Arn
	return out
}

// stores tells code which buckets there are, and how to speak of itself.
func (s scope) stores(b buckets) map[resource.EnvVar]pulumi.StringInput {
	out := map[resource.EnvVar]pulumi.StringInput{
		resource.EnvironmentVar: pulumi.String(string(s.cfg.Kind)), resource.LogLevelVar: pulumi.String("info"),
	}
	for name, bucket := range b {
		out[name.EnvVar()] = bucket.Bucket.Bucket
	}
	return out
}

// keepImages is how many images a repository keeps.
const keepImages = 5

func newRepository(s scope, k keys) (*ecr.Repository, error) {
	repository, err := ecr.NewRepository(s.ctx, string(resource.MLRepository), &ecr.RepositoryArgs{
		Name: pulumi.String(string(resource.MLRepository)), ImageTagMutability: pulumi.String("IMMUTABLE"),
		ForceDelete:                pulumi.Bool(s.cfg.Kind == resource.Local),
		ImageScanningConfiguration: &ecr.RepositoryImageScanningConfigurationArgs{ScanOnPush: pulumi.Bool(true)},
		EncryptionConfigurations: ecr.RepositoryEncryptionConfigurationArray{
			&ecr.RepositoryEncryptionConfigurationArgs{EncryptionType: pulumi.String("KMS"), KmsKey: k[resource.ComputeKey].Arn},
		},
	})
	if err != nil {
		return nil, err
	}
	_, err = ecr.NewLifecyclePolicy(s.ctx, string(resource.MLRepository), &ecr.LifecyclePolicyArgs{
		Repository: repository.Name,
		Policy: pulumi.JSONMarshal(pulumi.Map{"rules": pulumi.Array{pulumi.Map{
			"rulePriority": pulumi.Int(1), "description": pulumi.String("Keep the last images"),
			"selection": pulumi.Map{
				"tagStatus": pulumi.String("any"), "countType": pulumi.String("imageCountMoreThan"), "countNumber": pulumi.Int(keepImages),
			},
			"action": pulumi.Map{"type": pulumi.String("expire")},
		}}}),
	})
	return repository, err
}

// newCluster makes the cluster, whose tasks run on spare capacity unless it has
// none.
func newCluster(s scope, k keys) (*ecs.Cluster, error) {
	name := string(resource.MLCluster)
	cluster, err := ecs.NewCluster(s.ctx, name, &ecs.ClusterArgs{
		Name: pulumi.String(name),
		Settings: ecs.ClusterSettingArray{
			&ecs.ClusterSettingArgs{Name: pulumi.String("containerInsights"), Value: pulumi.String("enabled")},
		},
		Configuration: &ecs.ClusterConfigurationArgs{
			ExecuteCommandConfiguration: &ecs.ClusterConfigurationExecuteCommandConfigurationArgs{
				KmsKeyId: k[resource.LogsKey].Arn, Logging: pulumi.String("NONE"),
			},
		},
	})
	if err != nil {
		return nil, err
	}
	_, err = ecs.NewClusterCapacityProviders(s.ctx, name, &ecs.ClusterCapacityProvidersArgs{
		ClusterName: cluster.Name, CapacityProviders: pulumi.StringArray{pulumi.String("FARGATE"), pulumi.String("FARGATE_SPOT")},
		DefaultCapacityProviderStrategies: ecs.ClusterCapacityProvidersDefaultCapacityProviderStrategyArray{
			&ecs.ClusterCapacityProvidersDefaultCapacityProviderStrategyArgs{
				CapacityProvider: pulumi.String("FARGATE_SPOT"), Weight: pulumi.Int(1),
			},
		},
	})
	return cluster, err
}

// mayStartTasks is what ECS does before a task's code runs: pull the image and
// open the log. GetAuthorizationToken knows no resources.
func (s scope) mayStartTasks(k keys) []statement {
	out := []statement{
		{Sid: "Login", Actions: []string{"ecr:GetAuthorizationToken"}, Resources: []pulumi.StringInput{pulumi.String("*")}},
		{
			Sid: "Pull", Actions: []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
			Resources: arns(s.env.RepositoryARN(resource.MLRepository)),
		},
		named("DecryptImages", encrypt(s, k[resource.ComputeKey].Arn, "ecr")),
	}
	var groups []resource.ARN
	for _, t := range resource.TaskDefinitions() {
		groups = append(groups, within(s.env.LogGroupARN(t.LogGroup())))
	}
	return append(out, statement{
		Sid: "WriteLogs", Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, Resources: arns(groups...),
	})
}

// workerUser is the user that the image runs as.
const workerUser = "65532:65532"

func newTask(s scope, k keys, b buckets, r *ecr.Repository, execution *iam.Role, name resource.TaskDefinition) (*ecs.TaskDefinition, error) {
	group, err := newLogGroup(s, k, name.LogGroup())
	if err != nil {
		return nil, err
	}
	role, err := newRole(s, name.Role(), "ecs-tasks.amazonaws.com", taskPermissions(s, k, name))
	if err != nil {
		return nil, err
	}
	size := name.Size()
	return ecs.NewTaskDefinition(s.ctx, string(name), &ecs.TaskDefinitionArgs{
		Family: pulumi.String(string(name)), NetworkMode: pulumi.String("awsvpc"), RequiresCompatibilities: pulumi.StringArray{pulumi.String("FARGATE")},
		Cpu: pulumi.String(strconv.Itoa(size.CPU)), Memory: pulumi.String(strconv.Itoa(size.MemoryMB)),
		ExecutionRoleArn: execution.Arn, TaskRoleArn: role.Arn,
		RuntimePlatform: &ecs.TaskDefinitionRuntimePlatformArgs{
			OperatingSystemFamily: pulumi.String("LINUX"), CpuArchitecture: pulumi.String("X86_64"),
		},
		Volumes:              ecs.TaskDefinitionVolumeArray{&ecs.TaskDefinitionVolumeArgs{Name: pulumi.String(scratch)}},
		EphemeralStorage:     &ecs.TaskDefinitionEphemeralStorageArgs{SizeInGib: pulumi.Int(scratchGiB)},
		ContainerDefinitions: pulumi.JSONMarshal(pulumi.Array{s.container(b, r, name, group.Name)}),
	})
}

// The one place where a task may write, and its size.
const (
	scratch    = "scratch"
	scratchGiB = 50
)

// container is the one container of a task: not root, its file system read-only,
// with no capability of the kernel.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
func (s scope) container(b buckets, r *ecr.Repository, name resource.TaskDefinition, group pulumi.StringInput) pulumi.Map {
	environment := pulumi.Array{}
	vars := s.stores(b)
	for _, v := range resource.EnvVars() { // in one order, so that nothing seems to change
		if value, ok := vars[v]; ok {
			environment = append(environment, pulumi.Map{"name": pulumi.String(string(v)), "value": value})
		}
	}
	return pulumi.Map{
		"name": pulumi.String(string(name.Container())), "image": pulumi.Sprintf("%s:%s", r.RepositoryUrl, s.cfg.ImageTag),
		"command": pulumi.ToStringArray([]string{"/usr/bin/" + string(name)}), "essential": pulumi.Bool(true),
		"user": pulumi.String(workerUser), "readonlyRootFilesystem": pulumi.Bool(true), "privileged": pulumi.Bool(false),
		"environment": environment, "stopTimeout": pulumi.Int(120),
		"linuxParameters": pulumi.Map{
			"initProcessEnabled": pulumi.Bool(true), "capabilities": pulumi.Map{"drop": pulumi.ToStringArray([]string{"ALL"})},
		},
		"mountPoints": pulumi.Array{pulumi.Map{
			"sourceVolume": pulumi.String(scratch), "containerPath": pulumi.String("/tmp"), "readOnly": pulumi.Bool(false),
		}},
		"logConfiguration": pulumi.Map{
			"logDriver": pulumi.String("awslogs"),
			"options": pulumi.Map{
				"awslogs-group": group, "awslogs-region": pulumi.String(s.env.Region), "awslogs-stream-prefix": pulumi.String("ecs"),
			},
		},
	}
}
