package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"engage/internal/localaws/lambda/sandbox"
	"engage/internal/localaws/wire"
)

// Limits of payloads, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	MaxRequest  = 6 << 20
	MaxEvent    = 1 << 20
	MaxResponse = 6<<20 + 100
)

// invocation is one run of a function.
type invocation struct {
	id            string
	payload       []byte
	trace         string
	clientContext string
	runID         string
	span          *span // of a run that is traced
}

// outcome is what came of it.
type outcome struct {
	payload       []byte
	functionError string // "" or "Unhandled"
	tail          []byte // the last of the log
}

// run runs a function once. Errors: TooManyRequestsException, and what keeps
// an instance from being started; what goes wrong in the function is an outcome.
func (s *Service) run(ctx context.Context, f *function, inv invocation) (outcome, error) {
	if !s.begin() {
		return outcome{}, wire.StatusErrorf(503, "ServiceUnavailableException", "the endpoint is shutting down")
	}
	defer s.runs.Done()
	inv.span = s.openSpan(f, inv.trace)
	w, stale, err := s.pools.reserve(f, s.cfg.Clock.Now())
	if err != nil {
		return outcome{}, err
	}
	for _, old := range stale {
		s.runs.Go(func() { old.Close() }) //nolint:errcheck // its files are swept at the next start
	}
	cold := w == nil
	if cold {
		var failed outcome
		if w, failed, err = s.start(ctx, f, inv); w == nil {
			return failed, errors.Join(err, s.pools.release(f.key(), nil, false, time.Time{}))
		}
	}
	return s.invoke(ctx, f, w, inv, cold), nil
}

// invoke runs the function on a worker, and gives the worker back.
func (s *Service) invoke(ctx context.Context, f *function, w *worker, inv invocation, cold bool) outcome {
	w.log.start(inv.id)
	r := w.Invoke(sandbox.Invocation{
		RequestID: inv.id, FunctionARN: f.qualifiedARN(), Payload: inv.payload, Timeout: f.timeout(),
		TraceID: inv.passed(), ClientContext: inv.clientContext,
	})
	rep := report{id: inv.id, duration: r.Duration, memory: f.memory(), peak: w.Peak(), span: inv.span}
	if cold {
		rep.init = w.init
	}
	out := outcome{payload: r.Payload}
	if r.FunctionError {
		out.functionError = unhandled
	}
	if r.Failure != nil {
		out = failureOutcome(r.Failure, inv.id)
		rep.failure = r.Failure
	}
	out.tail = w.log.end(rep)
	s.meter(ctx, f, inv.runID, rep)
	s.traced(f, w.session, rep, out)
	s.giveBack(f.key(), w, r)
	return out
}

// giveBack returns the worker. One that has answered and is not back for more
// work is waited for, while the caller goes on.
func (s *Service) giveBack(key string, w *worker, r sandbox.Result) {
	if r.Settled {
		s.pools.release(key, w, true, s.cfg.Clock.Now()) //nolint:errcheck // nothing is closed
		return
	}
	s.runs.Go(func() {
		usable := r.Failure == nil && w.Settle()
		w.log.flush()
		s.pools.release(key, w, usable, s.cfg.Clock.Now()) //nolint:errcheck // its files are swept at the next start
	})
}

const unhandled = "Unhandled"

// failureOutcome is what the caller gets when the runtime gave no answer.
func failureOutcome(f *sandbox.Failure, id string) outcome {
	if f.Payload != nil {
		return outcome{payload: f.Payload, functionError: unhandled}
	}
	message := "RequestId: " + id + " Error: " + f.Message
	if f.Reason == sandbox.TooLarge {
		message = f.Message
	}
	payload, err := json.Marshal(struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{f.Type, message})
	if err != nil {
		panic("lambda: an error cannot be written: " + err.Error())
	}
	return outcome{payload: payload, functionError: unhandled}
}

