// Every kind of resource that a service here executes, through the provider door
// of a running endpoint, and beside it what AWS's own clients see and change.
package provider_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"engage/internal/localaws"
	"engage/internal/localaws/provider/value"
)

const (
	account = "000000000000"
	region  = "us-east-1"
)

// engine drives the door as Pulumi's engine does.
type engine struct {
	t      *testing.T
	door   pulumirpc.ResourceProviderClient
	config aws.Config // for AWS's own clients
}

// open starts an endpoint and its door for a test.
func open(t *testing.T) *engine {
	t.Helper()
	e, err := localaws.Open(localaws.Config{Addr: "127.0.0.1:0", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := e.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	port, err := e.OpenDoor(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := grpc.NewClient(fmt.Sprintf("127.0.0.1:%d", port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	url := e.URL()
	n := &engine{t, pulumirpc.NewResourceProviderClient(c), aws.Config{
		Region: region, BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}}
	if _, err := n.door.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: n.wire(value.Map{"region": region})}); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *engine) wire(m value.Map) *structpb.Struct {
	n.t.Helper()
	s, err := value.Encode(m)
	if err != nil {
		n.t.Fatal(err)
	}
	return s
}

func (n *engine) plain(s *structpb.Struct) value.Map {
	n.t.Helper()
	m, err := value.Decode(s)
	if err != nil {
		n.t.Fatal(err)
	}
	return m
}

// held is a resource as an engine holds it in its state.
type held struct {
	urn, id       string
	inputs, props value.Map
}

// on returns the engine for a part of a test.
func (n *engine) on(t *testing.T) *engine { return &engine{t, n.door, n.config} }

func (n *engine) check(urn string, olds, news value.Map) value.Map {
	n.t.Helper()
	res, err := n.door.Check(n.t.Context(), &pulumirpc.CheckRequest{Urn: urn, Name: "test", Olds: n.wire(olds), News: n.wire(news), RandomSeed: []byte{1, 2, 3, 4}})
	if err != nil {
		n.t.Fatal(err)
	}
	for _, f := range res.GetFailures() {
		n.t.Fatalf("%s: %s", f.GetProperty(), f.GetReason())
	}
	return n.plain(res.GetInputs())
}

func (n *engine) create(token string, in value.Map) *held {
	n.t.Helper()
	h := &held{urn: "urn:pulumi:test::test::" + token + "::test"}
	h.inputs = n.check(h.urn, value.Map{}, in)
	res, err := n.door.Create(n.t.Context(), &pulumirpc.CreateRequest{Urn: h.urn, Properties: n.wire(h.inputs)})
	if err != nil {
		n.t.Fatal(err)
	}
	h.id, h.props = res.GetId(), n.plain(res.GetProperties())
	return h
}

func (n *engine) read(h *held) *pulumirpc.ReadResponse {
	n.t.Helper()
	res, err := n.door.Read(n.t.Context(), &pulumirpc.ReadRequest{Urn: h.urn, Id: h.id, Properties: n.wire(h.props), Inputs: n.wire(h.inputs)})
	if err != nil {
		n.t.Fatal(err)
	}
	return res
}

// refresh takes what is as the state, as "pulumi refresh" does.
func (n *engine) refresh(h *held) {
	n.t.Helper()
	res := n.read(h)
	h.inputs, h.props = n.plain(res.GetInputs()), n.plain(res.GetProperties())
}

// drift returns the properties in which a resource differs from its inputs, and
// whether it is there at all.
func (n *engine) drift(h *held) (paths []string, there bool) {
	n.t.Helper()
	res := n.read(h)
	if res.GetId() == "" {
		return nil, false
	}
	d := n.diff(h.urn, n.plain(res.GetInputs()), h.inputs, n.plain(res.GetProperties()))
	for path, p := range d.GetDetailedDiff() {
		paths = append(paths, path+" "+p.GetKind().String())
	}
	return paths, true
}

func (n *engine) diff(urn string, olds, news, state value.Map) *pulumirpc.DiffResponse {
	n.t.Helper()
	d, err := n.door.Diff(n.t.Context(), &pulumirpc.DiffRequest{Urn: urn, OldInputs: n.wire(olds), News: n.wire(news), Olds: n.wire(state)})
	if err != nil {
		n.t.Fatal(err)
	}
	return d
}

// update brings a resource to new inputs.
func (n *engine) update(h *held, news value.Map) {
	n.t.Helper()
	res, err := n.door.Update(n.t.Context(), &pulumirpc.UpdateRequest{Urn: h.urn, Id: h.id, Olds: n.wire(h.props), OldInputs: n.wire(h.inputs), News: n.wire(news)})
	if err != nil {
		n.t.Fatal(err)
	}
	h.inputs, h.props = news, n.plain(res.GetProperties())
}

func (n *engine) delete(h *held) {
	n.t.Helper()
	if _, err := n.door.Delete(n.t.Context(), &pulumirpc.DeleteRequest{Urn: h.urn, Id: h.id, Properties: n.wire(h.props)}); err != nil {
		n.t.Fatal(err)
	}
}

// life is what a kind goes through: made of inputs, changed by the program, and
// changed behind its back.
type life struct {
	token  string
	in     value.Map
	change value.Map                          // over the inputs, in place; nil for a kind that is only replaced
	behind func(context.Context, *held) error // nil where nobody else can change it
	drift  string                             // the property that then differs; "" when the resource is gone
	stays  bool                               // an account always has one: deleting it sets it back
}

func (n *engine) live(l life) {
	n.t.Helper()
	h := n.create(l.token, l.in)
	if h.id == "" {
		n.t.Fatal("it has no identifier")
	}
	n.steady(h, "made")
	if l.change != nil {
		news := n.check(h.urn, h.inputs, merged(l.in, l.change))
		d := n.diff(h.urn, h.inputs, news, h.props)
		if d.GetChanges() != pulumirpc.DiffResponse_DIFF_SOME || len(d.GetReplaces()) > 0 {
			n.t.Errorf("a change in place is %s and replaces %v", d.GetChanges(), d.GetReplaces())
		}
		n.update(h, news)
		n.steady(h, "changed")
	}
	if l.behind != nil {
		n.meddle(h, l)
	}
	n.delete(h)
	n.delete(h) // what is gone is no error
	if _, there := n.drift(h); there && !l.stays {
		n.t.Error("it is still there")
	}
}

// meddle changes a resource behind the program's back, looks that the door tells,
// and has it put right.
func (n *engine) meddle(h *held, l life) {
	n.t.Helper()
	if err := l.behind(n.t.Context(), h); err != nil {
		n.t.Fatal(err)
	}
	wanted := h.inputs
	paths, there := n.drift(h)
	if l.drift == "" {
		if there {
			n.t.Errorf("it was taken away, and is read as there")
		}
		return
	}
	if !there || !strings.Contains(strings.Join(paths, "\n"), l.drift) {
		n.t.Fatalf("a change behind is not seen: there %v, differs in %v", there, paths)
	}
	n.refresh(h)
	n.update(h, wanted)
	n.steady(h, "put right")
}

func (n *engine) steady(h *held, when string) {
	n.t.Helper()
	if paths, there := n.drift(h); !there || len(paths) > 0 {
		n.t.Errorf("%s, and it is there %v and differs in %v", when, there, paths)
	}
}

// merged returns inputs with others over them, object by object; nil takes away.
func merged(in, over value.Map) value.Map {
	out := maps.Clone(in)
	for name, v := range over {
		old, object := out[name].(value.Map)
		if m, ok := v.(value.Map); ok && object {
			v = merged(old, m)
		}
		out[name] = v
	}
	return out
}
