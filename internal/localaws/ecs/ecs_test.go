package ecs_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"engage/internal/localaws/ecr"
	"engage/internal/localaws/ecs"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecrsdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const (
	account  = "000000000000"
	region   = "us-east-1"
	taskRole = "arn:aws:iam::000000000000:role/task"
	execRole = "arn:aws:iam::000000000000:role/exec"
)

// worker is the program of the test images.
var worker []byte

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "worker")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, "worker")
		build := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "./testdata/worker")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			panic(fmt.Sprint(err, string(out)))
		}
		if worker, err = os.ReadFile(path); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

type logs struct {
	mu    sync.Mutex
	lines map[string][]string
	seen  *sync.Cond
}

func (l *logs) Append(_ context.Context, _, _, group, stream string, events []ecs.LogEvent) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		l.lines[group+":"+stream] = append(l.lines[group+":"+stream], e.Message)
	}
	l.seen.Broadcast()
	return nil
}

func (l *logs) of(task string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines["/workers:w/main/"+task], "\n")
}

// await blocks until a task has written something.
func (l *logs) await(task string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.lines["/workers:w/main/"+task]) == 0 {
		l.seen.Wait()
	}
}

type credentials struct{}

func (credentials) Session(_ context.Context, service, role, session string, tags map[string]string) (ecs.Session, error) {
	caller := wire.Caller{Account: account, Region: region, ARN: role + "/" + session, AccessKey: "ASIA", RoleARN: role, RunID: tags["RunId"]}
	return ecs.Session{AccessKeyID: "ASIA", SecretAccessKey: "s", Token: "t", Expires: time.Now().Add(time.Hour), Caller: caller}, nil
}

type meter struct {
	mu   sync.Mutex
	sums map[string]float64
}

func (m *meter) Add(_ context.Context, q wire.Quantity) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sums[q.Usage+" "+q.Resource] += q.Amount
}

// clock runs with the machine's; its waits end at once when fast.
type clock struct{ fast bool }

func (clock) Now() time.Time { return time.Now() }
func (c clock) After(d time.Duration) <-chan time.Time {
	if c.fast {
		d = 0
	}
	return time.After(d)
}

type fixture struct {
	*ecs.Service
	server *server.Server
	client *sdk.Client
	logs   *logs
	meter  *meter
	image  string
	denied map[string]bool
}

func (f *fixture) Authorize(_ context.Context, call *wire.Call, all []wire.Access) error {
	for _, a := range all {
		if f.denied[a.Action] {
			return wire.Denied(call.Caller, a, "no identity-based policy allows the "+a.Action+" action")
		}
	}
	return nil
}

