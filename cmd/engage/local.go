package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"engage/internal/localaws"
	"engage/internal/localaws/daemon"
	"engage/internal/localaws/server"
	"engage/internal/localaws/wire"
)

// How long starting and stopping may take before the endpoint is killed.
const (
	startLimit = 30 * time.Second
	stopLimit  = 40 * time.Second // a task may take 30 s to end
)

// localOptions are the flags of the local commands.
type localOptions struct {
	dir    string
	port   int
	door   int // port of the provider door
	asJSON bool
}

func newLocal(s streams) *cobra.Command {
	o := &localOptions{}
	c := &cobra.Command{
		Use:   "local",
		Short: "Run AWS on this machine: an endpoint without Docker, token or network",
		Long: `Run an AWS endpoint on this machine. The AWS SDKs, the AWS CLI and boto3 work
against it by its URL alone, with the access key "test" and the secret "test", or
with the credentials of a role session that it issued.

State lives in --dir. What is not supported is refused by name.`,
		Example: `  engage local up
  AWS_ENDPOINT_URL=http://127.0.0.1:4566 aws s3 mb s3://demo
  engage local logs --denied
  engage local down`,
		Args:                       cobra.ArbitraryArgs, // needsCommand refuses them
		RunE:                       needsCommand,
		SuggestionsMinimumDistance: 2,
	}
	c.PersistentFlags().StringVar(&o.dir, "dir", filepath.Join(home(), "local"), "directory of the endpoint's state")
	_ = c.MarkPersistentFlagDirname("dir")
	c.AddCommand(newServe(s, o), newUp(s, o), newDown(s, o), newStatus(s, o), newReset(s, o), newRequests(s, o), newUsage(s, o))
	c.AddCommand(newAudit(s, o))
	return c
}

// local makes a command of this group that takes no arguments.
func (o *localOptions) local(use, short, long string, run func(ctx context.Context) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long, Args: takes(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context()) },
	}
}

func (o *localOptions) portFlag(c *cobra.Command) *cobra.Command {
	c.Flags().IntVar(&o.port, "port", 4566, "port on 127.0.0.1; 0: a free one")
	c.Flags().IntVar(&o.door, "provider-port", 4567, "port of Pulumi's resource-provider protocol on 127.0.0.1; 0: a free one, as with --port 0")
	return c
}

func (o *localOptions) jsonFlag(c *cobra.Command) *cobra.Command {
	c.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

func newServe(s streams, o *localOptions) *cobra.Command {
	return o.portFlag(o.local("serve", "Run the endpoint in the foreground until interrupted", "", func(ctx context.Context) error {
		return serve(ctx, s, o)
	}))
}

// serve runs the endpoint until ctx ends.
func serve(ctx context.Context, s streams, o *localOptions) (err error) {
	for _, port := range []int{o.port, o.door} {
		if port < 0 || port > 65535 {
			return fmt.Errorf("port %d: want 0 to 65535", port)
		}
	}
	if o.port == 0 {
		o.door = 0
	}
	lease, err := daemon.Own(o.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lease.Release()) }()
	endpoint, err := localaws.Open(localaws.Config{
		Addr: fmt.Sprintf("127.0.0.1:%d", o.port), Dir: o.dir,
		Report: func(err error) { s.say("engage: %s", oneLine(err)) },
	})
	if err != nil {
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer cancel()
		err = errors.Join(err, endpoint.Close(end))
	}()
	if err := endpoint.Start(ctx); err != nil {
		return err
	}
	door, err := endpoint.OpenDoor(ctx, fmt.Sprintf("127.0.0.1:%d", o.door))
	if err != nil {
		return err
	}
	if err := lease.Announce(endpoint.URL(), door, time.Now()); err != nil {
		return fmt.Errorf("announce endpoint: %w", err)
	}
	s.say("listening on %s; interrupt to stop", endpoint.URL())
	if err := daemon.Ready(); err != nil {
		return fmt.Errorf("tell that the endpoint is ready: %w", err)
	}
	daemon.Trim()
	<-ctx.Done()
	return nil
}

func newUp(s streams, o *localOptions) *cobra.Command {
	return o.jsonFlag(o.portFlag(o.local("up", "Start the endpoint in the background and wait until it is healthy",
		"Start the endpoint in the background and wait until it is healthy. If it runs already, nothing happens.",
		func(ctx context.Context) error {
			info, err := daemon.Find(o.dir)
			if errors.Is(err, daemon.ErrNotRunning) {
				info, err = start(ctx, o)
			}
			if err != nil {
				return err
			}
			s.say("running as process %d", info.PID)
			return o.tell(s, info, info.URL)
		})))
}

// start begins this program's own "local serve" in the background.
func start(ctx context.Context, o *localOptions) (daemon.Info, error) {
	program, err := os.Executable()
	if err != nil {
		return daemon.Info{}, fmt.Errorf("find this program: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	return daemon.Start(ctx, o.dir, program, "local", "serve", "--dir", o.dir, "--port", fmt.Sprint(o.port), "--provider-port", fmt.Sprint(o.door))
}

// tell prints v as JSON, or the text for a person.
func (o *localOptions) tell(s streams, v any, text string) error {
	if o.asJSON {
		return s.json(v)
	}
	_, err := fmt.Fprintln(s.Out, text)
	return err
}

func newDown(s streams, o *localOptions) *cobra.Command {
	return o.local("down", "Stop the endpoint and everything that it runs", "", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, stopLimit)
		defer cancel()
		err := daemon.Stop(ctx, o.dir)
		if errors.Is(err, daemon.ErrNotRunning) {
			s.say("no endpoint is running")
			return nil
		}
		if err == nil {
			s.say("stopped")
		}
		return err
	})
}

