// Package scheduler is EventBridge Scheduler: schedules that start functions,
// state machines and tasks, or send to queues, topics and event buses, each
// with a role of its own.
//
// API: https://docs.aws.amazon.com/scheduler/latest/APIReference/Welcome.html
package scheduler
