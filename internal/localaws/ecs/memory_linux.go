package ecs

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// usage is what a process and its descendants use.
type usage struct {
	processes int
	resident  int64
	cpu       time.Duration
}

// stat is what one line of /proc/PID/stat says: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
type stat struct {
	parent, group int
	resident      int64
	cpu           time.Duration
}

func readStat(pid int) (stat, bool) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	end := bytes.LastIndexByte(raw, ')')
	if err != nil || end < 0 {
		return stat{}, false
	}
	fields := strings.Fields(string(raw[end+1:]))
	if len(fields) < 22 {
		return stat{}, false
	}
	number := func(i int) int64 { n, _ := strconv.ParseInt(fields[i-3], 10, 64); return n } // the kernel writes numbers
	ticks := number(14) + number(15)
	return stat{int(number(4)), int(number(5)), number(24) * int64(os.Getpagesize()), time.Duration(ticks) * 10 * time.Millisecond}, true
}

func pids() []int {
	d, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	var all []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			all = append(all, pid)
		}
	}
	return all
}

// usageOfAll sums what each of some processes uses with its group and descendants.
func usageOfAll(roots map[int]bool) map[int]usage {
	stats := map[int]stat{}
	for _, pid := range pids() {
		if st, ok := readStat(pid); ok {
			stats[pid] = st
		}
	}
	sums := map[int]usage{}
	for pid, st := range stats {
		root := 0
		for at, depth := pid, 0; at > 1 && depth < 1000; at, depth = stats[at].parent, depth+1 {
			if roots[at] || roots[stats[at].group] {
				root = at
				if !roots[at] {
					root = stats[at].group
				}
				break
			}
		}
		if root != 0 {
			sum := sums[root]
			sums[root] = usage{sum.processes + 1, sum.resident + st.resident, sum.cpu + st.cpu}
		}
	}
	return sums
}

func usageOf(pid int) usage { return usageOfAll(map[int]bool{pid: true})[pid] }

// memoryWatch kills processes that exceed their limit, where no cgroup does.
type memoryWatch struct {
	mu     sync.Mutex
	limits map[*process]int64
	stop   chan struct{} // nil while nothing is watched
}

// watchPeriod is how often memory is looked at.
const watchPeriod = 100 * time.Millisecond

func newMemoryWatch() *memoryWatch { return &memoryWatch{limits: map[*process]int64{}} }

func (w *memoryWatch) add(p *process, limit int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limits[p] = limit
	if w.stop == nil {
		w.stop = make(chan struct{})
		go w.watch(w.stop)
	}
}

func (w *memoryWatch) remove(p *process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.limits, p)
	if len(w.limits) == 0 {
		w.end()
	}
}

func (w *memoryWatch) end() {
	if w.stop != nil {
		close(w.stop)
		w.stop = nil
	}
}

func (w *memoryWatch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end()
}

func (w *memoryWatch) watch(stop chan struct{}) {
	ticks := time.NewTicker(watchPeriod)
	defer ticks.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticks.C:
		}
		w.mu.Lock()
		roots := map[int]bool{}
		for p := range w.limits {
			roots[p.pid] = true
		}
		used := usageOfAll(roots)
		for p, limit := range w.limits {
			if used[p.pid].resident > limit {
				p.overLimit.Store(true)
				p.kill()
			}
		}
		w.mu.Unlock()
	}
}

// killLeftovers kills the processes whose environment has one of the tokens.
// A process group or session of their own does not hide them.
func killLeftovers(tokens []string) {
	if len(tokens) == 0 {
		return
	}
	for _, pid := range pids() {
		environ, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
		if err != nil || !bytes.Contains(environ, []byte(metadataVariable+"=")) {
			continue
		}
		for _, token := range tokens {
			if bytes.Contains(environ, []byte("/v4/"+token)) {
				_ = syscall.Kill(pid, syscall.SIGKILL) // gone is as good
			}
		}
	}
}

// cgroup is a control group that bounds memory. A nil one does nothing.
// https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
type cgroup struct {
	path string
	dir  *os.File
}

// newCgroup makes a group below the endpoint's own, where the host delegates one.
func newCgroup(limit int64) (*cgroup, bool) {
	raw, err := os.ReadFile("/proc/self/cgroup")
	own, ok := strings.CutPrefix(strings.TrimSpace(string(raw)), "0::")
	if err != nil || !ok || strings.Contains(own, "\n") {
		return nil, false // not version 2 alone
	}
	path, err := os.MkdirTemp(filepath.Join("/sys/fs/cgroup", own), "localaws-*")
	if err != nil {
		return nil, false
	}
	g := &cgroup{path: path}
	if os.WriteFile(filepath.Join(path, "memory.max"), []byte(strconv.FormatInt(limit, 10)), 0) == nil {
		g.dir, err = os.Open(path)
	}
	if g.dir == nil || err != nil {
		g.remove()
		return nil, false
	}
	_ = os.WriteFile(filepath.Join(path, "memory.swap.max"), []byte("0"), 0) // there may be no swap
	return g, true
}

func (g *cgroup) join(attr *syscall.SysProcAttr) {
	if g != nil {
		attr.UseCgroupFD, attr.CgroupFD = true, int(g.dir.Fd())
	}
}

func (g *cgroup) overLimit() bool {
	if g == nil {
		return false
	}
	raw, err := os.ReadFile(filepath.Join(g.path, "memory.events"))
	return err == nil && strings.Contains(string(raw), "oom_kill ") && !strings.Contains(string(raw), "oom_kill 0")
}

// remove kills what is left in the group, and the group.
func (g *cgroup) remove() {
	if g == nil {
		return
	}
	_ = os.WriteFile(filepath.Join(g.path, "cgroup.kill"), []byte("1"), 0) // nothing may be left
	if g.dir != nil {
		g.dir.Close()
	}
	for range 50 { // a killed process leaves its group a moment later
		if os.Remove(g.path) == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
