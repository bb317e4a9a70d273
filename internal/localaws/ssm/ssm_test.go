package ssm_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/kms"
	"engage/internal/localaws/server"
	"engage/internal/localaws/ssm"
	"engage/internal/localaws/state"
)

func boot(t *testing.T) *sdk.Client {
	t.Helper()
	dir := t.TempDir()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := kms.New(kms.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	srv.Register(keys.API(), ssm.New(ssm.Config{Store: store, Keys: kms.Client{Invoker: srv, Via: "ssm"}}).API())
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(srv.Shutdown(context.Background()), store.Close()); err != nil {
			t.Error(err)
		}
	})
	return sdk.New(sdk.Options{Region: "eu-west-1", BaseEndpoint: aws.String(srv.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
}

func put(t *testing.T, c *sdk.Client, name, value string, kind types.ParameterType, overwrite bool) error {
	t.Helper()
	_, err := c.PutParameter(t.Context(), &sdk.PutParameterInput{Name: &name, Value: &value, Type: kind, Overwrite: &overwrite})
	return err
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestVersionsLabelsAndSecrets(t *testing.T) {
	c := boot(t)
	ctx, name := t.Context(), aws.String("/app/key")
	for i, v := range []string{"one", "two"} {
		if err := put(t, c, *name, v, types.ParameterTypeSecureString, i > 0); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, put(t, c, *name, "x", types.ParameterTypeSecureString, false), "ParameterAlreadyExists")
	if _, err := c.LabelParameterVersion(ctx, &sdk.LabelParameterVersionInput{Name: name, ParameterVersion: aws.Int64(1), Labels: []string{"live"}}); err != nil {
		t.Fatal(err)
	}
	for selector, want := range map[string]string{"": "two", ":1": "one", ":2": "two", ":live": "one"} {
		out, err := c.GetParameter(ctx, &sdk.GetParameterInput{Name: aws.String(*name + selector), WithDecryption: aws.Bool(true)})
		if err != nil || *out.Parameter.Value != want || aws.ToString(out.Parameter.Selector) != selector {
			t.Errorf("%q: got %+v %v", selector, out, err)
		}
	}
	sealed, err := c.GetParameter(ctx, &sdk.GetParameterInput{Name: name})
	if err != nil || *sealed.Parameter.Value == "two" {
		t.Errorf("the value is not encrypted: %v", err)
	}
	_, err = c.GetParameter(ctx, &sdk.GetParameterInput{Name: aws.String("/app/key:9")})
	wantCode(t, err, "ParameterVersionNotFound")
	history, err := c.GetParameterHistory(ctx, &sdk.GetParameterHistoryInput{Name: name, WithDecryption: aws.Bool(true)})
	if err != nil || len(history.Parameters) != 2 || *history.Parameters[0].Value != "one" || history.Parameters[0].Labels[0] != "live" {
		t.Errorf("got %+v %v", history, err)
	}
}

func TestPathsPagesAndFilters(t *testing.T) {
	c := boot(t)
	for i := range 13 {
		if err := put(t, c, fmt.Sprintf("/a/b%02d", i), "v", types.ParameterTypeString, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(t, c, "/a/c/deep", "x,y", types.ParameterTypeStringList, false); err != nil {
		t.Fatal(err)
	}
	for recursive, want := range map[bool]int{false: 13, true: 14} {
		n := 0
		pages := sdk.NewGetParametersByPathPaginator(c, &sdk.GetParametersByPathInput{Path: aws.String("/a"), Recursive: &recursive})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			n += len(page.Parameters)
		}
		if n != want {
			t.Errorf("recursive %v: %d parameters, want %d", recursive, n, want)
		}
	}
	found, err := c.DescribeParameters(t.Context(), &sdk.DescribeParametersInput{ParameterFilters: []types.ParameterStringFilter{
		{Key: aws.String("Name"), Option: aws.String("BeginsWith"), Values: []string{"/a/c"}}, {Key: aws.String("Type"), Values: []string{"StringList"}}}})
	if err != nil || len(found.Parameters) != 1 || *found.Parameters[0].Name != "/a/c/deep" {
		t.Errorf("got %+v %v", found, err)
	}
	many, err := c.GetParameters(t.Context(), &sdk.GetParametersInput{Names: []string{"/a/b01", "/none"}})
	if err != nil || len(many.Parameters) != 1 || many.InvalidParameters[0] != "/none" {
		t.Errorf("got %+v %v", many, err)
	}
	gone, err := c.DeleteParameters(t.Context(), &sdk.DeleteParametersInput{Names: []string{"/a/b01", "/none"}})
	if err != nil || len(gone.DeletedParameters) != 1 || len(gone.InvalidParameters) != 1 {
		t.Errorf("got %+v %v", gone, err)
	}
}

func TestTagsAndValidation(t *testing.T) {
	c := boot(t)
	if err := put(t, c, "plain", "v", types.ParameterTypeString, false); err != nil {
		t.Fatal(err)
	}
	kind := types.ResourceTypeForTaggingParameter
	if _, err := c.AddTagsToResource(t.Context(), &sdk.AddTagsToResourceInput{ResourceType: kind, ResourceId: aws.String("plain"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}); err != nil {
		t.Fatal(err)
	}
	tags, err := c.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceType: kind, ResourceId: aws.String("plain")})
	if err != nil || len(tags.TagList) != 1 {
		t.Errorf("got %+v %v", tags, err)
	}
	byARN, err := c.GetParameter(t.Context(), &sdk.GetParameterInput{Name: aws.String("arn:aws:ssm:eu-west-1:000000000000:parameter/plain")})
	if err != nil || *byARN.Parameter.Value != "v" {
		t.Errorf("got %+v %v", byARN, err)
	}
	wantCode(t, put(t, c, "a b", "v", types.ParameterTypeString, false), "ValidationException")
	wantCode(t, put(t, c, "a/b", "v", types.ParameterTypeString, false), "ValidationException")
	wantCode(t, put(t, c, "aws-x", "v", types.ParameterTypeString, false), "AccessDeniedException")
	wantCode(t, put(t, c, "big", string(make([]byte, 5000)), types.ParameterTypeString, false), "ValidationException")
	_, err = c.PutParameter(t.Context(), &sdk.PutParameterInput{Name: aws.String("p"), Value: aws.String("x"), Type: "String", AllowedPattern: aws.String(`^\d+$`)})
	wantCode(t, err, "ParameterPatternMismatchException")
	_, err = c.GetParameter(t.Context(), &sdk.GetParameterInput{Name: aws.String("none")})
	wantCode(t, err, "ParameterNotFound")
}

func TestLabelsAreTakenOff(t *testing.T) {
	c := boot(t)
	ctx, name := t.Context(), aws.String("/app/key")
	if err := put(t, c, *name, "one", types.ParameterTypeString, false); err != nil {
		t.Fatal(err)
	}
	if _, err := c.LabelParameterVersion(ctx, &sdk.LabelParameterVersionInput{Name: name, Labels: []string{"live"}}); err != nil {
		t.Fatal(err)
	}
	out, err := c.UnlabelParameterVersion(ctx, &sdk.UnlabelParameterVersionInput{Name: name, ParameterVersion: aws.Int64(1), Labels: []string{"live", "old"}})
	if err != nil || len(out.RemovedLabels) != 1 || len(out.InvalidLabels) != 1 {
		t.Errorf("got %+v, %v", out, err)
	}
	_, err = c.GetParameter(ctx, &sdk.GetParameterInput{Name: aws.String("/app/key:live")})
	wantCode(t, err, "ParameterVersionNotFound")
}

func TestParametersByARNAndOlderFilters(t *testing.T) {
	c := boot(t)
	if err := put(t, c, "arn:aws:ssm:eu-west-1:000000000000:parameter/app/key", "one", types.ParameterTypeString, false); err != nil {
		t.Fatal(err)
	}
	out, err := c.DescribeParameters(t.Context(), &sdk.DescribeParametersInput{Filters: []types.ParametersFilter{{Key: types.ParametersFilterKeyName, Values: []string{"/app"}}}})
	if err != nil || len(out.Parameters) != 1 || *out.Parameters[0].Name != "/app/key" {
		t.Errorf("got %+v, %v", out, err)
	}
}
