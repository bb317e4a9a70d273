package localaws

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"engage/internal/localaws/provider"
	"engage/internal/localaws/provider/function"
	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/ledger"
	"engage/internal/localaws/provider/plane"
)

// Who a program that uses the provider door is: the account's root, as with the
// access key "test" on the wire.
const (
	doorAccount   = "000000000000"
	doorPartition = "aws"
	doorKey       = "test"
)

// OpenDoor opens Pulumi's door to the services on a loopback address and returns
// its port. It is closed with the endpoint, before anything else of it.
// REQUIRES: the endpoint has started. Errors: the listener's.
func (e *Endpoint) OpenDoor(ctx context.Context, addr string) (port int, err error) {
	d, err := provider.Open(ctx, provider.Config{
		Addr:      addr,
		Kinds:     func(region string) (kind.Table, error) { return e.kinds(region), nil },
		Functions: func(region string) function.Table { return function.New(doorPartition, doorAccount, region) },
	})
	if err != nil {
		return 0, err
	}
	e.onStop(d.Close)
	return d.Port(), nil
}

// kinds returns every resource type in a region.
func (e *Endpoint) kinds(region string) kind.Table {
	return kind.NewTable(
		plane.Kinds(plane.Config{AWS: e.sdk(region), Partition: doorPartition, Account: doorAccount}),
		ledger.Kinds(e.ledger(region), ledger.Specs()),
	)
}

func (e *Endpoint) ledger(region string) ledger.Config {
	return ledger.Config{Store: e.store, Rand: rand.Reader, Partition: doorPartition, Account: doorAccount, Region: region, Now: time.Now}
}

// sdk is how the door reaches the services: over the wire, like anybody.
func (e *Endpoint) sdk(region string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: aws.String(e.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(doorKey, doorKey, ""),
	}
}
