package states

import (
	"context"
	"time"

	"engage/internal/localaws/asl/value"
	"engage/internal/localaws/wire"
)

// Jobs are asked after at growing intervals: soon after they began, because local ones are short.
const (
	firstPoll   = 10 * time.Millisecond
	longestPoll = 500 * time.Millisecond
	stopTimeout = 10 * time.Second
)

// poll asks until done says so. When ctx ends first the job is stopped, with a context of its own.
func poll(ctx context.Context, ask func() (done bool, err error), stop func(context.Context) error) error {
	for wait := firstPoll; ; wait = min(2*wait, longestPoll) {
		done, err := ask()
		if ctx.Err() == nil && (done || err != nil) {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			own, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
			defer cancel()
			_ = stop(own) // the task has ended either way; the service logs a refused call
			return ctx.Err()
		}
	}
}

// query is athena:startQueryExecution.sync.
type query struct{ invoker wire.Invoker }

func (q query) execute(ctx context.Context, t Task) (any, error) {
	started, err := forward{q.invoker, "athena", "StartQueryExecution"}.call(ctx, t.Caller, t.Parameters)
	if err != nil {
		return nil, err
	}
	t.Submitted(forward{service: "athena"}.told(t, started))
	id := value.Of("QueryExecutionId", text(started, "QueryExecutionId"))
	var out any
	err = poll(ctx, func() (bool, error) {
		out, err = forward{q.invoker, "athena", "GetQueryExecution"}.call(ctx, t.Caller, id)
		state := text(out, "QueryExecution", "Status", "State")
		return state != "QUEUED" && state != "RUNNING", err
	}, func(ctx context.Context) error {
		_, err := forward{q.invoker, "athena", "StopQueryExecution"}.call(ctx, t.Caller, id)
		return err
	})
	if err == nil && text(out, "QueryExecution", "Status", "State") != "SUCCEEDED" {
		err = failed(field(out, "QueryExecution"))
	}
	return out, err
}

// runTask is ecs:runTask.sync.
type runTask struct{ invoker wire.Invoker }

func (r runTask) execute(ctx context.Context, t Task) (any, error) {
	started, err := forward{r.invoker, "ecs", "RunTask"}.call(ctx, t.Caller, t.Parameters)
	if err != nil {
		return nil, err
	}
	if failures, _ := field(started, "Failures").([]any); len(failures) > 0 {
		return nil, notRun(t, started)
	}
	t.Submitted(forward{service: "ecs"}.told(t, started))
	tasks, _ := field(started, "Tasks").([]any)
	arns := make([]any, len(tasks))
	for i, task := range tasks {
		arns[i] = text(task, "TaskArn")
	}
	if len(arns) == 0 {
		return nil, failed(started)
	}
	return r.follow(ctx, t, text(tasks[0], "ClusterArn"), arns)
}

// follow waits until every task has stopped. One task is the output itself; more are an array.
func (r runTask) follow(ctx context.Context, t Task, cluster string, arns []any) (any, error) {
	var tasks []any
	err := poll(ctx, func() (bool, error) {
		out, err := forward{r.invoker, "ecs", "DescribeTasks"}.call(ctx, t.Caller, value.Of("cluster", cluster, "tasks", arns))
		tasks, _ = field(out, "Tasks").([]any)
		return len(tasks) > 0 && allStopped(tasks), err
	}, func(ctx context.Context) (err error) {
		for _, arn := range arns {
			_, err = forward{r.invoker, "ecs", "StopTask"}.call(ctx, t.Caller, value.Of("cluster", cluster, "task", arn, "reason", "The execution that ran this task was stopped"))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, task := range tasks {
		if !exitedWell(task) {
			return nil, failed(task)
		}
	}
	if len(tasks) == 1 {
		return tasks[0], nil
	}
	return tasks, nil
}

func allStopped(tasks []any) bool {
	for _, t := range tasks {
		if text(t, "LastStatus") != "STOPPED" {
			return false
		}
	}
	return true
}

// exitedWell tells whether every container of a stopped task ended with exit code 0.
func exitedWell(task any) bool {
	containers, _ := field(task, "Containers").([]any)
	for _, c := range containers {
		if code, ok := field(c, "ExitCode").(int64); !ok || code != 0 {
			return false
		}
	}
	return len(containers) > 0
}
