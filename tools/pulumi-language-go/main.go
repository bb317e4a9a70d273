// Command pulumi-language-go runs Go programs for a Pulumi engine. Pulumi's own
// host ships with its command line and cannot be had as a module, so this one
// stands in where the command line is built from source. It knows what a
// compiled program needs, and nothing of plugins or code generation.
//
// The protocol is https://github.com/pulumi/pulumi/blob/v3.200.0/proto/pulumi/language.proto;
// an engine starts the host with its own address, and reads the host's port from
// standard output.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// maxMessage bounds a request, in bytes: the engine's own bound.
const maxMessage = 400 << 20

// engineCheck is how often the engine is asked whether it is still there.
const engineCheck = 5 * time.Second

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-language-go: "+err.Error())
		os.Exit(1)
	}
}

// serve runs until the engine ends this process or interrupts it.
func serve() error {
	engine, err := engineAddress(os.Args[1:])
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// An engine that was killed tells nobody; its silence does.
	if err := rpcutil.Healthcheck(ctx, engine, engineCheck, stop); err != nil {
		return fmt.Errorf("watch the engine: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage))
	pulumirpc.RegisterLanguageRuntimeServer(s, &host{engine: engine, interrupted: ctx})
	defer context.AfterFunc(ctx, s.GracefulStop)()
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	return s.Serve(l)
}

// engineAddress returns the last argument that is no flag: hosts take flags that
// mean nothing here, such as -root and -packagemanager.
func engineAddress(args []string) (string, error) {
	for i := len(args) - 1; i >= 0; i-- {
		if args[i] != "" && args[i][0] != '-' {
			return args[i], nil
		}
	}
	return "", fmt.Errorf("no address of an engine was given; this program is started by pulumi")
}
