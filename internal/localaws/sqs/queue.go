package sqs

import (
	"context"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type createInput struct {
	QueueName  string            `required:"true"`
	Attributes map[string]string `xml:"Attribute" list:"flat" key:"Name" value:"Value"`
	Tags       map[string]string `json:"tags" xml:"Tag" list:"flat" key:"Key" value:"Value"`
}

type urlOutput struct {
	QueueURL string `json:"QueueUrl"`
}

var namePattern = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,80}$`)

func checkName(name string, attributes map[string]string) error {
	base, fifo := strings.CutSuffix(name, ".fifo")
	if !namePattern.MatchString(base) || len(name) > 80 {
		return errParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	if fifo != (attributes["FifoQueue"] == "true") {
		return errParameter("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length; its attribute FifoQueue is true.")
	}
	return nil
}

func (s *Service) createQueue(_ context.Context, call *wire.Call, in *createInput) (*urlOutput, error) {
	if err := checkName(in.QueueName, in.Attributes); err != nil {
		return nil, err
	}
	if in.Attributes["KmsMasterKeyId"] != "" && s.cfg.Keys == nil {
		return nil, wire.NotImplemented("KmsMasterKeyId without KMS")
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	q := queue{ID: id, Name: in.QueueName, Account: call.Caller.Account, Region: call.Caller.Region,
		Created: s.cfg.Clock(), Modified: s.cfg.Clock(), Attributes: map[string]string{}, Tags: in.Tags}
	if in.Attributes["FifoQueue"] == "true" {
		q.Attributes["FifoQueue"] = "true"
	}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		if old, err := queues.Get(tx, q.key()); err == nil {
			return sameAttributes(old, in.Attributes)
		}
		if err := s.setAttributes(tx, &q, in.Attributes); err != nil {
			return err
		}
		return queues.Create(tx, q.key(), q)
	})
	return &urlOutput{s.urlOf(call, q)}, err
}

// sameAttributes lets a queue be created again with the attributes it has.
func sameAttributes(q queue, attributes map[string]string) error {
	for name, value := range attributes {
		if q.get(name) != value {
			return coded("QueueNameExists", "QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute %s", name)
		}
	}
	return nil
}

type getURLInput struct {
	QueueName string `required:"true"`
	Owner     string `json:"QueueOwnerAWSAccountId"`
}

func (in *getURLInput) account(call *wire.Call) string {
	if in.Owner != "" {
		return in.Owner
	}
	return call.Caller.Account
}

func (s *Service) getURL(_ context.Context, call *wire.Call, in *getURLInput) (*urlOutput, error) {
	q, err := s.find(call, in.account(call)+"/"+in.QueueName)
	return &urlOutput{s.urlOf(call, q)}, err
}

type listInput struct {
	QueueNamePrefix string
	MaxResults      *int `min:"1" max:"1000"`
	NextToken       string
}

type listOutput struct {
	QueueURLs []string `json:"QueueUrls,omitempty" xml:"QueueUrl" list:"flat"`
	NextToken string   `json:",omitempty"`
}

func (s *Service) listQueues(_ context.Context, call *wire.Call, in *listInput) (*listOutput, error) {
	out, limit := &listOutput{}, 1000
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	at := func(name string) string { return state.Key(call.Caller.Account, call.Caller.Region, name) }
	after := ""
	if in.NextToken != "" {
		after = at(in.NextToken)
	}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		found, err := queues.List(tx, at(in.QueueNamePrefix), after, limit+1)
		for i, e := range found {
			if i == limit {
				if in.MaxResults != nil {
					out.NextToken = found[i-1].Value.Name
				}
				break
			}
			out.QueueURLs = append(out.QueueURLs, s.urlOf(call, e.Value))
		}
		return err
	})
}

type urlInput struct {
	QueueURL string `json:"QueueUrl" required:"true"`
}

func urlOf(in *urlInput) string { return in.QueueURL }

func (s *Service) deleteQueue(_ context.Context, call *wire.Call, in *urlInput) (*wire.Empty, error) {
	var q queue
	err := s.cfg.Store.Update(func(tx state.Tx) (err error) {
		if q, err = lookup(tx, call, in.QueueURL); err != nil {
			return err
		}
		if err := q.clear(tx); err != nil {
			return err
		}
		return queues.Delete(tx, q.key())
	})
	s.news.tell(q.ID)
	return &wire.Empty{}, err
}

func (s *Service) purgeQueue(_ context.Context, call *wire.Call, in *urlInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		q, err := lookup(tx, call, in.QueueURL)
		if err != nil {
			return err
		}
		return q.clear(tx)
	})
}

type getAttributesInput struct {
	QueueURL       string   `json:"QueueUrl" required:"true"`
	AttributeNames []string `xml:"AttributeName" list:"flat"`
}

type attributesOutput struct {
	Attributes map[string]string `json:",omitempty" xml:"Attribute" list:"flat" key:"Name" value:"Value"`
}

func (s *Service) getAttributes(_ context.Context, call *wire.Call, in *getAttributesInput) (*attributesOutput, error) {
	var all map[string]string
	err := s.cfg.Store.View(func(tx state.Tx) error {
		q, err := lookup(tx, call, in.QueueURL)
		if err != nil {
			return err
		}
		all, err = s.attributesOf(tx, q)
		return err
	})
	if err != nil || contains(in.AttributeNames, "All") {
		return &attributesOutput{all}, err
	}
	out := &attributesOutput{map[string]string{}}
	for _, name := range in.AttributeNames {
		if value, ok := all[name]; ok {
			out.Attributes[name] = value
		} else if !known(name) {
			return nil, coded("InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute %s.", name)
		}
	}
	return out, nil
}

func known(name string) bool {
	return ranges[name] != [2]int{} || choices[name] != nil ||
		contains([]string{"Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"}, name)
}

func (s *Service) attributesOf(tx state.Tx, q queue) (map[string]string, error) {
	all := maps.Clone(defaults)
	if q.fifo() {
		maps.Copy(all, fifoDefaults)
	}
	maps.Copy(all, q.Attributes)
	visible, delayed, hidden, err := s.counts(tx, q)
	maps.Copy(all, map[string]string{
		"QueueArn": q.arn(), "CreatedTimestamp": strconv.FormatInt(q.Created.Unix(), 10),
		"LastModifiedTimestamp":                 strconv.FormatInt(q.Modified.Unix(), 10),
		"ApproximateNumberOfMessages":           strconv.Itoa(visible),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(delayed),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(hidden),
	})
	return all, err
}

// counts walks over the order of visibility, which is far smaller than the messages.
func (s *Service) counts(tx state.Tx, q queue) (visible, delayed, hidden int, err error) {
	now := s.now()
	edge := state.Key(q.ID, state.Ordinal(uint64(now)), "g") // after all of this moment: ordinals are hexadecimal
	for raw := range dues.Scan(tx, state.Prefix(q.ID), "") {
		d, err := raw.Value()
		switch {
		case err != nil:
			return 0, 0, 0, err
		case d.Sent+q.millis("MessageRetentionPeriod") <= now:
		case raw.Key() < edge:
			visible++
		case d.Delayed:
			delayed++
		default:
			hidden++
		}
	}
	return visible, delayed, hidden, nil
}

type setAttributesInput struct {
	QueueURL   string            `json:"QueueUrl" required:"true"`
	Attributes map[string]string `required:"true" xml:"Attribute" list:"flat" key:"Name" value:"Value"`
}

func (s *Service) setQueueAttributes(_ context.Context, call *wire.Call, in *setAttributesInput) (*wire.Empty, error) {
	if in.Attributes["KmsMasterKeyId"] != "" && s.cfg.Keys == nil {
		return nil, wire.NotImplemented("KmsMasterKeyId without KMS")
	}
	if _, ok := in.Attributes["FifoQueue"]; ok {
		return nil, coded("InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute FifoQueue.")
	}
	return &wire.Empty{}, s.change(call, in.QueueURL, func(tx state.Tx, q *queue) error {
		return s.setAttributes(tx, q, in.Attributes)
	})
}

func (s *Service) change(call *wire.Call, address string, f func(state.Tx, *queue) error) error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		q, err := lookup(tx, call, address)
		if err != nil {
			return err
		}
		if q.Attributes == nil {
			q.Attributes = map[string]string{}
		}
		if err := f(tx, &q); err != nil {
			return err
		}
		q.Modified = s.cfg.Clock()
		return queues.Put(tx, q.key(), q)
	})
}

type sourcesInput struct {
	QueueURL   string `json:"QueueUrl" required:"true"`
	MaxResults *int   `min:"1" max:"1000"`
	NextToken  string
}

type sourcesOutput struct {
	QueueURLs []string `json:"queueUrls" xml:"QueueUrl" list:"flat"`
}

func (s *Service) listSources(_ context.Context, call *wire.Call, in *sourcesInput) (*sourcesOutput, error) {
	out := &sourcesOutput{QueueURLs: []string{}}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		dead, err := lookup(tx, call, in.QueueURL)
		if err != nil {
			return err
		}
		all, err := queues.List(tx, state.Prefix(dead.Account, dead.Region), "", 0)
		for _, e := range all {
			if target, _, ok := e.Value.redrive(); ok && target == dead.arn() {
				out.QueueURLs = append(out.QueueURLs, s.urlOf(call, e.Value))
			}
		}
		return err
	})
}

type tagInput struct {
	QueueURL string            `json:"QueueUrl" required:"true"`
	Tags     map[string]string `required:"true" xml:"Tag" list:"flat" key:"Key" value:"Value"`
}

func (s *Service) tagQueue(_ context.Context, call *wire.Call, in *tagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(call, in.QueueURL, func(_ state.Tx, q *queue) error {
		if q.Tags == nil {
			q.Tags = map[string]string{}
		}
		maps.Copy(q.Tags, in.Tags)
		return nil
	})
}

type untagInput struct {
	QueueURL string   `json:"QueueUrl" required:"true"`
	TagKeys  []string `required:"true" xml:"TagKey" list:"flat"`
}

func (s *Service) untagQueue(_ context.Context, call *wire.Call, in *untagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(call, in.QueueURL, func(_ state.Tx, q *queue) error {
		for _, name := range in.TagKeys {
			delete(q.Tags, name)
		}
		return nil
	})
}

type tagsOutput struct {
	Tags map[string]string `json:",omitempty" xml:"Tag" list:"flat" key:"Key" value:"Value"`
}

func (s *Service) listTags(_ context.Context, call *wire.Call, in *urlInput) (*tagsOutput, error) {
	q, err := s.find(call, in.QueueURL)
	return &tagsOutput{q.Tags}, err
}