func boot(t *testing.T, change func(*ecs.Config)) *fixture {
	t.Helper()
	dir := os.Getenv(crashDir)
	if dir == "" {
		dir = t.TempDir()
	}
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{logs: &logs{lines: map[string][]string{}}, meter: &meter{sums: map[string]float64{}}, denied: map[string]bool{}}
	f.logs.seen = sync.NewCond(&f.logs.mu)
	registry, err := ecr.New(ecr.Config{Store: store, Authorizer: f})
	if err != nil {
		t.Fatal(err)
	}
	if f.server, err = server.New(server.Config{Addr: "127.0.0.1:0", Dir: t.TempDir(), Authorizer: f}); err != nil {
		t.Fatal(err)
	}
	cfg := ecs.Config{Store: store, Puller: registry, Credentials: credentials{}, Logs: f.logs, Meter: f.meter,
		Endpoint: func() string { return f.server.URL() }, Clock: clock{}}
	if change != nil {
		change(&cfg)
	}
	if f.Service, err = ecs.New(cfg); err != nil {
		t.Fatal(err)
	}
	f.server.Register(registry.Wire(), f.Wire())
	if err := f.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if err := errors.Join(f.Close(ended), f.server.Shutdown(context.Background()), registry.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	keys := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
	})
	f.client = sdk.New(sdk.Options{Region: region, BaseEndpoint: aws.String(f.server.URL()), Credentials: keys, RetryMaxAttempts: 1})
	f.push(t, ecrsdk.New(ecrsdk.Options{Region: region, BaseEndpoint: aws.String(f.server.URL()), Credentials: keys}))
	if _, err := f.client.CreateCluster(t.Context(), &sdk.CreateClusterInput{ClusterName: aws.String("c")}); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) push(t *testing.T, client *ecrsdk.Client) {
	t.Helper()
	if _, err := client.CreateRepository(t.Context(), &ecrsdk.CreateRepositoryInput{RepositoryName: aws.String("app")}); err != nil {
		t.Fatal(err)
	}
	out, err := client.GetAuthorizationToken(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := base64.StdEncoding.DecodeString(*out.AuthorizationData[0].AuthorizationToken)
	_, password, _ := strings.Cut(string(raw), ":")
	ref, err := name.ParseReference(f.server.Addr() + "/app:v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, workerImage(t), remote.WithAuth(&authn.Basic{Username: "AWS", Password: password})); err != nil {
		t.Fatal(err)
	}
	f.image = account + ".dkr.ecr." + region + ".amazonaws.com/app:v1"
}

// built is the image, made by the first test that needs it.
var built v1.Image

func workerImage(t *testing.T) v1.Image {
	t.Helper()
	if built != nil {
		return built
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := errors.Join(w.WriteHeader(&tar.Header{Name: "bin/worker", Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(worker))}))
	if err == nil {
		_, err = w.Write(worker)
	}
	passwd := "root:x:0:0::/:\napp:x:1234:2345::/:\n"
	err = errors.Join(err, w.WriteHeader(&tar.Header{Name: "etc/passwd", Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(passwd))}))
	io.WriteString(w, passwd)
	err = errors.Join(err, w.WriteHeader(&tar.Header{Name: "work", Typeflag: tar.TypeDir, Mode: 0o777}), w.Close())
	if err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }, tarball.WithCompressedCaching)
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err == nil {
		img, err = mutate.Config(img, v1.Config{Entrypoint: []string{"worker"}, Cmd: []string{"exit", "0"}, User: "app", WorkingDir: "/work", Env: []string{"PATH=/bin", "FROM_IMAGE=1"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	built = img
	return img
}

func (f *fixture) container(command ...string) types.ContainerDefinition {
	return types.ContainerDefinition{Name: aws.String("main"), Image: aws.String(f.image), Command: command,
		Environment: []types.KeyValuePair{{Name: aws.String("FROM_DEFINITION"), Value: aws.String("2")}},
		LogConfiguration: &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
			"awslogs-group": "/workers", "awslogs-region": region, "awslogs-stream-prefix": "w"}}}
}

func definition(containers ...types.ContainerDefinition) *sdk.RegisterTaskDefinitionInput {
	return &sdk.RegisterTaskDefinitionInput{Family: aws.String("job"), NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate}, TaskRoleArn: aws.String(taskRole), ExecutionRoleArn: aws.String(execRole), ContainerDefinitions: containers}
}

func runInput(definition string) *sdk.RunTaskInput {
	return &sdk.RunTaskInput{Cluster: aws.String("c"), TaskDefinition: aws.String(definition), LaunchType: types.LaunchTypeFargate,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}}
}

