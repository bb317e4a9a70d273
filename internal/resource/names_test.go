package resource_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"engage/internal/golden"
	"engage/internal/resource"
)

// list is every name of one kind and what AWS admits as such a name.
type list struct {
	kind    string
	names   []string
	pattern string
	length  int    // longest name that AWS admits
	source  string // page of AWS's documentation that says so
}

func text[S ~string](names []S) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return out
}

func lists() []list {
	return []list{
		{"database", text(resource.Databases()), `^[a-z0-9_]+$`, 255, "athena/latest/ug/tables-databases-columns-names.html"},
		{"table", text(resource.Tables()), `^[a-z0-9_]+\.[a-z_][a-z0-9_]*$`, 511, "athena/latest/ug/tables-databases-columns-names.html"},
		{"view", text(resource.Views()), `^[a-z0-9_]+\.[a-z_][a-z0-9_]*$`, 511, "athena/latest/ug/tables-databases-columns-names.html"},
		{"workgroup", text(resource.Workgroups()), `^[a-zA-Z0-9._-]+$`, 128, "athena/latest/APIReference/API_CreateWorkGroup.html"},
		{"function", text(resource.Functions()), `^[a-zA-Z0-9_-]+$`, 64, "lambda/latest/api/API_CreateFunction.html"},
		{"state machine", text(resource.StateMachines()), `^[a-zA-Z0-9_-]+$`, 80, "step-functions/latest/apireference/API_CreateStateMachine.html"},
		{"cluster", text(resource.Clusters()), `^[a-zA-Z0-9_-]+$`, 255, "AmazonECS/latest/APIReference/API_CreateCluster.html"},
		{"task definition", text(resource.TaskDefinitions()), `^[a-zA-Z0-9_-]+$`, 255, "AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html"},
		{"container", text(resource.Containers()), `^[a-zA-Z0-9_-]+$`, 255, "AmazonECS/latest/APIReference/API_ContainerDefinition.html"},
		{"repository", text(resource.Repositories()), `^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`, 256, "AmazonECR/latest/APIReference/API_CreateRepository.html"},
		{"log group", text(resource.LogGroups()), `^[.\-_/#A-Za-z0-9]+$`, 512, "AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"},
		{"role", text(resource.Roles()), `^[\w+=,.@-]+$`, 64, "IAM/latest/APIReference/API_CreateRole.html"},
		{"topic", text(resource.Topics()), `^[A-Za-z0-9_-]+$`, 256, "sns/latest/api/API_CreateTopic.html"},
		{"key-value table", text(resource.KeyValueTables()), `^[a-zA-Z0-9_.-]{3,}$`, 255, "amazondynamodb/latest/APIReference/API_CreateTable.html"},
		{"API", text(resource.APIs()), `^.+$`, 128, "apigatewayv2/latest/api-reference/apis.html"},
		{"agent", text(resource.Agents()), `^([0-9a-zA-Z][_-]?){1,100}$`, 200, "bedrock/latest/APIReference/API_agent_CreateAgent.html"},
		{"knowledge base", text(resource.KnowledgeBases()), `^([0-9a-zA-Z][_-]?){1,100}$`, 200, "bedrock/latest/APIReference/API_agent_CreateKnowledgeBase.html"},
		{"tool", text(resource.Tools()), `^([0-9a-zA-Z][_-]?){1,100}$`, 200, "bedrock/latest/APIReference/API_agent_Function.html"},
		{"key alias", text(resource.Keys()), `^[a-zA-Z0-9/_-]+$`, 250, "kms/latest/APIReference/API_CreateAlias.html"},
		{"secret", text(resource.Secrets()), `^[a-zA-Z0-9/_+=.@-]+$`, 512, "secretsmanager/latest/apireference/API_CreateSecret.html"},
		{"queue", text(resource.Queues()), `^[a-zA-Z0-9_-]+$`, 80, "AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html"},
		{"parameter", text(resource.Parameters()), `^(?:/[a-zA-Z0-9_.-]+)+$`, 1011, "systems-manager/latest/APIReference/API_PutParameter.html"},
		{"schedule", text(resource.Schedules()), `^[.\-_A-Za-z0-9]+$`, 64, "eventbridge/latest/APIReference/API_PutRule.html"},
		{"subnet", text(resource.Subnets()), `^[\w .:/=+@-]+$`, 256, "AWSEC2/latest/UserGuide/Using_Tags.html"},
		{"security group", text(resource.SecurityGroups()), `^[\w ._:/()#,@\[\]+=&;{}!$*-]+$`, 255, "AWSEC2/latest/APIReference/API_CreateSecurityGroup.html"},
		{"environment variable", text(resource.EnvVars()), `^[a-zA-Z]\w+$`, 255, "lambda/latest/api/API_Environment.html"},
		{"model", text(resource.RegistryModels()), `^[a-z]+$`, 64, "AmazonS3/latest/userguide/object-keys.html"},
		{"artifact", text(resource.Artifacts()), `^[a-z_]+\.json$`, 64, "AmazonS3/latest/userguide/object-keys.html"},
	}
}

