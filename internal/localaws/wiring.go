package localaws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"engage/internal/localaws/athena"
	"engage/internal/localaws/athena/engine"
	"engage/internal/localaws/dynamodb"
	"engage/internal/localaws/ecr"
	"engage/internal/localaws/ecs"
	"engage/internal/localaws/events"
	"engage/internal/localaws/glue"
	"engage/internal/localaws/kms"
	"engage/internal/localaws/lambda"
	"engage/internal/localaws/logs"
	"engage/internal/localaws/policy"
	"engage/internal/localaws/s3"
	"engage/internal/localaws/scheduler"
	"engage/internal/localaws/secretsmanager"
	"engage/internal/localaws/server"
	"engage/internal/localaws/sns"
	"engage/internal/localaws/sqs"
	"engage/internal/localaws/ssm"
	"engage/internal/localaws/state"
	"engage/internal/localaws/states"
	"engage/internal/localaws/sts"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
	"engage/internal/localaws/xray"
	"engage/internal/localaws/xray/trace"
)

// wiring opens the services. What one needs of another it gets as a small
// interface; a call that a policy may forbid goes through the server, which
// checks and logs it like any other.
type wiring struct {
	*Endpoint
	identity
	store *state.Store
	meter wire.Meter

	objects *s3.Service
	logs    *logs.Service
	traces  *trace.Recorder
	bus     *events.Service
}

func (w *wiring) open() error {
	for _, open := range []func() error{w.openStorage, w.openAudit, w.openTraces, w.openQueries, w.openMessages, w.openTables, w.openCompute, w.openEvents, w.openMachines} {
		if err := open(); err != nil {
			return err
		}
	}
	w.background(w.objects.Run) // events of objects go to all others
	return nil
}

// openStorage opens what the other services keep things in.
func (w *wiring) openStorage() (err error) {
	w.objects, err = s3.New(s3.Config{Store: w.store, Meter: w.meter, Authorizer: w.authorizer, Invoker: w.server, Forms: w.authenticator, CheckPolicy: checkResourcePolicy, Refused: w.server.LogRefusal})
	if err != nil {
		return fmt.Errorf("open s3: %w", err)
	}
	w.onClose(func(context.Context) error { return w.objects.Close() })
	w.server.Observe(func(call *wire.Call, _ server.Record, err error) { w.objects.Observe(call, err) })
	if w.logs, err = logs.New(logs.Config{Store: w.store, Meter: w.meter, Functions: functions{w.server}}); err != nil {
		return fmt.Errorf("open logs: %w", err)
	}
	w.background(w.logs.Run)
	keys, err := kms.New(kms.Config{Store: w.store, Meter: w.meter})
	if err != nil {
		return fmt.Errorf("open kms: %w", err)
	}
	w.server.Register(w.objects.Service(), w.objects.Control(), w.logs.Wire(), keys.API())
	return nil
}

// checkResourcePolicy refuses a policy that is not well formed.
func checkResourcePolicy(text []byte) error {
	_, err := policy.Parse(policy.Resource, string(text))
	return err
}

// keys encrypts for a service, with its caller's permissions.
func (w *wiring) keys(service string) kms.Client { return kms.Client{Invoker: w.server, Via: service} }

// openTraces opens what records traces. It closes after whatever is traced.
func (w *wiring) openTraces() error {
	w.server.Register(xray.New(xray.Config{Store: w.store, Meter: w.meter}).API())
	w.traces = trace.New(trace.Config{Invoker: w.server})
	w.background(w.traces.Run)
	return nil
}

// openQueries opens the catalog and the SQL that runs over it.
func (w *wiring) openQueries() error {
	tables, err := glue.New(glue.Config{Store: w.store, Authorizer: w.authorizer})
	if err != nil {
		return fmt.Errorf("open glue: %w", err)
	}
	queries, err := athena.New(athena.Config{
		Store: w.store, Glue: tables, S3: w.objects, Meter: w.meter, Engine: engine.Config{Dir: w.store.Dir()}, Refused: w.server.LogRefusal,
	})
	if err != nil {
		return fmt.Errorf("open athena: %w", err)
	}
	w.onClose(func(context.Context) error { return queries.Close() })
	w.server.Register(tables.API(), queries.API())
	return nil
}

