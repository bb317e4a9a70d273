package sqs_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// query calls an operation as clients of before 2023 did.
func (w *world) query(t *testing.T, form string) (status int, body string) {
	t.Helper()
	values, err := url.ParseQuery(form)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL()+"/", strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestQueryProtocol(t *testing.T) {
	w, closeAll := open(t, t.TempDir())
	defer closeAll()
	_, made := w.query(t, "Action=CreateQueue&QueueName=q&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=7&Tag.1.Key=a&Tag.1.Value=b&Version=2012-11-05")
	_, after, _ := strings.Cut(made, "<QueueUrl>")
	queue, _, ok := strings.Cut(after, "</QueueUrl>")
	if !ok || !strings.HasPrefix(made, `<CreateQueueResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/">`) {
		t.Fatalf("made %s", made)
	}
	at := "&QueueUrl=" + url.QueryEscape(queue)
	for _, tc := range []struct {
		form string
		want []string
	}{
		{"Action=ListQueues", []string{"<QueueUrl>" + queue + "</QueueUrl>"}},
		{"Action=GetQueueAttributes&AttributeName.1=VisibilityTimeout" + at, []string{"<Attribute><Name>VisibilityTimeout</Name><Value>7</Value></Attribute>"}},
		{"Action=ListQueueTags" + at, []string{"<Tag><Key>a</Key><Value>b</Value></Tag>"}},
		{"Action=SendMessage&MessageBody=one&MessageAttribute.1.Name=n&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v" + at,
			[]string{"<MD5OfMessageBody>f97c5d29941bfb1b2fdab0874906ab82</MD5OfMessageBody>", "<MD5OfMessageAttributes>"}},
		{"Action=SendMessageBatch&SendMessageBatchRequestEntry.1.Id=x&SendMessageBatchRequestEntry.1.MessageBody=two" + at, []string{"<SendMessageBatchResultEntry><Id>x</Id>"}},
		{"Action=ReceiveMessage&MaxNumberOfMessages=10&MessageAttributeName.1=All&AttributeName.1=All" + at,
			[]string{"<Message><MessageId>", "<Body>one</Body>", "<MessageAttribute><Name>n</Name><Value><DataType>String</DataType><StringValue>v</StringValue></Value></MessageAttribute>", "<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>"}},
		{"Action=DeleteMessageBatch&DeleteMessageBatchRequestEntry.1.Id=x&DeleteMessageBatchRequestEntry.1.ReceiptHandle=bad" + at, []string{"<BatchResultErrorEntry><Id>x</Id><SenderFault>true</SenderFault>"}},
	} {
		if status, got := w.query(t, tc.form); status != http.StatusOK {
			t.Errorf("%s: %d %s", tc.form, status, got)
		} else {
			for _, want := range tc.want {
				if !strings.Contains(got, want) {
					t.Errorf("%s: got %s, want %s", tc.form, got, want)
				}
			}
		}
	}
	status, got := w.query(t, "Action=PurgeQueue&QueueUrl="+url.QueryEscape(queue+"x"))
	if status != http.StatusBadRequest || !strings.Contains(got, "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>") {
		t.Errorf("a queue that is not there: %d %s", status, got)
	}
}
