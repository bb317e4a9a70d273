package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"engage/internal/pack"
	"engage/internal/resource"
)

// buildArch is the processor that the graph's functions and tasks run on.
const buildArch = "amd64"

// worker is a program of the workers' image.
type worker struct {
	dir   string // below workers/
	task  resource.TaskDefinition
	opens []string // libraries that it opens by name at run time
}

var workers = []worker{
	{"train", resource.TrainingTask, []string{"libxgboost.so.0"}},
	{"score", resource.InferenceTask, nil},
}

// buildOptions are the flags of build.
type buildOptions struct {
	source, dist string
	tar          string // file that the image's file system is written to instead
	asJSON       bool
}

// artifact is something that was built.
type artifact struct {
	Kind  string `json:"kind"` // function or image
	Name  string `json:"name"` // of the function, or tag of the image
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

// The parts that build can make.
const (
	functionsPart = "functions"
	imagePart     = "image"
)

func newBuild(s streams) *cobra.Command {
	var o buildOptions
	c := &cobra.Command{
		Use:   "build [functions|image]",
		Short: "Pack what is deployed: a zip for each Lambda function and the workers' image",
		Long: `Compile the programs below lambdas/ and workers/, and pack them: each function as
DIST/lambda/NAME.zip, the workers as an OCI layout in DIST/image, whose tag, from its
content, is in DIST/image/tag. The same source, compiler and libraries give the same
bytes. Docker is not needed; the image is built on Linux, because it holds the shared
libraries of this machine that its programs need.`,
		Example: `  engage build
  engage build functions --json
  engage build image --tar /tmp/rootfs.tar`,
		Args: takes(0, 1, "at most one of functions and image"), ValidArgs: []string{functionsPart, imagePart},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && !slices.Contains(c.ValidArgs, args[0]) {
				return fmt.Errorf("there is no part %q: want functions or image", args[0])
			}
			made, err := o.build(c.Context(), args)
			if err != nil {
				return err
			}
			return printArtifacts(s, o.asJSON, made)
		},
	}
	c.Flags().StringVar(&o.source, "source", ".", "root of the module")
	c.Flags().StringVar(&o.dist, "dist", "dist", "directory to fill")
	c.Flags().StringVar(&o.tar, "tar", "", "write the image's file system to this file, and no image")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	_ = c.MarkFlagDirname("source")
	_ = c.MarkFlagDirname("dist")
	return c
}

func (o *buildOptions) build(ctx context.Context, parts []string) ([]artifact, error) {
	wants := func(part string) bool { return len(parts) == 0 || parts[0] == part }
	if _, err := os.Stat(filepath.Join(o.source, "go.mod")); err != nil {
		return nil, fmt.Errorf("there is no go.mod in %s: run this in the project's root, or name it with --source", o.source)
	}
	if o.tar != "" && !(len(parts) == 1 && parts[0] == imagePart) {
		return nil, errors.New("--tar is for \"engage build image\"")
	}
	scratch, err := os.MkdirTemp("", "engage-build-")
	if err != nil {
		return nil, fmt.Errorf("make a directory to compile in: %w", err)
	}
	defer os.RemoveAll(scratch)
	var made []artifact
	if wants(functionsPart) {
		if made, err = o.functions(ctx, scratch); err != nil {
			return nil, err
		}
	}
	if wants(imagePart) {
		image, err := o.image(ctx, scratch)
		if err != nil {
			return nil, err
		}
		made = append(made, image)
	}
	return made, nil
}

// functions packs every function that has a program.
func (o *buildOptions) functions(ctx context.Context, scratch string) ([]artifact, error) {
	programs, err := filepath.Glob(filepath.Join(o.source, "lambdas", "*", "cmd"))
	if err != nil {
		return nil, err
	}
	made := make([]artifact, len(programs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for i, dir := range programs {
		of := filepath.Base(filepath.Dir(dir))
		name := resource.Function(of + "-lambda")
		if !slices.Contains(resource.Functions(), name) {
			return nil, fmt.Errorf("lambdas/%s is no function: package resource has no name %q", of, name)
		}
		group.Go(func() (err error) {
			made[i], err = o.function(ctx, filepath.Join(scratch, string(name)), of, name)
			return err
		})
	}
	return made, group.Wait()
}

func (o *buildOptions) function(ctx context.Context, program, of string, name resource.Function) (artifact, error) {
	a := artifact{Kind: "function", Name: string(name), Path: filepath.Join(o.dist, "lambda", string(name)+".zip")}
	p := pack.Program{Dir: o.source, Package: "./lambdas/" + of + "/cmd", Arch: buildArch}
	if err := pack.Compile(ctx, p, program); err != nil {
		return a, err
	}
	if err := pack.ZipFile(a.Path, program); err != nil {
		return a, err
	}
	info, err := os.Stat(a.Path)
	if err != nil {
		return a, err
	}
	a.Bytes = info.Size()
	return a, nil
}

// image packs the workers.
func (o *buildOptions) image(ctx context.Context, scratch string) (artifact, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != buildArch {
		return artifact{}, fmt.Errorf("the image holds libraries of Linux on %s, and this machine is %s on %s: build it with \"docker build -f workers/Dockerfile .\"", buildArch, runtime.GOOS, runtime.GOARCH)
	}
	contents := pack.Contents{Arch: buildArch, Programs: map[string]string{}}
	for _, w := range workers {
		source := filepath.Join("workers", w.dir, "cmd")
		if _, err := os.Stat(filepath.Join(o.source, source)); errors.Is(err, fs.ErrNotExist) {
			return artifact{}, fmt.Errorf("there is no %s, the program of %s", source, w.task)
		}
		program := filepath.Join(scratch, string(w.task))
		p := pack.Program{Dir: o.source, Package: "./" + filepath.ToSlash(source), Arch: buildArch, Cgo: true}
		if err := pack.Compile(ctx, p, program); err != nil {
			return artifact{}, err
		}
		contents.Programs[string(w.task)] = program
		contents.Opens = append(contents.Opens, w.opens...)
	}
	return o.packImage(contents)
}

func (o *buildOptions) packImage(contents pack.Contents) (artifact, error) {
	libraries, err := pack.HostLibraries()
	if err != nil {
		return artifact{}, err
	}
	a := artifact{Kind: "image", Path: filepath.Join(o.dist, "image")}
	if o.tar != "" {
		a.Path = o.tar
		a.Bytes, err = writeTo(o.tar, func(w io.Writer) error { return contents.WriteTar(w, libraries) })
		return a, err
	}
	image, err := pack.Image(contents, libraries)
	if err != nil {
		return a, err
	}
	if a.Name, err = pack.WriteLayout(a.Path, image); err != nil {
		return a, err
	}
	layers, err := image.Layers()
	for _, l := range layers {
		size, sizeErr := l.Size()
		a.Bytes, err = a.Bytes+size, errors.Join(err, sizeErr)
	}
	return a, err
}

// writeTo writes a file, and leaves none that is not whole.
func writeTo(path string, write func(io.Writer) error) (int64, error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	err = write(f)
	info, statErr := f.Stat()
	if err = errors.Join(err, statErr, f.Close()); err != nil {
		return 0, errors.Join(err, os.Remove(path))
	}
	return info.Size(), nil
}

func printArtifacts(s streams, asJSON bool, made []artifact) error {
	if asJSON {
		return s.json(made)
	}
	out := newTable(s)
	for _, a := range made {
		out.row(a.Kind, a.Name, a.Path, fmt.Sprintf("%.1f MB", float64(a.Bytes)/1e6))
	}
	return out.flush()
}
