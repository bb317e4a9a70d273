package states

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/asl/intrinsic"
	"engage/internal/localaws/wire"
)

// LogLine is one event of an execution, for CloudWatch Logs.
type LogLine struct {
	Owner   wire.Caller // who started the execution: its account and region
	Group   string      // ARN of the log group, without the trailing :*
	Stream  string
	Time    time.Time
	Message []byte // one JSON object
}

// logging is a machine's loggingConfiguration.
type logging struct {
	Level        string `json:"level"`
	Data         bool   `json:"includeExecutionData"`
	Destinations []struct {
		Group struct {
			ARN string `json:"logGroupArn"`
		} `json:"cloudWatchLogsLogGroup"`
	} `json:"destinations"`
}

// loggable completes a loggingConfiguration as AWS shows it, and refuses one that leads nowhere.
func (s *Service) loggable(owner wire.Caller, configuration json.RawMessage) (json.RawMessage, error) {
	if len(configuration) == 0 {
		return nil, nil
	}
	var given map[string]json.RawMessage
	var l logging
	if json.Unmarshal(configuration, &l) != nil || json.Unmarshal(configuration, &given) != nil {
		return nil, wire.Errorf("SerializationException", "the loggingConfiguration is not of its type")
	}
	switch {
	case l.Level == "":
		l.Level = "OFF"
	case !slices.Contains([]string{"ALL", "ERROR", "FATAL", "OFF"}, l.Level):
		return nil, wire.ValidationException("1 validation error detected: Value '%s' at 'loggingConfiguration.level' failed to satisfy constraint: Member must satisfy enum value set: [ALL, FATAL, ERROR, OFF]", l.Level)
	}
	if err := s.destined(owner, l); err != nil {
		return nil, err
	}
	shown := map[string]any{"level": l.Level, "includeExecutionData": l.Data}
	if to, there := given["destinations"]; there {
		shown["destinations"] = to
	}
	return json.Marshal(shown)
}

// destined checks where a machine logs to.
func (s *Service) destined(owner wire.Caller, l logging) error {
	switch {
	case l.on() && s.cfg.Logs == nil:
		return wire.NotImplemented("loggingConfiguration with the level %s", l.Level)
	case len(l.Destinations) > 1 || l.on() && len(l.Destinations) != 1:
		return wire.Errorf("InvalidLoggingConfiguration", "Invalid Logging Configuration: Must specify exactly one Log Destination.")
	case len(l.Destinations) == 0 || s.cfg.LogGroup == nil && strings.Contains(l.group(), ":log-group:"):
		return nil
	case s.cfg.LogGroup != nil:
		found, err := s.cfg.LogGroup(owner, l.group())
		if err != nil || found {
			return err
		}
	}
	return wire.Errorf("InvalidLoggingConfiguration", "Invalid Logging Configuration: Log Destination not found.")
}

func loggingOf(configuration json.RawMessage) logging {
	var l logging
	if len(configuration) > 0 {
		_ = json.Unmarshal(configuration, &l) // checked when it was accepted
	}
	return l
}

func (l logging) on() bool { return l.Level != "" && l.Level != "OFF" }

func (l logging) group() string {
	if len(l.Destinations) == 0 {
		return ""
	}
	return strings.TrimSuffix(l.Destinations[0].Group.ARN, ":*")
}

// wants tells whether the level covers an event.
// https://docs.aws.amazon.com/step-functions/latest/dg/cloudwatch-log-level.html
func (l logging) wants(kind string) bool {
	bad := strings.HasSuffix(kind, "Failed") || strings.HasSuffix(kind, "TimedOut") || strings.HasSuffix(kind, "Aborted")
	switch l.Level {
	case "ALL":
		return true
	case "ERROR":
		return bad || kind == "FailStateEntered"
	case "FATAL":
		return bad && strings.HasPrefix(kind, "Execution")
	}
	return false
}

// logger delivers the log lines of one execution in order, beside it. A line that the group does not take is lost,
// as on AWS, where delivery is best effort.
type logger struct {
	settings  logging
	execution string
	redrives  int
	line      LogLine
	deliver   func(context.Context, LogLine) error

	mu      sync.Mutex
	changed *sync.Cond
	pending []interp.Event
	closed  bool
	done    chan struct{}
}

// openLogger returns nil for a machine that does not log.
func (s *Service) openLogger(e execution, settings logging, owner wire.Caller) *logger {
	if !settings.on() || s.cfg.Logs == nil || settings.group() == "" {
		return nil
	}
	stream := "states/" + e.Machine + "/" + e.Start.UTC().Format("2006-01-02-15-04") + "/" + intrinsic.NewUUID(s.cfg.Random)[:8]
	l := &logger{settings: settings, execution: e.arn(), redrives: e.Redrives, deliver: s.cfg.Logs, done: make(chan struct{}),
		line: LogLine{Owner: owner, Group: settings.group(), Stream: stream}}
	l.changed = sync.NewCond(&l.mu)
	go l.work()
	return l
}

// add queues an event; a nil logger drops it.
func (l *logger) add(e interp.Event) {
	if l == nil || !l.settings.wants(e.Type) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, e)
	l.changed.Signal()
}

// close returns once every line is delivered.
func (l *logger) close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	l.closed = true
	l.changed.Signal()
	l.mu.Unlock()
	<-l.done
}

func (l *logger) work() {
	defer close(l.done)
	for {
		l.mu.Lock()
		for len(l.pending) == 0 && !l.closed {
			l.changed.Wait()
		}
		batch := l.pending
		l.pending = nil
		l.mu.Unlock()
		if batch == nil {
			return
		}
		for _, e := range batch {
			line := l.line
			line.Time, line.Message = e.Time, l.message(e)
			_ = l.deliver(context.Background(), line)
		}
	}
}

// executionData are the members of an event's details that are told only to who may see data.
var executionData = []string{"input", "inputDetails", "output", "outputDetails", "parameters", "assignedVariables", "assignedVariablesDetails"}

// message renders an event as AWS logs it: ids and times are text, the details are without their long name.
func (l *logger) message(e interp.Event) []byte {
	all := map[string]json.RawMessage{}
	text, err := json.Marshal(e)
	if err != nil || json.Unmarshal(text, &all) != nil {
		return nil // an event always encodes
	}
	details := map[string]any{}
	for name, raw := range all {
		if strings.HasSuffix(name, "EventDetails") {
			_ = json.Unmarshal(raw, &details)
		}
	}
	if !l.settings.Data {
		for _, private := range executionData {
			delete(details, private)
		}
	}
	out, _ := json.Marshal(map[string]any{"id": strconv.FormatInt(e.ID, 10), "type": e.Type, "details": details,
		"previous_event_id": strconv.FormatInt(e.PreviousID, 10), "event_timestamp": strconv.FormatInt(e.Time.UnixMilli(), 10),
		"execution_arn": l.execution, "redrive_count": strconv.Itoa(l.redrives)})
	return out
}
