// The handlers of the pipeline, run in this process against the endpoint: real
// data, real SQL, real policies.
package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	athenatypes "github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/internal/dataset"
	"engage/internal/generate"
	"engage/internal/localaws"
	"engage/internal/pipeline"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/store"
	"engage/internal/store/s3"
	"engage/internal/store/ssm"
	createqatable "engage/lambdas/create-qa-table"
	createresultstable "engage/lambdas/create-results-table"
	dataprep "engage/lambdas/data-prep"
	datavalidation "engage/lambdas/data-validation"
	precleanup "engage/lambdas/pre-cleanup"
)

func TestPipeline(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "The pipeline's handlers")
}

// rows is how many customers the data sets of the specs have.
const rows = 2000

// made is where the data sets lie that the specs upload.
var made string

var _ = BeforeSuite(func() {
	made = GinkgoT().TempDir()
	generated("sound", generate.Options{Rows: rows, Seed: 1})
	generated("other", generate.Options{Rows: rows, Seed: 2, Formats: []string{dataset.CSV}})
	generated("defects", generate.Options{Rows: rows, Seed: 1, Defects: true})
})

func generated(name string, o generate.Options) {
	GinkgoHelper()
	o.Dir = filepath.Join(made, name)
	must(generate.Run(context.Background(), o))
}

// must fails the spec on an error.
func must[T any](v T, err error) T {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	return v
}

var environment = resource.LocalEnvironment()

// world is an endpoint with the stack's buckets, databases and workgroup.
type world struct {
	endpoint *localaws.Endpoint
	config   aws.Config // of who asks
	store    *s3.Store
	sql      *query.Runner
	catalog  query.Catalog
}

// newWorld opens an endpoint that ends with the spec.
func newWorld(ctx context.Context) *world {
	GinkgoHelper()
	e := must(localaws.Open(localaws.Config{Addr: "127.0.0.1:0", Dir: GinkgoT().TempDir()}))
	DeferCleanup(func(ctx context.Context) { Expect(e.Close(ctx)).To(Succeed()) })
	Expect(e.Start(context.WithoutCancel(ctx))).To(Succeed())
	w := as(e, "test", "test", "")
	s3client, glueClient := awss3.NewFromConfig(w.config), glue.NewFromConfig(w.config)
	for _, b := range resource.Buckets() {
		name := aws.String(environment.Bucket(b))
		must(s3client.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: name}))
		must(s3client.PutBucketVersioning(ctx, &awss3.PutBucketVersioningInput{Bucket: name,
			VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled}}))
	}
	for _, d := range resource.Databases() {
		must(glueClient.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(string(d))}}))
	}
	must(athena.NewFromConfig(w.config).CreateWorkGroup(ctx, &athena.CreateWorkGroupInput{Name: aws.String(string(resource.AnalyticsWorkgroup)),
		Configuration: &athenatypes.WorkGroupConfiguration{EnforceWorkGroupConfiguration: aws.Bool(true),
			ResultConfiguration: &athenatypes.ResultConfiguration{OutputLocation: aws.String(environment.URI(resource.QueryResults))}}}))
	key := must(kms.NewFromConfig(w.config).CreateKey(ctx, &kms.CreateKeyInput{})).KeyMetadata.KeyId
	must(kms.NewFromConfig(w.config).CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String(resource.SecretKey.Alias()), TargetKeyId: key}))
	for _, p := range resource.Parameters() {
		must(awsssm.NewFromConfig(w.config).PutParameter(ctx, &awsssm.PutParameterInput{Name: aws.String(string(p)), Value: aws.String("none"),
			Type: ssmtypes.ParameterTypeSecureString, KeyId: aws.String(resource.SecretKey.Alias())}))
	}
	return w
}

func as(e *localaws.Endpoint, key, secret, token string) *world {
	config := aws.Config{Region: environment.Region, BaseEndpoint: aws.String(e.URL()), RetryMaxAttempts: 1, HTTPClient: readingClient{http.DefaultClient},
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, token)}
	names := store.Names{}
	for _, b := range resource.Buckets() {
		names[b] = environment.Bucket(b)
	}
	return &world{endpoint: e, config: config, store: s3.New(awss3.NewFromConfig(config), names),
		sql:     &query.Runner{Athena: athena.NewFromConfig(config), Workgroup: string(resource.AnalyticsWorkgroup)},
		catalog: query.Catalog{Glue: glue.NewFromConfig(config)}}
}

// readingClient hides that a request's body can write itself: the library's body
// answers io.EOF, as an error, when it is asked to after it was closed, which
// happens when an answer is faster than the end of the request.
type readingClient struct{ *http.Client }

// Do implements aws.HTTPClient.
func (c readingClient) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.Client.Do(r)
}

