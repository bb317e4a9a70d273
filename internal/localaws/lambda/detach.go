package lambda

import "context"

// runFor runs an invocation for a caller who may go: the function then works on, as on AWS, and its answer is lost.
func (s *Service) runFor(ctx context.Context, f *function, inv invocation) (outcome, error) {
	type answer struct {
		outcome
		err error
	}
	done := make(chan answer, 1)
	go func() {
		out, err := s.run(context.WithoutCancel(ctx), f, inv)
		done <- answer{out, err}
	}()
	select {
	case a := <-done:
		return a.outcome, a.err
	case <-ctx.Done():
		return outcome{}, context.Cause(ctx)
	}
}
