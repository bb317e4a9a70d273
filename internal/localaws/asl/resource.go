package asl

import (
	"fmt"
	"strings"
)

// Pattern is how a service integration waits for the service.
type Pattern string

// The service integration patterns.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html
const (
	RequestResponse Pattern = ""
	Sync            Pattern = "sync"
	Sync2           Pattern = "sync:2"
	TaskToken       Pattern = "waitForTaskToken"
)

// Resource is the parsed Resource of a Task.
type Resource struct {
	ARN      string
	Lambda   bool    // a function's ARN, not an integration
	Activity bool    // an activity's ARN: workers ask for its tasks
	Type     string  // the service of an integration, as history's resourceType: lambda, ecs, aws-sdk:s3 ...
	Action   string  // runTask, invoke ...
	Pattern  Pattern // of an integration
	Region   string  // of a function's ARN
}

// Name is the integration as a registry of executors knows it: lambda:invoke.waitForTaskToken.
// A function's ARN is registered as "lambda", an activity's as "activity".
func (r Resource) Name() string {
	switch {
	case r.Lambda:
		return "lambda"
	case r.Activity:
		return "activity"
	}
	return r.Type + ":" + r.ActionText()
}

// GivesToken tells whether the task's end is reported by the holder of its token.
func (r Resource) GivesToken() bool { return r.Activity || r.Pattern == TaskToken }

// ActionText is the action with its pattern, as history's resource: runTask.sync.
func (r Resource) ActionText() string {
	if r.Pattern == RequestResponse {
		return r.Action
	}
	return r.Action + "." + string(r.Pattern)
}

// ParseResource reads a Task's Resource.
func ParseResource(arn string) (Resource, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || !strings.HasPrefix(parts[1], "aws") {
		return Resource{}, fmt.Errorf("the resource '%s' is not an ARN", arn)
	}
	switch {
	case parts[2] == "lambda" && strings.HasPrefix(parts[5], "function:"):
		return Resource{ARN: arn, Lambda: true, Type: "lambda", Region: parts[3]}, nil
	case parts[2] == "states" && strings.HasPrefix(parts[5], "activity:"):
		return Resource{ARN: arn, Activity: true, Type: "states", Region: parts[3]}, nil
	case parts[2] == "states" && parts[3] == "" && parts[4] == "":
		return parseIntegration(arn, parts[5])
	}
	return Resource{}, fmt.Errorf("the resource '%s' is not a Lambda function or a service integration", arn)
}

func parseIntegration(arn, text string) (Resource, error) {
	r := Resource{ARN: arn}
	for _, p := range []Pattern{Sync2, Sync, TaskToken} {
		if rest, ok := strings.CutSuffix(text, "."+string(p)); ok {
			r.Pattern, text = p, rest
			break
		}
	}
	last := strings.LastIndexByte(text, ':')
	if last <= 0 || last == len(text)-1 || strings.Contains(text[last:], ".") {
		return Resource{}, fmt.Errorf("the resource '%s' does not name a service and an action with a known pattern", arn)
	}
	r.Type, r.Action = text[:last], text[last+1:]
	return r, nil
}
