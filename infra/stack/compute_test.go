package stack_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	presource "github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"engage/infra/stack"
	"engage/internal/resource"
)

const (
	functionToken = "aws:lambda/function:Function"
	groupLogToken = "aws:cloudwatch/logGroup:LogGroup"
	taskToken     = "aws:ecs/taskDefinition:TaskDefinition"
)

var _ = onEach("Functions", func(here func() *graph) {
	each := func(text string, spec func(g *graph, f declared, name resource.Function)) {
		It(text, func() {
			for _, f := range here().all(functionToken) {
				spec(here(), f, resource.Function(f.text("name")))
			}
		})
	}

	It("are those of the pipeline", func() {
		Expect(here().values(functionToken, "name")).To(Equal(sorted(stack.PipelineFunctions()...)))
	})

	each("have a role and a log group of their own", func(g *graph, f declared, name resource.Function) {
		Expect(f.text("role")).To(Equal(g.one(roleToken, "name", string(name.Role())).arn), f.String())
		Expect(f.text("loggingConfig", "logGroup")).To(Equal(string(name.LogGroup())), f.String())
		g.one(groupLogToken, "name", string(name.LogGroup()))
	})

	each("write to their own log only", func(g *graph, f declared, name resource.Function) {
		for _, r := range rules(g.one(rolePolicyToken, "role", string(name.Role())), "policy") {
			for _, a := range r.actions {
				if strings.HasPrefix(a, "logs:") {
					Expect(r.resources).To(Equal([]string{string(g.env.LogGroupARN(name.LogGroup())) + ":*"}), r.String())
				}
			}
		}
	})

	each("hand what fails to the queue, and may", func(g *graph, f declared, name resource.Function) {
		queue := g.one("aws:sqs/queue:Queue", "name", string(resource.DeadLetters))
		Expect(f.text("deadLetterConfig", "targetArn")).To(Equal(queue.arn), f.String())
		Expect(allowed(g, name.Role(), "sqs:SendMessage")).To(ConsistOf(string(g.env.QueueARN(resource.DeadLetters))), f.String())
	})

	each("stand in the network's private subnets, behind a group of their own", func(g *graph, f declared, _ resource.Function) {
		Expect(f.texts("vpcConfig", "subnetIds")).To(ConsistOf(ids(g.all(subnetToken))...), f.String())
		Expect(f.texts("vpcConfig", "securityGroupIds")).To(ConsistOf("ec2-"+string(resource.MLFunctions)), f.String())
	})

	each("are traced, their environment encrypted, and few at a time", func(g *graph, f declared, _ resource.Function) {
		Expect(f.text("tracingConfig", "mode")).To(Equal("Active"), f.String())
		Expect(f.text("kmsKeyArn")).To(Equal(g.key(resource.ComputeKey).arn), f.String())
		Expect(f.at("reservedConcurrentExecutions")).To(BeNumerically(">", 0), f.String())
	})

	each("are static programs with the limits that the code expects", func(g *graph, f declared, name resource.Function) {
		limits := name.Limits()
		Expect(f.in).To(And(HaveKeyWithValue("runtime", "provided.al2023"), HaveKeyWithValue("handler", "bootstrap"),
			HaveKeyWithValue("timeout", limits.Timeout.Seconds()), HaveKeyWithValue("memorySize", float64(limits.MemoryMB))), f.String())
		archive := f.in["code"].(*presource.Archive)
		Expect(archive.Path).To(Equal(filepath.Join("dist", "lambda", string(name)+".zip")))
	})

	each("know where everything is, and no secret", func(g *graph, f declared, _ resource.Function) {
		variables, _ := f.at("environment", "variables").(map[string]any)
		for name, bucket := range g.env.Buckets() {
			Expect(variables).To(HaveKeyWithValue(string(name), bucket), f.String())
		}
		Expect(variables).To(HaveKeyWithValue(string(resource.WorkgroupVar), string(resource.AnalyticsWorkgroup)), f.String())
		Expect(variables).To(HaveKey(string(resource.AlertTopicVar)))
		for name := range variables {
			Expect(resource.EnvVars()).To(ContainElement(resource.EnvVar(name)), "%s sets a variable that no code reads", f)
		}
	})

	It("are called by nobody whom no policy names", func() {
		for _, p := range here().all("aws:lambda/permission:Permission") {
			Expect(p.text("principal")).To(HaveSuffix(".amazonaws.com"), p.String())
			Expect(p.text("sourceAccount")).To(Equal(testAccount), p.String())
			Expect(p.text("sourceArn")).NotTo(BeEmpty(), p.String())
		}
		Expect(here().of("aws:lambda/functionUrl:FunctionUrl")).To(BeEmpty())
	})
})

