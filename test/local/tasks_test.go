package local_test

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomega "github.com/onsi/gomega/types"
)

// layer is a tar file with one entry.
func layer(h *tar.Header, content io.Reader) v1.Layer {
	GinkgoHelper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	Expect(w.WriteHeader(h)).To(Succeed())
	must(io.Copy(w, content))
	Expect(w.Close()).To(Succeed())
	return must(tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }))
}

// taskImage is an image that has the task program, and more layers.
func taskImage(more ...v1.Layer) v1.Image {
	GinkgoHelper()
	code := must(os.ReadFile(must(program("./testdata/task"))))
	layers := append([]v1.Layer{layer(&tar.Header{Name: "bin/task", Mode: 0o755, Size: int64(len(code))}, bytes.NewReader(code))}, more...)
	return must(mutate.Config(must(mutate.AppendLayers(empty.Image, layers...)), v1.Config{Entrypoint: []string{"/bin/task"}}))
}

// pushed pushes an image to a repository of its own, and returns its name.
func pushed(ctx context.Context, content v1.Image) string {
	GinkgoHelper()
	image := *must(root.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String(unique("repository"))})).Repository.RepositoryUri + ":v1"
	Expect(pushTo(ctx, image, content)).To(Succeed())
	return image
}

// workload is a task definition, and where its tasks run and print.
type workload struct{ cluster, definition, group string }

// workloadOf registers a definition whose first container logs.
func workloadOf(ctx context.Context, change func(*ecs.RegisterTaskDefinitionInput), containers ...types.ContainerDefinition) workload {
	GinkgoHelper()
	w := workload{group: "/" + unique("tasks"), cluster: *must(root.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(unique("cluster")),
		CapacityProviders: []string{"FARGATE", "FARGATE_SPOT"}})).Cluster.ClusterArn}
	must(root.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &w.group}))
	for i := range containers {
		containers[i].LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs,
			Options: map[string]string{"awslogs-group": w.group, "awslogs-region": region, "awslogs-stream-prefix": "t"}}
	}
	in := &ecs.RegisterTaskDefinitionInput{Family: aws.String(unique("task")), NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate}, ContainerDefinitions: containers,
		ExecutionRoleArn: aws.String(role(ctx, "ecs-tasks.amazonaws.com", policy(allow("*", "ecr:*", "logs:*", "ssm:GetParameters", "ssm:GetParameter", "secretsmanager:GetSecretValue"))))}
	if change != nil {
		change(in)
	}
	w.definition = *must(root.ecs.RegisterTaskDefinition(ctx, in)).TaskDefinition.TaskDefinitionArn
	return w
}

// start runs a task and returns its ARN.
func (w workload) start(ctx context.Context, change func(*ecs.RunTaskInput)) string {
	GinkgoHelper()
	in := &ecs.RunTaskInput{Cluster: &w.cluster, TaskDefinition: &w.definition, LaunchType: types.LaunchTypeFargate, NetworkConfiguration: fargate}
	if change != nil {
		change(in)
	}
	out := must(root.ecs.RunTask(ctx, in))
	Expect(out.Failures).To(BeEmpty())
	return *out.Tasks[0].TaskArn
}

func (w workload) describe(ctx context.Context, arn string) types.Task {
	GinkgoHelper()
	return must(root.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &w.cluster, Tasks: []string{arn}, Include: []types.TaskField{types.TaskFieldTags}})).Tasks[0]
}

// stopped waits for the end of a task.
func (w workload) stopped(ctx context.Context, arn string) (t types.Task) {
	GinkgoHelper()
	Eventually(ctx, func() string { t = w.describe(ctx, arn); return *t.LastStatus }).Should(Equal("STOPPED"))
	return t
}

func (w workload) lines(ctx context.Context) (all []string) {
	GinkgoHelper()
	for _, e := range must(root.logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &w.group})).Events {
		all = append(all, *e.Message)
	}
	return all
}

