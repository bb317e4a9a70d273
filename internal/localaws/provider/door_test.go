package provider_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"engage/internal/localaws/provider"
	"engage/internal/localaws/provider/function"
	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/value"
)

const (
	thing = "aws:test/thing:Thing"
	urn   = "urn:pulumi:local::engage::engage:aws:Group$" + thing + "::one"
)

// shelf is a plane that keeps things in memory, one shelf a region.
type shelf struct {
	region string
	things map[string]value.Map
}

func (s *shelf) Create(_ context.Context, in value.Map) (string, value.Map, error) {
	name := value.String(in, "name")
	switch value.String(in, "fate") {
	case "refused":
		return "", nil, errors.New("the service\n  says no")
	case "half":
		s.things[name] = in
		return name, value.Map{"arn": s.region + "/" + name}, errors.New("tags: the service says no")
	case "panic":
		panic("a mistake")
	}
	s.things[name] = in
	return name, value.Map{"arn": s.region + "/" + name}, nil
}

func (s *shelf) Read(_ context.Context, id string, _ value.Map) (value.Map, error) {
	in, ok := s.things[id]
	if !ok {
		return nil, fmt.Errorf("look: %w", kind.ErrNotFound)
	}
	return value.Merge(in, value.Map{"arn": s.region + "/" + id}), nil
}

func (s *shelf) Update(_ context.Context, id string, _, in value.Map) (value.Map, error) {
	if value.String(in, "fate") == "refused" {
		return nil, errors.New("the service says no")
	}
	s.things[id] = in
	return value.Map{"arn": s.region + "/" + id}, nil
}

func (s *shelf) Delete(_ context.Context, id string, _ value.Map) error {
	if _, ok := s.things[id]; !ok {
		return kind.ErrNotFound
	}
	delete(s.things, id)
	return nil
}

// house has a shelf for each region that somebody configured.
type house struct{ shelves map[string]*shelf }

func (h *house) kinds(region string) (kind.Table, error) {
	if h.shelves[region] == nil {
		h.shelves[region] = &shelf{region, map[string]value.Map{}}
	}
	return kind.NewTable([]kind.Kind{{
		Token: thing, Output: []string{"arn", "tagsAll"}, DeleteFirst: true, Plane: h.shelves[region],
		Inputs: kind.Object{"name": {Required: true, Replace: true}, "fate": {}, "doc": {Type: kind.Document}, "tags": {Type: kind.Dict}},
	}}), nil
}