func newReset(s streams, o *localOptions) *cobra.Command {
	return o.local("reset", "Delete all state of an endpoint that is not running", "", func(context.Context) error {
		if err := daemon.Reset(o.dir); err != nil {
			return err
		}
		s.say("deleted the state in %s", o.dir)
		return nil
	})
}

func newStatus(s streams, o *localOptions) *cobra.Command {
	return o.jsonFlag(o.local("status", "Tell whether the endpoint runs, where, and which services it has",
		"Exit codes: 0 it runs; 2 it does not.", func(ctx context.Context) error {
			info, err := daemon.Find(o.dir)
			if err != nil {
				return err
			}
			var health struct {
				Services map[string]string `json:"services"`
			}
			if err := o.ask(ctx, "/_localstack/health", nil, &health); err != nil {
				return err
			}
			var host localaws.Host
			if err := o.ask(ctx, "/_localaws/host", nil, &host); err != nil {
				return err
			}
			text := fmt.Sprintf("running as process %d since %s on %s\nservices: %s\ntasks: %s\nfunctions: %s", info.PID,
				info.Started.Local().Format(time.DateTime), info.URL, strings.Join(sortedKeys(health.Services), ", "),
				isolation(host), host.Functions)
			return o.tell(s, struct {
				daemon.Info
				Services []string      `json:"services"`
				Host     localaws.Host `json:"host"`
			}{info, sortedKeys(health.Services), host}, text)
		}))
}

// isolation tells in words how tasks run.
func isolation(h localaws.Host) string {
	t := h.Tasks
	parts := []string{"plain processes"}
	if t.Chroot {
		parts = []string{"processes in the image's root"}
	}
	for _, p := range []struct {
		holds bool
		text  string
	}{
		{t.OwnUser, "as the image's user"}, {t.UserNamespace, "user namespace"}, {t.MountNamespace, "private mounts"},
		{t.PIDNamespace, "own process ids"}, {true, "read-only root by " + t.ReadOnlyRoot}, {true, "memory limit by " + t.MemoryLimit},
		{t.Why != "", t.Why},
	} {
		if p.holds {
			parts = append(parts, p.text)
		}
	}
	return strings.Join(parts, ", ")
}

// ask reads JSON from the endpoint that runs.
func (o *localOptions) ask(ctx context.Context, path string, query url.Values, into any) error {
	info, err := daemon.Find(o.dir)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, info.URL+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask the endpoint: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
		return fmt.Errorf("ask the endpoint: %s: %s", answer.Status, text)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

func newRequests(s streams, o *localOptions) *cobra.Command {
	var service string
	var denied bool
	var limit int
	c := o.jsonFlag(o.local("logs", "List the latest calls to the endpoint",
		"List the latest calls to the endpoint: time, status, caller, action and resource, and for a denied call what was denied.",
		func(ctx context.Context) error {
			query := url.Values{"service": {service}, "denied": {fmt.Sprint(denied)}, "limit": {fmt.Sprint(limit)}}
			var answer struct {
				Requests []server.Record `json:"requests"`
			}
			if err := o.ask(ctx, "/_localaws/requests", query, &answer); err != nil {
				return err
			}
			if o.asJSON {
				return s.json(answer.Requests)
			}
			return printRequests(s, answer.Requests)
		}))
	c.Flags().StringVar(&service, "service", "", "calls to this service only, such as s3")
	c.Flags().BoolVar(&denied, "denied", false, "denied calls only")
	c.Flags().IntVar(&limit, "limit", 100, "at most so many calls, the latest; 0: all that are kept")
	return c
}

func printRequests(s streams, records []server.Record) error {
	out := newTable(s)
	out.row("TIME", "STATUS", "MS", "CALLER", "ACTION", "RESOURCE", "CODE")
	for _, r := range records {
		action, resource := r.Service+":"+r.Action, strings.Join(r.Resources, " ")
		if r.Denied && r.DeniedAction != "" {
			action, resource = r.DeniedAction, r.DeniedResource
		}
		status := "-"
		if r.Status > 0 {
			status = fmt.Sprint(r.Status)
		}
		out.row(r.Time.Local().Format("15:04:05.000"), status, fmt.Sprintf("%.1f", r.DurationMS), r.Caller, action, resource, r.Code)
	}
	return out.flush()
}

func newUsage(s streams, o *localOptions) *cobra.Command {
	var service, resource, run string
	c := o.jsonFlag(o.local("usage", "Tell what AWS would bill: every counted quantity", "",
		func(ctx context.Context) error {
			var answer struct {
				Usage []wire.Quantity `json:"usage"`
			}
			query := url.Values{"service": {service}, "resource": {resource}, "run": {run}}
			if err := o.ask(ctx, "/_localaws/usage", query, &answer); err != nil {
				return err
			}
			if o.asJSON {
				return s.json(answer.Usage)
			}
			out := newTable(s)
			out.row("SERVICE", "USAGE", "RESOURCE", "RUN", "AMOUNT")
			slices.SortStableFunc(answer.Usage, func(a, b wire.Quantity) int { return strings.Compare(a.Service, b.Service) })
			for _, q := range answer.Usage {
				out.row(q.Service, q.Usage, q.Resource, q.RunID, fmt.Sprintf("%.6g", q.Amount))
			}
			return out.flush()
		}))
	c.Flags().StringVar(&service, "service", "", "of this service only")
	c.Flags().StringVar(&resource, "resource", "", "of this resource only")
	c.Flags().StringVar(&run, "run", "", "of this run only")
	return c
}