func TestNamesKeepAWSRules(t *testing.T) {
	for _, l := range lists() {
		t.Run(l.kind, func(t *testing.T) {
			pattern := regexp.MustCompile(l.pattern)
			for _, name := range l.names {
				if !pattern.MatchString(name) || len(name) > l.length {
					t.Errorf("%q is no name for a %s: see https://docs.aws.amazon.com/%s", name, l.kind, l.source)
				}
			}
		})
	}
}

func TestNamesAreUnique(t *testing.T) {
	for _, l := range lists() {
		seen := map[string]bool{}
		for _, name := range l.names {
			if seen[name] {
				t.Errorf("%s %q is listed twice", l.kind, name)
			}
			seen[name] = true
		}
		if len(l.names) == 0 {
			t.Errorf("no %s is listed", l.kind)
		}
	}
}

// EC2 keeps "sg-" for identifiers, and AWS keeps these prefixes of environment variables.
func TestReservedPrefixes(t *testing.T) {
	for _, g := range resource.SecurityGroups() {
		if strings.HasPrefix(string(g), "sg-") {
			t.Errorf("security group %q starts with sg-", g)
		}
	}
	sdk := []resource.EnvVar{resource.RegionVar, resource.DefaultRegionVar, resource.EndpointVar}
	for _, v := range resource.EnvVars() {
		reserved := strings.HasPrefix(string(v), "AWS_") || strings.HasPrefix(string(v), "LAMBDA_")
		if reserved && !slices.Contains(sdk, v) {
			t.Errorf("environment variable %q starts like one that AWS sets", v)
		}
	}
}

// The goldens hold every physical name and ARN of an environment: a change of
// any name shows up in review.
func TestGoldenNames(t *testing.T) {
	aws := resource.Environment{Kind: resource.AWS, Account: "123456789012", Region: "eu-central-1"}
	for _, env := range []resource.Environment{resource.LocalEnvironment(), aws} {
		t.Run(string(env.Kind), func(t *testing.T) {
			golden.Check(t, "testdata/names_"+string(env.Kind)+".golden", []byte(describe(env)))
		})
	}
}

func describe(env resource.Environment) string {
	var b strings.Builder
	for _, l := range lists() {
		for _, name := range l.names {
			fmt.Fprintf(&b, "%s: %s\n", l.kind, name)
		}
	}
	for _, v := range resource.Buckets() {
		fmt.Fprintf(&b, "bucket: %s = %s (%s)\n", v, env.Bucket(v), v.EnvVar())
	}
	for _, v := range resource.Locations() {
		fmt.Fprintf(&b, "location: %s\n", env.URI(v))
	}
	for _, v := range resource.Tables() {
		fmt.Fprintf(&b, "table location: %s = %s\n", v, env.URI(v.Location()))
	}
	for _, v := range resource.Functions() {
		limits := v.Limits()
		fmt.Fprintf(&b, "function limits: %s = %s, %d MB\n", v, limits.Timeout, limits.MemoryMB)
	}
	for _, v := range arns(env) {
		fmt.Fprintf(&b, "ARN: %s\n", v)
	}
	return b.String()
}

func arns(env resource.Environment) []resource.ARN {
	out := []resource.ARN{env.CatalogARN()}
	out = append(out, each(resource.Buckets(), env.BucketARN)...)
	out = append(out, each(resource.Locations(), env.ObjectsARN)...)
	out = append(out, each(resource.Databases(), env.DatabaseARN)...)
	out = append(out, each(resource.Tables(), env.TableARN)...)
	out = append(out, each(resource.Views(), env.ViewARN)...)
	out = append(out, each(resource.Workgroups(), env.WorkgroupARN)...)
	out = append(out, each(resource.Functions(), env.FunctionARN)...)
	out = append(out, each(resource.StateMachines(), env.StateMachineARN)...)
	out = append(out, each(resource.Clusters(), env.ClusterARN)...)
	out = append(out, each(resource.TaskDefinitions(), env.TaskDefinitionARN)...)
	out = append(out, each(resource.Repositories(), env.RepositoryARN)...)
	out = append(out, each(resource.KeyValueTables(), env.KeyValueTableARN)...)
	out = append(out, each(resource.Topics(), env.TopicARN)...)
	out = append(out, each(resource.Queues(), env.QueueARN)...)
	out = append(out, each(resource.Secrets(), env.SecretARN)...)
	out = append(out, each(resource.Parameters(), env.ParameterARN)...)
	out = append(out, each(resource.Roles(), env.RoleARN)...)
	return append(out, each(resource.LogGroups(), env.LogGroupARN)...)
}

func each[T any](items []T, arn func(T) resource.ARN) []resource.ARN {
	out := make([]resource.ARN, len(items))
	for i, item := range items {
		out[i] = arn(item)
	}
	return out
}