// door opens a door to a new house.
func door(t *testing.T) (*house, func() *client) {
	t.Helper()
	h := &house{map[string]*shelf{}}
	d, err := provider.Open(t.Context(), provider.Config{
		Addr: "127.0.0.1:0", Kinds: h.kinds,
		Functions: func(region string) function.Table { return function.New("aws", "123456789012", region) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return h, func() *client { return connect(t, d.Port()) }
}

// client is what an engine is to the door: a connection of its own.
type client struct {
	t *testing.T
	pulumirpc.ResourceProviderClient
}

func connect(t *testing.T, port int) *client {
	t.Helper()
	c, err := grpc.NewClient(fmt.Sprintf("127.0.0.1:%d", port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &client{t, pulumirpc.NewResourceProviderClient(c)}
}

func (c *client) configure(args value.Map) {
	c.t.Helper()
	res, err := c.Configure(c.t.Context(), &pulumirpc.ConfigureRequest{Args: wire(c.t, args)})
	if err != nil || !res.GetSupportsPreview() {
		c.t.Fatalf("configure: %v, %v", res, err)
	}
}

func (c *client) create(in value.Map) (*pulumirpc.CreateResponse, error) {
	return c.Create(c.t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: wire(c.t, in)})
}

func wire(t *testing.T, m value.Map) *structpb.Struct {
	t.Helper()
	s, err := value.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func plain(t *testing.T, s *structpb.Struct) value.Map {
	t.Helper()
	m, err := value.Decode(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fails checks the code and the words of an error, which is one line.
func fails(t *testing.T, err error, code codes.Code, words ...string) {
	t.Helper()
	st := status.Convert(err)
	if err == nil || st.Code() != code || strings.Contains(st.Message(), "\n") {
		t.Errorf("got %v, want one line of %s", err, code)
		return
	}
	for _, w := range words {
		if !strings.Contains(st.Message(), w) {
			t.Errorf("%q lacks %q", st.Message(), w)
		}
	}
}

func TestLife(t *testing.T) {
	h, enter := door(t)
	c := enter()
	c.configure(value.Map{"region": "us-east-1"})
	made, err := c.create(value.Map{"name": "a", "tags": value.Map{"k": "v"}})
	if err != nil {
		t.Fatal(err)
	}
	props := plain(t, made.GetProperties())
	if made.GetId() != "a" || props["arn"] != "us-east-1/a" || !value.Equal(props["tagsAll"], value.Map{"k": "v"}) {
		t.Errorf("made %s: %v", made.GetId(), props)
	}
	read, err := c.Read(t.Context(), &pulumirpc.ReadRequest{Urn: urn, Id: "a", Properties: made.GetProperties(), Inputs: wire(t, value.Map{"name": "a", "tags": value.Map{"k": "v"}})})
	if err != nil || !value.Equal(plain(t, read.GetInputs()), value.Map{"name": "a", "tags": value.Map{"k": "v"}}) {
		t.Errorf("read %v: %v", read, err)
	}
	updated, err := c.Update(t.Context(), &pulumirpc.UpdateRequest{Urn: urn, Id: "a", Olds: made.GetProperties(), News: wire(t, value.Map{"name": "a", "doc": "{}"})})
	if err != nil || plain(t, updated.GetProperties())["doc"] != "{}" || plain(t, updated.GetProperties())["arn"] != "us-east-1/a" {
		t.Errorf("updated %v: %v", updated, err)
	}
	for range 2 { // what is gone is deleted
		if _, err := c.Delete(t.Context(), &pulumirpc.DeleteRequest{Urn: urn, Id: "a", Properties: updated.GetProperties()}); err != nil {
			t.Error(err)
		}
	}
	if len(h.shelves["us-east-1"].things) != 0 {
		t.Error("something stayed")
	}
	read, err = c.Read(t.Context(), &pulumirpc.ReadRequest{Urn: urn, Id: "a", Properties: made.GetProperties()})
	if err != nil || read.GetId() != "" {
		t.Errorf("what is gone reads as %v, %v", read, err)
	}
}

func TestPreview(t *testing.T) {
	h, enter := door(t)
	c := enter()
	c.configure(value.Map{"region": "us-east-1"})
	res, err := c.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Preview: true, Properties: wire(t, value.Map{"name": "a"})})
	if err != nil || res.GetId() != "" || plain(t, res.GetProperties())["arn"] != (value.Unknown{}) || plain(t, res.GetProperties())["name"] != "a" {
		t.Errorf("got %v, %v", res, err)
	}
	up, err := c.Update(t.Context(), &pulumirpc.UpdateRequest{
		Urn: urn, Id: "a", Preview: true, Olds: wire(t, value.Map{"name": "a", "arn": "kept"}), News: wire(t, value.Map{"name": "a", "doc": "{}"}),
	})
	if err != nil || plain(t, up.GetProperties())["arn"] != "kept" || plain(t, up.GetProperties())["doc"] != "{}" {
		t.Errorf("got %v, %v", up, err)
	}
	if len(h.shelves["us-east-1"].things) != 0 {
		t.Error("a preview made something")
	}
}

func TestRefusals(t *testing.T) {
	_, enter := door(t)
	c := enter()
	_, err := c.create(value.Map{"name": "a"})
	fails(t, err, codes.FailedPrecondition, "the provider is not configured", "calls Configure first")
	_, err = c.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:index/getRegion:getRegion"})
	fails(t, err, codes.Unimplemented)
	c.configure(value.Map{})
	other := "urn:pulumi:local::engage::aws:ec2/instance:Instance::one"
	in := wire(t, value.Map{})
	for name, call := range map[string]func() error{
		"check": func() error {
			_, err := c.Check(t.Context(), &pulumirpc.CheckRequest{Urn: other, News: in})
			return err
		},
		"diff": func() error { _, err := c.Diff(t.Context(), &pulumirpc.DiffRequest{Urn: other, News: in}); return err },
		"create": func() error {
			_, err := c.Create(t.Context(), &pulumirpc.CreateRequest{Urn: other, Properties: in})
			return err
		},
		"read": func() error { _, err := c.Read(t.Context(), &pulumirpc.ReadRequest{Urn: other, Id: "i"}); return err },
		"update": func() error {
			_, err := c.Update(t.Context(), &pulumirpc.UpdateRequest{Urn: other, Id: "i"})
			return err
		},
		"delete": func() error {
			_, err := c.Delete(t.Context(), &pulumirpc.DeleteRequest{Urn: other, Id: "i"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, call(), codes.Unimplemented, "resource type aws:ec2/instance:Instance is not supported by the embedded endpoint")
		})
	}
	_, err = c.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:ec2/getAmi:getAmi"})
	fails(t, err, codes.Unimplemented, "function aws:ec2/getAmi:getAmi is not supported")
	_, err = c.GetSchema(t.Context(), &pulumirpc.GetSchemaRequest{})
	fails(t, err, codes.Unimplemented, "take it from the SDK or the official plugin")
	_, err = c.Construct(t.Context(), &pulumirpc.ConstructRequest{})
	fails(t, err, codes.Unimplemented)
}

func TestFailures(t *testing.T) {
	_, enter := door(t)
	c := enter()
	c.configure(value.Map{})
	_, err := c.create(value.Map{"name": "a", "fate": "refused"})
	fails(t, err, codes.Unknown, "create "+thing+": the service says no")
	_, err = c.create(value.Map{"name": "a", "fate": "panic"})
	fails(t, err, codes.Internal, "/pulumirpc.ResourceProvider/Create failed by a mistake in the endpoint: a mistake")
	_, err = c.Update(t.Context(), &pulumirpc.UpdateRequest{Urn: urn, Id: "a", News: wire(t, value.Map{"fate": "refused"})})
	fails(t, err, codes.Unknown, "update "+thing+": the service says no")
	text := &structpb.Struct{Fields: map[string]*structpb.Value{"doc": structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
		"4dabf18193072939515e22adb298388d": structpb.NewStringValue("c44067f5952c0a294b673a41bacd8c17"), "text": structpb.NewStringValue("x"),
	}})}}
	_, err = c.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: text})
	fails(t, err, codes.InvalidArgument, "property doc", "give a path")
	if _, err := c.create(value.Map{"name": "b"}); err != nil {
		t.Errorf("the door did not survive: %v", err)
	}
}

