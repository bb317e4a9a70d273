package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// bailCode is how a program exits that has told its error to the engine itself.
// https://github.com/pulumi/pulumi/blob/v3.200.0/sdk/go/pulumi/run.go
const bailCode = 32

// endLimit is how long a program may take to end when it is interrupted.
const endLimit = 10 * time.Second

// host compiles and runs programs.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine      string
	interrupted context.Context
}

func (h *host) Handshake(context.Context, *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{}, nil
}

// GetRequiredPackages answers none: a provider is attached, and none is to be
// downloaded.
func (h *host) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

func (h *host) Run(ctx context.Context, req *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.interrupted, cancel)()
	program, err := compile(ctx, req.GetInfo())
	if err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	environment, err := h.environment(req)
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, program, req.GetArgs()...)
	c.Dir = req.GetPwd()
	c.Env = append(os.Environ(), environment...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = endLimit
	return outcome(c.Run()), nil
}

// compile returns the program to run: the one that the project's "binary" option
// names, or the program's directory compiled to its "buildTarget".
func compile(ctx context.Context, info *pulumirpc.ProgramInfo) (string, error) {
	options := info.GetOptions().GetFields()
	if binary := options["binary"].GetStringValue(); binary != "" {
		return filepath.Join(info.GetRootDirectory(), binary), nil
	}
	target := options["buildTarget"].GetStringValue()
	if target == "" {
		return "", errors.New("the project has no runtime option buildTarget; name the file to compile the program to in Pulumi.yaml")
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(info.GetProgramDirectory(), target)
	}
	var said bytes.Buffer
	c := exec.CommandContext(ctx, "go", "build", "-o", target, ".")
	c.Dir, c.Stdout, c.Stderr = info.GetProgramDirectory(), &said, &said
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("compile the program: %w\n%s", err, strings.TrimSpace(said.String()))
	}
	return target, nil
}

// environment is how a program learns of its stack.
// https://github.com/pulumi/pulumi/blob/v3.200.0/sdk/go/pulumi/run.go
func (h *host) environment(req *pulumirpc.RunRequest) ([]string, error) {
	config, err := json.Marshal(req.GetConfig())
	if err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	secret, err := json.Marshal(req.GetConfigSecretKeys())
	if err != nil {
		return nil, fmt.Errorf("write secret keys: %w", err)
	}
	return []string{
		"PULUMI_ORGANIZATION=" + req.GetOrganization(),
		"PULUMI_PROJECT=" + req.GetProject(),
		"PULUMI_STACK=" + req.GetStack(),
		"PULUMI_ROOT_DIRECTORY=" + req.GetInfo().GetRootDirectory(),
		"PULUMI_CONFIG=" + string(config),
		"PULUMI_CONFIG_SECRET_KEYS=" + string(secret),
		fmt.Sprintf("PULUMI_DRY_RUN=%t", req.GetDryRun()),
		fmt.Sprintf("PULUMI_PARALLEL=%d", req.GetParallel()),
		"PULUMI_MONITOR=" + req.GetMonitorAddress(),
		"PULUMI_ENGINE=" + h.engine,
	}, nil
}

// outcome tells the engine how a program ended.
func outcome(err error) *pulumirpc.RunResponse {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}
	case errors.As(err, &exit) && exit.ExitCode() == bailCode:
		return &pulumirpc.RunResponse{Bail: true}
	case errors.As(err, &exit):
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program ended with exit code %d", exit.ExitCode())}
	}
	return &pulumirpc.RunResponse{Error: "run the program: " + err.Error()}
}
