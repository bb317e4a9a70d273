package sqs

import (
	"strconv"
	"time"

	"engage/internal/localaws/state"
)

type queue struct {
	ID                    string // of this queue alone: one made later with the same name has another
	Name, Account, Region string
	Created, Modified     time.Time
	Attributes            map[string]string // those that were set
	Tags                  map[string]string `json:",omitempty"`
}

// message is what changes with each receipt; the payload is kept apart.
type message struct {
	ID       string
	Seq      uint64
	Sender   string
	Sent     int64 // ms since 1970, as are the others
	Visible  int64
	First    int64             `json:",omitempty"`
	Receives int               `json:",omitempty"`
	Receipt  string            `json:",omitempty"` // of the last receipt
	Group    string            `json:",omitempty"`
	Dedup    string            `json:",omitempty"`
	Source   string            `json:",omitempty"` // the queue that it was moved from, as dead
	Trace    string            `json:",omitempty"`
	Delayed  bool              `json:",omitempty"` // not yet receivable for the first time
	Sealed   map[string]string `json:",omitempty"` // encryption context of a payload that is encrypted
}

// payload is the content of a message.
type payload struct {
	Body       string
	Attributes map[string]attribute `json:",omitempty"`
}

// due is an entry of the order in which messages become visible.
type due struct {
	Sent    int64
	Delayed bool `json:",omitempty"`
}

type duplicate struct {
	ID  string
	Seq uint64
	At  int64
}

var (
	queues     = state.NewCollection[queue]("sqs/queues")         // account, region, name
	messages   = state.NewCollection[message]("sqs/messages")     // queue id, sequence
	payloads   = state.NewCollection[[]byte]("sqs/payloads")      // queue id, sequence
	dues       = state.NewCollection[due]("sqs/due")              // queue id, time visible, sequence
	duplicates = state.NewCollection[duplicate]("sqs/duplicates") // queue id, scope, deduplication id
)

func (q queue) arn() string { return "arn:aws:sqs:" + q.Region + ":" + q.Account + ":" + q.Name }

func (q queue) key() string { return state.Key(q.Account, q.Region, q.Name) }

func (q queue) fifo() bool { return q.Attributes["FifoQueue"] == "true" }

// get returns an attribute, or its default.
func (q queue) get(name string) string {
	if v, ok := q.Attributes[name]; ok {
		return v
	}
	return defaults[name]
}

func (q queue) number(name string) int {
	n, _ := strconv.Atoi(q.get(name)) // checked when it was set
	return n
}

func (q queue) millis(name string) int64 { return int64(q.number(name)) * 1000 }

func (q queue) at(seq uint64) string { return state.Key(q.ID, state.Ordinal(seq)) }

func (q queue) dueKey(m message) string {
	return state.Key(q.ID, state.Ordinal(uint64(m.Visible)), state.Ordinal(m.Seq))
}

// put keeps a message, and when it becomes visible.
func (q queue) put(tx state.Tx, m message) error {
	if err := messages.Put(tx, q.at(m.Seq), m); err != nil {
		return err
	}
	return dues.Put(tx, q.dueKey(m), due{m.Sent, m.Delayed})
}

// remove forgets a message.
func (q queue) remove(tx state.Tx, m message) error {
	if err := dues.Delete(tx, q.dueKey(m)); err != nil {
		return err
	}
	if err := messages.Delete(tx, q.at(m.Seq)); err != nil {
		return err
	}
	return payloads.Delete(tx, q.at(m.Seq))
}

// show changes when a message becomes visible.
func (q queue) show(tx state.Tx, m message, visible int64) error {
	if err := dues.Delete(tx, q.dueKey(m)); err != nil {
		return err
	}
	m.Visible = visible
	return q.put(tx, m)
}

// clear forgets all messages.
func (q queue) clear(tx state.Tx) error {
	prefix := state.Prefix(q.ID)
	for _, remove := range []func(state.Tx, string) error{
		messages.DeletePrefix, payloads.DeletePrefix, dues.DeletePrefix, duplicates.DeletePrefix, moves.DeletePrefix,
	} {
		if err := remove(tx, prefix); err != nil {
			return err
		}
	}
	return nil
}