// What exists but is not whole stays in the engine's state.
func TestHalfMade(t *testing.T) {
	_, enter := door(t)
	c := enter()
	c.configure(value.Map{"region": "us-east-1"})
	_, err := c.create(value.Map{"name": "a", "fate": "half"})
	fails(t, err, codes.Unknown, "create "+thing, "the service says no")
	for _, detail := range status.Convert(err).Details() {
		if d, ok := detail.(*pulumirpc.ErrorResourceInitFailed); ok {
			if d.GetId() != "a" || plain(t, d.GetProperties())["arn"] != "us-east-1/a" || d.GetReasons()[0] != "tags: the service says no" {
				t.Errorf("got %v", d)
			}
			return
		}
	}
	t.Errorf("the error does not say that the thing exists: %v", err)
}

// Each engine has the region that it configured, whatever others do meanwhile.
func TestTwoRegions(t *testing.T) {
	h, enter := door(t)
	east, west := enter(), enter()
	east.configure(value.Map{"region": "us-east-1"})
	west.configure(value.Map{"region": "us-west-2"})
	for c, region := range map[*client]string{east: "us-east-1", west: "us-west-2"} {
		made, err := c.create(value.Map{"name": "a"})
		if err != nil || plain(t, made.GetProperties())["arn"] != region+"/a" {
			t.Errorf("made %v, %v, not in %s", made, err, region)
		}
		res, err := c.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:index/getRegion:getRegion"})
		if err != nil || plain(t, res.GetReturn())["name"] != region {
			t.Errorf("got %v, %v", res, err)
		}
	}
	if len(h.shelves) != 2 {
		t.Errorf("made in %v", h.shelves)
	}
}