// openMessages opens queues, topics, secrets and parameters.
func (w *wiring) openMessages() error {
	queues := sqs.New(sqs.Config{Store: w.store, Meter: w.meter, Keys: w.keys("sqs"), Endpoint: w.URL})
	topics := sns.New(sns.Config{Store: w.store, Meter: w.meter, Keys: w.keys("sns"), Endpoint: w.URL, Targets: target.Invoked{Invoker: w.server}})
	secrets := secretsmanager.New(secretsmanager.Config{Store: w.store, Meter: w.meter, Keys: w.keys("secretsmanager"), Functions: functions{w.server}, Authorizer: w.authorizer})
	parameters := ssm.New(ssm.Config{Store: w.store, Meter: w.meter, Keys: w.keys("ssm")})
	w.background(topics.Run)
	w.background(secrets.Run)
	w.server.Register(queues.API(), queues.QueryAPI(), topics.API(), secrets.API(), parameters.API())
	return nil
}

// openTables opens the tables of items, whose expired items go until the endpoint closes.
func (w *wiring) openTables() error {
	tables := dynamodb.New(dynamodb.Config{Store: w.store, Meter: w.meter, Invoker: w.server})
	w.background(tables.Run)
	w.server.Register(tables.API())
	return nil
}

// openCompute opens what runs code.
func (w *wiring) openCompute() error {
	code, err := lambda.New(lambda.Config{
		Store: w.store, Meter: w.meter, Logs: w.logs, Credentials: lambdaRoles{w}, Objects: lambdaCode{w.objects},
		Authorizer: w.authorizer, Invoker: w.server, Endpoint: w.URL, Traces: w.traces,
	})
	if err != nil {
		return fmt.Errorf("open lambda: %w", err)
	}
	w.onStop(func(context.Context) error { return code.Close() })
	w.onStart(code.Resume)
	registry, err := ecr.New(ecr.Config{Store: w.store, Meter: w.meter, Authorizer: w.authorizer, Refused: w.server.LogRefusal})
	if err != nil {
		return fmt.Errorf("open ecr: %w", err)
	}
	w.onClose(func(context.Context) error { return registry.Close() })
	w.background(registry.Run)
	tasks, err := ecs.New(ecs.Config{
		Store: w.store, Meter: w.meter, Puller: registry, Credentials: taskRoles{w}, Logs: taskLogs{w.logs},
		Invoker: w.server, Endpoint: w.URL,
	})
	if err != nil {
		return fmt.Errorf("open ecs: %w", err)
	}
	w.onStop(tasks.Close)
	w.server.Register(code.Wire(), registry.Wire(), tasks.Wire())
	w.server.Handle("GET /_localaws/host", hostReport(Host{Tasks: tasks.Isolation(), Functions: code.Limits()}))
	return nil
}

// Host says how far what runs on the endpoint is kept apart from the machine.
type Host struct {
	Tasks     ecs.Isolation `json:"tasks"`
	Functions string        `json:"functions"`
}

func hostReport(h Host) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(h) // the caller may be gone
	}
}

// openEvents opens the event bus and the Scheduler, which fire until the endpoint closes.
func (w *wiring) openEvents() error {
	targets := target.Invoked{Invoker: w.server}
	bus := events.New(events.Config{Store: w.store, Meter: w.meter, Targets: targets, Assume: w.assumeForEvents})
	schedules := scheduler.New(scheduler.Config{Store: w.store, Meter: w.meter, Targets: targets, Assume: w.assumeForEvents})
	w.bus = bus
	w.background(bus.Run)
	w.background(schedules.Run)
	w.server.Register(bus.API(), schedules.API())
	return nil
}

// background runs something until the endpoint closes.
func (w *wiring) background(run func(context.Context, func(error))) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { run(ctx, w.report) })
	w.onStop(func(context.Context) error {
		cancel()
		running.Wait()
		return nil
	})
}

// openMachines opens the state machines, which call all other services.
func (w *wiring) openMachines() error {
	integrations := states.Integrations(w.server, "athena", "dynamodb", "ecs", "events", "sns", "sqs")
	maps.Copy(integrations, states.LambdaIntegrations(functions{w.server}.call))
	machines, err := states.New(states.Config{
		Store: w.store, Meter: w.meter, Invoker: w.server, Integrations: integrations,
		AssumeRole: w.assumeForStates, Objects: states.S3Objects(w.objects), Logs: w.logTransition,
		TaskRole: w.assumeTaskRole, LogGroup: w.hasLogGroup, Traces: w.traces, Changed: w.tellExecution,
	})
	if err != nil {
		return fmt.Errorf("open states: %w", err)
	}
	w.onStop(func(context.Context) error { return machines.Close() })
	w.server.Register(machines.Service())
	return nil
}

