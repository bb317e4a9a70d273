package resource

import (
	"fmt"
	"regexp"
	"strings"
)

// Kind says where an environment runs.
type Kind string

// The kinds, which are also the names of the Pulumi stacks.
const (
	Local Kind = "local" // the embedded endpoint, or one compatible with it
	AWS   Kind = "aws"   // Amazon's cloud
)

// Environment is one place where engage is deployed.
type Environment struct {
	Kind    Kind
	Account string // twelve digits
	Region  string // like us-east-1
}

// LocalEnvironment returns the environment of the embedded endpoint, whose
// account is the one that it gives to unknown access keys.
func LocalEnvironment() Environment {
	return Environment{Kind: Local, Account: "000000000000", Region: "us-east-1"}
}

// InvalidError says everything that is wrong with an environment.
type InvalidError struct{ Problems []string }

// Error lists the problems on one line.
func (e *InvalidError) Error() string {
	return "invalid environment: " + strings.Join(e.Problems, "; ")
}

var (
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	// Region codes have no published grammar; this one admits every region in
	// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
	// and the government, isolated and sovereign ones. Its longest match, 21
	// characters, keeps bucket names within their 63.
	regionPattern = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]{2,4})?-[a-z]{4,9}-[1-9]$`)
)

// Validate returns an [*InvalidError] that lists every problem of e, or nil.
func (e Environment) Validate() error {
	var problems []string
	if e.Kind != Local && e.Kind != AWS {
		problems = append(problems, fmt.Sprintf("kind %q is neither %q nor %q", e.Kind, Local, AWS))
	}
	if !accountPattern.MatchString(e.Account) {
		problems = append(problems, fmt.Sprintf("account %q is not twelve digits", e.Account))
	}
	if !regionPattern.MatchString(e.Region) {
		problems = append(problems, fmt.Sprintf("region %q does not look like us-east-1", e.Region))
	}
	if problems != nil {
		return &InvalidError{problems}
	}
	return nil
}

// Bucket returns the physical name of b. Bucket names are unique among all
// accounts of AWS, so there the name carries account and region.
func (e Environment) Bucket(b Bucket) string {
	name := "engagement-" + string(b)
	if e.Kind == Local {
		return name
	}
	return fmt.Sprintf("%s-%s-%s", name, e.Account, e.Region)
}

// Buckets returns the values of the environment variables that name the buckets.
func (e Environment) Buckets() map[EnvVar]string {
	values := make(map[EnvVar]string, len(Buckets()))
	for _, b := range Buckets() {
		values[b.EnvVar()] = e.Bucket(b)
	}
	return values
}

// URI returns the S3 URI of l, "s3://engagement-data/raw/".
func (e Environment) URI(l Location) string { return e.ObjectURI(l.Bucket, l.Prefix) }

// ObjectURI returns the S3 URI of an object.
func (e Environment) ObjectURI(b Bucket, key string) string {
	return "s3://" + e.Bucket(b) + "/" + key
}
