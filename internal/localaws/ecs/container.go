package ecs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"engage/internal/localaws/wire"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// container is one process of a live task.
type container struct {
	task    *live
	index   int
	def     containerDefinition // with the overrides
	log     *logWriter          // nil when nothing keeps what it writes
	secrets map[string]string
	root    string // unpacked image, shared
	config  v1.Config
	started chan struct{}
	exited  chan struct{}
	code    *int // valid once exited is closed
	pid     int  // valid once started is closed
}

func newContainer(t *live, index int) *container {
	c := &container{task: t, index: index, def: t.def.ContainerDefinitions[index], started: make(chan struct{}), exited: make(chan struct{}), secrets: map[string]string{}}
	for _, o := range t.record.Overrides.ContainerOverrides {
		if o.Name != c.def.Name {
			continue
		}
		if o.Command != nil {
			c.def.Command = o.Command
		}
		c.def.Environment = append(slices.Clone(c.def.Environment), o.Environment...)
		if o.CPU > 0 {
			c.def.CPU = o.CPU
		}
		if o.Memory > 0 {
			c.def.Memory = o.Memory
		}
	}
	return c
}

func (c *container) ended() bool {
	select {
	case <-c.exited:
		return true
	default:
		return false
	}
}

func (c *container) pull(ctx context.Context, caller wire.Caller) error {
	img, err := c.task.s.cfg.Puller.Pull(ctx, caller, c.def.Image, c.task.platform())
	if err != nil {
		return err
	}
	digest, err := img.Digest()
	if err != nil {
		return fmt.Errorf("read image digest: %w", err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return fmt.Errorf("read image configuration: %w", err)
	}
	if c.root, err = c.task.s.images.Root(ctx, img); err != nil {
		return err
	}
	c.config = config.Config
	c.task.change(func(r *record) { r.Containers[c.index].ImageDigest = digest.String() })
	return nil
}

// readSecrets reads parameters and secrets as the execution role. A secret's
// ARN may go on with ":json-key:stage:version".
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
func (c *container) readSecrets(ctx context.Context, caller wire.Caller) error {
	for _, s := range c.def.Secrets {
		if c.task.s.cfg.Invoker == nil {
			return wire.NotImplemented("ecs secrets")
		}
		value, err := c.task.s.readSecret(ctx, caller, s.ValueFrom)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		c.secrets[s.Name] = value
	}
	return nil
}

func (s *Service) readSecret(ctx context.Context, caller wire.Caller, from string) (string, error) {
	parts := strings.Split(from, ":")
	if len(parts) < 7 || parts[2] != "secretsmanager" {
		name := from
		if len(parts) == 6 {
			name = strings.TrimPrefix(parts[5], "parameter")
		}
		var out struct{ Parameter struct{ Value string } }
		err := s.invoke(ctx, caller, "ssm", "GetParameter", map[string]any{"Name": name, "WithDecryption": true}, &out)
		return out.Parameter.Value, err
	}
	in := map[string]any{"SecretId": strings.Join(parts[:7], ":")}
	parts = append(parts[7:], "", "", "")
	if parts[1] != "" {
		in["VersionStage"] = parts[1]
	}
	if parts[2] != "" {
		in["VersionId"] = parts[2]
	}
	var out struct{ SecretString string }
	if err := s.invoke(ctx, caller, "secretsmanager", "GetSecretValue", in, &out); err != nil || parts[0] == "" {
		return out.SecretString, err
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(out.SecretString), &members); err != nil {
		return "", fmt.Errorf("the secret is no JSON object: %w", err)
	}
	value, ok := members[parts[0]]
	if !ok {
		return "", fmt.Errorf("the secret has no key %q", parts[0])
	}
	return fmt.Sprint(value), nil
}

// invoke calls another service and reads its answer by the names on the wire.
func (s *Service) invoke(ctx context.Context, caller wire.Caller, service, operation string, in, out any) error {
	answer, err := s.cfg.Invoker.Invoke(ctx, caller, service, operation, in)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, out)
}