// allowed returns the resources on which a role may do something.
func allowed(g *graph, role resource.Role, action string) []string {
	GinkgoHelper()
	var out []string
	for _, r := range rules(g.one(rolePolicyToken, "role", string(role)), "policy") {
		for _, a := range r.actions {
			if r.allow && a == action {
				out = append(out, r.resources...)
			}
		}
	}
	return out
}

var _ = onEach("What code may do", func(here func() *graph) {
	objects := func(list ...resource.Location) []string {
		var out []string
		for _, l := range list {
			out = append(out, string(here().env.ObjectsARN(l)))
		}
		return out
	}

	It("lets the clean-up delete what a run makes, and nothing else", func() {
		erased := allowed(here(), resource.PreCleanup.Role(), "s3:DeleteObjectVersion")
		covers := func(l resource.Location) bool {
			arn := strings.TrimSuffix(string(here().env.ObjectsARN(l)), "*")
			return slices.ContainsFunc(erased, func(e string) bool { return strings.HasPrefix(arn, strings.TrimSuffix(e, "*")) })
		}
		outputs := resource.RunOutputs(resource.FirstVersion)
		for _, l := range append(resource.Locations(), outputs...) {
			made := slices.ContainsFunc(outputs, func(o resource.Location) bool { return o.Bucket == l.Bucket && strings.HasPrefix(l.Prefix, o.Prefix) })
			Expect(covers(l)).To(Equal(made), string(l.Bucket)+"/"+l.Prefix)
		}
		Expect(allowed(here(), resource.PreCleanup.Role(), "s3:PutObject")).To(BeEmpty())
	})

	It("keeps the audit, the logs and what arrived from being deleted", func() {
		for _, r := range here().rules(rolePolicyToken) {
			for _, a := range r.actions {
				if !r.allow || !strings.HasPrefix(a, "s3:Delete") {
					continue
				}
				for _, arn := range r.resources {
					for _, kept := range []string{objects(resource.Landing)[0], string(here().env.BucketARN(resource.Audit)), string(here().env.BucketARN(resource.Logs))} {
						Expect(strings.TrimSuffix(arn, "*")).NotTo(HavePrefix(strings.TrimSuffix(kept, "*")), r.String())
					}
				}
			}
		}
	})

	It("lets training write models, and inference predictions", func() {
		Expect(allowed(here(), resource.TrainingTask.Role(), "s3:PutObject")).To(ConsistOf(toAny(objects(resource.Registry))...))
		Expect(allowed(here(), resource.InferenceTask.Role(), "s3:PutObject")).To(ConsistOf(toAny(objects(resource.Scored))...))
	})

	It("lets nobody change who may do what", func() {
		for _, r := range here().rules(rolePolicyToken) {
			for _, a := range r.actions {
				if strings.HasPrefix(a, "iam:") {
					Expect(a).To(Equal("iam:PassRole"), r.String())
				}
				Expect(a).NotTo(Or(HavePrefix("sts:"), Equal("kms:PutKeyPolicy"), HavePrefix("s3:PutBucket"), HavePrefix("lambda:Update")), r.String())
			}
		}
	})

	It("lets secrets be read by the function that rotates them alone", func() {
		for _, name := range stack.PipelineFunctions() {
			got := allowed(here(), name.Role(), "secretsmanager:GetSecretValue")
			if name == resource.RotateSecret {
				Expect(got).To(ConsistOf(string(here().env.SecretARN(resource.APIKey))))
			} else {
				Expect(got).To(BeEmpty(), string(name))
			}
		}
	})
})

var _ = onEach("Log groups", func(here func() *graph) {
	It("are kept a year, encrypted", func() {
		key := here().key(resource.LogsKey).arn
		for _, d := range here().all(groupLogToken) {
			Expect(d.at("retentionInDays")).To(BeNumerically(">=", 365), d.String())
			Expect(d.text("kmsKeyId")).To(Equal(key), d.String())
		}
	})
})

// container is the part of a container definition that specs look at.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
type container struct {
	Name, Image, User                 string
	Command                           []string
	Essential, ReadonlyRootFilesystem bool
	Privileged                        bool
	Environment                       []struct{ Name, Value string }
	Secrets                           []any
	LinuxParameters                   struct{ Capabilities struct{ Add, Drop []string } }
	MountPoints                       []struct{ SourceVolume, ContainerPath string }
	LogConfiguration                  struct {
		LogDriver string
		Options   map[string]string
	}
}

func containerOf(d declared) container {
	GinkgoHelper()
	var list []container
	Expect(json.Unmarshal([]byte(d.text("containerDefinitions")), &list)).To(Succeed(), d.String())
	Expect(list).To(HaveLen(1), d.String())
	return list[0]
}

