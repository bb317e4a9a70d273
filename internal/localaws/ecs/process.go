package ecs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"engage/internal/localaws/image"
)

// Isolation says what keeps a task apart from the machine that it runs on.
type Isolation struct {
	Chroot         bool   `json:"chroot"`         // the image's root is the process's
	OwnUser        bool   `json:"ownUser"`        // the image's user, and never root
	UserNamespace  bool   `json:"userNamespace"`  // ... by a mapping: to the machine it is the endpoint's user
	MountNamespace bool   `json:"mountNamespace"` // private mounts: read-only root, volumes, /dev, /proc
	PIDNamespace   bool   `json:"pidNamespace"`   // no other processes to be seen, none left behind
	ReadOnlyRoot   string `json:"readOnlyRoot"`   // "mount", "mode bits"
	RootCopy       string `json:"rootCopy"`       // how a task may write to its root: "overlay", "copy"
	MemoryLimit    string `json:"memoryLimit"`    // "cgroup v2", "resident set watch"
	Why            string `json:"why,omitempty"`  // what the host does not allow
}

func plainIsolation(why string) Isolation {
	return Isolation{ReadOnlyRoot: "mode bits", RootCopy: "copy", MemoryLimit: "resident set watch", Why: why}
}

// nobody is the user of an image that has none, or root: distroless images
// call it nonroot.
const nobody = 65532

// spec is all that it takes to start a process.
type spec struct {
	lower    string // unpacked image, shared
	dir      string // the container's own
	readOnly bool
	volumes  []mounted
	program  string // in the root, without symbolic links
	args     []string
	env      []string
	workdir  string
	uid, gid int
	memory   int64
	token    string
	output   io.Writer
}

type mounted struct {
	source, target string
	readOnly       bool
	shared         bool
}

// process is a container's process and what it started.
type process struct {
	pid       int
	token     string
	isolation Isolation
	done      chan struct{}
	state     *os.ProcessState // valid once done is closed
	overLimit atomic.Bool
}

func (p *process) signal(sig syscall.Signal) { _ = syscall.Kill(p.pid, sig) } // gone is as good

// kill ends the process with everything that it started.
func (p *process) kill() { _ = syscall.Kill(-p.pid, syscall.SIGKILL) }

// result is the exit code as Docker tells it, and the reason for an unusual end.
func (p *process) result() (int, string) {
	status, _ := p.state.Sys().(syscall.WaitStatus)
	code := p.state.ExitCode()
	if status.Signaled() {
		code = 128 + int(status.Signal())
	}
	if p.overLimit.Load() {
		return 137, "OutOfMemoryError: Container killed due to memory usage"
	}
	return code, ""
}

// start makes the container's root and starts its process.
func (s *Service) start(c *container) (*process, error) {
	sp, err := s.specOf(c)
	if err != nil {
		return nil, err
	}
	p := &process{token: sp.token, isolation: s.isolation, done: make(chan struct{})}
	if err := p.begin(sp, s); err != nil {
		return nil, err
	}
	return p, nil
}

func (s *Service) specOf(c *container) (*spec, error) {
	id := c.task.record.ID()
	sp := &spec{lower: c.root, dir: s.taskDir(filepath.Join(id, strconv.Itoa(c.index))), readOnly: c.def.ReadonlyRootFilesystem, args: c.arguments(),
		env: c.environment(), memory: c.memoryLimit(), token: c.task.record.Secrets[c.index], output: io.Discard}
	if c.log != nil {
		sp.output = c.log
	}
	sp.workdir = path.Join("/", first(c.def.WorkingDirectory, c.config.WorkingDir))
	for _, m := range c.def.MountPoints {
		users := 0
		for _, other := range c.task.containers {
			if slices.ContainsFunc(other.def.MountPoints, func(o mountPoint) bool { return o.SourceVolume == m.SourceVolume }) {
				users++
			}
		}
		sp.volumes = append(sp.volumes, mounted{s.taskDir(filepath.Join(id, "volumes", m.SourceVolume)), m.ContainerPath, m.ReadOnly, users > 1})
	}
	root, err := os.OpenRoot(c.root)
	if err != nil {
		return nil, fmt.Errorf("open image: %w", err)
	}
	defer root.Close()
	if sp.uid, sp.gid, err = lookupUser(root, first(c.def.User, c.config.User)); err != nil {
		return nil, err
	}
	if len(sp.args) == 0 {
		return nil, errors.New("no command specified")
	}
	sp.program, err = lookPath(root, sp.args[0], sp.workdir, sp.env)
	return sp, err
}

// lookPath finds a program in the root as a shell there would.
func lookPath(root *os.Root, name, workdir string, env []string) (string, error) {
	candidates := []string{path.Join(workdir, name)}
	if path.IsAbs(name) {
		candidates = []string{name}
	} else if !strings.Contains(name, "/") {
		candidates = nil
		for _, e := range env {
			if dirs, ok := strings.CutPrefix(e, "PATH="); ok {
				for dir := range strings.SplitSeq(dirs, ":") {
					candidates = append(candidates, path.Join(dir, name))
				}
			}
		}
	}
	for _, candidate := range candidates {
		resolved, err := image.Resolve(root, candidate)
		if err != nil {
			return "", fmt.Errorf("exec: %q: %w", name, err)
		}
		if info, err := root.Stat(resolved); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return "/" + resolved, nil
		}
	}
	return "", fmt.Errorf("exec: %q: executable file not found in the image", name)
}

