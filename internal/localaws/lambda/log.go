package lambda

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"engage/internal/localaws/lambda/sandbox"
	"engage/internal/localaws/logs"
)

const (
	tailBytes  = 4 << 10   // of a log that the caller asked for
	flushBytes = 512 << 10 // that an instance keeps before it hands them on
)

// instanceLog is the log stream of one instance.
type instanceLog struct {
	service  *Service
	function *function
	session  Session
	stream   string
	json     bool

	mu      sync.Mutex
	events  []logs.Event
	bytes   int
	printed int   // by the current invocation
	dropped int64 // bytes of it that were over the limit
	tail    []byte
}

// newLog names the stream as AWS does: 2026/11/23/[$LATEST]0123...
func (s *Service) newLog(f *function, session Session) *instanceLog {
	id := strings.ReplaceAll(newUUID(), "-", "")
	l := &instanceLog{
		service: s, function: f, session: session, json: f.jsonLogs(),
		stream: s.cfg.Clock.Now().UTC().Format("2006/01/02/") + "[" + f.version() + "]" + id,
	}
	if !l.json {
		l.system("INIT_START Runtime Version: " + strings.TrimPrefix(*f.Settings.Runtime, "provided.") + "\tRuntime Version ARN: none")
	}
	return l
}

// line takes what the function printed. What is over an invocation's limit is
// counted and dropped.
func (l *instanceLog) line(b []byte) {
	l.mu.Lock()
	if l.printed += len(b) + 1; l.printed > l.service.cfg.LogLimit {
		l.dropped += int64(len(b) + 1)
		l.mu.Unlock()
		return
	}
	if len(b) > 0 { // a log event cannot be empty
		l.add(string(b))
	}
	full := l.bytes > flushBytes
	l.mu.Unlock()
	if full {
		l.flush()
	}
}

// add keeps a line. REQUIRES: mu is held.
func (l *instanceLog) add(text string) {
	l.events = append(l.events, logs.Event{Time: l.service.cfg.Clock.Now().UnixMilli(), Message: text + "\n"})
	l.bytes += len(text) + logs.EventOverhead
	l.tail = append(append(l.tail, text...), '\n')
	if len(l.tail) > 4*tailBytes {
		l.tail = append(l.tail[:0], l.tail[len(l.tail)-tailBytes:]...)
	}
}

// system adds a line of Lambda's own.
func (l *instanceLog) system(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(text)
}

// platform adds an event of Lambda's own in the JSON format.
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
func (l *instanceLog) platform(kind string, record map[string]any) {
	b, err := json.Marshal(map[string]any{
		"time": l.service.cfg.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "type": kind, "record": record,
	})
	if err != nil {
		panic("lambda: a log record cannot be written: " + err.Error())
	}
	l.system(string(b))
}

// start begins an invocation.
func (l *instanceLog) start(id string) {
	l.mu.Lock()
	l.tail, l.printed, l.dropped = l.tail[:0], 0, 0
	l.mu.Unlock()
	if l.json {
		l.platform("platform.start", map[string]any{"requestId": id, "version": l.function.version()})
		return
	}
	l.system("START RequestId: " + id + " Version: " + l.function.version())
}

// report is what the last line of an invocation says.
type report struct {
	id       string
	duration time.Duration
	init     time.Duration // of a cold start, else 0
	memory   int           // MB
	peak     int64         // bytes
	span     *span         // of an invocation that is traced
	noInit   bool          // the instance did not come up: the duration is that of the attempt
	failure  *sandbox.Failure
}

// end ends an invocation, hands its lines on, and returns the last of them.
func (l *instanceLog) end(r report) []byte {
	l.noteDropped()
	if l.json {
		l.platform("platform.report", r.record())
	} else {
		l.failure(r)
		l.system("END RequestId: " + r.id)
		l.system(r.text())
	}
	l.mu.Lock()
	tail := append([]byte{}, l.tail[max(0, len(l.tail)-tailBytes):]...)
	l.printed, l.dropped = 0, 0 // what is printed between invocations has a limit of its own
	l.mu.Unlock()
	l.flush()
	return tail
}

func (l *instanceLog) noteDropped() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dropped > 0 {
		l.add(fmt.Sprintf("[LOGS TRUNCATED] %d bytes of output over the limit of %d bytes an invocation were dropped", l.dropped, l.service.cfg.LogLimit))
	}
}

// failure says how the invocation failed, in AWS's words.
func (l *instanceLog) failure(r report) {
	switch f := r.failure; {
	case f == nil || f.Payload != nil:
	case f.Reason == sandbox.TimedOut:
		l.system(l.service.cfg.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z") + " " + r.id + " " + f.Message + "\n")
	case f.Reason == sandbox.TooLarge:
		l.system(f.Message)
	default:
		l.system("RequestId: " + r.id + " Error: " + f.Message + "\n" + f.Type)
	}
}

// status is success, timeout, or error with its type.
func (r report) status() (status, errorType string) {
	switch {
	case r.failure == nil:
		return "success", ""
	case r.failure.Reason == sandbox.TimedOut:
		return "timeout", ""
	case r.failure.Reason == sandbox.OverMemory:
		return "error", "Runtime.OutOfMemory"
	}
	return "error", r.failure.Type
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (r report) text() string {
	peak := (r.peak + 1<<20 - 1) >> 20
	s := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		r.id, ms(r.duration), r.billed(), r.memory, min(peak, int64(r.memory)))
	if r.init > 0 {
		s += fmt.Sprintf("Init Duration: %.2f ms\t", ms(r.init))
	}
	status, errorType := r.status()
	if status != "success" {
		s += "Status: " + status
	}
	if errorType != "" {
		s += "\tError Type: " + errorType
	}
	if r.span != nil {
		s += "\nXRAY TraceId: " + r.span.header.Root + "\tSegmentId: " + r.span.function + "\tSampled: true\t"
	}
	return s
}

func (r report) record() map[string]any {
	metrics := map[string]any{
		"durationMs": ms(r.duration), "billedDurationMs": r.billed(), "memorySizeMB": r.memory, "maxMemoryUsedMB": min((r.peak+1<<20-1)>>20, int64(r.memory)),
	}
	if r.init > 0 {
		metrics["initDurationMs"] = ms(r.init)
	}
	status, errorType := r.status()
	record := map[string]any{"requestId": r.id, "metrics": metrics, "status": status}
	if errorType != "" {
		record["errorType"] = errorType
	}
	if r.span != nil {
		record["tracing"] = map[string]any{"spanId": r.span.function, "type": "X-Amzn-Trace-Id", "value": r.span.passed()}
	}
	return record
}

// initReport says why an instance did not come up.
func (l *instanceLog) initReport(d time.Duration, f *sandbox.Failure) {
	r := report{failure: f}
	status, errorType := r.status()
	if l.json {
		l.platform("platform.initReport", map[string]any{
			"initializationType": "on-demand", "phase": "init", "status": status, "errorType": errorType, "metrics": map[string]any{"durationMs": ms(d)},
		})
		return
	}
	l.system(fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: init\tStatus: %s\tError Type: %s", ms(d), status, errorType))
}

// flush hands what was printed to the writer.
func (l *instanceLog) flush() {
	l.mu.Lock()
	events := l.events
	l.events, l.bytes = nil, 0
	l.mu.Unlock()
	if len(events) > 0 {
		l.service.log.put(entry{log: l, events: events})
	}
}
