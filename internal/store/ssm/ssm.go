// Package ssm keeps notes in Parameter Store, encrypted.
package ssm

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"engage/internal/resource"
	"engage/internal/store/awserr"
)

// Client is what Parameters calls.
type Client interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
	PutParameter(context.Context, *ssm.PutParameterInput, ...func(*ssm.Options)) (*ssm.PutParameterOutput, error)
}

// Parameters are the parameters of the account, under one key.
type Parameters struct {
	Client Client
	Key    resource.Key
}

// Get returns a parameter's value. Errors: store.ErrNotFound, store.ErrDenied.
func (p Parameters) Get(ctx context.Context, name resource.Parameter) (string, error) {
	out, err := p.Client.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(string(name)), WithDecryption: aws.Bool(true)})
	if err != nil {
		return "", fmt.Errorf("read parameter %s: %w", name, awserr.Of(err))
	}
	return aws.ToString(out.Parameter.Value), nil
}

// Set gives a parameter another value. Errors: store.ErrDenied.
func (p Parameters) Set(ctx context.Context, name resource.Parameter, value string) error {
	_, err := p.Client.PutParameter(ctx, &ssm.PutParameterInput{
		Name: aws.String(string(name)), Value: &value, Overwrite: aws.Bool(true), Type: types.ParameterTypeSecureString, KeyId: aws.String(p.Key.Alias()),
	})
	if err != nil {
		return fmt.Errorf("set parameter %s: %w", name, awserr.Of(err))
	}
	return nil
}