// lookupUser reads "user", "uid", "user:group" or "uid:gid". None and root
// become nobody: nothing runs as root here.
func lookupUser(root *os.Root, text string) (uid, gid int, err error) {
	user, group, hasGroup := strings.Cut(text, ":")
	uid, gid = nobody, nobody
	if user != "" {
		if uid, gid, err = inAccounts(root, "etc/passwd", user, 2, 3); err != nil {
			return 0, 0, err
		}
	}
	if hasGroup && group != "" {
		if gid, _, err = inAccounts(root, "etc/group", group, 2, 2); err != nil {
			return 0, 0, err
		}
	}
	if uid == 0 {
		uid = nobody
	}
	if gid == 0 {
		gid = nobody
	}
	return uid, gid, nil
}

// inAccounts finds two numbers in the line of a name, or of a number, which
// need not be there.
func inAccounts(root *os.Root, file, name string, first, second int) (int, int, error) {
	number, numeric := strconv.Atoi(name)
	resolved, err := image.Resolve(root, file)
	if err != nil {
		return 0, 0, err
	}
	raw, err := root.ReadFile(resolved)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, 0, fmt.Errorf("read %s: %w", file, err)
	}
	for line := range strings.Lines(string(raw)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) <= second || fields[0] != name && fields[first] != name {
			continue
		}
		a, errA := strconv.Atoi(fields[first])
		b, errB := strconv.Atoi(fields[second])
		if err := errors.Join(errA, errB); err != nil {
			return 0, 0, fmt.Errorf("read %s: %w", file, err)
		}
		return a, b, nil
	}
	if numeric != nil || number < 0 {
		return 0, 0, fmt.Errorf("unable to find user or group %s: no matching entries in %s of the image", name, file)
	}
	return number, nobody, nil
}

// copyTree copies an image's root for one task.
func copyTree(from, to string, readOnly bool) error {
	type dir struct {
		path string
		mode fs.FileMode
	}
	var dirs []dir
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from, name) // below it
		target := filepath.Join(to, rel)
		info, err := d.Info()
		if err != nil {
			return err
		}
		mode := info.Mode() & (fs.ModePerm | fs.ModeSticky)
		if readOnly {
			mode &^= 0o222
		}
		switch {
		case d.IsDir():
			dirs = append(dirs, dir{target, mode})
			err = os.MkdirAll(target, 0o700)
		case d.Type()&fs.ModeSymlink != 0:
			var link string
			if link, err = os.Readlink(name); err == nil {
				err = os.Symlink(link, target)
			}
		default:
			err = copyFile(name, target, mode)
		}
		return errors.Join(err, sameOwner(info, target))
	})
	for _, d := range slices.Backward(dirs) {
		err = errors.Join(err, os.Chmod(d.path, d.mode))
	}
	return err
}

func copyFile(from, to string, mode fs.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(mode), out.Close())
}

func sameOwner(info fs.FileInfo, target string) error {
	if st, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		return os.Lchown(target, int(st.Uid), int(st.Gid))
	}
	return nil
}

// copyRoot makes a root by copying, with the volumes in it.
func (sp *spec) copyRoot() (string, error) {
	root := filepath.Join(sp.dir, "root")
	if err := copyTree(sp.lower, root, sp.readOnly); err != nil {
		return "", fmt.Errorf("copy image: %w", err)
	}
	in, err := os.OpenRoot(root)
	if err != nil {
		return "", err
	}
	defer in.Close()
	for _, v := range sp.volumes {
		if v.shared {
			return "", errors.New("a volume of more than one container needs mounts, which this host does not allow")
		}
		if _, err := makeDir(in, v.target, 0o777); err != nil {
			return "", fmt.Errorf("make volume: %w", err)
		}
	}
	_, err = makeDir(in, sp.workdir, 0o755)
	return root, err
}

// makeDir makes a directory in a root, through links that stay in it, and
// returns where it is. What is there is left as it is.
func makeDir(root *os.Root, name string, mode fs.FileMode) (string, error) {
	resolved, err := image.Resolve(root, name)
	if err != nil {
		return "", err
	}
	if info, err := root.Stat(resolved); err == nil && info.IsDir() {
		return resolved, nil
	}
	parent := path.Dir(resolved)
	if info, err := root.Stat(parent); err == nil && info.Mode()&0o200 == 0 {
		if err := root.Chmod(parent, info.Mode()|0o200); err != nil {
			return "", err
		}
	}
	if err := root.MkdirAll(resolved, 0o755); err != nil {
		return "", err
	}
	return resolved, root.Chmod(resolved, mode)
}

// startCommand starts, again while the program is still held open for writing
// by a child that another goroutine is just starting.
func startCommand(make func() *exec.Cmd) (*exec.Cmd, error) {
	for attempt := 0; ; attempt++ {
		cmd := make()
		err := cmd.Start()
		if err == nil || !errors.Is(err, syscall.ETXTBSY) || attempt == 20 {
			return cmd, err
		}
		time.Sleep(time.Duration(attempt) * time.Millisecond)
	}
}
