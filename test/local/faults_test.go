package local_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// lives checks that the endpoint answers, and that what was there is there.
func lives(ctx context.Context, c *sdk, bucket string) {
	GinkgoHelper()
	Expect(must(get(ctx, c.s3, object(bucket, "before")))).To(Equal("kept"))
	Expect(put(ctx, c.s3, bucket, "after", "written")).To(Succeed())
	Expect(must(get(ctx, c.s3, object(bucket, "after")))).To(Equal("written"))
	must(c.sqs.ListQueues(ctx, &sqs.ListQueuesInput{}))
}

// furnished is an endpoint in a process of its own with a bucket that has an object.
func furnished(ctx context.Context, dir string) (*process, *sdk, string) {
	GinkgoHelper()
	p := must(spawn(dir))
	DeferCleanup(p.kill)
	c := newSDK(configOf(p.url, "test", "test", ""))
	b := unique("faults")
	must(c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &b}))
	Expect(put(ctx, c.s3, b, "before", "kept")).To(Succeed())
	return p, c, b
}

// leftovers are files that are still being written, or never were finished.
func leftovers(dir string) []os.DirEntry {
	GinkgoHelper()
	return must(os.ReadDir(filepath.Join(dir, "s3", "tmp")))
}

// send writes text to the endpoint as it is, and returns what comes back.
func send(p *process, text string, done bool) string {
	GinkgoHelper()
	conn := must(net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))).(*net.TCPConn)
	defer conn.Close()
	Expect(conn.SetDeadline(time.Now().Add(20 * time.Second))).To(Succeed())
	must(io.WriteString(conn, text))
	if done {
		Expect(conn.CloseWrite()).To(Succeed())
	}
	return string(must(io.ReadAll(conn)))
}

