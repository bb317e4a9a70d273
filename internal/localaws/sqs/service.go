package sqs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Keys encrypts the messages of queues that have a KMS key, with the
// permissions of those who send and receive.
type Keys interface {
	Seal(ctx context.Context, caller wire.Caller, keyID string, plaintext []byte, encryptionContext map[string]string) ([]byte, string, error)
	Open(ctx context.Context, caller wire.Caller, envelope []byte, encryptionContext map[string]string) ([]byte, error)
}

// Config says what the service works with.
type Config struct {
	// Store keeps queues and messages. There is no default.
	Store *state.Store
	// Keys encrypts. Without it a queue with KmsMasterKeyId is refused.
	Keys Keys
	// Endpoint returns the address in queue URLs for calls from inside the
	// process, where no request tells it. The default is http://127.0.0.1:4566.
	Endpoint func() string
	// Clock is for delays and timeouts. The default is time.Now.
	Clock func() time.Time
	// After makes a channel that fires after a time, and a function that lets
	// go of it. The default is a time.Timer.
	After func(time.Duration) (<-chan time.Time, func())
	// Random makes ids. The default is crypto/rand.Reader.
	Random io.Reader
	// Meter counts requests. The default counts nothing.
	Meter wire.Meter
}

// Service is SQS.
type Service struct {
	cfg  Config
	news news
}

// New opens the service.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.After == nil {
		cfg.After = func(d time.Duration) (<-chan time.Time, func()) {
			t := time.NewTimer(d)
			return t.C, func() { t.Stop() }
		}
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	if cfg.Endpoint == nil {
		cfg.Endpoint = func() string { return "http://127.0.0.1:4566" }
	}
	return &Service{cfg: cfg}
}

// API returns the operations.
func (s *Service) API() *wire.Service {
	return &wire.Service{Name: "sqs", Targets: []string{"AmazonSQS"}, Protocol: wire.JSON10,
		ValidationCode: "InvalidParameterValue", DeniedCode: "AccessDenied", Operations: s.operations()}
}

// QueryAPI returns the operations in the protocol that clients spoke until 2023.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html
func (s *Service) QueryAPI() *wire.Service {
	operations := s.operations()
	for i, op := range operations {
		switch op.Name {
		case "DeleteMessageBatch":
			operations[i] = wire.Form(op.Name, func(ctx context.Context, call *wire.Call, in *deleteBatchInput) (*batchDeleted, error) {
				out, err := s.deleteBatch(ctx, call, in)
				return (*batchDeleted)(out), err
			}, touch(s, "DeleteMessage", func(in *deleteBatchInput) string { return in.QueueURL }))
		case "ChangeMessageVisibilityBatch":
			operations[i] = wire.Form(op.Name, func(ctx context.Context, call *wire.Call, in *visibilityBatchInput) (*batchChanged, error) {
				out, err := s.changeBatch(ctx, call, in)
				return (*batchChanged)(out), err
			}, touch(s, "ChangeMessageVisibility", func(in *visibilityBatchInput) string { return in.QueueURL }))
		}
	}
	return &wire.Service{Name: "sqs", Protocol: wire.Query, Namespace: "http://queue.amazonaws.com/doc/2012-11-05/",
		ValidationCode: "InvalidParameterValue", DeniedCode: "AccessDenied", Operations: operations}
}