func TestCheckAndDiff(t *testing.T) {
	_, enter := door(t)
	c := enter()
	c.configure(value.Map{})
	res, err := c.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: wire(t, value.Map{"naam": "a"})})
	if err != nil || len(res.GetFailures()) != 2 || res.GetFailures()[0].GetProperty() != "naam" || res.GetFailures()[1].GetReason() != "the property is required" {
		t.Errorf("got %v, %v", res, err)
	}
	diff := func(olds, news value.Map, ignored ...string) *pulumirpc.DiffResponse {
		t.Helper()
		d, err := c.Diff(t.Context(), &pulumirpc.DiffRequest{
			Urn: urn, Id: "a", OldInputs: wire(t, olds), News: wire(t, news), IgnoreChanges: ignored,
			Olds: wire(t, value.Merge(olds, value.Map{"tagsAll": value.Object(olds, "tags")})),
		})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := diff(value.Map{"name": "a", "doc": `{"a":1}`}, value.Map{"name": "a", "doc": `{ "a": 1 }`}); d.GetChanges() != pulumirpc.DiffResponse_DIFF_NONE {
		t.Errorf("nothing changed, and yet %v", d)
	}
	d := diff(value.Map{"name": "a"}, value.Map{"name": "b"})
	if !d.GetDeleteBeforeReplace() || len(d.GetReplaces()) != 1 || d.GetDetailedDiff()["name"].GetKind() != pulumirpc.PropertyDiff_UPDATE_REPLACE {
		t.Errorf("got %v", d)
	}
	if d := diff(value.Map{"name": "a"}, value.Map{"name": "b"}, "name"); d.GetChanges() != pulumirpc.DiffResponse_DIFF_NONE || d.GetDeleteBeforeReplace() {
		t.Errorf("got %v", d)
	}
	if d := diff(value.Map{"name": "a"}, value.Map{"name": "a", "doc": "{}"}); d.GetDetailedDiff()["doc"].GetKind() != pulumirpc.PropertyDiff_ADD || len(d.GetReplaces()) > 0 {
		t.Errorf("got %v", d)
	}
	if d := diff(value.Map{"name": "a", "doc": "{}"}, value.Map{"name": "a"}); d.GetDetailedDiff()["doc"].GetKind() != pulumirpc.PropertyDiff_DELETE {
		t.Errorf("got %v", d)
	}
}

func TestDefaultTags(t *testing.T) {
	for name, tags := range map[string]any{"as an object": value.Map{"tags": value.Map{"team": "data"}}, "as text": `{"tags":{"team":"data"}}`} {
		h, enter := door(t)
		c := enter()
		c.configure(value.Map{"region": "us-east-1", "defaultTags": tags})
		made, err := c.create(value.Map{"name": "a"})
		if err != nil || !value.Equal(plain(t, made.GetProperties())["tagsAll"], value.Map{"team": "data"}) {
			t.Errorf("%s: %v, %v", name, made, err)
		}
		if !value.Equal(h.shelves["us-east-1"].things["a"]["tags"], value.Map{"team": "data"}) {
			t.Errorf("%s: made with %v", name, h.shelves["us-east-1"].things["a"])
		}
		d, err := c.Diff(t.Context(), &pulumirpc.DiffRequest{Urn: urn, Id: "a", OldInputs: wire(t, value.Map{"name": "a"}), News: wire(t, value.Map{"name": "a"}), Olds: wire(t, value.Map{"tagsAll": value.Map{}})})
		if err != nil || d.GetChanges() != pulumirpc.DiffResponse_DIFF_SOME || d.GetDiffs()[0] != "tagsAll" {
			t.Errorf("%s: a change of the provider's tags is overlooked: %v, %v", name, d, err)
		}
	}
}

