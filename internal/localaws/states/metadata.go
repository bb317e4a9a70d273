package states

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/asl/intrinsic"
	"engage/internal/localaws/asl/value"
)

// sdk tells of a call what AWS's own SDK for Java would: integrations add it to a service's answer, and to its
// errors. The members are those that AWS records.
type sdk struct {
	now    func() time.Time
	random func() uint64
}

// header is one header of an HTTP answer.
type header struct{ name, value string }

// spoken says how a service answers: the type of its answers, and the headers that it has besides.
var spoken = map[string]struct {
	contentType string
	before      []header
}{
	"athena":   {"application/x-amz-json-1.1", []header{{"connection", "keep-alive"}}},
	"dynamodb": {"application/x-amz-json-1.0", []header{{"Server", "Server"}, {"Connection", "keep-alive"}}},
	"ecs":      {"application/x-amz-json-1.1", nil},
	"lambda":   {"application/json", []header{{"x-amzn-Remapped-Content-Length", "0"}, {"Connection", "keep-alive"}}},
	"sns":      {"text/xml", []header{{"connection", "keep-alive"}}},
	"sqs":      {"application/x-amz-json-1.0", []header{{"connection", "keep-alive"}}},
	"states":   {"application/x-amz-json-1.0", []header{{"connection", "keep-alive"}}},
}

// answered adds the two members that describe the HTTP answer to what a service said, whose encoding is body.
// EventBridge's answers have none.
func (s sdk) answered(service string, out any, body []byte) any {
	return s.answeredAs(s.requestID(service), service, out, 200, body)
}

func (s sdk) answeredAs(id, service string, out any, status int, body []byte, more ...header) any {
	o, ok := out.(*value.Object)
	how, known := spoken[service]
	if !ok || !known {
		return out
	}
	headers := slices.Concat(more, how.before)
	if service == "dynamodb" {
		headers = append(headers, header{"x-amz-crc32", fmt.Sprint(crc32.ChecksumIEEE(body))})
	}
	headers = append(headers, header{"x-amzn-RequestId", id}, header{"Content-Length", fmt.Sprint(len(body))},
		header{"Date", s.now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}, header{"Content-Type", how.contentType})
	return withMetadata(o, id, status, headers)
}

func withMetadata(o *value.Object, id string, status int, headers []header) *value.Object {
	all, one := value.NewObject(len(headers)), value.NewObject(len(headers))
	for _, h := range headers {
		all.Set(h.name, []any{h.value})
	}
	slices.SortFunc(headers, func(a, b header) int { return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	for _, h := range headers {
		one.Set(h.name, h.value)
	}
	o = o.Copy()
	o.Set("SdkHttpMetadata", value.Of("AllHttpHeaders", all, "HttpHeaders", one, "HttpStatusCode", int64(status)))
	o.Set("SdkResponseMetadata", value.Of("RequestId", id))
	return sorted(o)
}

// requestID is an id in the service's own form.
func (s sdk) requestID(service string) string {
	if service != "dynamodb" {
		return intrinsic.NewUUID(s.random)
	}
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
	b := make([]byte, 52)
	for i := range b {
		b[i] = letters[s.random()%uint64(len(letters))]
	}
	return string(b)
}

// sorted is the object with its members by name, as the SDK for Java writes them.
func sorted(o *value.Object) *value.Object {
	names := make([]string, o.Len())
	for i := range names {
		names[i], _ = o.At(i)
	}
	slices.Sort(names)
	out := value.NewObject(len(names))
	for _, n := range names {
		v, _ := o.Get(n)
		out.Set(n, v)
	}
	return out
}
