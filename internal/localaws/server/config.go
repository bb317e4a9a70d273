// Package server is the endpoint's one listener: it finds out which service a
// request is for and who sent it, asks whether the caller may do that, runs
// the operation, and writes down what happened.
package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"engage/internal/localaws/wire"
)

// Config says how the endpoint behaves.
type Config struct {
	// Addr is where to listen, a loopback address; port 0 takes a free one.
	// The default is 127.0.0.1:4566.
	Addr string
	// Dir is where the request log and the usage are kept. There is no default.
	Dir string
	// Hosts are names, beside those of loopback and AWS, that the Host header may have.
	Hosts []string
	// MaxBody bounds the body of an operation that does not stream, in bytes.
	// A longer one is refused. The default is 100 MiB, which holds a Lambda zip.
	MaxBody int64
	// Stall is how long a request's body may send nothing before it is
	// refused. The default is a minute.
	Stall time.Duration
	// Authenticator finds the caller. The default reads the credential scope
	// and verifies nothing.
	Authenticator wire.Authenticator
	// Authorizer checks permissions. The default allows everything.
	Authorizer wire.Authorizer
	// Clock is for timestamps and durations. The default is time.Now.
	Clock func() time.Time
	// Services answer the calls; more can be added by Register.
	Services []*wire.Service
}

const (
	defaultAddr    = "127.0.0.1:4566"
	defaultMaxBody = 100 << 20
)

func (c Config) withDefaults() (Config, error) {
	if c.Dir == "" {
		return c, fmt.Errorf("server: no state directory is set")
	}
	if c.Addr == "" {
		c.Addr = defaultAddr
	}
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.Stall == 0 {
		c.Stall = time.Minute
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Authenticator == nil {
		c.Authenticator = ScopeAuthenticator{}
	}
	if c.Authorizer == nil {
		c.Authorizer = AllowAll{}
	}
	return c, loopback(c.Addr)
}

// loopback refuses an address that other machines can reach.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("listen address %q: %w", addr, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("listen address %q is not loopback: use 127.0.0.1:PORT", addr)
	}
	return nil
}

// AllowAll is an Authorizer that denies nothing.
type AllowAll struct{}

// Authorize returns nil.
func (AllowAll) Authorize(context.Context, *wire.Call, []wire.Access) error { return nil }

// ScopeAuthenticator believes the credential scope of a request: a 12-digit
// access key is its account's root user, every other key that of the default
// account.
type ScopeAuthenticator struct{}

// Authenticate returns the root user of the account that the scope names.
func (ScopeAuthenticator) Authenticate(r *http.Request) (wire.Caller, error) {
	if err := unchunk(r); err != nil {
		return wire.Caller{}, err
	}
	scope, ok := wire.ScopeOf(r)
	if !ok {
		return wire.Caller{Account: wire.DefaultAccount, Region: wire.DefaultRegion}, nil
	}
	account := wire.DefaultAccount
	if isAccount(scope.AccessKey) {
		account = scope.AccessKey
	}
	caller := wire.Root(account, scope.Region)
	caller.AccessKey = scope.AccessKey
	return caller, nil
}

func isAccount(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) == 12
}
