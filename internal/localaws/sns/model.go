package sns

import (
	"fmt"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type topic struct {
	Name, Account, Region string
	Attributes            map[string]string
	Tags                  map[string]string `json:",omitempty"`
}

type subscription struct {
	ID        string
	Topic     string // ARN
	Owner     string
	Principal string // who subscribed
	Protocol  string
	Endpoint  string
	Options   map[string]string // attributes that were set
}

var (
	topics        = state.NewCollection[topic]("sns/topics")               // ARN
	subscriptions = state.NewCollection[subscription]("sns/subscriptions") // its ARN, of which the topic's is the beginning
)

func (t topic) arn() string { return "arn:aws:sns:" + t.Region + ":" + t.Account + ":" + t.Name }

func (s subscription) arn() string { return s.Topic + ":" + s.ID }

// of is the prefix of the ARNs of a topic's subscriptions.
func of(topicARN string) string { return topicARN + ":" }

// policy is the topic's own, or what every topic begins with.
func (t topic) policy() string {
	if p := t.Attributes["Policy"]; p != "" {
		return p
	}
	return fmt.Sprintf(`{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":%q,"Condition":{"StringEquals":{"AWS:SourceOwner":%q}}}]}`, t.arn(), t.Account)
}

func errNotFound(what string) error {
	return wire.StatusErrorf(404, "NotFound", "%s does not exist", what)
}

func errInvalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameter", "Invalid parameter: "+format, args...)
}

// accountOf returns the account in an ARN.
func accountOf(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 4 {
		return parts[4]
	}
	return ""
}