// tellExecution puts the change of an execution's status on the event bus.
func (w *wiring) tellExecution(ctx context.Context, c states.StatusChange) {
	err := w.bus.Tell(ctx, events.ServiceEvent{Account: c.Account, Region: c.Region, RunID: c.RunID, Time: c.Time, Source: "aws.states",
		DetailType: "Step Functions Execution Status Change", Resources: []string{c.Execution}, Detail: c.Detail})
	if err != nil {
		w.report(fmt.Errorf("tell the event bus of %s: %w", c.Execution, err))
	}
}

// assume takes on a role, as a service that the role trusts.
func (w *wiring) assume(ctx context.Context, service, role, session string, owner wire.Caller, tags ...sts.Tag) (*sts.AssumeRoleOutput, wire.Caller, error) {
	by := wire.Caller{Account: owner.Account, Region: owner.Region, Service: service, RunID: owner.RunID}
	answer, err := w.server.Invoke(ctx, by, "sts", "AssumeRole", &sts.AssumeRoleInput{RoleArn: role, RoleSessionName: session, Tags: tags})
	if err != nil {
		return nil, wire.Caller{}, err
	}
	out := answer.(*sts.AssumeRoleOutput)
	return out, wire.Caller{
		Account: owner.Account, Region: owner.Region, ARN: out.AssumedRoleUser.Arn, UserID: out.AssumedRoleUser.AssumedRoleId,
		AccessKey: out.Credentials.AccessKeyId, RoleARN: role, SessionName: session, RunID: owner.RunID,
	}, nil
}

func (w *wiring) assumeForStates(ctx context.Context, role, session string, owner wire.Caller) (wire.Caller, error) {
	_, caller, err := w.assume(ctx, "states.amazonaws.com", role, session, owner)
	return caller, err
}

// assumeTaskRole takes on the role of a single task, as the execution's role.
func (w *wiring) assumeTaskRole(ctx context.Context, role, session string, by wire.Caller) (wire.Caller, error) {
	answer, err := w.server.Invoke(ctx, by, "sts", "AssumeRole", &sts.AssumeRoleInput{RoleArn: role, RoleSessionName: session})
	if err != nil {
		return wire.Caller{}, err
	}
	out := answer.(*sts.AssumeRoleOutput)
	return wire.Caller{
		Account: ownerOf(role).Account, Region: by.Region, ARN: out.AssumedRoleUser.Arn, UserID: out.AssumedRoleUser.AssumedRoleId,
		AccessKey: out.Credentials.AccessKeyId, RoleARN: role, SessionName: session, RunID: by.RunID,
	}, nil
}

// eventsSession names the sessions in which events are delivered.
const eventsSession = "events-delivery"

func (w *wiring) assumeForEvents(ctx context.Context, service, role string) (wire.Caller, error) {
	_, caller, err := w.assume(ctx, service, role, eventsSession, ownerOf(role))
	return caller, err
}

// ownerOf is the account that a role belongs to.
func ownerOf(role string) wire.Caller {
	owner := wire.Caller{Account: wire.DefaultAccount, Region: wire.DefaultRegion}
	if parts := strings.Split(role, ":"); len(parts) > 4 {
		owner.Account = parts[4]
	}
	return owner
}

// taskRoles gives tasks the sessions of their roles.
type taskRoles struct{ w *wiring }

// Session implements ecs.Credentials.
func (t taskRoles) Session(ctx context.Context, service, role, session string, tags map[string]string) (ecs.Session, error) {
	var list []sts.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, sts.Tag{Key: key, Value: tags[key]})
	}
	out, as, err := t.w.assume(ctx, service, role, session, ownerOf(role), list...)
	if err != nil {
		return ecs.Session{}, err
	}
	return ecs.Session{
		AccessKeyID: out.Credentials.AccessKeyId, SecretAccessKey: out.Credentials.SecretAccessKey, Token: out.Credentials.SessionToken,
		Expires: out.Credentials.Expiration.Time, Caller: as,
	}, nil
}

