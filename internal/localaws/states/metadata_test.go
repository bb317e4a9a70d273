package states_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"engage/internal/localaws/states"
)

// TestMetadata compares what integrations tell of an answer with the members that AWS records for each service.
func TestMetadata(t *testing.T) {
	for _, c := range []struct{ resource, parameters, answer, headers, id string }{
		{"dynamodb:getItem", `{"TableName":"t"}`, `{"Item":{"id":{"S":"1"}}}`, "Connection Content-Length Content-Type Date Server x-amz-crc32 x-amzn-RequestId", `^[0-9A-V]{52}$`},
		{"sqs:sendMessage", `{"MessageBody":"m"}`, `{"MessageId":"1"}`, "Content-Length Content-Type Date connection x-amzn-RequestId", `^[-0-9a-f]{36}$`},
		{"sns:publish", `{"Message":"m"}`, `{"MessageId":"c0be673b-44fb-4545-ae02-d0456197a7aa"}`, "Content-Length Content-Type Date connection x-amzn-RequestId", `^[-0-9a-f]{36}$`},
		{"ecs:runTask", `{}`, `{"tasks":[]}`, "Content-Length Content-Type Date x-amzn-RequestId", `^[-0-9a-f]{36}$`},
		{"events:putEvents", `{"Entries":[]}`, `{"Entries":[],"FailedEntryCount":0}`, "", ``},
	} {
		t.Run(c.resource, func(t *testing.T) {
			service, _, _ := strings.Cut(c.resource, ":")
			operation := map[string]string{"dynamodb": "GetItem", "sqs": "SendMessage", "sns": "Publish", "ecs": "RunTask", "events": "PutEvents"}[service]
			f := &fake{answers: map[string][]string{service + " " + operation: {c.answer}}}
			e := boot(t, t.TempDir(), func(cfg *states.Config) { cfg.Integrations = states.Integrations(f, service) })
			d := e.end(e.start(e.create("m", single(`{"Type":"Task","Resource":"arn:aws:states:::`+c.resource+`","Parameters":`+c.parameters+`,"End":true}`)), "x", "{}"))
			var out struct {
				SdkHttpMetadata struct {
					AllHttpHeaders map[string][]string
					HttpHeaders    map[string]string
					HttpStatusCode int
				}
				SdkResponseMetadata struct{ RequestId string }
			}
			if err := json.Unmarshal([]byte(*d.Output), &out); err != nil {
				t.Fatal(err)
			}
			got := out.SdkHttpMetadata
			if names := strings.Join(slices.Sorted(maps.Keys(got.HttpHeaders)), " "); names != c.headers || len(got.AllHttpHeaders) != len(got.HttpHeaders) {
				t.Errorf("headers %s in %s", names, *d.Output)
			}
			if c.headers == "" {
				return
			}
			if !regexp.MustCompile(c.id).MatchString(out.SdkResponseMetadata.RequestId) || got.HttpHeaders["x-amzn-RequestId"] != out.SdkResponseMetadata.RequestId || got.HttpStatusCode != 200 {
				t.Errorf("%s", *d.Output)
			}
			if n, err := strconv.Atoi(got.HttpHeaders["Content-Length"]); err != nil || n < len(c.answer) || service == "sns" && n != 294 {
				t.Errorf("length %d of %s", n, c.answer)
			}
		})
	}
}
