package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// maxIdle is how many instances are kept for later queries. Opening one takes
// about 12 ms.
const maxIdle = 3

// pool keeps instances. Between queries an instance keeps what its last query
// was granted, and the next one takes the instance that was used last, so that
// a query over the same tables finds them.
type pool struct {
	cfg  Config
	root string // directories of instances are below it
	mu   sync.Mutex
	idle []*instance
	done bool
	wg   sync.WaitGroup
}

// newPool makes the directory of instances, and removes what a process before left.
func newPool(cfg Config) (*pool, error) {
	if cfg.Dir != "" {
		left, err := filepath.Glob(filepath.Join(cfg.Dir, dirPattern))
		if err != nil {
			return nil, fmt.Errorf("look for directories of DuckDB instances: %w", err)
		}
		for _, dir := range left {
			if err := os.RemoveAll(dir); err != nil {
				return nil, fmt.Errorf("remove what queries before left: %w", err)
			}
		}
	}
	root, err := os.MkdirTemp(cfg.Dir, dirPattern)
	if err != nil {
		return nil, fmt.Errorf("make directory for DuckDB instances: %w", err)
	}
	if root, err = filepath.Abs(root); err == nil {
		root, err = filepath.EvalSymlinks(root) // DuckDB compares real paths
	}
	return &pool{cfg: cfg, root: root}, err
}

const dirPattern = "athena-*"

// get returns the instance that was used last, or a new one.
func (p *pool) get() (*instance, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		in := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return in, nil
	}
	p.mu.Unlock()
	return open(p.cfg, p.root)
}

// put takes an instance back. One that is not sound, or one too many, is
// closed behind the caller's back.
func (p *pool) put(in *instance, sound bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sound && !p.done && len(p.idle) < maxIdle {
		p.idle = append(p.idle, in)
		return
	}
	p.wg.Go(func() { in.close() })
}

// discard removes a directory behind the caller's back.
func (p *pool) discard(dir string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wg.Go(func() { os.RemoveAll(dir) })
}

func (p *pool) close() error {
	p.mu.Lock()
	p.done = true
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	var errs []error
	for _, in := range idle {
		errs = append(errs, in.close())
	}
	p.wg.Wait()
	return errors.Join(append(errs, os.RemoveAll(p.root))...)
}