var _ = Describe("Faults", func() {
	It("says that it cannot write more, keeps what it has, and goes on when it can", func(ctx SpecContext) {
		dir := tempDir()
		p, c, b := furnished(ctx, dir)
		Expect(limitFiles(p.Process.Pid, 8<<20)).To(Succeed())
		_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: aws.String("large"), Body: bytes.NewReader(make([]byte, 9<<20))})
		Expect(err).To(refuseWith("InternalError", "may not write more"))
		_, err = get(ctx, c.s3, object(b, "large"))
		Expect(err).To(refuseWith("NoSuchKey"))
		Expect(leftovers(dir)).To(BeEmpty())
		lives(ctx, c, b)
		// The database is a file too: below its size nothing can be noted.
		var refused error
		Expect(limitFiles(p.Process.Pid, 4<<10)).To(Succeed())
		Expect(must(get(ctx, c.s3, object(b, "before")))).To(Equal("kept"))
		_, refused = c.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(trusts(""))})
		Expect(refused).To(HaveOccurred())
		Expect(refused.Error()).To(ContainSubstring("may not write more"))
		Expect(limitFiles(p.Process.Pid, 1<<30)).To(Succeed())
		lives(ctx, c, b)
		must(c.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(trusts(""))}))
		p.kill()
		again := must(spawn(dir))
		DeferCleanup(again.kill)
		Expect(must(get(ctx, newSDK(configOf(again.url, "test", "test", "")).s3, object(b, "after")))).To(Equal("written"))
	})

	It("refuses bodies that are cut short, stall or are too long, and keeps nothing of them", func(ctx SpecContext) {
		dir := tempDir()
		p, c, b := furnished(ctx, dir)
		head := "PUT /" + b + "/cut HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		auth := signed(ctx, http.MethodPut, p.url+"/"+b+"/cut", "UNSIGNED-PAYLOAD")
		By("ending a plain body early")
		Expect(send(p, head+auth+"Content-Length: 100\r\n\r\nhalf", true)).To(Or(BeEmpty(), ContainSubstring("IncompleteBody")))
		By("ending an aws-chunked body early, and lying about its length")
		chunked := signed(ctx, http.MethodPut, p.url+"/"+b+"/cut", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
		for _, body := range []string{"4\r\nhalf\r\n", "4\r\nhalf\r\n0\r\n\r\n", "zz\r\nhalf\r\n0\r\n\r\n", "ffffffffffffff\r\nhalf"} {
			answer := send(p, head+chunked+fmt.Sprintf("X-Amz-Decoded-Content-Length: 8\r\nContent-Length: %d\r\n\r\n%s", len(body), body), true)
			Expect(answer).To(And(HavePrefix("HTTP/1.1 4"), ContainSubstring("IncompleteBody")), body)
		}
		By("stalling in the middle")
		stalled := make([]net.Conn, 50)
		for i := range stalled {
			stalled[i] = must(net.Dial("tcp", strings.TrimPrefix(p.url, "http://")))
			must(io.WriteString(stalled[i], head+auth+"Content-Length: 100\r\n\r\nhalf"))
		}
		lives(ctx, c, b)
		for _, conn := range stalled {
			Expect(conn.Close()).To(Succeed())
		}
		By("announcing more than an object may have")
		Expect(send(p, head+auth+"Content-Length: 99999999999999\r\n\r\n", false)).To(ContainSubstring("EntityTooLarge"))
		_, err := get(ctx, c.s3, object(b, "cut"))
		Expect(err).To(refuseWith("NoSuchKey"))
		Eventually(ctx, func() []os.DirEntry { return leftovers(dir) }).Should(BeEmpty())
		lives(ctx, c, b)
	})

	It("refuses headers, requests and names that nobody should send", func(ctx SpecContext) {
		p, c, b := furnished(ctx, tempDir())
		long := strings.Repeat("x", 300<<10)
		for name, request := range map[string]struct{ text, want string }{
			"long headers":      {"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + long + "\r\n\r\n", "431"},
			"no HTTP":           {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400"},
			"no Host":           {"GET / HTTP/1.1\r\n\r\n", "400"},
			"a foreign Host":    {"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", "403"},
			"two lengths":       {"PUT /" + b + "/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
			"a key that climbs": {"GET /" + b + "/../../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "403"},
		} {
			Expect(send(p, request.text, false)).To(HavePrefix("HTTP/1.1 "+request.want), name)
		}
		lives(ctx, c, b)
	})

	It("refuses signatures that are wrong, old, or of something else", func(ctx SpecContext) {
		p, c, b := furnished(ctx, tempDir())
		other := configOf(p.url, "AKIAIOSFODNN7EXAMPLE", "test", "")
		Expect(put(ctx, newSDK(other).s3, b, "k", "x")).To(refuseWith("InvalidAccessKeyId"))
		wrong := configOf(p.url, "test", "another", "")
		Expect(put(ctx, newSDK(wrong).s3, b, "k", "x")).To(refuseWith("SignatureDoesNotMatch"))
		r := must(http.NewRequestWithContext(ctx, http.MethodPut, p.url+"/"+b+"/k", strings.NewReader("other")))
		r.Header.Set("X-Amz-Content-Sha256", sha256Hex("signed"))
		credentials := must(c.config.Credentials.Retrieve(ctx))
		Expect(v4.NewSigner().SignHTTP(ctx, credentials, r, sha256Hex("signed"), "s3", region, time.Now())).To(Succeed())
		answer := must(http.DefaultClient.Do(r))
		defer answer.Body.Close()
		Expect(string(must(io.ReadAll(answer.Body)))).To(ContainSubstring("XAmzContentSHA256Mismatch"))
		old := must(http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/"+b+"/before", nil))
		old.Header.Set("X-Amz-Content-Sha256", sha256Hex(""))
		Expect(v4.NewSigner().SignHTTP(ctx, credentials, old, sha256Hex(""), "s3", region, time.Now().Add(-time.Hour))).To(Succeed())
		late := must(http.DefaultClient.Do(old))
		defer late.Body.Close()
		Expect(string(must(io.ReadAll(late.Body)))).To(ContainSubstring("RequestTimeTooSkewed"))
		_, err := get(ctx, c.s3, object(b, "k"))
		Expect(err).To(refuseWith("NoSuchKey"))
		lives(ctx, c, b)
	})
})

// signed returns the header lines of a signed request whose body is not.
func signed(ctx context.Context, method, url, payload string) string {
	GinkgoHelper()
	r := httptest.NewRequest(method, url, nil)
	r.Host, r.ContentLength = "localhost", 0
	r.Header.Set("X-Amz-Content-Sha256", payload)
	if strings.HasPrefix(payload, "STREAMING") {
		r.Header.Set("X-Amz-Decoded-Content-Length", "8")
	}
	credentials := aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}
	Expect(v4.NewSigner().SignHTTP(ctx, credentials, r, payload, "s3", region, time.Now())).To(Succeed())
	var lines strings.Builder
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Content-Sha256"} {
		fmt.Fprintf(&lines, "%s: %s\r\n", name, r.Header.Get(name))
	}
	return lines.String()
}
