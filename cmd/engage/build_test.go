package main

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"engage/internal/resource"
)

// sources writes a module with the programs of the given directories.
func sources(t *testing.T, dirs ...string) string {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{"go.mod": "module example\n\ngo 1.26\n"}
	for _, dir := range dirs {
		files[filepath.Join(dir, "cmd", "main.go")] = fmt.Sprintf("package main\n\nfunc main() { println(%q) }\n", dir)
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// tree returns the digest of every file below a directory.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, root)] = fmt.Sprintf("%x", sha256.Sum256(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// needsImages skips a test where no image can be built.
func needsImages(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != buildArch {
		t.Skip("images are built on Linux on x86-64")
	}
	dist := t.TempDir()
	if _, _, talk := command(t, "build", "image", "--source", sources(t, "workers/score", "workers/train"), "--dist", dist); strings.Contains(talk, "is not installed") {
		t.Skip(talk)
	}
}

// The same source gives the same files, wherever it is.
func TestBuildsAreReproducible(t *testing.T) {
	needsImages(t)
	var built [2]map[string]string
	for i := range built {
		dist := filepath.Join(t.TempDir(), "dist")
		root := sources(t, "lambdas/data-prep", "lambdas/pre-cleanup", "workers/score", "workers/train")
		code, out, talk := command(t, "build", "--source", root, "--dist", dist, "--json")
		var made []artifact
		if err := json.Unmarshal([]byte(out), &made); code != exitOK || err != nil || len(made) != 3 {
			t.Fatalf("exit code %d, %v: %s%s", code, err, out, talk)
		}
		built[i] = tree(t, dist)
	}
	for name, digest := range built[0] {
		if built[1][name] != digest {
			t.Errorf("%s differs", name)
		}
	}
	for _, f := range []resource.Function{resource.DataPrep, resource.PreCleanup} {
		if built[0]["/lambda/"+string(f)+".zip"] == "" {
			t.Errorf("%s is missing in %v", f, built[0])
		}
	}
}

// A function that takes no C is packed on every system.
func TestBuildFunctions(t *testing.T) {
	dist := t.TempDir()
	if code, out, talk := command(t, "build", "functions", "--source", sources(t, "lambdas/rotate-secret"), "--dist", dist); code != exitOK ||
		!strings.Contains(out, "rotate-secret-lambda.zip") || talk != "" {
		t.Fatalf("exit code %d, %q, %q", code, out, talk)
	}
	z, err := zip.OpenReader(filepath.Join(dist, "lambda", "rotate-secret-lambda.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 1 || z.File[0].Name != "bootstrap" {
		t.Errorf("the zip has %d files, the first %s", len(z.File), z.File[0].Name)
	}
	if _, err := os.Stat(filepath.Join(dist, "image")); err == nil {
		t.Error("the image was built too")
	}
}

// What cannot be built is told in one line, and what was there stays.
func TestBadBuilds(t *testing.T) {
	broken := sources(t, "lambdas/data-prep")
	main := filepath.Join(broken, "lambdas", "data-prep", "cmd", "main.go")
	if err := os.WriteFile(main, []byte("package main\n\nfunc main() { one(); two() }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dist := t.TempDir()
	old := filepath.Join(dist, "lambda", "data-prep-lambda.zip")
	if err := os.MkdirAll(filepath.Dir(old), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"does not compile":   {[]string{"functions", "--source", broken}, "undefined: one"},
		"a stranger":         {[]string{"functions", "--source", sources(t, "lambdas/nothing")}, `"nothing-lambda"`},
		"no module":          {[]string{"--source", t.TempDir()}, "go.mod"},
		"half a source":      {[]string{"image", "--source", sources(t, "workers/score")}, imageless()},
		"another part":       {[]string{"containers"}, "functions or image"},
		"two parts":          {[]string{"functions", "image"}, "at most one"},
		"a tar of functions": {[]string{"functions", "--source", broken, "--tar", "x"}, "engage build image"},
	} {
		code, out, talk := command(t, append([]string{"build", "--dist", dist}, tt.args...)...)
		if line := strings.TrimSuffix(talk, "\n"); code != exitFailed || out != "" || strings.Contains(line, "\n") || !strings.Contains(line, tt.want) {
			t.Errorf("%s: exit code %d, %q, %q; want one line with %q", name, code, out, talk, tt.want)
		}
	}
	if text, _ := os.ReadFile(old); string(text) != "old" || len(tree(t, dist)) != 1 {
		t.Errorf("what was built before is %q, among %v", text, tree(t, dist))
	}
}

// An image reaches the registry once; its tag stays its own.
func TestPush(t *testing.T) {
	needsImages(t)
	_, config := serving(t)
	dist := [2]string{t.TempDir(), t.TempDir()}
	for i := range dist {
		root := sources(t, "workers/score", "workers/train")
		if i == 1 {
			program := "package main\n\nfunc main() { println(\"another\") }\n"
			if err := os.WriteFile(filepath.Join(root, "workers", "score", "cmd", "main.go"), []byte(program), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if code, _, talk := command(t, "build", "image", "--source", root, "--dist", dist[i]); code != exitOK {
			t.Fatal(talk)
		}
	}
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "",
		"AWS_REGION": config.Region, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": ""} {
		t.Setenv(name, value)
	}
	push := func(image string, more ...string) (int, string, string) {
		return command(t, append([]string{"images", "push", "--endpoint", *config.BaseEndpoint, "--image", filepath.Join(image, "image")}, more...)...)
	}
	if code, _, talk := push(dist[0]); code != exitFailed || !strings.Contains(talk, "pulumi up") || strings.Count(talk, "\n") != 1 {
		t.Errorf("without a repository: exit code %d, %q", code, talk)
	}
	if code, _, talk := push(t.TempDir()); code != exitFailed || !strings.Contains(talk, "task build") {
		t.Errorf("without a build: exit code %d, %q", code, talk)
	}
	client, repository := ecr.NewFromConfig(config), string(resource.MLRepository)
	if _, err := client.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{
		RepositoryName: &repository, ImageTagMutability: types.ImageTagMutabilityImmutable}); err != nil {
		t.Fatal(err)
	}
	if code, out, talk := push(dist[0]); code != exitOK || !strings.Contains(out, ".amazonaws.com/"+repository+":") {
		t.Fatalf("exit code %d, %q, %q", code, out, talk)
	}
	if code, _, talk := push(dist[0]); code != exitOK || !strings.Contains(talk, "already") {
		t.Errorf("again: exit code %d, %q", code, talk)
	}
	if code, _, talk := push(dist[1]); code != exitOK || strings.Contains(talk, "already") {
		t.Errorf("another image: exit code %d, %q", code, talk)
	}
	tag := readTag(t, dist[0])
	if code, _, talk := push(dist[1], "--tag", tag); code != exitFailed || !strings.Contains(talk, tag) || !strings.Contains(talk, "without --tag") || strings.Count(talk, "\n") != 1 {
		t.Errorf("another image under the tag of the first: exit code %d, %q", code, talk)
	}
	images, err := client.ListImages(t.Context(), &ecr.ListImagesInput{RepositoryName: &repository})
	if err != nil || len(images.ImageIds) != 2 {
		t.Errorf("the repository has %d images, %v", len(images.ImageIds), err)
	}
	for _, i := range images.ImageIds {
		if !strings.HasPrefix(aws.ToString(i.ImageDigest), "sha256:"+aws.ToString(i.ImageTag)) {
			t.Errorf("%s is tagged %s", aws.ToString(i.ImageDigest), aws.ToString(i.ImageTag))
		}
	}
}

func readTag(t *testing.T, dist string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dist, "image", "tag"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// imageless is what building an image of half a source says.
func imageless() string {
	if runtime.GOOS != "linux" || runtime.GOARCH != buildArch {
		return "docker build"
	}
	return "there is no workers/train/cmd"
}