// start starts an instance. Where the function itself is at fault, the worker
// is nil and the outcome says how.
func (s *Service) start(ctx context.Context, f *function, inv invocation) (*worker, outcome, error) {
	c := wire.Caller{Account: f.Account, Region: f.Region, RunID: inv.runID}
	session, err := s.cfg.Credentials.Assume(ctx, *f.Settings.Role, f.Name, c)
	if wire.IsAccessDenied(err) && err != nil {
		return nil, outcome{}, lambdaError(403, "AccessDeniedException", "The role defined for the function cannot be assumed by Lambda.")
	}
	if err != nil {
		return nil, outcome{}, fmt.Errorf("assume role of function %s: %w", f.Name, err)
	}
	w := &worker{function: *f, session: session, log: s.newLog(f, session)}
	begin := time.Now()
	w.Instance, err = sandbox.Start(s.ctx, sandbox.Spec{
		Root: s.code.Root(f.Code.ID), Env: s.environment(f, session, w.log.stream), TempDir: filepath.Join(s.cfg.Dir, "tmp"),
		Memory: int64(f.memory()) << 20, InitTimeout: max(s.cfg.InitTimeout, f.timeout()), MaxResponse: MaxResponse, Output: w.log.line,
	})
	w.init = time.Since(begin)
	var failure *sandbox.Failure
	if errors.As(err, &failure) {
		return nil, s.initFailed(ctx, f, w, inv, failure), nil
	}
	if err != nil {
		return nil, outcome{}, wire.InternalFailure(err)
	}
	if !s.pools.add(w) {
		return nil, outcome{}, errors.Join(errors.New("the endpoint is shutting down"), w.Close())
	}
	return w, outcome{}, nil
}

// initFailed logs and bills an instance that did not come up.
func (s *Service) initFailed(ctx context.Context, f *function, w *worker, inv invocation, failure *sandbox.Failure) outcome {
	w.log.initReport(w.init, failure)
	w.log.start(inv.id)
	rep := report{id: inv.id, duration: w.init, memory: f.memory(), span: inv.span, failure: failure, noInit: true}
	out := failureOutcome(failure, inv.id)
	out.tail = w.log.end(rep)
	s.meter(ctx, f, inv.runID, rep)
	s.traced(f, w.session, rep, out)
	return out
}

// meter counts the request and its GB-seconds, to the millisecond.
// https://aws.amazon.com/lambda/pricing/
func (s *Service) meter(ctx context.Context, f *function, runID string, rep report) {
	gb := float64(f.memory()) / 1024 * float64(rep.billed()) / 1000
	s.cfg.Meter.Add(ctx, wire.Quantity{Service: "lambda", Usage: "Requests", Resource: f.Name, RunID: runID, Amount: 1})
	s.cfg.Meter.Add(ctx, wire.Quantity{Service: "lambda", Usage: "GB-Seconds", Resource: f.Name, RunID: runID, Amount: gb})
}

// billed is the duration that AWS bills, in milliseconds, a cold start included.
func (r report) billed() int64 {
	return int64(math.Ceil(float64(r.duration+r.init) / float64(time.Millisecond)))
}

// environment is what AWS sets, and the function's own variables.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (s *Service) environment(f *function, session Session, stream string) []string {
	root := s.code.Root(f.Code.ID)
	env := map[string]string{
		"AWS_ENDPOINT_URL": s.cfg.Endpoint(), "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC",
		"LD_LIBRARY_PATH": "/lib64:/usr/lib64:" + root + ":" + root + "/lib:/opt/lib",
	}
	if e := f.Settings.Environment; e != nil {
		maps.Copy(env, e.Variables)
	}
	maps.Copy(env, map[string]string{
		"_HANDLER": *f.Settings.Handler, "LAMBDA_TASK_ROOT": root, "LAMBDA_RUNTIME_DIR": "/var/runtime",
		"AWS_REGION": f.Region, "AWS_DEFAULT_REGION": f.Region, "AWS_LAMBDA_FUNCTION_NAME": f.Name,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.memory()), "AWS_LAMBDA_FUNCTION_VERSION": f.version(),
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_LOG_GROUP_NAME": f.logGroup(), "AWS_LAMBDA_LOG_STREAM_NAME": stream,
		"AWS_ACCESS_KEY_ID": session.AccessKey, "AWS_SECRET_ACCESS_KEY": session.Secret,
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
	})
	if session.Token != "" {
		env["AWS_SESSION_TOKEN"] = session.Token
	}
	if f.jsonLogs() {
		env["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
		env["AWS_LAMBDA_LOG_LEVEL"] = orDefault(f.Settings.LoggingConfig.ApplicationLogLevel, "INFO")
	}
	delete(env, "TMPDIR") // the instance's own
	var list []string
	for _, k := range slices.Sorted(maps.Keys(env)) {
		list = append(list, k+"="+env[k])
	}
	return list
}
