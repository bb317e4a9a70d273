package s3

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

// waiting is an event to be told, kept with the change that it is about: it is
// told after a crash too, and perhaps twice, as S3 does.
type waiting struct {
	Bucket, Key string
	Event       string // "ObjectCreated:Put"
	Object      Object
	Time        time.Time
	RequestID   string
	SourceIP    string
	Principal   string
	RunID       string
}

var outbox = state.NewCollection[waiting]("s3/outbox") // sequence

// emit notes an event in the transaction of its change, if anybody wants it.
func (r *request) emit(c *change, event string, o Object) error {
	n, ok := c.bucket.notifications()
	if !ok {
		return nil
	}
	wanted := n.EventBridge != nil
	for _, d := range n.destinations() {
		wanted = wanted || d.wants(event, c.key)
	}
	if !wanted {
		return nil
	}
	seq, err := outbox.NextSequence(c.tx)
	if err != nil {
		return err
	}
	e := waiting{Bucket: c.bucket.Name, Key: c.key, Event: event, Object: o, Time: r.cfg.Clock().UTC(),
		RequestID: r.call.RequestID, Principal: r.call.Caller.UserID, RunID: r.call.Caller.RunID, SourceIP: "s3.amazonaws.com"}
	if r.call.HTTP != nil {
		if e.SourceIP, _, err = net.SplitHostPort(r.call.HTTP.RemoteAddr); err != nil {
			e.SourceIP = r.call.HTTP.RemoteAddr
		}
	}
	c.emitted = true
	return outbox.Put(c.tx, state.Ordinal(seq), e)
}

// deliverEvents tells all events that wait, in their order. What a destination
// refuses is lost, as on AWS; the request log has the refusal.
func (s *Service) deliverEvents(ctx context.Context) error {
	for {
		var batch []state.Entry[waiting]
		err := s.store.View(func(tx state.Tx) (err error) {
			batch, err = outbox.List(tx, "", "", 100)
			return err
		})
		if err != nil || len(batch) == 0 {
			return err
		}
		var failed error
		for _, e := range batch {
			failed = errors.Join(failed, s.tell(ctx, e.Value))
		}
		err = s.store.Update(func(tx state.Tx) error {
			for _, e := range batch {
				if err := outbox.Delete(tx, e.Key); err != nil {
					return err
				}
			}
			return nil
		})
		if err = errors.Join(failed, err); err != nil {
			return fmt.Errorf("tell events of objects: %w", err)
		}
	}
}

func (s *Service) tell(ctx context.Context, e waiting) error {
	bk, err := s.find(e.Bucket)
	if err != nil {
		return nil // the bucket went meanwhile, and its events with it
	}
	n, _ := bk.notifications()
	for _, d := range n.destinations() {
		if !d.wants(e.Event, e.Key) {
			continue
		}
		body, err := json.Marshal(map[string]any{"Records": []any{e.record(bk, d.ID)}})
		if err != nil {
			return err
		}
		m := target.Message{ARN: d.arn(), Caller: bk.service(e.RunID), Body: string(body)}
		if d.Topic != "" {
			m.Subject = "Amazon S3 Notification"
		}
		_ = target.Invoked{Invoker: s.cfg.Invoker}.Deliver(ctx, m) // refused: see deliverEvents
	}
	if n.EventBridge != nil {
		return s.tellBus(ctx, bk, e)
	}
	return nil
}

// service is S3 itself, acting for the bucket.
func (bk Bucket) service(runID string) wire.Caller {
	return wire.Caller{Account: bk.Account, Region: bk.Region, ARN: "arn:aws:s3:::" + bk.Name, Service: "s3.amazonaws.com", RunID: runID}
}

// record is the event as queues, topics and functions get it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
func (e waiting) record(bk Bucket, configuration string) map[string]any {
	object := map[string]any{"key": url.QueryEscape(e.Key)}
	version := "2.1"
	if strings.HasPrefix(e.Event, "ObjectTagging") || strings.HasPrefix(e.Event, "Lifecycle") {
		version = "2.3"
		object["eTag"] = e.Object.ETag
	} else {
		object["sequencer"] = fmt.Sprintf("%018X", e.Object.Seq)
	}
	if strings.HasPrefix(e.Event, "ObjectCreated") {
		object["eTag"], object["size"] = e.Object.ETag, e.Object.Size
	}
	if e.Object.Version != "" && e.Object.Version != nullVersion {
		object["versionId"] = e.Object.Version
	}
	return map[string]any{
		"eventVersion": version, "eventSource": "aws:s3", "awsRegion": bk.Region, "eventTime": isoTime(e.Time), "eventName": e.Event,
		"userIdentity":      map[string]any{"principalId": "AWS:" + e.Principal},
		"requestParameters": map[string]any{"sourceIPAddress": e.SourceIP},
		"responseElements":  map[string]any{"x-amz-request-id": e.RequestID, "x-amz-id-2": e.RequestID},
		"s3": map[string]any{"s3SchemaVersion": "1.0", "configurationId": configuration,
			"bucket": map[string]any{"name": bk.Name, "ownerIdentity": map[string]any{"principalId": ownerOf(bk.Account).ID}, "arn": "arn:aws:s3:::" + bk.Name},
			"object": object},
	}
}