// but returns the world as a role sees it that may do everything but some actions.
func (w *world) but(ctx context.Context, actions ...string) *world {
	GinkgoHelper()
	roles, name := iam.NewFromConfig(w.config), "but-"+strings.NewReplacer(":", "-").Replace(actions[0])
	out := must(roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name,
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + environment.Account + `"},"Action":"sts:AssumeRole"}]}`)}))
	policy := must(json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{
		map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"}, map[string]any{"Effect": "Deny", "Action": actions, "Resource": "*"},
	}}))
	must(roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("inline"), PolicyDocument: aws.String(string(policy))}))
	c := must(sts.NewFromConfig(w.config).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: out.Role.Arn, RoleSessionName: aws.String("spec")})).Credentials
	return as(w.endpoint, *c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

// land uploads a data set, its manifest last.
func (w *world) land(ctx context.Context, name string) {
	GinkgoHelper()
	d := must(dataset.Open(filepath.Join(made, name)))
	files := []string{}
	for _, f := range d.Manifest.Files {
		files = append(files, f.Name)
	}
	for _, f := range append(files, dataset.ManifestFile) {
		w.put(ctx, resource.Landing.Bucket, resource.Landing.Key(name+"/"+f), must(os.ReadFile(filepath.Join(made, name, f))))
	}
}

func (w *world) put(ctx context.Context, b resource.Bucket, key string, body []byte) {
	GinkgoHelper()
	Expect(w.store.Put(ctx, b, key, body, "")).To(Succeed())
}

// keys lists what is under a location.
func (w *world) keys(ctx context.Context, l resource.Location) []string {
	GinkgoHelper()
	keys := []string{}
	for o, err := range w.store.List(ctx, l) {
		Expect(err).NotTo(HaveOccurred())
		keys = append(keys, o.Key)
	}
	return keys
}

// ask returns the rows of a SELECT.
func (w *world) ask(ctx context.Context, sql string) []query.Row {
	GinkgoHelper()
	return must(w.sql.Rows(ctx, query.Statement{Name: "ask", SQL: sql}))
}

// number returns the one value of a SELECT.
func (w *world) number(ctx context.Context, sql string) int64 {
	GinkgoHelper()
	rows := w.ask(ctx, "SELECT CAST(("+sql+") AS BIGINT) AS n")
	Expect(rows).To(HaveLen(1))
	return must(rows[0].Int("n"))
}

func run(mode pipeline.Mode, data string) pipeline.Run {
	return pipeline.Run{RunID: "run-1", Mode: mode, Dataset: data, ModelVersion: "v1", Seed: 7}
}

// noon is when the specs' handlers run.
func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func (w *world) clean() precleanup.Handler {
	return precleanup.Handler{Store: w.store, Catalog: w.catalog, Now: noon}
}

func (w *world) prepare() dataprep.Handler {
	return dataprep.Handler{Store: w.store, SQL: w.sql, Catalog: w.catalog}
}

// nameOf is the name by which the machine knows an error.
func nameOf(err error) string {
	var named interface{ ErrorName() string }
	if errors.As(err, &named) {
		return named.ErrorName()
	}
	return ""
}

func (w *world) notes() ssm.Parameters {
	return ssm.Parameters{Client: awsssm.NewFromConfig(w.config), Key: resource.SecretKey}
}

func (w *world) validate() datavalidation.Handler {
	return datavalidation.Handler{Store: w.store, SQL: w.sql, Catalog: w.catalog, Parameters: w.notes(), Now: noon}
}

func (w *world) review() createqatable.Handler {
	return createqatable.Handler{Store: w.store, SQL: w.sql, Catalog: w.catalog}
}

func (w *world) results() createresultstable.Handler {
	return createresultstable.Handler{Store: w.store, SQL: w.sql, Catalog: w.catalog, Now: noon}
}

// score makes predictions as the scoring task leaves them, from the actual
// scores: off by up to about 0.5, the most where the id's hash says so.
func (w *world) score(ctx context.Context) {
	GinkgoHelper()
	_, err := w.sql.Exec(ctx, query.Statement{Name: "score", SQL: `CREATE TABLE engagement_predictions.predictions WITH (external_location = 's3://engagement-predictions/') AS
		SELECT customer_id,
			least(1e0, greatest(0e0, engagement_score + CASE WHEN to_hex(md5(to_utf8(customer_id))) < '40' THEN 5e-1 * (CASE WHEN engagement_score < 5e-1 THEN 1 ELSE -1 END) ELSE 5e-2 END)) AS predicted_engagement_score,
			TIMESTAMP '2026-11-23 11:00:00.000' AS prediction_timestamp, 'v1' AS model_version,
			'avg_daily_logins' AS top_feature_1, 2.5e-1 AS top_feature_1_impact
		FROM engagement_raw.customers`})
	Expect(err).NotTo(HaveOccurred())
}

func document[T any](ctx context.Context, w *world, b resource.Bucket, key string) T {
	GinkgoHelper()
	var v T
	decoder := json.NewDecoder(bytes.NewReader(must(store.ReadAll(ctx, w.store, b, key))))
	decoder.DisallowUnknownFields()
	Expect(decoder.Decode(&v)).To(Succeed())
	return v
}