// begin registers a definition and starts a task of it.
func (f *fixture) begin(t *testing.T, in *sdk.RegisterTaskDefinitionInput, change func(*sdk.RunTaskInput)) string {
	t.Helper()
	if _, err := f.client.RegisterTaskDefinition(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	run := runInput(*in.Family)
	if change != nil {
		change(run)
	}
	out, err := f.client.RunTask(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	if got := *out.Tasks[0].LastStatus; got != "PROVISIONING" {
		t.Errorf("the task begins as %s", got)
	}
	return *out.Tasks[0].TaskArn
}

func (f *fixture) await(t *testing.T, arn string) types.Task {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := f.Wait(ctx, arn); err != nil {
		t.Fatal(err)
	}
	out, err := f.client.DescribeTasks(t.Context(), &sdk.DescribeTasksInput{Cluster: aws.String("c"), Tasks: []string{arn}, Include: []types.TaskField{"TAGS"}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Tasks[0]
}

func (f *fixture) outcome(t *testing.T, in *sdk.RegisterTaskDefinitionInput) types.Task {
	t.Helper()
	return f.await(t, f.begin(t, in, nil))
}

func id(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	return fmt.Sprint(err)
}

// modes runs a test with the isolation that the host allows and without any.
func modes(t *testing.T, f func(t *testing.T, f *fixture)) {
	t.Run("isolated", func(t *testing.T) { f(t, boot(t, nil)) })
	t.Run("plain", func(t *testing.T) { f(t, boot(t, func(c *ecs.Config) { c.Plain = true })) })
}

func TestExitCodesAndReasons(t *testing.T) {
	modes(t, func(t *testing.T, f *fixture) {
		t.Logf("isolation: %+v", f.Isolation())
		task := f.outcome(t, definition(f.container("exit", "3")))
		c := task.Containers[0]
		if *task.LastStatus != "STOPPED" || task.StopCode != types.TaskStopCodeEssentialContainerExited || *task.StoppedReason != "Essential container in task exited" || *c.ExitCode != 3 || c.Reason != nil {
			t.Errorf("got %s %s %s %v %v", *task.LastStatus, task.StopCode, *task.StoppedReason, *c.ExitCode, c.Reason)
		}
		times := []*time.Time{task.CreatedAt, task.PullStartedAt, task.PullStoppedAt, task.StartedAt, task.StoppingAt, task.ExecutionStoppedAt, task.StoppedAt}
		for i, at := range times {
			if at == nil || i > 0 && at.Before(*times[i-1]) {
				t.Errorf("time %d is %v after %v", i, at, times[max(i-1, 0)])
			}
		}
		if got := f.logs.of(id(*task.TaskArn)); got != "leaving with 3" {
			t.Errorf("logged %q", got)
		}
		f.meter.mu.Lock()
		defer f.meter.mu.Unlock()
		resource := "job/" + id(*task.TaskArn)
		total := f.meter.sums["vCPU-Seconds "+resource] + f.meter.sums["vCPU-Seconds-Minimum "+resource]
		if total < 14.99 || total > 15.01 { // 0.25 vCPU for a minute
			t.Errorf("metered %v", f.meter.sums)
		}
	})
}

func TestStartFailures(t *testing.T) {
	f := boot(t, nil)
	missing := f.container("exit", "0")
	missing.Image = aws.String(strings.Replace(f.image, ":v1", ":none", 1))
	task := f.outcome(t, definition(missing))
	if task.StopCode != types.TaskStopCodeTaskFailedToStart || !strings.HasPrefix(*task.StoppedReason, "CannotPullContainerError: The image with imageId") || task.StartedAt != nil || !strings.HasPrefix(*task.Containers[0].Reason, "CannotPullContainerError") {
		t.Errorf("got %s %s", task.StopCode, *task.StoppedReason)
	}
	none := f.container("x")
	none.EntryPoint = []string{"/bin/none"}
	if task := f.outcome(t, definition(none)); !strings.Contains(*task.StoppedReason, `CannotStartContainerError: exec: "/bin/none": executable file not found`) {
		t.Errorf("got %s", *task.StoppedReason)
	}
	user := f.container("exit", "0")
	user.User = aws.String("stranger")
	if task := f.outcome(t, definition(user)); !strings.Contains(*task.StoppedReason, "unable to find user") {
		t.Errorf("got %s", *task.StoppedReason)
	}
	f.denied["ecr:BatchGetImage"] = true
	if task := f.outcome(t, definition(f.container("exit", "0"))); !strings.Contains(*task.StoppedReason, execRole) || !strings.Contains(*task.StoppedReason, "is not authorized to perform: ecr:BatchGetImage") {
		t.Errorf("got %s", *task.StoppedReason)
	}
}

func TestEnvironmentAndArguments(t *testing.T) {
	t.Setenv("PARENT_SECRET", "leaked")
	modes(t, func(t *testing.T, f *fixture) {
		c := f.container("exit", "0")
		c.ReadonlyRootFilesystem = aws.Bool(true)
		arn := f.begin(t, definition(c), func(in *sdk.RunTaskInput) {
			in.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String("main"), Command: []string{"env", "a b"},
				Environment: []types.KeyValuePair{{Name: aws.String("FROM_OVERRIDE"), Value: aws.String("3")}}}}}
			in.Tags = []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}
		})
		task := f.await(t, arn)
		var got struct {
			Env, Args, Root []string
			UID             int
			Dir, Write      string
		}
		if err := json.Unmarshal([]byte(f.logs.of(id(arn))), &got); err != nil {
			t.Fatal(err, f.logs.of(id(arn)), *task.StoppedReason)
		}
		env := strings.Join(got.Env, "\n")
		for _, want := range []string{"FROM_IMAGE=1", "FROM_DEFINITION=2", "FROM_OVERRIDE=3", "AWS_REGION=" + region, "AWS_ENDPOINT_URL=" + f.server.URL(), "ECS_CONTAINER_METADATA_URI_V4=", "AWS_CONTAINER_CREDENTIALS_FULL_URI="} {
			if !strings.Contains(env, want) {
				t.Errorf("%s is not in %s", want, env)
			}
		}
		if strings.Contains(env, "leaked") || !slices.Equal(got.Args, []string{"worker", "env", "a b"}) {
			t.Errorf("got %v %s", got.Args, env)
		}
		if i := f.Isolation(); i.Chroot && (got.UID != 1234 || got.Dir != "/work" || !slices.Contains(got.Root, "work") || slices.Contains(got.Root, "home")) {
			t.Errorf("got %+v", got)
		}
		if f.Isolation().ReadOnlyRoot == "mount" && !strings.Contains(got.Write, "read-only file system") {
			t.Errorf("writing gave %s", got.Write)
		}
		if len(task.Tags) != 1 {
			t.Errorf("got tags %v", task.Tags)
		}
	})
}

