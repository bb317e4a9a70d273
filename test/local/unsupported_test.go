package local_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/xray"

	"engage/internal/golden"
	"engage/internal/localaws"
	calls "engage/internal/localaws/provider/function"
	"engage/internal/localaws/provider/kind"
	kept "engage/internal/localaws/provider/ledger"
	"engage/internal/localaws/provider/plane"
)

// clients has AWS's own client of each service of the endpoint, by the
// service's name: its methods are all the operations that AWS has.
var clients = map[string]any{
	"athena": &athena.Client{}, "cloudtrail": &cloudtrail.Client{}, "dynamodb": &dynamodb.Client{}, "ecr": &ecr.Client{}, "ecs": &ecs.Client{},
	"events": &eventbridge.Client{}, "glue": &glue.Client{}, "iam": &iam.Client{}, "kms": &kms.Client{},
	"lambda": &lambda.Client{}, "logs": &cloudwatchlogs.Client{}, "s3": &s3.Client{}, "s3control": &s3control.Client{}, "scheduler": &scheduler.Client{},
	"secretsmanager": &secretsmanager.Client{}, "sns": &sns.Client{}, "sqs": &sqs.Client{}, "ssm": &ssm.Client{},
	"states": &sfn.Client{}, "sts": &sts.Client{}, "xray": &xray.Client{},
}

// operationsOf lists the operations of a client: methods of the form
// Name(context.Context, *NameInput, ...func(*Options)).
func operationsOf(client any) []string {
	var names []string
	of := reflect.TypeOf(client)
	for i := range of.NumMethod() {
		m := of.Method(i)
		if m.Type.NumIn() == 4 && m.Type.In(1) == reflect.TypeFor[context.Context]() && m.Type.In(2).Kind() == reflect.Pointer &&
			m.Type.In(2).Elem().Name() == m.Name+"Input" {
			names = append(names, m.Name)
		}
	}
	return names
}

// The list of what is not supported is made from AWS's clients and from the
// endpoint itself, so that it cannot be wrong.
func TestUnsupportedIsListed(t *testing.T) {
	endpoint, err := localaws.Open(localaws.Config{Addr: "127.0.0.1:0", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer endpoint.Close(t.Context())
	supported := endpoint.Supported()
	var doc bytes.Buffer
	doc.WriteString(unsupportedHead)
	for _, service := range sortedNames(supported) {
		client, known := clients[service]
		if !known {
			t.Errorf("the test has no client of %s", service)
			continue
		}
		all := operationsOf(client)
		missing := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(supported[service], name) })
		fmt.Fprintf(&doc, "\n## %s\n\n%d of %d operations are supported.", service, len(all)-len(missing), len(all))
		if len(missing) > 0 {
			fmt.Fprintf(&doc, " Not supported: %s.", strings.Join(missing, ", "))
		}
		doc.WriteString("\n")
	}
	doc.WriteString(doorTypes())
	golden.Check(t, "../../docs/unsupported.md", doc.Bytes())
}

// doorTypes lists what Pulumi may make through the provider door.
func doorTypes() string {
	kinds := kind.NewTable(plane.Kinds(plane.Config{AWS: aws.Config{Region: "us-east-1"}}), kept.Kinds(kept.Config{}, kept.Specs()))
	functions := calls.New("aws", "000000000000", "us-east-1")
	return fmt.Sprintf("\n## Pulumi\n\nThe provider door has %d resource types, and refuses every other by name: %s.\n\nIt has %d functions: %s.\n",
		len(kinds), strings.Join(slices.Sorted(maps.Keys(kinds)), ", "), len(functions), strings.Join(slices.Sorted(maps.Keys(functions)), ", "))
}

const unsupportedHead = `# What the embedded endpoint does not support

Written by ` + "`task generate`" + ` from the endpoint and from the operations of AWS's Go clients: do not edit. A call that is not
supported is answered with NotImplemented in the protocol's own form; so is a service that is not named here. Members and
options that are not supported are refused by name.
`

func sortedNames(m map[string][]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
