package local_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"engage/internal/localaws"
)

// serveDir makes this test program an endpoint over the directory, so that
// tests can kill a whole process.
const serveDir = "ENGAGE_TEST_SERVE_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(serveDir)
	if dir == "" {
		code := m.Run()
		if dir, err := built(); err == nil {
			os.RemoveAll(dir)
		}
		os.Exit(code)
	}
	if err := serve(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve runs an endpoint until it is interrupted, and prints its URL first.
func serve(dir string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	e, err := localaws.Open(localaws.Config{Addr: "127.0.0.1:0", Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close(context.Background())) }()
	if err := e.Start(ctx); err != nil {
		return err
	}
	fmt.Println(e.URL())
	<-ctx.Done()
	return nil
}

// process is an endpoint that runs in a process of its own.
type process struct {
	*exec.Cmd
	url string
}

// spawn starts this program as an endpoint, and waits until it listens.
func spawn(dir string) (*process, error) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), serveDir+"="+dir)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	p := &process{Cmd: c}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		return nil, errors.Join(errors.New("the endpoint did not start"), c.Wait())
	}
	p.url = lines.Text()
	return p, nil
}

// kill ends the process as a power cut would, and reaps it.
func (p *process) kill() {
	_ = p.Process.Kill()
	_ = p.Wait() // it was killed: that is its status
}
