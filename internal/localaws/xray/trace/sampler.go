package trace

import (
	"sync"
	"time"
)

// rate is how many of the further requests of a second the default rule takes.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
const rate = 0.05

// sampler is the default rule: the first request of each second for each
// resource, and a share of the others.
type sampler struct {
	mu     sync.Mutex
	second int64
	taken  map[string]bool // resources that had their first request in this second
}

// take decides on a request. random gives 64 random bits.
func (s *sampler) take(resource string, now time.Time, random func() uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if second := now.Unix(); second != s.second || s.taken == nil {
		s.second, s.taken = second, map[string]bool{}
	}
	if !s.taken[resource] {
		s.taken[resource] = true
		return true
	}
	return float64(random()>>11)/(1<<53) < rate
}
