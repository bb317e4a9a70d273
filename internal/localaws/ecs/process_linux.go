package ecs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"engage/internal/localaws/image"

	"golang.org/x/sys/unix"
)

// begin starts the process on a thread of its own, which waits for it: the
// kernel kills the process when that thread ends (PR_SET_PDEATHSIG), with the
// endpoint or before it, and the thread's mount namespace goes with it.
func (p *process) begin(sp *spec, s *Service) error {
	started := make(chan error, 1)
	go onOwnThread(func() { p.live(sp, s, started) })
	return <-started
}

// onOwnThread runs f on a thread that is not the main one and ends with f.
func onOwnThread(f func()) {
	runtime.LockOSThread() // and never unlock: the thread is no longer like the others
	if unix.Gettid() == unix.Getpid() {
		done := make(chan struct{})
		go func() { defer close(done); onOwnThread(f) }()
		<-done
		runtime.UnlockOSThread()
		return
	}
	f()
}

func (p *process) live(sp *spec, s *Service, started chan<- error) {
	defer close(p.done)
	root, unmount, err := p.makeRoot(sp)
	if err != nil {
		started <- err
		return
	}
	defer unmount()
	// Set for the thread, inherited by the process: set-user-ID programs give nothing.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		started <- fmt.Errorf("give up new privileges: %w", err)
		return
	}
	group, limited := newCgroup(sp.memory)
	defer group.remove()
	cmd, err := startCommand(func() *exec.Cmd { return p.command(sp, root, group) })
	if err != nil {
		started <- fmt.Errorf("start %s: %w", sp.args[0], err)
		return
	}
	p.pid = cmd.Process.Pid
	if !limited {
		s.memory.add(p, sp.memory)
		defer s.memory.remove(p)
	}
	started <- nil
	_ = cmd.Wait()                 // ProcessState says how it ended
	if !p.isolation.PIDNamespace { // with one, the kernel has killed the rest
		p.kill()
		killLeftovers([]string{p.token})
	}
	if group.overLimit() {
		p.overLimit.Store(true)
	}
	p.state = cmd.ProcessState
}

// command is the process to start. What it leaves open is not waited for.
func (p *process) command(sp *spec, root string, group *cgroup) *exec.Cmd {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd := &exec.Cmd{Path: sp.program, Args: sp.args, Env: sp.env, Dir: sp.workdir, Stdout: sp.output, Stderr: sp.output, SysProcAttr: attr, WaitDelay: 2 * time.Second}
	group.join(attr)
	if p.isolation.PIDNamespace {
		attr.Cloneflags |= syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC
	}
	switch {
	case p.isolation.UserNamespace:
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: sp.uid, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: sp.gid, HostID: os.Getgid(), Size: 1}}
	case p.isolation.OwnUser:
		attr.Credential = &syscall.Credential{Uid: uint32(sp.uid), Gid: uint32(sp.gid)}
	}
	if p.isolation.Chroot {
		attr.Chroot = root
		return cmd
	}
	cmd.Path, cmd.Dir = filepath.Join(root, sp.program), filepath.Join(root, sp.workdir)
	return cmd
}

// makeRoot returns the directory that is to be the process's root.
func (p *process) makeRoot(sp *spec) (string, func(), error) {
	if err := os.MkdirAll(sp.dir, 0o755); err != nil {
		return "", nil, fmt.Errorf("make container directory: %w", err)
	}
	if !p.isolation.MountNamespace {
		root, err := sp.copyRoot()
		return root, func() {}, err
	}
	if err := privateMounts(); err != nil {
		return "", nil, err
	}
	root, err := sp.mountRoot(p.isolation.RootCopy == "overlay")
	unmount := func() { _ = unix.Unmount(filepath.Join(sp.dir, "root"), unix.MNT_DETACH) } // goes with the namespace anyway
	if err != nil {
		unmount()
	}
	return root, unmount, err
}

// privateMounts gives the thread its own mount namespace.
func privateMounts() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make mount namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	return nil
}

func overlay(lower, dir, root string) error {
	upper, work := filepath.Join(dir, "upper"), filepath.Join(dir, "work")
	if strings.ContainsAny(lower+dir, ":,\\") {
		return errors.New("the path cannot be told to the overlay file system")
	}
	for _, d := range []string{upper, work, root} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	return unix.Mount("overlay", root, "overlay", 0, "lowerdir="+lower+",upperdir="+upper+",workdir="+work)
}

// mountRoot lays the container's own files over the image and mounts what a
// container has besides.
func (sp *spec) mountRoot(useOverlay bool) (string, error) {
	root := filepath.Join(sp.dir, "root")
	if !useOverlay || overlay(sp.lower, sp.dir, root) != nil {
		if err := copyTree(sp.lower, root, false); err != nil {
			return "", fmt.Errorf("copy image: %w", err)
		}
		if err := unix.Mount(root, root, "", unix.MS_BIND, ""); err != nil {
			return "", fmt.Errorf("mount root: %w", err)
		}
	}
	in, err := os.OpenRoot(root)
	if err != nil {
		return "", err
	}
	defer in.Close()
	for _, step := range []func(*os.Root, string) error{sp.mountSystem, sp.mountVolumes} {
		if err := step(in, root); err != nil {
			return "", err
		}
	}
	if _, err := makeDir(in, sp.workdir, 0o755); err != nil {
		return "", fmt.Errorf("make working directory: %w", err)
	}
	flags := uintptr(unix.MS_BIND | unix.MS_REMOUNT | unix.MS_NOSUID | unix.MS_NODEV)
	if sp.readOnly {
		flags |= unix.MS_RDONLY
	}
	if err := unix.Mount("", root, "", flags, ""); err != nil {
		return "", fmt.Errorf("protect root: %w", err)
	}
	return root, nil
}

