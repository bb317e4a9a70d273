// Package provider is the endpoint's second door: Pulumi's resource-provider
// protocol. An engine that is told PULUMI_DEBUG_PROVIDERS=aws:PORT takes it for
// the AWS plugin, so a program runs against the endpoint without a plugin of its
// own. Behind it stand the same services as behind the wire.
//
// The protocol is https://github.com/pulumi/pulumi/blob/v3.200.0/proto/pulumi/provider.proto.
package provider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"engage/internal/localaws/provider/function"
	"engage/internal/localaws/provider/kind"
)

// Version is the version of pulumi-aws whose names and meaning the door speaks.
const Version = "6.83.2"

// maxMessage bounds a request, in bytes: a property may hold a large document.
const maxMessage = 64 << 20

// Config says what the door opens to.
type Config struct {
	Addr string // a loopback address; port 0 takes a free one
	// Kinds makes the table of resource types for a region.
	Kinds func(region string) (kind.Table, error)
	// Functions are the functions of the package, by token.
	Functions func(region string) function.Table
}

// Door is a running provider. Make it with Open, end it with Close.
type Door struct {
	listener net.Listener
	server   *grpc.Server
	served   sync.WaitGroup
}

// Open listens and serves until Close. Errors: the listener's.
func Open(ctx context.Context, cfg Config) (*Door, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("open the provider door: %w", err)
	}
	d := &Door{listener: l, server: grpc.NewServer(
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage), grpc.StatsHandler(connections{}), grpc.UnaryInterceptor(survive),
	)}
	pulumirpc.RegisterResourceProviderServer(d.server, &server{cfg: cfg})
	d.served.Go(func() { _ = d.server.Serve(l) })
	return d, nil
}

// Port returns the port that the door listens on.
func (d *Door) Port() int { return d.listener.Addr().(*net.TCPAddr).Port }

// Close lets running calls end until the context does, and stops listening.
func (d *Door) Close(ctx context.Context) error {
	stopped := make(chan struct{})
	go func() { d.server.GracefulStop(); close(stopped) }()
	var err error
	select {
	case <-stopped:
	case <-ctx.Done():
		d.server.Stop()
		<-stopped
		err = errors.New("the provider door was closed while a call was running")
	}
	d.served.Wait()
	return err
}

// session is what one engine configured. An engine keeps a connection of its own
// for each provider of a program, and requests do not say which provider they
// are for: the connection does.
type session struct {
	mu        sync.Mutex
	kinds     kind.Table
	functions function.Table
	tags      map[string]string // the provider's default tags
}

type sessionKey struct{}

// connections gives every connection its session.
type connections struct{}

func (connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return context.WithValue(ctx, sessionKey{}, &session{})
}
func (connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }
func (connections) HandleConn(context.Context, stats.ConnStats)                     {}
func (connections) HandleRPC(context.Context, stats.RPCStats)                       {}

func sessionOf(ctx context.Context) *session {
	s, _ := ctx.Value(sessionKey{}).(*session)
	return s
}

// survive turns a panic in a call into the call's error: an endpoint goes on.
func survive(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (res any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = status.Errorf(codes.Internal, "%s failed by a mistake in the endpoint: %v", info.FullMethod, p)
		}
	}()
	return handle(ctx, req)
}
