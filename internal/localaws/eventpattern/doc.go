// Package eventpattern matches JSON against the patterns of EventBridge rules
// and SNS filter policies. It is pure.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
package eventpattern