func TestConfigure(t *testing.T) {
	_, enter := door(t)
	c := enter()
	checked, err := c.CheckConfig(t.Context(), &pulumirpc.CheckRequest{News: wire(t, value.Map{"region": "eu-west-1"})})
	if err != nil || plain(t, checked.GetInputs())["region"] != "eu-west-1" {
		t.Errorf("got %v, %v", checked, err)
	}
	for name, tc := range map[string]struct {
		olds, news value.Map
		replaced   bool
	}{
		"one region":       {value.Map{"region": "us-east-1"}, value.Map{}, false},
		"another region":   {value.Map{"region": "us-east-1"}, value.Map{"region": "us-west-2"}, true},
		"one not known":    {value.Map{"region": "us-east-1"}, value.Map{"region": value.Unknown{}}, false},
		"another endpoint": {value.Map{"region": "us-east-1"}, value.Map{"region": "us-east-1", "endpoints": "[]"}, false},
	} {
		d, err := c.DiffConfig(t.Context(), &pulumirpc.DiffRequest{OldInputs: wire(t, tc.olds), News: wire(t, tc.news)})
		if err != nil || (len(d.GetReplaces()) > 0) != tc.replaced {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
	info, err := c.GetPluginInfo(t.Context(), &emptypb.Empty{})
	if err != nil || info.GetVersion() != provider.Version {
		t.Errorf("got %v, %v", info, err)
	}
}

func TestInvoke(t *testing.T) {
	_, enter := door(t)
	c := enter()
	c.configure(value.Map{"region": "eu-west-1"})
	res, err := c.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:index/getCallerIdentity:getCallerIdentity"})
	if err != nil || plain(t, res.GetReturn())["accountId"] != "123456789012" {
		t.Errorf("got %v, %v", res, err)
	}
	res, err = c.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:index/getRegion:getRegion", Args: wire(t, value.Map{"name": "us-east-1"})})
	if err != nil || len(res.GetFailures()) != 1 || res.GetFailures()[0].GetProperty() != "name" {
		t.Errorf("got %v, %v", res, err)
	}
}

func TestBusyAddress(t *testing.T) {
	d, err := provider.Open(t.Context(), provider.Config{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close(context.Background()) }()
	if _, err := provider.Open(t.Context(), provider.Config{Addr: fmt.Sprintf("127.0.0.1:%d", d.Port())}); err == nil || !strings.Contains(err.Error(), "open the provider door") {
		t.Errorf("got %v", err)
	}
}

// A call that runs when the door closes ends first, or is cut when time is up.
func TestClose(t *testing.T) {
	began, end := make(chan struct{}), make(chan struct{})
	d, err := provider.Open(t.Context(), provider.Config{
		Addr: "127.0.0.1:0", Functions: func(string) function.Table { return nil },
		Kinds: func(string) (kind.Table, error) { close(began); <-end; return maps.Clone(kind.Table{}), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	c, answered := connect(t, d.Port()), make(chan error, 1)
	go func() { _, err := c.Configure(context.Background(), &pulumirpc.ConfigureRequest{}); answered <- err }()
	<-began
	late, cancel := context.WithCancel(context.Background())
	cancel()
	closed := make(chan error, 1)
	go func() { closed <- d.Close(late) }()
	if err := <-answered; err == nil {
		t.Error("the call was not cut")
	}
	close(end)
	if err := <-closed; err == nil || !strings.Contains(err.Error(), "while a call was running") {
		t.Errorf("got %v", err)
	}
}
