package sqs

import (
	"encoding/json"
	"strconv"
	"strings"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

const maxMessageSize = 1 << 20

// defaults are the values of attributes that were not set.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
var defaults = map[string]string{
	"DelaySeconds": "0", "MaximumMessageSize": strconv.Itoa(maxMessageSize), "MessageRetentionPeriod": "345600",
	"ReceiveMessageWaitTimeSeconds": "0", "VisibilityTimeout": "30", "SqsManagedSseEnabled": "true",
}

// fifoDefaults are further defaults of FIFO queues.
var fifoDefaults = map[string]string{
	"ContentBasedDeduplication": "false", "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue",
}

var ranges = map[string][2]int{
	"DelaySeconds": {0, 900}, "MaximumMessageSize": {1024, maxMessageSize}, "MessageRetentionPeriod": {60, 1209600},
	"ReceiveMessageWaitTimeSeconds": {0, 20}, "VisibilityTimeout": {0, 43200}, "KmsDataKeyReusePeriodSeconds": {60, 86400},
}

var choices = map[string][]string{
	"SqsManagedSseEnabled": {"true", "false"}, "FifoQueue": {"true", "false"}, "ContentBasedDeduplication": {"true", "false"},
	"DeduplicationScope": {"queue", "messageGroup"}, "FifoThroughputLimit": {"perQueue", "perMessageGroupId"},
}

var fifoOnly = []string{"ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}

type redrive struct {
	Target string      `json:"deadLetterTargetArn"`
	Max    json.Number `json:"maxReceiveCount"`
}

// UnmarshalJSON takes the count as a number or, as consoles write it, as a text.
func (r *redrive) UnmarshalJSON(b []byte) error {
	var raw struct {
		Target string `json:"deadLetterTargetArn"`
		Max    any    `json:"maxReceiveCount"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	r.Target = raw.Target
	switch n := raw.Max.(type) {
	case float64:
		r.Max = json.Number(strconv.FormatFloat(n, 'f', -1, 64))
	case string:
		r.Max = json.Number(n)
	}
	return nil
}

type redriveAllow struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns"`
}

// redrive returns the queue's dead-letter target and after how many receipts
// a message goes there; false when it has none.
func (q queue) redrive() (target string, limit int, ok bool) {
	var r redrive
	if json.Unmarshal([]byte(q.Attributes["RedrivePolicy"]), &r) != nil {
		return "", 0, false
	}
	limit, err := strconv.Atoi(r.Max.String())
	return r.Target, limit, err == nil && r.Target != ""
}

// setAttributes checks and sets attributes; an empty text removes one.
func (s *Service) setAttributes(tx state.Tx, q *queue, values map[string]string) error {
	for name, value := range values {
		if value == "" {
			delete(q.Attributes, name)
			continue
		}
		if err := checkAttribute(q, name, value); err != nil {
			return err
		}
		q.Attributes[name] = value
		if name == "KmsMasterKeyId" {
			q.Attributes["SqsManagedSseEnabled"] = "false"
		}
	}
	return checkRedrive(tx, q, values["RedrivePolicy"])
}

func checkAttribute(q *queue, name, value string) error {
	invalid := coded("InvalidAttributeValue", "InvalidAttributeValue", "Invalid value for the parameter %s.", name)
	if bounds, ok := ranges[name]; ok {
		if n, err := strconv.Atoi(value); err != nil || n < bounds[0] || n > bounds[1] {
			return invalid
		}
		return nil
	}
	if allowed, ok := choices[name]; ok {
		if !contains(allowed, value) {
			return invalid
		}
		if contains(fifoOnly, name) && !strings.HasSuffix(q.Name, ".fifo") {
			return coded("InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute %s.", name)
		}
		return nil
	}
	switch name {
	case "KmsMasterKeyId":
		return nil
	case "Policy":
		if _, err := policy.Parse(policy.Resource, value); err != nil {
			return coded("InvalidAttributeValue", "InvalidAttributeValue", "Invalid value for the parameter Policy: %v", err)
		}
		return nil
	case "RedrivePolicy":
		return nil // checkRedrive sees it with all the others set
	case "RedriveAllowPolicy":
		var a redriveAllow
		if json.Unmarshal([]byte(value), &a) != nil || !contains([]string{"allowAll", "denyAll", "byQueue"}, a.Permission) {
			return invalid
		}
		return nil
	}
	return coded("InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute %s.", name)
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

func checkRedrive(tx state.Tx, q *queue, value string) error {
	if value == "" {
		return nil
	}
	refuse := func(reason string) error {
		return errParameter("Value %s for parameter RedrivePolicy is invalid. Reason: %s.", value, reason)
	}
	target, limit, ok := q.redrive()
	if !ok || limit < 1 || limit > 1000 {
		return refuse("deadLetterTargetArn and a maxReceiveCount from 1 to 1000 are needed")
	}
	dead, err := byARN(tx, target)
	if err != nil {
		return refuse("Dead letter target does not exist")
	}
	if dead.fifo() != q.fifo() {
		return refuse("Dead-letter queue must be same type of queue as the source")
	}
	var allow redriveAllow
	if json.Unmarshal([]byte(dead.Attributes["RedriveAllowPolicy"]), &allow) == nil &&
		(allow.Permission == "denyAll" || allow.Permission == "byQueue" && !contains(allow.Sources, q.arn())) {
		return refuse("the RedriveAllowPolicy of the dead-letter queue does not allow it")
	}
	return nil
}

func byARN(tx state.Tx, arn string) (queue, error) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[2] != "sqs" {
		return queue{}, wire.Errorf("InvalidAddress", "%q is not the ARN of a queue", arn)
	}
	return queues.Get(tx, state.Key(parts[4], parts[3], parts[5]))
}
