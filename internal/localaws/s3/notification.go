package s3

import (
	"encoding/xml"
	"slices"
	"strings"

	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

// notifications are the events of a bucket that are told, and to whom.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
type notifications struct {
	XMLName     xml.Name      `xml:"http://s3.amazonaws.com/doc/2006-03-01/ NotificationConfiguration"`
	Topics      []destination `xml:"TopicConfiguration"`
	Queues      []destination `xml:"QueueConfiguration"`
	Functions   []destination `xml:"CloudFunctionConfiguration"`
	EventBridge *struct{}     `xml:"EventBridgeConfiguration,omitempty"`
}

type destination struct {
	ID       string     `xml:"Id"`
	Topic    string     `xml:",omitempty"`
	Queue    string     `xml:",omitempty"`
	Function string     `xml:"CloudFunction,omitempty"`
	Events   []string   `xml:"Event"`
	Filter   *keyFilter `xml:",omitempty"`
}

type keyFilter struct {
	Rules []struct{ Name, Value string } `xml:"S3Key>FilterRule"`
}

func (d destination) arn() string { return d.Topic + d.Queue + d.Function }

func (n notifications) destinations() []destination {
	return slices.Concat(n.Topics, n.Queues, n.Functions)
}

// notified are the types of events that can be asked for. Those of features
// that are refused here never happen.
var notified = strings.Fields(`s3:ObjectCreated:* s3:ObjectCreated:Put s3:ObjectCreated:Post s3:ObjectCreated:Copy
	s3:ObjectCreated:CompleteMultipartUpload s3:ObjectRemoved:* s3:ObjectRemoved:Delete s3:ObjectRemoved:DeleteMarkerCreated
	s3:ObjectRestore:* s3:ObjectRestore:Post s3:ObjectRestore:Completed s3:ObjectRestore:Delete s3:ReducedRedundancyLostObject
	s3:Replication:* s3:Replication:OperationFailedReplication s3:Replication:OperationMissedThreshold
	s3:Replication:OperationReplicatedAfterThreshold s3:Replication:OperationNotTracked s3:LifecycleExpiration:*
	s3:LifecycleExpiration:Delete s3:LifecycleExpiration:DeleteMarkerCreated s3:LifecycleTransition s3:IntelligentTiering
	s3:ObjectTagging:* s3:ObjectTagging:Put s3:ObjectTagging:Delete s3:ObjectAcl:Put`)

// parseNotifications reads a configuration and refuses what S3 refuses.
// Destinations without an id get one, as there.
func parseNotifications(doc []byte) (n notifications, err error) {
	if xml.Unmarshal(doc, &n) != nil {
		return n, malformedXML()
	}
	seen := map[string]bool{}
	for _, list := range [][]destination{n.Topics, n.Queues, n.Functions} {
		for i := range list {
			d := &list[i]
			if d.ID == "" {
				d.ID = newID()
			}
			if seen[d.ID] {
				return n, wire.Errorf("InvalidArgument", "Configurations overlap. Configurations on the same bucket cannot share a common event type.")
			}
			seen[d.ID] = true
			if err := d.check(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (d *destination) check() error {
	service, _ := target.Split(d.arn())
	want := "sqs"
	if d.Topic != "" {
		want = "sns"
	} else if d.Function != "" {
		want = "lambda"
	}
	if service != want {
		return invalidArgument(d.arn(), "Invalid ARN", "The ARN could not be parsed")
	}
	if len(d.Events) == 0 {
		return malformedXML()
	}
	for _, e := range d.Events {
		if !slices.Contains(notified, e) {
			return malformedXML()
		}
	}
	if d.Filter == nil {
		return nil
	}
	seen := map[string]bool{}
	for i, rule := range d.Filter.Rules {
		name := strings.ToLower(rule.Name)
		if name != "prefix" && name != "suffix" {
			return invalidArgument("FilterRule.Name", rule.Name, "filter rule name must be either prefix or suffix")
		}
		if seen[name] {
			return invalidArgument("FilterRule.Name", rule.Name, "Cannot specify more than one "+name+" rule in a filter.")
		}
		seen[name] = true
		d.Filter.Rules[i].Name = strings.ToUpper(name[:1]) + name[1:]
	}
	return nil
}

// wants reports whether an event ("ObjectCreated:Put") of a key is told.
func (d destination) wants(event, key string) bool {
	kind, _, _ := strings.Cut(event, ":")
	if !slices.Contains(d.Events, "s3:"+event) && !slices.Contains(d.Events, "s3:"+kind+":*") {
		return false
	}
	if d.Filter == nil {
		return true
	}
	for _, rule := range d.Filter.Rules {
		if rule.Name == "Prefix" && !strings.HasPrefix(key, rule.Value) || rule.Name == "Suffix" && !strings.HasSuffix(key, rule.Value) {
			return false
		}
	}
	return true
}

// notifications returns the bucket's, false when it has none.
func (bk Bucket) notifications() (n notifications, ok bool) {
	doc := bk.Settings["notification"]
	return n, doc != "" && xml.Unmarshal([]byte(doc), &n) == nil
}