// running is a container of the task program.
func running(image string, arguments ...string) types.ContainerDefinition {
	return types.ContainerDefinition{Name: aws.String("main"), Image: &image, Command: arguments}
}

var _ = Describe("A task", func() {
	It("is asked to stop, and killed when it does not", func(ctx SpecContext) {
		image := pushed(ctx, taskImage())
		for mode, code := range map[string]int{"term": 7, "stubborn": 137} {
			c := running(image, mode)
			c.StopTimeout = aws.Int32(2)
			w := workloadOf(ctx, nil, c)
			arn := w.start(ctx, nil)
			Eventually(ctx, func() []string { return w.lines(ctx) }).Should(ContainElement("ready"))
			must(root.ecs.StopTask(ctx, &ecs.StopTaskInput{Cluster: &w.cluster, Task: &arn, Reason: aws.String("enough")}))
			t := w.stopped(ctx, arn)
			Expect(t.StopCode).To(Equal(types.TaskStopCodeUserInitiated))
			Expect(*t.StoppedReason).To(Equal("enough"))
			Expect(aws.ToInt32(t.Containers[0].ExitCode)).To(BeEquivalentTo(code), mode)
		}
	})

	It("knows what it is, and has its role's credentials", func(ctx SpecContext) {
		own := role(ctx, "ecs-tasks.amazonaws.com", policy(allow("*", "s3:*")))
		w := workloadOf(ctx, func(in *ecs.RegisterTaskDefinitionInput) { in.TaskRoleArn = &own }, running(pushed(ctx, taskImage()), "ask"))
		arn := w.start(ctx, nil)
		w.stopped(ctx, arn)
		Expect(w.lines(ctx)).To(ConsistOf(MatchRegexp(arn + ` task-\d+ ` + own + ` ASIA[A-Z2-7]{16}`)))
	})

	It("gets secrets and parameters, or says which it could not get", func(ctx SpecContext) {
		image, name := pushed(ctx, taskImage()), unique("secret")
		secret := must(root.secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String(`{"password":"hunter2"}`)})).ARN
		must(root.ssm.PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Value: aws.String("plain"), Type: ssmtypes.ParameterTypeSecureString}))
		for from, want := range map[string]string{*secret + ":password::": "hunter2", name: "plain"} {
			c := running(image, "env", "SECRET")
			c.Secrets = []types.Secret{{Name: aws.String("SECRET"), ValueFrom: &from}}
			w := workloadOf(ctx, nil, c)
			w.stopped(ctx, w.start(ctx, nil))
			Expect(w.lines(ctx)).To(Equal([]string{want}))
		}
		c := running(image, "env", "SECRET")
		c.Secrets = []types.Secret{{Name: aws.String("SECRET"), ValueFrom: aws.String(name + "-none")}}
		w := workloadOf(ctx, nil, c)
		t := w.stopped(ctx, w.start(ctx, nil))
		Expect(t.StopCode).To(Equal(types.TaskStopCodeTaskFailedToStart))
		Expect(*t.StoppedReason).To(HavePrefix("ResourceInitializationError"))
	})

	It("has a root that it may not write and a user of its own, where the machine allows that", func(ctx SpecContext) {
		host := ask[struct{ Tasks struct{ Mode string } }](ctx, "/_localaws/host", nil)
		if host.Tasks.Mode == "process" {
			Skip("tasks are plain processes on this machine")
		}
		c := running(pushed(ctx, taskImage()), "write", "/file")
		c.ReadonlyRootFilesystem, c.User = aws.Bool(true), aws.String("1234")
		w := workloadOf(ctx, nil, c)
		w.stopped(ctx, w.start(ctx, nil))
		Expect(w.lines(ctx)).To(ConsistOf(MatchRegexp(`uid 1234 write open /file: (read-only file system|permission denied)`)))
	})

	It("is killed when it takes more memory than it has", func(ctx SpecContext) {
		w := workloadOf(ctx, nil, running(pushed(ctx, taskImage()), "grow"))
		t := w.stopped(ctx, w.start(ctx, nil))
		Expect(aws.ToInt32(t.Containers[0].ExitCode)).To(BeEquivalentTo(137))
		Expect(aws.ToString(t.Containers[0].Reason)).To(ContainSubstring("OutOfMemoryError"))
	})

	It("ends with its essential container, after those that it depends on", func(ctx SpecContext) {
		image := pushed(ctx, taskImage())
		first, last := running(image, "env", "STEP"), running(image, "env", "STEP")
		first.Name, first.Essential, first.Environment = aws.String("first"), aws.Bool(false), []types.KeyValuePair{{Name: aws.String("STEP"), Value: aws.String("one")}}
		last.Environment = []types.KeyValuePair{{Name: aws.String("STEP"), Value: aws.String("two")}}
		last.DependsOn = []types.ContainerDependency{{ContainerName: aws.String("first"), Condition: types.ContainerConditionSuccess}}
		w := workloadOf(ctx, nil, first, last)
		t := w.stopped(ctx, w.start(ctx, nil))
		Expect(t.StopCode).To(Equal(types.TaskStopCodeEssentialContainerExited))
		Expect(w.lines(ctx)).To(Equal([]string{"one", "two"}))
	})

	It("is found by its family, its starter and its state, with its tags and on Spot", func(ctx SpecContext) {
		w := workloadOf(ctx, nil, running(pushed(ctx, taskImage()), "exit", "0"))
		arn := w.start(ctx, func(in *ecs.RunTaskInput) {
			in.LaunchType, in.StartedBy = "", aws.String("spec")
			in.CapacityProviderStrategy = []types.CapacityProviderStrategyItem{{CapacityProvider: aws.String("FARGATE_SPOT"), Weight: 1}}
			in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}
		})
		t := w.stopped(ctx, arn)
		Expect(*t.CapacityProviderName).To(Equal("FARGATE_SPOT"))
		Expect(t.Tags).To(HaveLen(1))
		list := func(in *ecs.ListTasksInput) []string {
			in.Cluster = &w.cluster
			return must(root.ecs.ListTasks(ctx, in)).TaskArns
		}
		Expect(list(&ecs.ListTasksInput{DesiredStatus: types.DesiredStatusStopped, StartedBy: aws.String("spec")})).To(ConsistOf(arn))
		Expect(list(&ecs.ListTasksInput{DesiredStatus: types.DesiredStatusStopped, Family: aws.String("other")})).To(BeEmpty())
		Expect(list(&ecs.ListTasksInput{})).To(BeEmpty(), "it runs no more")
		none := must(root.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &w.cluster, Tasks: []string{"0123456789abcdef0123456789abcdef"}}))
		Expect(*none.Failures[0].Reason).To(Equal("MISSING"))
	})

	DescribeTable("cannot start from", func(ctx SpecContext, image func(context.Context) string, want gomega.GomegaMatcher) {
		w := workloadOf(ctx, nil, running(image(ctx), "exit"))
		t := w.stopped(ctx, w.start(ctx, nil))
		Expect(t.StopCode).To(Equal(types.TaskStopCodeTaskFailedToStart))
		Expect(*t.StoppedReason).To(And(HavePrefix("CannotPullContainerError"), want))
		alive(ctx)
	},
		Entry("an image that is not there", func(ctx context.Context) string { return strings.Replace(pushed(ctx, taskImage()), ":v1", ":v2", 1) }, ContainSubstring("v2")),
		Entry("a registry that is another's", func(context.Context) string { return "docker.io/library/busybox:latest" }, ContainSubstring("busybox")),
		Entry("a layer that climbs out of its root", func(ctx context.Context) string {
			return pushed(ctx, taskImage(layer(&tar.Header{Name: "../../escaped", Mode: 0o644, Size: 1}, strings.NewReader("x"))))
		}, ContainSubstring("../../escaped")),
		Entry("a layer that is a bomb", func(ctx context.Context) string {
			return pushed(ctx, taskImage(zeros(256<<20))) // a thousandth of it on the wire
		}, MatchRegexp("(?i)unpack|compressed")),
	)
})