// taskLogs keeps what tasks print.
type taskLogs struct{ logs *logs.Service }

// Append implements ecs.LogSink.
func (t taskLogs) Append(ctx context.Context, account, region, group, stream string, lines []ecs.LogEvent) error {
	list := make([]logs.Event, len(lines))
	for i, line := range lines {
		list[i] = logs.Event{Time: line.Time.UnixMilli(), Message: line.Message}
	}
	return t.logs.Append(ctx, account, region, group, stream, list)
}

// hasLogGroup tells whether a group exists that a machine is to log to.
func (w *wiring) hasLogGroup(owner wire.Caller, arn string) (bool, error) {
	group, err := logGroupName(arn)
	if err != nil {
		return false, nil
	}
	return w.logs.HasGroup(owner.Account, owner.Region, group)
}

// logTransition keeps an event of a machine that logs.
func (w *wiring) logTransition(ctx context.Context, line states.LogLine) error {
	group, err := logGroupName(line.Group)
	if err != nil {
		return err
	}
	if err := w.logs.Create(ctx, line.Owner.Account, line.Owner.Region, group, line.Stream); err != nil {
		return err
	}
	event := logs.Event{Time: line.Time.UnixMilli(), Message: string(line.Message)}
	return w.logs.Append(ctx, line.Owner.Account, line.Owner.Region, group, line.Stream, []logs.Event{event})
}

// lambdaRoles gives functions the sessions of their roles.
type lambdaRoles struct{ w *wiring }

// Assume implements lambda.Credentials.
func (l lambdaRoles) Assume(ctx context.Context, role, session string, caller wire.Caller) (lambda.Session, error) {
	if len(session) < 2 { // the name of a function may be one letter, that of a session may not
		session += "-"
	}
	out, as, err := l.w.assume(ctx, "lambda.amazonaws.com", role, session, caller)
	if err != nil {
		return lambda.Session{}, err
	}
	return lambda.Session{
		AccessKey: out.Credentials.AccessKeyId, Secret: out.Credentials.SecretAccessKey, Token: out.Credentials.SessionToken,
		Caller: as, Expires: out.Credentials.Expiration.Time,
	}, nil
}

// lambdaCode reads the code of functions from S3.
type lambdaCode struct{ objects *s3.Service }

// Open implements lambda.Objects.
func (l lambdaCode) Open(ctx context.Context, caller wire.Caller, bucket, key, version string) (io.ReadCloser, error) {
	if version != "" {
		return nil, wire.NotImplemented("S3ObjectVersion of a function's code")
	}
	f, _, err := l.objects.Open(ctx, caller, bucket, key)
	return f, err
}

// functions invokes Lambda functions for other services, with permissions checked.
type functions struct{ invoker wire.Invoker }

func (f functions) call(ctx context.Context, c states.FunctionCall) (states.FunctionResult, error) {
	answer, err := f.invoker.Invoke(ctx, c.Caller, "lambda", "Invoke", &lambda.InvokeInput{
		FunctionName: c.Function, Qualifier: c.Qualifier, InvocationType: c.InvocationType, Payload: c.Payload,
		LogType: c.LogType, ClientContext: c.ClientContext, TraceID: c.Trace,
	})
	if err != nil {
		return states.FunctionResult{}, err
	}
	out := answer.(*lambda.InvokeOutput)
	return states.FunctionResult{
		Status: out.StatusCode, FunctionError: out.FunctionError, Payload: out.Payload,
		Version: out.ExecutedVersion, RequestID: out.RequestID, LogResult: out.LogResult, Trace: out.Trace,
	}, nil
}

// Start implements logs.Functions.
func (f functions) Start(ctx context.Context, caller wire.Caller, arn, kind string, payload []byte) error {
	_, err := f.call(ctx, states.FunctionCall{Caller: caller, Function: arn, InvocationType: kind, Payload: payload})
	return err
}

// Run implements secretsmanager.Functions.
func (f functions) Run(ctx context.Context, caller wire.Caller, arn string, payload []byte) error {
	out, err := f.call(ctx, states.FunctionCall{Caller: caller, Function: arn, Payload: payload})
	if err == nil && out.FunctionError != "" {
		err = errors.New("the function failed: " + string(out.Payload))
	}
	return err
}