// devices are what every container finds in /dev.
var devices = []string{"null", "zero", "full", "random", "urandom"}

// mountSystem mounts /dev and /proc and writes /etc/hosts.
func (sp *spec) mountSystem(in *os.Root, root string) error {
	dev, err := makeDir(in, "dev", 0o755)
	if err == nil {
		err = unix.Mount("tmpfs", filepath.Join(root, dev), "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, "mode=755,size=64m")
	}
	if err != nil {
		return fmt.Errorf("mount /dev: %w", err)
	}
	for _, name := range devices {
		target := filepath.Join(root, dev, name)
		if err := errors.Join(os.WriteFile(target, nil, 0o666), unix.Mount("/dev/"+name, target, "", unix.MS_BIND, "")); err != nil {
			return fmt.Errorf("mount /dev/%s: %w", name, err)
		}
	}
	shm := filepath.Join(root, dev, "shm")
	if err := errors.Join(os.Mkdir(shm, 0o777), os.Chmod(shm, 0o1777)); err != nil {
		return err
	}
	proc, err := makeDir(in, "proc", 0o555)
	if err == nil { // other users' processes stay hidden
		err = unix.Mount("proc", filepath.Join(root, proc), "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "hidepid=2")
	}
	if err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	etc, err := makeDir(in, "etc", 0o755)
	if err != nil {
		return err
	}
	_ = in.Remove(filepath.Join(etc, "hosts")) // a link would be followed
	return in.WriteFile(filepath.Join(etc, "hosts"), []byte("127.0.0.1 localhost\n::1 localhost\n"), 0o644)
}

func (sp *spec) mountVolumes(in *os.Root, root string) error {
	for _, v := range sp.volumes {
		target, err := makeDir(in, v.target, 0o777)
		if err != nil {
			return fmt.Errorf("make mount point %s: %w", v.target, err)
		}
		if err := errors.Join(os.MkdirAll(v.source, 0o777), os.Chmod(v.source, 0o777)); err != nil {
			return fmt.Errorf("make volume: %w", err)
		}
		target = filepath.Join(root, target)
		if err := unix.Mount(v.source, target, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s: %w", v.target, err)
		}
		flags := uintptr(unix.MS_BIND | unix.MS_REMOUNT | unix.MS_NOSUID | unix.MS_NODEV)
		if v.readOnly {
			flags |= unix.MS_RDONLY
		}
		if err := unix.Mount("", target, "", flags, ""); err != nil {
			return fmt.Errorf("protect %s: %w", v.target, err)
		}
	}
	return nil
}

// probe finds out what the host allows, by doing it.
func probe(dir string) Isolation {
	memory := "resident set watch"
	if group, ok := newCgroup(64 << 20); ok {
		group.remove()
		memory = "cgroup v2"
	}
	full := Isolation{Chroot: true, OwnUser: true, MountNamespace: true, PIDNamespace: true, ReadOnlyRoot: "mount", RootCopy: "overlay", MemoryLimit: memory}
	if hasOverlay, err := probeMounts(dir); err == nil && canStart(full, dir) {
		if !hasOverlay {
			full.RootCopy = "copy"
		}
		return full
	}
	copied := Isolation{Chroot: true, OwnUser: true, ReadOnlyRoot: "mode bits", RootCopy: "copy", MemoryLimit: memory}
	mapped := copied
	mapped.UserNamespace, mapped.PIDNamespace, mapped.Why = true, true, "mounts need privileges"
	copied.Why = "namespaces are not allowed"
	for _, candidate := range []Isolation{mapped, copied} {
		if (os.Geteuid() != 0 || !candidate.UserNamespace) && canStart(candidate, dir) {
			return candidate
		}
	}
	plain := plainIsolation("neither user namespaces nor chroot are allowed")
	plain.MemoryLimit = memory
	return plain
}

// probeMounts tries the mounts of a container on a thread that ends with them.
func probeMounts(dir string) (hasOverlay bool, err error) {
	done := make(chan struct{})
	go onOwnThread(func() {
		defer close(done)
		if err = privateMounts(); err != nil {
			return
		}
		at := filepath.Join(dir, "probe")
		defer image.RemoveAll(at)
		lower, root := filepath.Join(at, "lower"), filepath.Join(at, "root")
		if err = errors.Join(os.MkdirAll(lower, 0o755), os.MkdirAll(root, 0o755)); err != nil {
			return
		}
		if hasOverlay = overlay(lower, at, root) == nil; hasOverlay {
			err = unix.Unmount(root, unix.MNT_DETACH)
		}
		for _, kind := range []string{"tmpfs", "proc"} {
			if err == nil {
				err = unix.Mount(kind, root, kind, 0, "")
			}
			if err == nil {
				err = unix.Unmount(root, unix.MNT_DETACH)
			}
		}
	})
	<-done
	return hasOverlay, err
}

// canStart tries to start a program that is not there: where the isolation is
// allowed, that is the error.
func canStart(i Isolation, dir string) bool {
	p := &process{isolation: i}
	sp := &spec{program: "/none", args: []string{"none"}, workdir: "/", uid: nobody, gid: nobody}
	err := p.command(sp, dir, nil).Start()
	return errors.Is(err, syscall.ENOENT)
}
