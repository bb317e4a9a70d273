package sns

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"engage/internal/localaws/wire"
)

type addPermissionInput struct {
	TopicArn     string   `required:"true"`
	Label        string   `required:"true" max:"80"`
	AWSAccountID []string `xml:"AWSAccountId" required:"true"`
	ActionName   []string `required:"true"`
}

// permitted are the actions that a topic's policy may allow to others.
var permitted = []string{"Publish", "RemovePermission", "SetTopicAttributes", "DeleteTopic", "ListSubscriptionsByTopic", "GetTopicAttributes", "Receive", "AddPermission", "Subscribe"}

// statements reads the statements of a topic's policy, as they are.
func (t topic) statements() (document map[string]json.RawMessage, list []map[string]any, err error) {
	if err = json.Unmarshal([]byte(t.policy()), &document); err != nil {
		return nil, nil, err
	}
	err = json.Unmarshal(document["Statement"], &list)
	if err != nil {
		var one map[string]any
		err = json.Unmarshal(document["Statement"], &one)
		list = []map[string]any{one}
	}
	return document, list, err
}

// setStatements changes the statements of a topic's policy.
func (t *topic) setStatements(change func([]map[string]any) ([]map[string]any, error)) error {
	document, list, err := t.statements()
	if err != nil {
		return err
	}
	if list, err = change(list); err != nil {
		return err
	}
	if document["Statement"], err = json.Marshal(list); err != nil {
		return err
	}
	text, err := json.Marshal(document)
	t.Attributes["Policy"] = string(text)
	return err
}

func labelled(label string) func(map[string]any) bool {
	return func(s map[string]any) bool { return s["Sid"] == label }
}

func (s *Service) addPermission(_ context.Context, _ *wire.Call, in *addPermissionInput) (*wire.Empty, error) {
	var actions, principals []string
	for _, name := range in.ActionName {
		if !slices.Contains(permitted, name) {
			return nil, errInvalid("Policy statement action out of service scope!")
		}
		actions = append(actions, "SNS:"+name)
	}
	for _, account := range in.AWSAccountID {
		if len(account) != 12 || strings.Trim(account, "0123456789") != "" {
			return nil, errInvalid("Invalid principal: %s is not the id of an account", account)
		}
		principals = append(principals, "arn:aws:iam::"+account+":root")
	}
	return &wire.Empty{}, s.change(in.TopicArn, func(t *topic) error {
		return t.setStatements(func(list []map[string]any) ([]map[string]any, error) {
			if slices.ContainsFunc(list, labelled(in.Label)) {
				return nil, errInvalid("Statement already exists")
			}
			return append(list, map[string]any{"Sid": in.Label, "Effect": "Allow", "Principal": map[string]any{"AWS": oneOrAll(principals)},
				"Action": oneOrAll(actions), "Resource": t.arn()}), nil
		})
	})
}

// oneOrAll writes a list of one as AWS does, without the list.
func oneOrAll(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

type removePermissionInput struct {
	TopicArn string `required:"true"`
	Label    string `required:"true"`
}

// removePermission removes the statement of a label, if there is one.
func (s *Service) removePermission(_ context.Context, _ *wire.Call, in *removePermissionInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(in.TopicArn, func(t *topic) error {
		return t.setStatements(func(list []map[string]any) ([]map[string]any, error) {
			return slices.DeleteFunc(list, labelled(in.Label)), nil
		})
	})
}

type confirmInput struct {
	TopicArn                  string `required:"true"`
	Token                     string `required:"true"`
	AuthenticateOnUnsubscribe string
}

// minToken is about how long the hexadecimal tokens are that AWS sends out.
const minToken = 96

// confirm refuses every token: queues and functions, the endpoints that this
// service delivers to, need no confirmation, so that no token was sent.
func (s *Service) confirm(_ context.Context, _ *wire.Call, in *confirmInput) (*subscriptionARN, error) {
	if len(in.Token) < minToken || strings.Trim(in.Token, "0123456789abcdef") != "" {
		return nil, wire.Errorf("InvalidParameter", "Invalid token")
	}
	return nil, errInvalid("Token")
}
