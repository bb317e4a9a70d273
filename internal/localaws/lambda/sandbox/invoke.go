package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Invocation is one call of the function.
type Invocation struct {
	RequestID     string
	FunctionARN   string
	Payload       []byte
	Timeout       time.Duration
	TraceID       string // X-Ray's header
	ClientContext string // JSON, "" for none
}

// Result is what came of an invocation.
type Result struct {
	Payload []byte
	// FunctionError is set when the payload is an error that the function reported.
	FunctionError bool
	// Failure is set when there is no payload.
	Failure *Failure
	// Duration is how long the function worked.
	Duration time.Duration
	// Settled is set when the instance can take the next invocation; else the
	// caller must Settle it.
	Settled bool
}

// job is an invocation on its way.
type job struct {
	Invocation
	deadline time.Time
	result   chan Result // has room for one: the first counts
}

func (j *job) finish(r Result) bool {
	select {
	case j.result <- r:
		return true
	default:
		return false
	}
}

// settleTime is how long a response waits for the runtime to ask for more
// work, which it mostly does at once. A caller that calls again at once finds
// the instance free.
const settleTime = 20 * time.Millisecond

// Invoke runs one invocation. REQUIRES: the instance is settled, and nobody
// else invokes it.
func (i *Instance) Invoke(inv Invocation) Result {
	begin := time.Now()
	j := &job{inv, begin.Add(inv.Timeout), make(chan Result, 1)}
	i.current.Store(j)
	stop := i.watchMemory()
	r := i.await(j)
	stop()
	r.Duration = time.Since(begin)
	if r.Failure != nil && r.Failure.Reason != TooLarge {
		i.out.drain()
		return r
	}
	r.Settled = i.settle(settleTime)
	i.out.drain()
	return r
}

// await hands the job to the runtime and waits for what comes of it.
func (i *Instance) await(j *job) Result {
	timer := time.NewTimer(j.Timeout)
	defer timer.Stop()
	work := i.work
	for {
		select {
		case work <- j:
			work = nil
		case r := <-j.result:
			return r
		case <-i.exited:
			select {
			case r := <-j.result: // it answered and ended
				return r
			default:
				return Result{Failure: i.exitFailure()}
			}
		case <-timer.C:
			i.kill()
			return Result{Failure: &Failure{Type: "Sandbox.Timedout", Reason: TimedOut,
				Message: fmt.Sprintf("Task timed out after %.2f seconds", j.Timeout.Seconds())}}
		}
	}
}

// settle waits until the runtime asks for work, false when it does not in time.
func (i *Instance) settle(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-i.ready:
		return true
	case <-i.exited:
	case <-timer.C:
	}
	return false
}

// Settle waits until an instance that has answered can be used again. One that
// does not come back before its time is over is killed, and false returned.
func (i *Instance) Settle() bool {
	if i.settle(max(time.Until(i.current.Load().deadline), 0)) {
		return true
	}
	i.kill()
	return false
}

// api is what the runtime talks to.
func (i *Instance) api() http.Handler {
	const base = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"invocation/next", i.next)
	mux.HandleFunc("POST "+base+"invocation/{id}/response", i.response)
	mux.HandleFunc("POST "+base+"invocation/{id}/error", i.functionError)
	mux.HandleFunc("POST "+base+"init/error", i.initError)
	return mux
}

// next answers when there is work.
func (i *Instance) next(w http.ResponseWriter, r *http.Request) {
	select {
	case i.ready <- struct{}{}:
	default:
	}
	select {
	case j := <-i.work:
		i.hand(w, j)
	case <-r.Context().Done():
	}
}

func (i *Instance) hand(w http.ResponseWriter, j *job) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(j.Payload)))
	h.Set("Lambda-Runtime-Aws-Request-Id", j.RequestID)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(j.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", j.FunctionARN)
	h.Set("Lambda-Runtime-Trace-Id", j.TraceID)
	if j.ClientContext != "" {
		h.Set("Lambda-Runtime-Client-Context", j.ClientContext)
	}
	w.Write(j.Payload) //nolint:errcheck // a runtime that is gone is seen by its exit
}

// body reads what the runtime sends for the current invocation; the answer is
// already written when ok is false.
func (i *Instance) body(w http.ResponseWriter, r *http.Request) (j *job, body []byte, ok bool) {
	j = i.current.Load()
	if j == nil || j.RequestID != r.PathValue("id") {
		reply(w, http.StatusBadRequest, `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`)
		return nil, nil, false
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, i.spec.MaxResponse+1))
	if int64(len(body)) > i.spec.MaxResponse {
		i.tooLarge(w, r, j)
		return nil, nil, false
	}
	if err != nil {
		reply(w, http.StatusBadRequest, `{"errorMessage":"the body ended early","errorType":"Runtime.TruncatedResponse"}`)
		return nil, nil, false
	}
	return j, body, true
}

// discardLimit is how much more of a response that is too long is read, so
// that the runtime gets to read the answer.
const discardLimit = 64 << 20

func (i *Instance) tooLarge(w http.ResponseWriter, r *http.Request, j *job) {
	io.CopyN(io.Discard, r.Body, discardLimit) //nolint:errcheck // it is refused in any case
	message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", i.spec.MaxResponse)
	j.finish(Result{Failure: &Failure{Type: "Function.ResponseSizeTooLarge", Message: message, Reason: TooLarge}})
	reply(w, http.StatusRequestEntityTooLarge,
		fmt.Sprintf(`{"errorMessage":"Exceeded maximum allowed payload size (%d bytes).","errorType":"RequestEntityTooLarge"}`, i.spec.MaxResponse))
}

func (i *Instance) response(w http.ResponseWriter, r *http.Request) {
	if j, body, ok := i.body(w, r); ok {
		i.accept(w, j, Result{Payload: body})
	}
}

func (i *Instance) functionError(w http.ResponseWriter, r *http.Request) {
	if j, body, ok := i.body(w, r); ok {
		i.accept(w, j, Result{Payload: body, FunctionError: true})
	}
}

func (i *Instance) accept(w http.ResponseWriter, j *job, r Result) {
	if !j.finish(r) {
		reply(w, http.StatusForbidden, `{"errorMessage":"State transition is not allowed","errorType":"InvalidStateTransition"}`)
		return
	}
	reply(w, http.StatusAccepted, `{"status":"OK"}`)
}

func (i *Instance) initError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, i.spec.MaxResponse))
	if err != nil {
		reply(w, http.StatusBadRequest, `{"errorMessage":"the body cannot be read","errorType":"BadRequest"}`)
		return
	}
	select {
	case i.initFailed <- body:
	default:
	}
	reply(w, http.StatusAccepted, `{"status":"OK"}`)
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, body) //nolint:errcheck // a runtime that is gone is seen by its exit
}
