package sns

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"engage/internal/localaws/state"
)

// duplicateWindow is how long a FIFO topic remembers a deduplication id.
// https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html
const duplicateWindow = 5 * time.Minute

// told is what a FIFO topic said of a message.
type told struct {
	ID, Sequence string
	At           time.Time
}

var toldOf = state.NewCollection[told]("sns/duplicates") // topic, group where that is the scope, deduplication id

func (t topic) fifo() bool { return t.Attributes["FifoTopic"] == "true" }

// order checks what orders and deduplicates a message, and completes it.
func (e *entry) order(t topic) error {
	if !t.fifo() {
		if e.Dedup != "" {
			return errInvalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
		}
		return nil
	}
	if e.Group == "" {
		return errInvalid("The MessageGroupId parameter is required for FIFO topics")
	}
	if e.Dedup != "" {
		return nil
	}
	if t.Attributes["ContentBasedDeduplication"] != "true" {
		return errInvalid("The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	sum := sha256.Sum256([]byte(e.Message))
	e.Dedup = hex.EncodeToString(sum[:])
	return nil
}

// number gives a message of a FIFO topic its place, or finds that it has been
// published already.
func (s *Service) number(n *notification, e entry) (again bool, err error) {
	group := ""
	if n.topic.Attributes["FifoThroughputScope"] == "MessageGroup" {
		group = e.Group
	}
	key, now := state.Key(n.topic.arn(), group, e.Dedup), s.cfg.Clock()
	return again, s.cfg.Store.Update(func(tx state.Tx) error {
		old, err := toldOf.Get(tx, key)
		if err == nil && now.Sub(old.At) < duplicateWindow {
			n.id, n.sequence, again = old.ID, old.Sequence, true
			return nil
		}
		if err := forget(tx, n.topic.arn(), now); err != nil {
			return err
		}
		next, err := toldOf.NextSequence(tx)
		if err != nil {
			return err
		}
		n.sequence = fmt.Sprintf("1%019d", next*1000) // of 20 digits, with gaps, as AWS's
		return toldOf.Put(tx, key, told{n.id, n.sequence, now})
	})
}

// forget removes what a topic said too long ago.
func forget(tx state.Tx, arn string, now time.Time) error {
	all, err := toldOf.List(tx, state.Prefix(arn), "", 0)
	for _, e := range all {
		if now.Sub(e.Value.At) >= duplicateWindow {
			err = errors.Join(err, toldOf.Delete(tx, e.Key))
		}
	}
	return err
}