func (s *Service) operations() []wire.Operation {
	return []wire.Operation{
		wire.JSON("CreateQueue", s.createQueue, func(call *wire.Call, in *createInput) []wire.Access {
			return []wire.Access{{Action: "sqs:CreateQueue", Resource: call.ARN("sqs", in.QueueName)}}
		}),
		wire.JSON("GetQueueUrl", s.getURL, func(call *wire.Call, in *getURLInput) []wire.Access {
			return s.access(call, "GetQueueUrl", in.account(call)+"/"+in.QueueName)
		}),
		wire.JSON("ListQueues", s.listQueues, nil),
		wire.JSON("DeleteQueue", s.deleteQueue, touch(s, "DeleteQueue", urlOf)),
		wire.JSON("PurgeQueue", s.purgeQueue, touch(s, "PurgeQueue", urlOf)),
		wire.JSON("GetQueueAttributes", s.getAttributes, touch(s, "GetQueueAttributes", func(in *getAttributesInput) string { return in.QueueURL })),
		wire.JSON("SetQueueAttributes", s.setQueueAttributes, touch(s, "SetQueueAttributes", func(in *setAttributesInput) string { return in.QueueURL })),
		wire.JSON("ListDeadLetterSourceQueues", s.listSources, touch(s, "ListDeadLetterSourceQueues", func(in *sourcesInput) string { return in.QueueURL })),
		wire.JSON("AddPermission", s.addPermission, touch(s, "AddPermission", func(in *addPermissionInput) string { return in.QueueURL })),
		wire.JSON("RemovePermission", s.removePermission, touch(s, "RemovePermission", func(in *removePermissionInput) string { return in.QueueURL })),
		wire.JSON("StartMessageMoveTask", s.startMove, touchMove(s, "StartMessageMoveTask", func(in *startMoveInput) string { return in.SourceArn })),
		wire.JSON("ListMessageMoveTasks", s.listMoves, touchMove(s, "ListMessageMoveTasks", func(in *listMovesInput) string { return in.SourceArn })),
		wire.JSON("CancelMessageMoveTask", s.cancelMove, nil),
		wire.JSON("TagQueue", s.tagQueue, touch(s, "TagQueue", func(in *tagInput) string { return in.QueueURL })),
		wire.JSON("UntagQueue", s.untagQueue, touch(s, "UntagQueue", func(in *untagInput) string { return in.QueueURL })),
		wire.JSON("ListQueueTags", s.listTags, touch(s, "ListQueueTags", urlOf)),
		wire.JSON("SendMessage", s.send, touch(s, "SendMessage", func(in *sendInput) string { return in.QueueURL })),
		wire.JSON("SendMessageBatch", s.sendBatch, touch(s, "SendMessage", func(in *sendBatchInput) string { return in.QueueURL })),
		wire.JSON("ReceiveMessage", s.receive, touch(s, "ReceiveMessage", func(in *receiveInput) string { return in.QueueURL })),
		wire.JSON("DeleteMessage", s.deleteMessage, touch(s, "DeleteMessage", func(in *deleteInput) string { return in.QueueURL })),
		wire.JSON("DeleteMessageBatch", s.deleteBatch, touch(s, "DeleteMessage", func(in *deleteBatchInput) string { return in.QueueURL })),
		wire.JSON("ChangeMessageVisibility", s.changeVisibility, touch(s, "ChangeMessageVisibility", func(in *visibilityInput) string { return in.QueueURL })),
		wire.JSON("ChangeMessageVisibilityBatch", s.changeBatch, touch(s, "ChangeMessageVisibility", func(in *visibilityBatchInput) string { return in.QueueURL })),
	}
}

func touch[I any](s *Service, action string, address func(*I) string) wire.Touches[I] {
	return func(call *wire.Call, in *I) []wire.Access { return s.access(call, action, address(in)) }
}

// access is an action on the queue that a URL names, with the queue's policy.
func (s *Service) access(call *wire.Call, action, address string) []wire.Access {
	account, name := splitURL(address)
	a := wire.Access{Action: "sqs:" + action, Owner: account, Resource: "arn:aws:sqs:" + call.Caller.Region + ":" + account + ":" + name}
	_ = s.cfg.Store.View(func(tx state.Tx) error { // a queue that is not there is the operation's to refuse
		q, err := queues.Get(tx, state.Key(account, call.Caller.Region, name))
		a.Policy = q.Attributes["Policy"]
		return err
	})
	return []wire.Access{a}
}

// splitURL returns account and name: the last two steps of a queue URL's path.
func splitURL(address string) (account, name string) {
	if u, err := url.Parse(address); err == nil {
		address = u.Path
	}
	parts := strings.Split(strings.Trim(address, "/"), "/")
	if len(parts) < 2 {
		return "", parts[0]
	}
	return parts[len(parts)-2], parts[len(parts)-1]
}

func (s *Service) urlOf(call *wire.Call, q queue) string {
	base := s.cfg.Endpoint()
	if host := call.Host(); host != "" {
		base = "http://" + host
	}
	return base + "/" + q.Account + "/" + q.Name
}

func lookup(tx state.Tx, call *wire.Call, address string) (queue, error) {
	account, name := splitURL(address)
	q, err := queues.Get(tx, state.Key(account, call.Caller.Region, name))
	if errors.Is(err, state.ErrNotFound) {
		return q, errNoQueue()
	}
	return q, err
}

func (s *Service) find(call *wire.Call, address string) (q queue, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		q, err = lookup(tx, call, address)
		return err
	})
	return q, err
}

func (s *Service) now() int64 { return s.cfg.Clock().UnixMilli() }

func (s *Service) newID() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(s.cfg.Random, raw[:]); err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]), nil
}

// billedChunk is how much payload one billed request carries.
const billedChunk = 64 << 10

// count books a request and what its payload adds to it.
func (s *Service) count(ctx context.Context, call *wire.Call, q queue, bytes int) {
	usage := "Requests-Tier1"
	if q.fifo() {
		usage = "Requests-FIFO-Tier1"
	}
	n := max(1, (bytes+billedChunk-1)/billedChunk)
	s.cfg.Meter.Add(ctx, wire.Quantity{Service: "sqs", Usage: usage, Resource: q.Name, RunID: call.Caller.RunID, Amount: float64(n)})
}
