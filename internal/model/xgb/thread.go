package xgb

import "runtime"

// A thread is one of the operating system's that does all the work of one booster.
// XGBoost keeps a booster's cache of margins, and at first even its number of
// features, by booster and thread: on another thread they would be missing, and
// after its end a new booster at the same address would find them.
type thread struct{ work chan func() }

func startThread() *thread {
	t := &thread{work: make(chan func())}
	go t.run()
	return t
}

// run does not unlock the thread, which therefore ends with it.
func (t *thread) run() {
	runtime.LockOSThread()
	for f := range t.work {
		f()
	}
}

// do runs f on the thread and waits for it.
func (t *thread) do(f func()) {
	done := make(chan struct{})
	t.work <- func() {
		defer close(done)
		f()
	}
	<-done
}

// stop ends the thread. REQUIRES: nothing is being done, and nothing will be.
func (t *thread) stop() { close(t.work) }
