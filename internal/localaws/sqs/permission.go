package sqs

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type addPermissionInput struct {
	QueueURL      string   `json:"QueueUrl" required:"true"`
	Label         string   `required:"true" max:"80"`
	AWSAccountIDs []string `json:"AWSAccountIds" xml:"AWSAccountId" list:"flat" required:"true"`
	Actions       []string `xml:"ActionName" list:"flat" required:"true"`
}

// permitted are the actions that a queue's policy may allow to others this way.
var permitted = []string{"*", "SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl",
	"ListDeadLetterSourceQueues", "PurgeQueue"}

// document is a queue's policy, of which only the statements matter here.
type document struct {
	Version   string
	ID        string `json:"Id,omitempty"`
	Statement []map[string]any
}

// statements reads the queue's policy; a queue without one gets an empty one.
func (q queue) statements() (document, error) {
	d := document{Version: "2012-10-17", ID: q.arn() + "/SQSDefaultPolicy"}
	text := q.Attributes["Policy"]
	if text == "" {
		return d, nil
	}
	if json.Unmarshal([]byte(text), &d) == nil {
		return d, nil
	}
	var one struct {
		Version   string
		ID        string `json:"Id"`
		Statement map[string]any
	}
	err := json.Unmarshal([]byte(text), &one)
	return document{one.Version, one.ID, []map[string]any{one.Statement}}, err
}

func (q *queue) setStatements(d document) error {
	if len(d.Statement) == 0 {
		delete(q.Attributes, "Policy")
		return nil
	}
	text, err := json.Marshal(d)
	q.Attributes["Policy"] = string(text)
	return err
}

func labelled(label string) func(map[string]any) bool {
	return func(s map[string]any) bool { return s["Sid"] == label }
}

func (in *addPermissionInput) statement(q queue) (map[string]any, error) {
	var actions, principals []string
	for _, name := range in.Actions {
		if !slices.Contains(permitted, name) {
			return nil, errParameter("Value SQS:%s for parameter ActionName is invalid. Reason: Only the queue owner is allowed to invoke this action.", name)
		}
		actions = append(actions, "SQS:"+name)
	}
	for _, account := range in.AWSAccountIDs {
		if len(account) != 12 || strings.Trim(account, "0123456789") != "" {
			return nil, errParameter("Value %s for parameter PrincipalId is invalid. Reason: Unable to verify.", account)
		}
		principals = append(principals, "arn:aws:iam::"+account+":root")
	}
	return map[string]any{"Sid": in.Label, "Effect": "Allow", "Principal": map[string]any{"AWS": oneOrAll(principals)},
		"Action": oneOrAll(actions), "Resource": q.arn()}, nil
}

// oneOrAll writes a list of one as AWS does, without the list.
func oneOrAll(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func (s *Service) addPermission(_ context.Context, call *wire.Call, in *addPermissionInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(call, in.QueueURL, func(_ state.Tx, q *queue) error {
		d, err := q.statements()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(d.Statement, labelled(in.Label)) {
			return errParameter("Value %s for parameter Label is invalid. Reason: Already exists.", in.Label)
		}
		made, err := in.statement(*q)
		if err != nil {
			return err
		}
		d.Statement = append(d.Statement, made)
		return q.setStatements(d)
	})
}

type removePermissionInput struct {
	QueueURL string `json:"QueueUrl" required:"true"`
	Label    string `required:"true"`
}

func (s *Service) removePermission(_ context.Context, call *wire.Call, in *removePermissionInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(call, in.QueueURL, func(_ state.Tx, q *queue) error {
		d, err := q.statements()
		if err != nil {
			return err
		}
		kept := slices.DeleteFunc(slices.Clone(d.Statement), labelled(in.Label))
		if len(kept) == len(d.Statement) {
			return errParameter("Value %s for parameter Label is invalid. Reason: can't find label on existing policy.", in.Label)
		}
		d.Statement = kept
		return q.setStatements(d)
	})
}
