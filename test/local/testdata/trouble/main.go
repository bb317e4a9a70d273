// Command trouble is a Lambda function that does what its event says, most of
// it bad.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct{ Mode, File string }

// answer tells instances and invocations apart.
type answer struct {
	Process, Count int
	Trace, ARN     string
	Padding        string `json:",omitempty"`
}

var count int

func handle(ctx context.Context, in event) (answer, error) {
	count++
	c, _ := lambdacontext.FromContext(ctx)
	out := answer{Process: os.Getpid(), Count: count, Trace: os.Getenv("_X_AMZN_TRACE_ID"), ARN: c.InvokedFunctionArn}
	switch in.Mode {
	case "fail":
		return out, errors.New("asked to fail")
	case "panic":
		panic("on purpose")
	case "forkhang":
		child := exec.Command("/proc/self/exe", "child")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // out of the process group
		if err := child.Start(); err != nil {
			return out, err
		}
		fmt.Println("child", child.Process.Pid)
		time.Sleep(time.Hour)
	case "memory":
		var all [][]byte
		for range 400 {
			all = append(all, bytes.Repeat([]byte("x"), 1<<20))
			time.Sleep(time.Millisecond)
		}
		fmt.Println(len(all))
	case "flood":
		line := append(bytes.Repeat([]byte("x"), 1<<20-1), '\n')
		for range 100 {
			os.Stdout.Write(line)
		}
	case "big":
		out.Padding = strings.Repeat("x", 7<<20)
	case "wait": // until the file is there
		fmt.Println("waiting")
		for {
			if _, err := os.Stat(in.File); err == nil {
				return out, nil
			}
			time.Sleep(time.Millisecond)
		}
	}
	return out, nil
}

func main() {
	if len(os.Args) > 1 {
		time.Sleep(time.Hour)
	}
	if os.Getenv("INIT") == "exit" {
		fmt.Println("about to exit")
		os.Exit(3)
	}
	lambda.Start(handle)
}