// busEvents are the detail types and reasons of events on a bus, by their names elsewhere.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
var busEvents = map[string]struct{ kind, reason, deletion string }{
	"ObjectCreated:Put":                       {"Object Created", "PutObject", ""},
	"ObjectCreated:Post":                      {"Object Created", "POST Object", ""},
	"ObjectCreated:Copy":                      {"Object Created", "CopyObject", ""},
	"ObjectCreated:CompleteMultipartUpload":   {"Object Created", "CompleteMultipartUpload", ""},
	"ObjectRemoved:Delete":                    {"Object Deleted", "DeleteObject", "Permanently Deleted"},
	"ObjectRemoved:DeleteMarkerCreated":       {"Object Deleted", "DeleteObject", "Delete Marker Created"},
	"LifecycleExpiration:Delete":              {"Object Deleted", "Lifecycle Expiration", "Permanently Deleted"},
	"LifecycleExpiration:DeleteMarkerCreated": {"Object Deleted", "Lifecycle Expiration", "Delete Marker Created"},
	"LifecycleTransition":                     {"Object Storage Class Changed", "", ""},
	"ObjectTagging:Put":                       {"Object Tags Added", "", ""},
	"ObjectTagging:Delete":                    {"Object Tags Deleted", "", ""},
}

// tellBus puts the event on the account's default event bus.
func (s *Service) tellBus(ctx context.Context, bk Bucket, e waiting) error {
	object := map[string]any{"key": e.Key, "etag": e.Object.ETag, "size": e.Object.Size, "sequencer": fmt.Sprintf("%018X", e.Object.Seq)}
	if e.Object.Version != "" && e.Object.Version != nullVersion {
		object["version-id"] = e.Object.Version
	}
	if e.Object.marker() {
		delete(object, "size")
	}
	as := busEvents[e.Event]
	detail := map[string]any{"version": "0", "bucket": map[string]any{"name": bk.Name}, "object": object, "request-id": e.RequestID,
		"requester": bk.Account, "source-ip-address": e.SourceIP}
	for name, value := range map[string]string{"reason": as.reason, "deletion-type": as.deletion} {
		if value != "" {
			detail[name] = value
		}
	}
	if e.Event == "LifecycleTransition" {
		detail["destination-storage-class"] = e.Object.class()
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	entry := map[string]any{"Source": "aws.s3", "DetailType": as.kind, "Detail": string(text), "Resources": []string{"arn:aws:s3:::" + bk.Name}}
	_, err = s.cfg.Invoker.Invoke(ctx, bk.service(e.RunID), "events", "PutEvents", map[string]any{"Entries": []any{entry}})
	return err
}

// greet checks that the destinations of a new configuration take events, as S3
// does: queues and topics get a test event, functions a dry run.
func (r *request) greet(bk Bucket, n notifications) error {
	if r.r.Header.Get("X-Amz-Skip-Destination-Validation") == "true" {
		return nil
	}
	body, err := json.Marshal(map[string]any{"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": isoTime(r.cfg.Clock()),
		"Bucket": bk.Name, "RequestId": r.call.RequestID, "HostId": r.call.RequestID})
	if err != nil {
		return err
	}
	for _, d := range n.destinations() {
		caller := bk.service("")
		if d.Function != "" {
			caller.Region = strings.SplitN(d.Function, ":", 5)[3]
			_, err = r.cfg.Invoker.Invoke(r.ctx, caller, "lambda", "Invoke", map[string]any{"FunctionName": d.Function, "InvocationType": "DryRun"})
		} else {
			err = target.Invoked{Invoker: r.cfg.Invoker}.Deliver(r.ctx, target.Message{ARN: d.arn(), Caller: caller, Body: string(body), Subject: subject(d)})
		}
		if err != nil {
			return invalidDestination(d, err)
		}
	}
	return nil
}

func subject(d destination) string {
	if d.Topic != "" {
		return "Amazon S3 Notification"
	}
	return ""
}

func invalidDestination(d destination, err error) error {
	kind := "queue"
	if d.Topic != "" {
		kind = "topic"
	} else if d.Function != "" {
		return invalidArgument(d.arn()+", null", "Not authorized to invoke function ["+d.arn()+"]", "Unable to validate the following destination configurations").(*wire.Error).Because(err)
	}
	why := "The destination " + kind + " does not exist"
	if wire.IsAccessDenied(err) {
		why = "Permissions on the destination " + kind + " do not allow S3 to publish notifications from this bucket"
	}
	return invalidArgument(d.arn(), why, "Unable to validate the following destination configurations").(*wire.Error).Because(err)
}