func TestStop(t *testing.T) {
	modes(t, func(t *testing.T, f *fixture) {
		arn := f.begin(t, definition(f.container("graceful")), nil)
		f.logs.await(id(arn))
		if _, err := f.client.StopTask(t.Context(), &sdk.StopTaskInput{Cluster: aws.String("c"), Task: aws.String(arn), Reason: aws.String("enough")}); err != nil {
			t.Fatal(err)
		}
		task := f.await(t, arn)
		if *task.Containers[0].ExitCode != 7 || task.StopCode != types.TaskStopCodeUserInitiated || *task.StoppedReason != "enough" || !strings.Contains(f.logs.of(id(arn)), "asked to stop") {
			t.Errorf("got %d %s %s", *task.Containers[0].ExitCode, task.StopCode, *task.StoppedReason)
		}
	})
	f := boot(t, func(c *ecs.Config) { c.Clock = clock{fast: true} })
	arn := f.begin(t, definition(f.container("stubborn")), nil)
	f.logs.await(id(arn))
	f.Stop(arn, "now")
	if task := f.await(t, arn); *task.Containers[0].ExitCode != 137 {
		t.Errorf("got %d", *task.Containers[0].ExitCode)
	}
}

func TestMemoryLimit(t *testing.T) {
	f := boot(t, nil)
	task := f.outcome(t, definition(f.container("eat")))
	if c := task.Containers[0]; *c.ExitCode != 137 || c.Reason == nil || !strings.HasPrefix(*c.Reason, "OutOfMemoryError") {
		t.Errorf("got %d %v", *c.ExitCode, c.Reason)
	}
}

// processes returns the processes that have a task's id in their environment.
func processes(t *testing.T, f *fixture) (all []string) {
	t.Helper()
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil && bytes.Contains(b, []byte("METADATA_URI_V4="+f.server.URL()+"/")) {
			all = append(all, file)
		}
	}
	return all
}

func TestNothingIsLeftBehind(t *testing.T) {
	modes(t, func(t *testing.T, f *fixture) {
		task := f.outcome(t, definition(f.container("fork")))
		if left := processes(t, f); len(left) > 0 {
			t.Errorf("left %v after %s", left, *task.StoppedReason)
		}
		arn := f.begin(t, definition(f.container("stubborn")), nil)
		f.logs.await(id(arn))
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := f.Close(ended); err != nil {
			t.Error(err)
		}
		if left := processes(t, f); len(left) > 0 {
			t.Errorf("left %v after closing", left)
		}
		if task := f.await(t, arn); *task.LastStatus != "STOPPED" || *task.StoppedReason != "The endpoint was shut down." {
			t.Errorf("got %s %s", *task.LastStatus, *task.StoppedReason)
		}
	})
}

func TestMetadataAndCredentials(t *testing.T) {
	f := boot(t, nil)
	arn := f.begin(t, definition(f.container("get", "ECS_CONTAINER_METADATA_URI_V4", "ECS_CONTAINER_METADATA_URI_V4/task", "ECS_CONTAINER_METADATA_URI_V4/stats", "AWS_CONTAINER_CREDENTIALS_FULL_URI")), nil)
	f.await(t, arn)
	got := f.logs.of(id(arn))
	for _, want := range []string{`"Name":"main"`, `"TaskARN":"` + arn, `"KnownStatus":"RUNNING"`, `"memory_stats"`, `"AccessKeyId":"ASIA"`, taskRole} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
}