// zeros is a layer whose file of zeros is long, and short when it is compressed.
func zeros(size int64) v1.Layer {
	GinkgoHelper()
	return must(tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		r, w := io.Pipe()
		go func() {
			t := tar.NewWriter(w)
			err := t.WriteHeader(&tar.Header{Name: "zeros", Mode: 0o644, Size: size})
			if err == nil {
				_, err = io.CopyN(t, endless{}, size)
			}
			if err == nil {
				err = t.Close()
			}
			w.CloseWithError(err)
		}()
		return r, nil
	}))
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { clear(b); return len(b), nil }

var _ = Describe("A repository", func() {
	It("keeps the last images that its policy names, and what it is told of scans and policies", func(ctx SpecContext) {
		name := unique("repository")
		uri := *must(root.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: &name, ImageScanningConfiguration: &ecrtypes.ImageScanningConfiguration{ScanOnPush: true}})).Repository.RepositoryUri
		must(root.ecr.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{RepositoryName: &name, LifecyclePolicyText: aws.String(
			`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":2},"action":{"type":"expire"}}]}`)}))
		for _, tag := range []string{"a", "b", "c"} {
			Expect(pushTo(ctx, uri+":"+tag, must(random.Image(64, 1)))).To(Succeed())
		}
		tags := func() (all []string) {
			for _, i := range must(root.ecr.ListImages(ctx, &ecr.ListImagesInput{RepositoryName: &name})).ImageIds {
				all = append(all, *i.ImageTag)
			}
			return all
		}
		Expect(tags()).To(ConsistOf("b", "c"))
		Expect(must(root.ecr.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{name}})).Repositories[0].ImageScanningConfiguration.ScanOnPush).To(BeTrue())
		gone := must(root.ecr.BatchDeleteImage(ctx, &ecr.BatchDeleteImageInput{RepositoryName: &name, ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("b")}, {ImageTag: aws.String("x")}}}))
		Expect(gone.ImageIds).To(HaveLen(1))
		Expect(string(gone.Failures[0].FailureCode)).To(Equal("ImageNotFound"))
		_, err := root.ecr.DeleteRepository(ctx, &ecr.DeleteRepositoryInput{RepositoryName: &name})
		Expect(err).To(refuseWith("RepositoryNotEmptyException"))
	})

	It("lets its policy allow, and what is refused in its own protocol is written down", func(ctx SpecContext) {
		name := unique("repository")
		must(root.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: &name}))
		who := role(ctx, "", policy(allow("*", "ecr:GetAuthorizationToken")))
		worker := assume(ctx, assumeInput(who))
		_, err := worker.ecr.ListImages(ctx, &ecr.ListImagesInput{RepositoryName: &name})
		Expect(err).To(refuseWith("AccessDeniedException", "ecr:ListImages"))
		token := *must(worker.ecr.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})).AuthorizationData[0].AuthorizationToken
		got := raw(ctx, http.MethodGet, "/v2/"+name+"/tags/list", "", "Authorization: Basic "+token)
		Expect(got.status).To(Equal(http.StatusForbidden))
		d := lastDenied(ctx)
		Expect([]string{d.Service, d.DeniedAction, d.DeniedResource}).To(Equal([]string{"ecr", "ecr:ListImages", "arn:aws:ecr:" + region + ":" + account + ":repository/" + name}))
		must(root.ecr.SetRepositoryPolicy(ctx, &ecr.SetRepositoryPolicyInput{RepositoryName: &name, PolicyText: aws.String(policy(
			`{"Effect":"Allow","Principal":{"AWS":"` + who + `"},"Action":"ecr:ListImages"}`))}))
		must(worker.ecr.ListImages(ctx, &ecr.ListImagesInput{RepositoryName: &name}))
		Expect(raw(ctx, http.MethodGet, "/v2/"+name+"/tags/list", "", "Authorization: Basic "+token).status).To(Equal(http.StatusOK))
	})
})
