package lambda

import (
	"strings"
	"testing"

	"engage/internal/localaws/eventpattern"
)

func sent(ids ...string) (all []message) {
	for _, id := range ids {
		all = append(all, message{MessageId: id, Body: id})
	}
	return all
}

func idsOf(messages []message) string {
	var ids []string
	for _, m := range messages {
		ids = append(ids, m.MessageId)
	}
	return strings.Join(ids, " ")
}

// The rules are those of batchItemFailures: what is not named has succeeded,
// and an answer that makes no sense fails the whole batch.
func TestSucceeded(t *testing.T) {
	for answer, want := range map[string]string{
		`null`: "a b c", `{}`: "a b c", `{"batchItemFailures":[]}`: "a b c", `{"batchItemFailures":null}`: "a b c",
		`{"batchItemFailures":[{"itemIdentifier":"b"}]}`:                        "a c",
		`{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}`: "b",
		`{"batchItemFailures":[{"itemIdentifier":"x"}]}`:                        "",
		`{"batchItemFailures":[{"itemIdentifier":""}]}`:                         "",
		`{"batchItemFailures":[{"itemIdentifier":null}]}`:                       "",
		`{"batchItemFailures":[{"other":"a"}]}`:                                 "",
		`{"batchItemFailures":"a"}`:                                             "", `"done"`: "", `{`: "",
	} {
		if got := idsOf(succeeded(sent("a", "b", "c"), []byte(answer))); got != want {
			t.Errorf("%s: %q, want %q", answer, got, want)
		}
	}
}

// A batch whose event is longer than a payload may be is worked on in parts,
// in order, each message once.
func TestSplit(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	messages := sent("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
	for i := range messages {
		messages[i].Body = big
	}
	parts := split(messages, "arn:aws:sqs:us-east-1:000000000000:q")
	var all []message
	for _, p := range parts {
		if len(p.payload) > MaxRequest || len(p.messages) == 0 {
			t.Errorf("a part of %d messages has %d bytes", len(p.messages), len(p.payload))
		}
		all = append(all, p.messages...)
	}
	if idsOf(all) != idsOf(messages) || len(parts) != 2 {
		t.Errorf("%d parts of %s", len(parts), idsOf(all))
	}
}

func TestSift(t *testing.T) {
	p, err := eventpattern.Parse(`{"body":{"n":[{"numeric":[">",1]}]}}`, eventpattern.EventBridge)
	if err != nil {
		t.Fatal(err)
	}
	messages := []message{{MessageId: "a", Body: `{"n":1}`}, {MessageId: "b", Body: `{"n":2}`}, {MessageId: "c", Body: "no JSON"}}
	wanted, unwanted := sift(messages, []*eventpattern.Pattern{p})
	if idsOf(wanted) != "b" || idsOf(unwanted) != "a c" {
		t.Errorf("wanted %s, unwanted %s", idsOf(wanted), idsOf(unwanted))
	}
	if wanted, _ := sift(messages, nil); len(wanted) != 3 {
		t.Errorf("no filter wants %s", idsOf(wanted))
	}
}
