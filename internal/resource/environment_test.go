package resource_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"engage/internal/resource"
)

// Every region of https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html,
// then China, the government, isolated and sovereign regions.
var regions = strings.Fields(`
	us-east-1 us-east-2 us-west-1 us-west-2 af-south-1 ap-east-1 ap-east-2 ap-south-1 ap-south-2
	ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7
	ap-northeast-1 ap-northeast-2 ap-northeast-3 ca-central-1 ca-west-1 eu-central-1 eu-central-2
	eu-west-1 eu-west-2 eu-west-3 eu-south-1 eu-south-2 eu-north-1 il-central-1 me-south-1 me-central-1
	mx-central-1 sa-east-1
	cn-north-1 cn-northwest-1 us-gov-east-1 us-gov-west-1 us-iso-east-1 us-iso-west-1 us-isob-east-1
	us-isob-west-1 eu-isoe-west-1 us-isof-south-1 us-isof-east-1 eusc-de-east-1`)

// General purpose bucket names, without dots: they break TLS to virtual-hosted buckets.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)

func TestBucketNamesInEveryRegion(t *testing.T) {
	for _, region := range append(regions, "abcd-abcd-abcdefghi-9") {
		env := resource.Environment{Kind: resource.AWS, Account: "123456789012", Region: region}
		if err := env.Validate(); err != nil {
			t.Errorf("%s: %v", region, err)
		}
		for _, b := range resource.Buckets() {
			if name := env.Bucket(b); !bucketName.MatchString(name) {
				t.Errorf("%s: bucket name %q (%d characters) breaks S3's rules", region, name, len(name))
			}
		}
	}
}

func TestBucketNames(t *testing.T) {
	local := resource.LocalEnvironment()
	aws := resource.Environment{Kind: resource.AWS, Account: "123456789012", Region: "us-west-2"}
	for _, tc := range []struct{ got, want string }{
		{local.Bucket(resource.Data), "engagement-data"},
		{aws.Bucket(resource.Data), "engagement-data-123456789012-us-west-2"},
		{local.URI(resource.Training), "s3://engagement-data/processed/training/"},
		{local.URI(resource.Scored), "s3://engagement-predictions/"},
		{local.ObjectURI(resource.Data, resource.CustomersKey), "s3://engagement-data/raw/customers.csv"},
		{aws.Buckets()["S3_BUCKET_QA"], "engagement-qa-123456789012-us-west-2"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
	if n := len(local.Buckets()); n != len(resource.Buckets()) {
		t.Errorf("%d environment variables name %d buckets", n, len(resource.Buckets()))
	}
}

func TestValidateListsEveryProblem(t *testing.T) {
	err := resource.Environment{Kind: "gcp", Account: "1234", Region: "us_east"}.Validate()
	var invalid *resource.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Problems) != 3 {
		t.Fatalf("got %v, want three problems", err)
	}
	for _, word := range []string{`"gcp"`, `"1234"`, `"us_east"`} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not name %s", err, word)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		account, region string
		ok              bool
	}{
		{"000000000000", "us-east-1", true},
		{"12345678901", "us-east-1", false},
		{"1234567890123", "us-east-1", false},
		{"12345678901x", "us-east-1", false},
		{"123456789012", "", false},
		{"123456789012", "us-east", false},
		{"123456789012", "us-east-1a", false},
		{"123456789012", "US-EAST-1", false},
		{"123456789012", "us-east-1\n", false},
	} {
		env := resource.Environment{Kind: resource.AWS, Account: tc.account, Region: tc.region}
		if err := env.Validate(); (err == nil) != tc.ok {
			t.Errorf("account %q, region %q: got %v", tc.account, tc.region, err)
		}
	}
}

func TestPartition(t *testing.T) {
	want := map[string]string{
		"us-east-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "us-iso-east-1": "aws-iso",
		"us-isob-east-1": "aws-iso-b", "eu-isoe-west-1": "aws-iso-e", "us-isof-south-1": "aws-iso-f", "eusc-de-east-1": "aws-eusc",
	}
	for region, partition := range want {
		env := resource.Environment{Kind: resource.AWS, Account: "123456789012", Region: region}
		if got := env.Partition(); got != partition {
			t.Errorf("partition of %s: got %s, want %s", region, got, partition)
		}
	}
}

func TestARNs(t *testing.T) {
	env := resource.LocalEnvironment()
	for _, tc := range []struct{ got, want resource.ARN }{
		{env.FunctionARN(resource.PreCleanup), "arn:aws:lambda:us-east-1:000000000000:function:pre-cleanup-lambda"},
		{env.StateMachineARN(resource.MLPipeline), "arn:aws:states:us-east-1:000000000000:stateMachine:engagement-ml-pipeline"},
		{env.ObjectsARN(resource.Training), "arn:aws:s3:::engagement-data/processed/training/*"},
		{env.ObjectsARN(resource.Registry), "arn:aws:s3:::engagement-models/*"},
		{env.RoleARN(resource.TrainingTask.Role()), "arn:aws:iam::000000000000:role/training-task-role"},
		{env.TableARN(resource.CustomersTable), "arn:aws:glue:us-east-1:000000000000:table/engagement_raw/customers"},
		{env.LogGroupARN(resource.TrainingTask.LogGroup()), "arn:aws:logs:us-east-1:000000000000:log-group:/ecs/training-task"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %s, want %s", tc.got, tc.want)
		}
	}
}
