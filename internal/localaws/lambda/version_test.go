package lambda_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"engage/internal/localaws/lambda"
)

// An alias sends the share of its weight to its second version.
func TestAliasRoutes(t *testing.T) {
	at := 0.0
	e := boot(t, t.TempDir(), func(c *lambda.Config) { c.Random = func() float64 { return at } })
	ctx := t.Context()
	e.create(t, function("f", "h", good))
	for _, description := range []string{"one", "two"} {
		if _, err := e.PublishVersion(ctx, &awslambda.PublishVersionInput{FunctionName: aws.String("f"), Description: &description}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.UpdateFunctionConfiguration(ctx, &awslambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Timeout: aws.Int32(9)}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := e.CreateAlias(ctx, &awslambda.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1"),
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.25}}})
	if err != nil {
		t.Fatal(err)
	}
	for draw, want := range map[float64]string{0: "2", 0.2499: "2", 0.25: "1", 0.9999: "1"} {
		at = draw
		if got := *e.invoke(t, "f:live", `{}`).ExecutedVersion; got != want {
			t.Errorf("a draw of %v runs %s, want %s", draw, got, want)
		}
	}
}

// Instances of versions are their own: an update of the function leaves them
// warm, and what they print is in a stream of their version.
func TestVersionsHaveInstances(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	ctx := t.Context()
	e.create(t, function("f", "h", good))
	if _, err := e.PublishVersion(ctx, &awslambda.PublishVersionInput{FunctionName: aws.String("f")}); err != nil {
		t.Fatal(err)
	}
	warm := func() bool { return !strings.Contains(tailOf(t, e.invoke(t, "f:1", `{}`)), "Init Duration") }
	if warm() || !warm() {
		t.Fatal("the first invocation is cold and the second warm")
	}
	e.invoke(t, "f", `{}`)
	if _, err := e.UpdateFunctionConfiguration(ctx, &awslambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Timeout: aws.Int32(9)}); err != nil {
		t.Fatal(err)
	}
	e.invoke(t, "f", `{}`)
	if !warm() {
		t.Error("an update of $LATEST ended the instance of a version")
	}
	if out := e.invoke(t, "f:1", `{}`); !strings.Contains(tailOf(t, out), "Version: 1") {
		t.Errorf("%s", tailOf(t, out))
	}
}

// tailOf is the end of an invocation's log.
func tailOf(t *testing.T, out *awslambda.InvokeOutput) string {
	t.Helper()
	tail, err := base64.StdEncoding.DecodeString(*out.LogResult)
	if err != nil {
		t.Fatal(err)
	}
	return string(tail)
}