func TestContainersShareVolumesInOrder(t *testing.T) {
	f := boot(t, nil)
	if !f.Isolation().MountNamespace {
		t.Skip("the host does not allow mounts")
	}
	mount := []types.MountPoint{{SourceVolume: aws.String("v"), ContainerPath: aws.String("/data")}}
	before := f.container("share")
	before.Name, before.Essential, before.MountPoints = aws.String("init"), aws.Bool(false), mount
	after := f.container("share")
	after.MountPoints, after.ReadonlyRootFilesystem = mount, aws.Bool(true)
	after.DependsOn = []types.ContainerDependency{{ContainerName: aws.String("init"), Condition: types.ContainerConditionSuccess}}
	in := definition(before, after)
	in.Volumes = []types.Volume{{Name: aws.String("v")}}
	task := f.outcome(t, in)
	if got := f.logs.of(id(*task.TaskArn)); got != "written [f]" {
		t.Errorf("got %q %s", got, *task.StoppedReason)
	}
}

func TestLogsAreBounded(t *testing.T) {
	f := boot(t, nil)
	task := f.outcome(t, definition(f.container("spam")))
	if got := len(f.logs.of(id(*task.TaskArn))); got != 20000*1001-1 {
		t.Errorf("got %d bytes", got)
	}
}

func TestRefusals(t *testing.T) {
	f := boot(t, nil)
	register := func(change func(*sdk.RegisterTaskDefinitionInput)) error {
		in := definition(f.container("exit", "0"))
		change(in)
		_, err := f.client.RegisterTaskDefinition(t.Context(), in)
		return err
	}
	for want, change := range map[string]func(*sdk.RegisterTaskDefinitionInput){
		"ClientException: No Fargate configuration exists for given values: 256 CPU, 4096 memory": func(in *sdk.RegisterTaskDefinitionInput) { in.Memory = aws.String("4096") },
		"ClientException: Fargate requires that 'cpu' be defined at the task level.":              func(in *sdk.RegisterTaskDefinitionInput) { in.Cpu = nil },
		"NotImplemented: ecs containerDefinitions.healthCheck": func(in *sdk.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD", "x"}}
		},
		"NotImplemented: ecs volumes.efsVolumeConfiguration": func(in *sdk.RegisterTaskDefinitionInput) {
			in.Volumes = []types.Volume{{Name: aws.String("v"), EfsVolumeConfiguration: &types.EFSVolumeConfiguration{FileSystemId: aws.String("fs")}}}
		},
		"NotImplemented: ecs logDriver splunk": func(in *sdk.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].LogConfiguration.LogDriver = types.LogDriverSplunk
		},
		"ClientException: Fargate requires task definition to have execution role ARN to support ECR images.": func(in *sdk.RegisterTaskDefinitionInput) { in.ExecutionRoleArn = nil },
	} {
		if err := register(change); !strings.HasPrefix(code(err), want) {
			t.Errorf("got %s, want %s", code(err), want)
		}
	}
	if err := register(func(*sdk.RegisterTaskDefinitionInput) {}); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*sdk.RunTaskInput){
		"InvalidParameterException: Network Configuration must be provided": func(in *sdk.RunTaskInput) { in.NetworkConfiguration = nil },
		"ClusterNotFoundException: Cluster not found.":                      func(in *sdk.RunTaskInput) { in.Cluster = aws.String("none") },
		"ClientException: TaskDefinition not found.":                        func(in *sdk.RunTaskInput) { in.TaskDefinition = aws.String("none") },
		"NotImplemented: ecs launchType EC2":                                func(in *sdk.RunTaskInput) { in.LaunchType = types.LaunchTypeEc2 },
		"InvalidParameterException: Override for container named x is not": func(in *sdk.RunTaskInput) {
			in.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String("x")}}}
		},
	} {
		in := runInput("job")
		change(in)
		if _, err := f.client.RunTask(t.Context(), in); !strings.HasPrefix(code(err), want) {
			t.Errorf("got %s, want %s", code(err), want)
		}
	}
	_, err := f.client.CreateService(t.Context(), &sdk.CreateServiceInput{ServiceName: aws.String("s")})
	if !strings.Contains(code(err), "NotImplemented: ecs CreateService") {
		t.Errorf("got %v", err)
	}
	f.denied["iam:PassRole"] = true
	if _, err := f.client.RunTask(t.Context(), runInput("job")); !strings.Contains(code(err), "AccessDeniedException") || !strings.Contains(code(err), "iam:PassRole") {
		t.Errorf("got %v", err)
	}
}