var _ = onEach("Tasks", func(here func() *graph) {
	each := func(text string, spec func(g *graph, d declared, c container)) {
		It(text, func() {
			for _, d := range here().all(taskToken) {
				spec(here(), d, containerOf(d))
			}
		})
	}

	It("are training and inference", func() {
		Expect(here().values(taskToken, "family")).To(Equal(sorted(resource.TaskDefinitions()...)))
	})

	each("have 16 vCPU and 64 GB on Fargate", func(_ *graph, d declared, _ container) {
		Expect(d.in).To(And(HaveKeyWithValue("cpu", "16384"), HaveKeyWithValue("memory", "65536"), HaveKeyWithValue("networkMode", "awsvpc")), d.String())
		Expect(d.texts("requiresCompatibilities")).To(Equal([]string{"FARGATE"}), d.String())
	})

	each("are not root, and can change neither system nor kernel", func(_ *graph, d declared, c container) {
		Expect(c.User).To(MatchRegexp(`^[1-9][0-9]*:[1-9][0-9]*$`), d.String())
		Expect(c.ReadonlyRootFilesystem).To(BeTrue(), d.String())
		Expect(c.Privileged).To(BeFalse(), d.String())
		Expect(c.LinuxParameters.Capabilities.Drop).To(Equal([]string{"ALL"}), d.String())
		Expect(c.LinuxParameters.Capabilities.Add).To(BeEmpty(), d.String())
		Expect(d.in).NotTo(HaveKey("pidMode"), d.String())
		Expect(c.MountPoints).To(HaveLen(1), d.String())
		Expect(c.MountPoints[0].ContainerPath).To(Equal("/tmp"), d.String())
	})

	each("run with a role of their own, started with another", func(g *graph, d declared, _ container) {
		name := resource.TaskDefinition(d.text("family"))
		Expect(d.text("taskRoleArn")).To(Equal(g.one(roleToken, "name", string(name.Role())).arn), d.String())
		Expect(d.text("executionRoleArn")).To(Equal(g.one(roleToken, "name", string(resource.ECSExecutionRole)).arn), d.String())
		Expect(d.text("taskRoleArn")).NotTo(Equal(d.text("executionRoleArn")), d.String())
	})

	each("write to a log group of their own", func(g *graph, d declared, c container) {
		name := resource.TaskDefinition(d.text("family"))
		Expect(c.Name).To(Equal(string(name.Container())), d.String())
		Expect(c.LogConfiguration.LogDriver).To(Equal("awslogs"), d.String())
		Expect(c.LogConfiguration.Options).To(And(HaveKeyWithValue("awslogs-group", string(name.LogGroup())), HaveKeyWithValue("awslogs-region", testRegion)), d.String())
		g.one(groupLogToken, "name", string(name.LogGroup()))
	})

	each("run an image with a tag of its own, told where the buckets are", func(g *graph, d declared, c container) {
		Expect(c.Image).To(Equal("repositoryUrl-of-"+string(resource.MLRepository)+":"+builtTag), d.String())
		vars := map[resource.EnvVar]string{}
		for _, v := range c.Environment {
			vars[resource.EnvVar(v.Name)] = v.Value
		}
		for name, bucket := range g.env.Buckets() {
			Expect(vars).To(HaveKeyWithValue(name, bucket), d.String())
		}
	})

	It("run on spare capacity, in a cluster that is watched", func() {
		cluster := here().one("aws:ecs/cluster:Cluster", "name", string(resource.MLCluster))
		Expect(cluster.list("settings")[0].in).To(And(HaveKeyWithValue("name", "containerInsights"), HaveKeyWithValue("value", "enabled")))
		providers := here().all("aws:ecs/clusterCapacityProviders:ClusterCapacityProviders")[0]
		Expect(providers.text("defaultCapacityProviderStrategies", "capacityProvider")).To(Equal("FARGATE_SPOT"))
	})

	It("come from a repository whose images cannot change, are scanned, and are five", func() {
		r := here().one("aws:ecr/repository:Repository", "name", string(resource.MLRepository))
		Expect(r.text("imageTagMutability")).To(Equal("IMMUTABLE"))
		Expect(r.at("imageScanningConfiguration", "scanOnPush")).To(BeTrue())
		Expect(r.text("encryptionConfigurations", "encryptionType")).To(Equal("KMS"))
		Expect(r.text("encryptionConfigurations", "kmsKey")).To(Equal(here().key(resource.ComputeKey).arn))
		Expect(r.at("forceDelete")).To(Equal(here().env.Kind == resource.Local))
		policy := here().all("aws:ecr/lifecyclePolicy:LifecyclePolicy")[0].text("policy")
		Expect(policy).To(MatchJSON(`{"rules":[{"rulePriority":1,"description":"Keep the last images","action":{"type":"expire"},
			"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":5}}]}`))
	})
})
