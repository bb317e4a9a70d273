package local_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-containerregistry/pkg/authn"
	imagename "github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// jobImage is an image that has the job program alone.
func jobImage() v1.Image {
	GinkgoHelper()
	code := must(os.ReadFile(must(program("./testdata/job"))))
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	Expect(w.WriteHeader(&tar.Header{Name: "bin/job", Mode: 0o755, Size: int64(len(code))})).To(Succeed())
	must(w.Write(code))
	Expect(w.Close()).To(Succeed())
	layer := must(tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }))
	return must(mutate.Config(must(mutate.AppendLayers(empty.Image, layer)), v1.Config{Entrypoint: []string{"/bin/job"}}))
}

// push makes a repository with immutable tags, pushes the image and returns its name.
func push(ctx context.Context, tag string) (repository, image string) {
	GinkgoHelper()
	repository = unique("repository")
	uri := must(root.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: &repository, ImageTagMutability: ecrtypes.ImageTagMutabilityImmutable})).Repository.RepositoryUri
	image = *uri + ":" + tag
	Expect(pushTo(ctx, image, jobImage())).To(Succeed())
	return repository, image
}

// pushTo logs in as docker does, and pushes.
func pushTo(ctx context.Context, image string, content v1.Image) error {
	GinkgoHelper()
	token := must(root.ecr.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})).AuthorizationData[0].AuthorizationToken
	_, password, _ := strings.Cut(string(must(base64.StdEncoding.DecodeString(*token))), ":")
	_, path, _ := strings.Cut(image, "/")
	ref := must(imagename.ParseReference(strings.TrimPrefix(here.URL(), "http://")+"/"+path, imagename.Insecure))
	return remote.Write(ref, content, remote.WithContext(ctx), remote.WithAuth(&authn.Basic{Username: "AWS", Password: password}))
}

// task registers a task that runs the image with the arguments.
func task(ctx context.Context, image string, arguments ...string) (definition, group string) {
	GinkgoHelper()
	group = "/" + unique("tasks")
	must(root.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group}))
	out := must(root.ecs.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{Family: aws.String(unique("task")), NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ExecutionRoleArn:        aws.String(role(ctx, "ecs-tasks.amazonaws.com", policy(allow("*", "ecr:*", "logs:*")))),
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("main"), Image: &image, Command: arguments, LogConfiguration: &types.LogConfiguration{LogDriver: types.LogDriverAwslogs,
			Options: map[string]string{"awslogs-group": group, "awslogs-region": region, "awslogs-stream-prefix": "t"}}}}}))
	return *out.TaskDefinition.TaskDefinitionArn, group
}

var fargate = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}

var _ = Describe("ECR and ECS", func() {
	It("keeps a tag that may not change", func(ctx SpecContext) {
		repository, image := push(ctx, "v1")
		images := must(root.ecr.DescribeImages(ctx, &ecr.DescribeImagesInput{RepositoryName: &repository})).ImageDetails
		Expect(images).To(HaveLen(1))
		Expect(images[0].ImageTags).To(Equal([]string{"v1"}))
		other := must(mutate.Config(jobImage(), v1.Config{Entrypoint: []string{"/bin/other"}}))
		Expect(pushTo(ctx, image, other)).To(MatchError(ContainSubstring("immutable")))
		_, err := as(ctx, allow("*", "ecs:*")).ecr.DescribeImages(ctx, &ecr.DescribeImagesInput{RepositoryName: &repository})
		Expect(err).To(refuseWith("AccessDeniedException", "ecr:DescribeImages"))
	})

	It("runs an image as a task until it ends, with its exit code and what it printed", func(ctx SpecContext) {
		_, image := push(ctx, "v1")
		cluster := must(root.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(unique("cluster"))})).Cluster.ClusterArn
		definition, group := task(ctx, image, "3", "hello")
		started := must(root.ecs.RunTask(ctx, &ecs.RunTaskInput{Cluster: cluster, TaskDefinition: &definition, LaunchType: types.LaunchTypeFargate, NetworkConfiguration: fargate}))
		Expect(started.Failures).To(BeEmpty())
		var t types.Task
		Eventually(ctx, func() string {
			t = must(root.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: cluster, Tasks: []string{*started.Tasks[0].TaskArn}})).Tasks[0]
			return *t.LastStatus
		}).Should(Equal("STOPPED"))
		Expect(aws.ToInt32(t.Containers[0].ExitCode)).To(BeEquivalentTo(3), aws.ToString(t.StoppedReason))
		lines := must(root.logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})).Events
		Expect(lines).To(HaveLen(1))
		Expect(*lines[0].Message).To(Equal("hello"))
	})

	It("is waited for by a state machine, which fails when the task does", func(ctx SpecContext) {
		_, image := push(ctx, "v1")
		cluster := must(root.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(unique("cluster"))})).Cluster.ClusterArn
		for code, want := range map[string]string{"0": "SUCCEEDED", "4": "FAILED"} {
			definition, _ := task(ctx, image, code, "by machine")
			m := machine(ctx, fmt.Sprintf(`{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::ecs:runTask.sync","End":true,"Parameters":{"Cluster":%q,"TaskDefinition":%q,
				"LaunchType":"FARGATE","NetworkConfiguration":{"AwsvpcConfiguration":{"Subnets":["subnet-1"]}}}}}}`, *cluster, definition),
				allow("*", "ecs:RunTask", "ecs:StopTask", "ecs:DescribeTasks", "iam:PassRole", "events:PutTargets", "events:PutRule", "events:DescribeRule"))
			done := ended(ctx, execute(ctx, root, m, `{}`))
			Expect(string(done.Status)).To(Equal(want), aws.ToString(done.Cause))
			if want == "FAILED" {
				Expect(*done.Error).To(Equal("States.TaskFailed"))
				Expect(*done.Cause).To(ContainSubstring(`"ExitCode":4`))
			}
		}
	})
})
