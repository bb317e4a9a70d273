// Package events is EventBridge: buses, rules by pattern and by schedule, and
// their targets.
//
// PutEvents returns once each target of each rule that matches has taken the
// event, or its dead-letter queue has. What a target refuses goes to the
// dead-letter queue at once, where AWS would retry for a day. A schedule that
// was due while the process was not running does not fire afterwards.
// Archives, replays, pipes, connections and endpoints are refused.
//
// API: https://docs.aws.amazon.com/eventbridge/latest/APIReference/Welcome.html
package events
