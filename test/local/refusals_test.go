package local_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// answer is what came back for a request.
type answer struct {
	status int
	body   string
	header http.Header
}

// raw sends a request that no client library would: "Name: value" headers.
func raw(ctx context.Context, method, path, body string, headers ...string) answer {
	GinkgoHelper()
	r := must(http.NewRequestWithContext(ctx, method, here.URL()+path, strings.NewReader(body)))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	got := must(http.DefaultTransport.RoundTrip(r))
	defer got.Body.Close()
	return answer{got.StatusCode, string(must(io.ReadAll(got.Body))), got.Header}
}

var _ = Describe("What the endpoint does not do", func() {
	It("is refused at once, in each protocol's form", func(ctx SpecContext) {
		_, err := root.kms.ReplicateKey(ctx, &kms.ReplicateKeyInput{KeyId: aws.String("mrk-0"), ReplicaRegion: aws.String("eu-west-1")})
		Expect(err).To(refuseWith("NotImplemented", "ReplicateKey"))
		_, err = root.iam.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: aws.String("u")})
		Expect(err).To(refuseWith("NotImplemented", "CreateLoginProfile"))
		_, err = root.events.CreateArchive(ctx, &eventbridge.CreateArchiveInput{ArchiveName: aws.String("a"), EventSourceArn: aws.String("arn:aws:events:us-east-1:000000000000:event-bus/default")})
		Expect(err).To(refuseWith("NotImplemented", "CreateArchive"))
		b := bucket(ctx)
		_, err = root.s3.GetObjectTorrent(ctx, &s3.GetObjectTorrentInput{Bucket: &b, Key: aws.String("k")})
		Expect(err).To(refuseWith("NotImplemented"))
	})

	DescribeTable("has a form in every protocol", func(ctx SpecContext, body string, want []string, headers ...string) {
		got := raw(ctx, http.MethodPost, "/", body, headers...)
		Expect(got.status).To(Equal(http.StatusNotImplemented), got.body)
		for _, w := range want {
			Expect(got.body).To(ContainSubstring(w))
		}
	},
		Entry("JSON", `{}`, []string{`"__type":"NotImplemented"`, "Fly"}, "X-Amz-Target: AWSStepFunctions.Fly", "Content-Type: application/x-amz-json-1.0"),
		Entry("query", "Action=Fly&Version=2010-05-08", []string{"<ErrorResponse", "<Code>NotImplemented</Code>", "Fly"}, "Content-Type: application/x-www-form-urlencoded",
			"Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0"),
		Entry("an unknown service", `{}`, []string{`NotImplemented`, "Kinesis"}, "X-Amz-Target: Kinesis_20131202.GetRecords", "Content-Type: application/x-amz-json-1.1",
			"Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0"),
	)
})

var _ = Describe("A request from elsewhere", func() {
	It("is refused when its Host is not ours", func(ctx SpecContext) {
		for _, host := range []string{"evil.example", "169.254.169.254", "localhost.evil.example:80"} {
			got := raw(ctx, http.MethodGet, "/", "", "Host: "+host)
			Expect(got.status).To(Equal(http.StatusForbidden), host)
			Expect(got.body).To(ContainSubstring("is not one of this endpoint"))
		}
		Expect(raw(ctx, http.MethodGet, "/_localstack/health", "", "Host: localhost").status).To(Equal(http.StatusOK))
	})
	It("is refused when another site's page sends it", func(ctx SpecContext) {
		got := raw(ctx, http.MethodPost, "/", "Action=ListRoles&Version=2010-05-08", "Sec-Fetch-Site: cross-site", "Content-Type: application/x-www-form-urlencoded")
		Expect(got.status).To(Equal(http.StatusForbidden))
	})
	It("finds the endpoint alive after nonsense", func(ctx SpecContext) {
		for _, body := range []string{"{", strings.Repeat("[", 100_000), "\x00\xff"} {
			got := raw(ctx, http.MethodPost, "/", body, "X-Amz-Target: AWSStepFunctions.CreateStateMachine", "Content-Type: application/x-amz-json-1.0")
			Expect(got.status).To(BeNumerically(">=", 400))
			Expect(got.status).To(BeNumerically("<", 500), got.body)
		}
		Expect(raw(ctx, http.MethodGet, "/_localstack/health", "").status).To(Equal(http.StatusOK))
	})
})
