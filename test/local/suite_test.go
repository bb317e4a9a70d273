// The behaviour of the embedded AWS endpoint, as its callers see it: AWS's own
// client libraries that know nothing but its URL.
package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gcustom"
	gomega "github.com/onsi/gomega/types"

	"engage/internal/localaws"
	"engage/internal/localaws/server"
	"engage/internal/localaws/wire"
)

func TestEndpoint(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(5 * time.Millisecond)
	RunSpecs(t, "The embedded AWS endpoint")
}

const (
	account = "000000000000"
	region  = "us-east-1"
)

// here is the endpoint of this test process; root are clients of its owner.
var (
	here *endpoint
	root *sdk
)

var _ = BeforeSuite(func() {
	dir := must(os.MkdirTemp("", "localaws-suite"))
	here = open(dir)
	root = newSDK(here.config("test", "test", ""))
})

var _ = AfterSuite(func(ctx context.Context) {
	if here != nil {
		Expect(here.Close(ctx)).To(Succeed())
		Expect(os.RemoveAll(here.dir)).To(Succeed())
	}
})

// endpoint is a running endpoint and its state directory.
type endpoint struct {
	*localaws.Endpoint
	dir string
}

// open starts an endpoint on a free port.
func open(dir string) *endpoint {
	GinkgoHelper()
	e := must(localaws.Open(localaws.Config{Addr: "127.0.0.1:0", Dir: dir}))
	Expect(e.Start(context.Background())).To(Succeed())
	return &endpoint{e, dir}
}

// config is all that a client needs: the URL and credentials.
func (e *endpoint) config(key, secret, token string) aws.Config {
	return configOf(e.URL(), key, secret, token)
}

func configOf(url, key, secret, token string) aws.Config {
	return aws.Config{Region: region, BaseEndpoint: &url, RetryMaxAttempts: 1, HTTPClient: readingClient{http.DefaultClient},
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, token)}
}

// readingClient hides that a request's body can write itself: the library's body
// answers io.EOF, as an error, when it is asked to after it was closed, which
// happens when an answer is faster than the end of the request. net/http then
// drops the connection under the answer.
type readingClient struct{ *http.Client }

// Do implements aws.HTTPClient.
func (c readingClient) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.Client.Do(r)
}

// sdk has a client of each service for one caller.
type sdk struct {
	config     aws.Config
	athena     *athena.Client
	cloudtrail *cloudtrail.Client
	ecr        *ecr.Client
	ecs        *ecs.Client
	events     *eventbridge.Client
	glue       *glue.Client
	lambda     *lambda.Client
	secrets    *secretsmanager.Client
	sns        *sns.Client
	ssm        *ssm.Client
	iam        *iam.Client
	kms        *kms.Client
	logs       *cloudwatchlogs.Client
	s3         *s3.Client
	sfn        *sfn.Client
	sqs        *sqs.Client
	sts        *sts.Client
}

func newSDK(c aws.Config) *sdk {
	return &sdk{config: c, athena: athena.NewFromConfig(c), cloudtrail: cloudtrail.NewFromConfig(c), ecr: ecr.NewFromConfig(c), ecs: ecs.NewFromConfig(c),
		events: eventbridge.NewFromConfig(c), glue: glue.NewFromConfig(c), lambda: lambda.NewFromConfig(c),
		secrets: secretsmanager.NewFromConfig(c), sns: sns.NewFromConfig(c), ssm: ssm.NewFromConfig(c), iam: iam.NewFromConfig(c), kms: kms.NewFromConfig(c), logs: cloudwatchlogs.NewFromConfig(c),
		s3: s3.NewFromConfig(c), sfn: sfn.NewFromConfig(c), sqs: sqs.NewFromConfig(c), sts: sts.NewFromConfig(c)}
}

// must fails the test on an error.
func must[T any](v T, err error) T {
	GinkgoHelper()
	if err != nil {
		Fail(err.Error()) // an SDK's error is pages of internals when Gomega shows it
	}
	return v
}

var names atomic.Int64

// unique makes a name that no other test of this process has.
func unique(prefix string) string { return fmt.Sprintf("%s-%d", prefix, names.Add(1)) }

// refuseWith matches an error of AWS's with a code whose message has the words.
func refuseWith(code string, words ...string) gomega.GomegaMatcher {
	return gcustom.MakeMatcher(func(err error) (bool, error) {
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != code {
			return false, nil
		}
		for _, w := range words {
			if !strings.Contains(api.ErrorMessage(), w) {
				return false, nil
			}
		}
		return true, nil
	}).WithTemplate("got\n\t{{.Actual}}\nwant an error {{.Data}}", fmt.Sprintf("%s with %q", code, words))
}

// trusts is the trust policy of a role that a service, or everyone in the account, may assume.
func trusts(service string) string {
	principal := `{"AWS":"` + account + `"}`
	if service != "" {
		principal = `{"Service":"` + service + `"}`
	}
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":["sts:AssumeRole","sts:TagSession"]}]}`
}

// policy is a policy document with the statements.
func policy(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// allow is a statement that allows actions on a resource.
func allow(resource string, actions ...string) string {
	return fmt.Sprintf(`{"Effect":"Allow","Action":["%s"],"Resource":%q}`, strings.Join(actions, `","`), resource)
}

// role makes a role that a service may assume, everyone when it is empty, and returns its ARN.
func role(ctx context.Context, service, document string) string {
	GinkgoHelper()
	name := unique("role")
	out := must(root.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trusts(service))}))
	must(root.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("inline"), PolicyDocument: &document}))
	return *out.Role.Arn
}

// assume returns the clients of a new session of a role.
func assume(ctx context.Context, in *sts.AssumeRoleInput) *sdk {
	GinkgoHelper()
	if in.RoleSessionName == nil {
		in.RoleSessionName = aws.String("session")
	}
	c := must(root.sts.AssumeRole(ctx, in)).Credentials
	return newSDK(here.config(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken))
}

// as returns the clients of a session whose role has the statements as its only policy.
func as(ctx context.Context, statements ...string) *sdk {
	GinkgoHelper()
	return assume(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(role(ctx, "", policy(statements...)))})
}

// ask reads a JSON document that the endpoint has about itself.
func ask[T any](ctx context.Context, path string, query url.Values) T {
	GinkgoHelper()
	r := must(http.NewRequestWithContext(ctx, http.MethodGet, here.URL()+path+"?"+query.Encode(), nil))
	answer := must(http.DefaultClient.Do(r))
	defer answer.Body.Close()
	Expect(answer.StatusCode).To(Equal(http.StatusOK))
	var v T
	Expect(json.NewDecoder(answer.Body).Decode(&v)).To(Succeed())
	return v
}

// lastDenied returns the latest denied call of the request log.
func lastDenied(ctx context.Context) server.Record {
	GinkgoHelper()
	answer := ask[struct{ Requests []server.Record }](ctx, "/_localaws/requests", url.Values{"denied": {"true"}, "limit": {"1"}})
	Expect(answer.Requests).To(HaveLen(1))
	return answer.Requests[0]
}

// usage returns what was counted for a run.
func usage(ctx context.Context, run string) map[string]float64 {
	GinkgoHelper()
	sums := map[string]float64{}
	for _, q := range ask[struct{ Usage []wire.Quantity }](ctx, "/_localaws/usage", url.Values{"run": {run}}).Usage {
		sums[q.Service+" "+q.Usage] += q.Amount
	}
	return sums
}

// tempDir makes a directory that goes with the test.
func tempDir() string {
	GinkgoHelper()
	dir := filepath.Join(GinkgoT().TempDir(), "state")
	return dir
}
