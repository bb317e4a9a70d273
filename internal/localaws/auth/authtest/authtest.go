// Package authtest boots an endpoint with IAM, STS and the real permission
// check, for the tests of services that are denied things.
package authtest

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"engage/internal/localaws/auth"
	"engage/internal/localaws/iam"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/sts"
	"engage/internal/localaws/wire"
)

// Clock is a clock that tests move.
type Clock struct {
	mu     sync.Mutex
	offset time.Duration
}

// Now is the machine's time and what Advance added: SDKs sign with the machine's.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// Endpoint is a running endpoint.
type Endpoint struct {
	*server.Server
	IAM   *iam.Service
	Clock *Clock
	dir   string
	store *state.Store
}

// TB is what is needed of a test: a *testing.T has it.
type TB interface {
	Helper()
	TempDir() string
	Cleanup(func())
	Error(args ...any)
	Fatal(args ...any)
}

// Parts are what services are made of.
type Parts struct {
	Store      *state.Store
	Authorizer wire.Authorizer
	Clock      *Clock
}

// Maker makes a service for an endpoint that is about to start.
type Maker func(TB, Parts) *wire.Service

// Given is the Maker of a service that needs nothing.
func Given(svc *wire.Service) Maker { return func(TB, Parts) *wire.Service { return svc } }

// Boot starts an endpoint with IAM, STS and further services, and ends it with the test.
func Boot(t TB, services ...Maker) *Endpoint {
	t.Helper()
	e := &Endpoint{Clock: &Clock{}, dir: t.TempDir()}
	e.start(t, services)
	t.Cleanup(func() { e.stop(t) })
	return e
}

// Restart stops the endpoint and starts it over the same state.
func (e *Endpoint) Restart(t TB, services ...Maker) {
	t.Helper()
	e.stop(t)
	e.start(t, services)
}

func (e *Endpoint) start(t TB, services []Maker) {
	t.Helper()
	var err error
	if e.store, err = state.Open(e.dir); err != nil {
		t.Fatal(err)
	}
	e.IAM = iam.New(iam.Config{Store: e.store, Now: e.Clock.Now, Rand: rand.Reader})
	sessions := auth.NewSessions(e.store, e.Clock.Now, rand.Reader).WithUsers(e.IAM)
	authorizer := auth.NewAuthorizer(sessions, e.IAM, e.Clock.Now)
	all := []*wire.Service{e.IAM.Wire(), sts.New(e.IAM, sessions).Wire()}
	for _, make := range services {
		all = append(all, make(t, Parts{e.store, authorizer, e.Clock}))
	}
	e.Server, err = server.New(server.Config{
		Addr: "127.0.0.1:0", Dir: e.dir, Clock: e.Clock.Now, Services: all,
		Authenticator: auth.NewAuthenticator(sessions, e.Clock.Now, 0), Authorizer: authorizer,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func (e *Endpoint) stop(t TB) {
	t.Helper()
	if err := e.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := e.store.Close(); err != nil {
		t.Error(err)
	}
}

// Store is the endpoint's metadata.
func (e *Endpoint) Store() *state.Store { return e.store }

// Config is an SDK configuration with static credentials; no token for long-lived keys.
func (e *Endpoint) Config(t TB, key, secret, token string) aws.Config {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(context.Background(),
		config.WithRegion("eu-west-1"), config.WithBaseEndpoint(e.URL()), config.WithRetryMaxAttempts(1),
		config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(key, secret, token)))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// Root is the configuration of the default account's root.
func (e *Endpoint) Root(t TB) aws.Config { return e.Config(t, "test", "test", "") }