// environment is the image's, then the definition's and the override's, then
// the secrets and what every task gets.
func (c *container) environment() []string {
	env := map[string]string{"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME": "localhost"}
	for _, e := range c.config.Env {
		name, value, _ := strings.Cut(e, "=")
		env[name] = value
	}
	for _, e := range c.def.Environment {
		env[e.Name] = e.Value
	}
	maps.Copy(env, c.secrets)
	endpoint, token := c.task.s.cfg.Endpoint(), c.task.record.Secrets[c.index]
	env["AWS_REGION"], env["AWS_DEFAULT_REGION"] = c.task.record.Region, c.task.record.Region
	env["AWS_ENDPOINT_URL"] = endpoint
	env["AWS_EXECUTION_ENV"] = "AWS_ECS_FARGATE"
	env[metadataVariable] = endpoint + "/v4/" + token
	if c.role() != "" {
		env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = endpoint + "/v2/credentials/" + token
	}
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

func (c *container) role() string {
	return first(c.task.record.Overrides.TaskRoleArn, c.task.def.TaskRoleArn)
}

// arguments are the entry point and the command. An entry point of the
// definition takes the image's command away too, as in Docker.
func (c *container) arguments() []string {
	entry, command := c.config.Entrypoint, c.config.Cmd
	if len(c.def.EntryPoint) > 0 {
		entry, command = c.def.EntryPoint, nil
	}
	if c.def.Command != nil {
		command = c.def.Command
	}
	return append(slices.Clone(entry), command...)
}

// memoryLimit is in bytes: the container's own, or the task's.
func (c *container) memoryLimit() int64 {
	mib := c.def.Memory
	if mib == 0 {
		mib, _ = strconv.Atoi(c.task.record.Memory) // checked when the task was made
	}
	return int64(mib) << 20
}

func (c *container) stopTimeout() time.Duration {
	if c.def.StopTimeout > 0 {
		return time.Duration(c.def.StopTimeout) * time.Second
	}
	return 30 * time.Second
}

// run starts the container's process, waits for it, and ends it when the task
// is asked to stop.
func (c *container) run() {
	defer close(c.exited)
	if err := c.awaitDependencies(); err != nil {
		c.task.exited(c.index, nil, err.Error())
		return
	}
	p, err := c.task.s.start(c)
	if err != nil {
		c.task.exited(c.index, nil, "CannotStartContainerError: "+err.Error())
		return
	}
	c.pid = p.pid
	c.task.running(c.index)
	close(c.started)
	c.supervise(p)
	code, reason := p.result()
	c.code = &code
	c.task.exited(c.index, &code, reason)
}

// supervise returns when the process has ended: by itself, or by SIGTERM and,
// once the stop timeout is over, SIGKILL.
func (c *container) supervise(p *process) {
	select {
	case <-p.done:
		return
	case <-c.task.ctx.Done():
	}
	p.signal(stopSignal(c.config.StopSignal))
	select {
	case <-p.done:
		return
	case <-c.task.s.cfg.Clock.After(c.stopTimeout()):
	case <-c.task.s.ctx.Done():
	}
	p.kill()
	<-p.done
}

var signals = map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGQUIT": syscall.SIGQUIT,
	"SIGHUP": syscall.SIGHUP, "SIGKILL": syscall.SIGKILL, "SIGUSR1": syscall.SIGUSR1, "SIGUSR2": syscall.SIGUSR2}

// stopSignal is the image's STOPSIGNAL, by name or number.
func stopSignal(name string) syscall.Signal {
	if n, err := strconv.Atoi(name); err == nil && n > 0 && n < 65 {
		return syscall.Signal(n)
	}
	if sig, ok := signals["SIG"+strings.TrimPrefix(strings.ToUpper(name), "SIG")]; ok {
		return sig
	}
	return syscall.SIGTERM
}

var errStopped = errors.New("the task was stopped before the container started")

func (c *container) awaitDependencies() error {
	for _, d := range c.def.DependsOn {
		i := slices.IndexFunc(c.task.containers, func(o *container) bool { return o.def.Name == d.ContainerName })
		other := c.task.containers[i]
		reached := other.exited
		if d.Condition == "START" {
			reached = other.started
		}
		select {
		case <-reached:
		case <-c.task.ctx.Done():
			return errStopped
		}
		if d.Condition == "SUCCESS" && (other.code == nil || *other.code != 0) {
			return fmt.Errorf("dependency container %s did not exit with 0", d.ContainerName)
		}
	}
	if c.task.ctx.Err() != nil {
		return errStopped
	}
	return nil
}
