package s3_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"engage/internal/localaws/wire"
)

// control is a client of S3 Control, which puts the account before the host's
// name: it has to be told where that is.
func (e *endpoint) control() *s3control.Client {
	addr := strings.TrimPrefix(e.url, "http://")
	_, port, err := net.SplitHostPort(addr)
	must(e, 0, err)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	e.Cleanup(transport.CloseIdleConnections)
	return s3control.New(s3control.Options{Region: "us-east-1", BaseEndpoint: aws.String("http://localhost:" + port), HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
}

// The block of an account holds for buckets that have none of their own.
func TestAccountBlocksPublicAccess(t *testing.T) {
	e := boot(t)
	c, account, b := e.control(), aws.String(wire.DefaultAccount), e.bucket("open")
	_, err := c.GetPublicAccessBlock(t.Context(), &s3control.GetPublicAccessBlockInput{AccountId: account})
	wantCode(t, err, "NoSuchPublicAccessBlockConfiguration")
	_, err = e.DeletePublicAccessBlock(t.Context(), &sdk.DeletePublicAccessBlockInput{Bucket: b})
	must(t, 0, err)
	public := func() error {
		_, err := e.PutBucketPolicy(t.Context(), &sdk.PutBucketPolicyInput{Bucket: b, Policy: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::open/*"}]}`)})
		return err
	}
	block := &controltypes.PublicAccessBlockConfiguration{BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true)}
	_, err = c.PutPublicAccessBlock(t.Context(), &s3control.PutPublicAccessBlockInput{AccountId: account, PublicAccessBlockConfiguration: block})
	must(t, 0, err)
	got, err := c.GetPublicAccessBlock(t.Context(), &s3control.GetPublicAccessBlockInput{AccountId: account})
	if must(t, got, err); !*got.PublicAccessBlockConfiguration.BlockPublicPolicy || *got.PublicAccessBlockConfiguration.BlockPublicAcls {
		t.Errorf("got %+v", got.PublicAccessBlockConfiguration)
	}
	wantCode(t, public(), "AccessDenied")
	_, err = c.DeletePublicAccessBlock(t.Context(), &s3control.DeletePublicAccessBlockInput{AccountId: account})
	must(t, 0, err)
	must(t, 0, public())
}

func TestControlIsToldFromABucketOfItsPath(t *testing.T) {
	e := boot(t)
	b := e.bucket("v20180820")
	e.put(b, "configuration/publicAccessBlock", "an object")
	if got := e.get(b, "configuration/publicAccessBlock"); got != "an object" {
		t.Errorf("got %s", got)
	}
	c := e.control()
	_, err := c.GetPublicAccessBlock(t.Context(), &s3control.GetPublicAccessBlockInput{AccountId: aws.String("999999999999")})
	wantCode(t, err, "AccessDenied")
	_, err = c.ListJobs(t.Context(), &s3control.ListJobsInput{AccountId: aws.String(wire.DefaultAccount)})
	wantCode(t, err, "NotImplemented")
}
