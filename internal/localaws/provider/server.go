package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"engage/internal/localaws/provider/function"
	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/value"
)

// server speaks the protocol. What it does not implement answers Unimplemented.
type server struct {
	pulumirpc.UnimplementedResourceProviderServer
	cfg Config
}

func (s *server) Handshake(context.Context, *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse, error) {
	return &pulumirpc.ProviderHandshakeResponse{}, nil
}

func (s *server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

func (s *server) Attach(context.Context, *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// Cancel is an engine's wish to stop. Calls are short and end by themselves.
func (s *server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (s *server) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return nil, status.Error(codes.Unimplemented, "the embedded endpoint has no schema of the AWS package; take it from the SDK or the official plugin")
}

// region returns where a provider makes its resources. Settings of the official
// plugin that are about reaching AWS are taken and mean nothing here.
func region(args value.Map) string {
	if r := value.String(args, "region"); r != "" {
		return r
	}
	return "us-east-1"
}

func (s *server) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: req.GetNews()}, nil
}

// DiffConfig replaces everything of a provider whose region changes.
func (s *server) DiffConfig(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, err := value.Decode(req.GetOldInputs())
	if err != nil {
		return nil, invalid(err)
	}
	news, err := value.Decode(req.GetNews())
	if err != nil {
		return nil, invalid(err)
	}
	res := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}
	if _, unknown := news["region"].(value.Unknown); !unknown && region(olds) != region(news) {
		res.Changes, res.Replaces, res.Diffs = pulumirpc.DiffResponse_DIFF_SOME, []string{"region"}, []string{"region"}
	}
	return res, nil
}

func (s *server) Configure(ctx context.Context, req *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	args, err := value.Decode(req.GetArgs())
	if err != nil {
		return nil, invalid(err)
	}
	kinds, err := s.cfg.Kinds(region(args))
	if err != nil {
		return nil, invalid(err)
	}
	ses := sessionOf(ctx)
	ses.mu.Lock()
	defer ses.mu.Unlock()
	ses.kinds, ses.functions = kinds, s.cfg.Functions(region(args))
	ses.tags = value.StringMap(nested(args, "defaultTags"), "tags")
	return &pulumirpc.ConfigureResponse{SupportsPreview: true}, nil
}

// nested returns an object of a provider's settings, which the engine sends as
// JSON text.
func nested(args value.Map, name string) value.Map {
	if m := value.Object(args, name); m != nil {
		return m
	}
	v, err := kind.Parse(value.String(args, name))
	if m, ok := v.(value.Map); ok && err == nil {
		return m
	}
	return nil
}

// defaultTags returns what every resource of the caller's provider is tagged with.
func defaultTags(ctx context.Context) map[string]string {
	ses := sessionOf(ctx)
	ses.mu.Lock()
	defer ses.mu.Unlock()
	return ses.tags
}

// find returns the kind of a resource of a configured provider.
func find(ctx context.Context, urn string) (kind.Kind, error) {
	ses := sessionOf(ctx)
	ses.mu.Lock()
	defer ses.mu.Unlock()
	if ses.kinds == nil {
		return kind.Kind{}, status.Error(codes.FailedPrecondition, "the provider is not configured; the engine calls Configure first")
	}
	k, err := ses.kinds.Find(typeOf(urn))
	if err != nil {
		return kind.Kind{}, status.Error(codes.Unimplemented, err.Error())
	}
	return k, nil
}

// typeOf returns the type of a URN, "urn:pulumi:stack::project::parent$type::name".
func typeOf(urn string) string {
	parts := strings.Split(urn, "::")
	if len(parts) < 4 {
		return urn
	}
	types := strings.Split(parts[2], "$")
	return types[len(types)-1]
}

func (s *server) Invoke(ctx context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	ses := sessionOf(ctx)
	ses.mu.Lock()
	functions := ses.functions
	ses.mu.Unlock()
	f, err := functions.Find(req.GetTok())
	if err != nil {
		return nil, status.Error(codes.Unimplemented, err.Error())
	}
	args, err := value.Decode(req.GetArgs())
	if err != nil {
		return nil, invalid(err)
	}
	out, err := f(ctx, args)
	var bad *function.ArgumentError
	if errors.As(err, &bad) {
		return &pulumirpc.InvokeResponse{Failures: []*pulumirpc.CheckFailure{{Property: bad.Name, Reason: bad.Reason}}}, nil
	}
	if err != nil {
		return nil, status.Error(codes.Unknown, fmt.Sprintf("%s: %v", req.GetTok(), err))
	}
	ret, err := value.Encode(out)
	return &pulumirpc.InvokeResponse{Return: ret}, err
}

func invalid(err error) error { return status.Error(codes.InvalidArgument, err.Error()) }

// decodeAll decodes several maps at once.
func decodeAll(structs ...*structpb.Struct) ([]value.Map, error) {
	out := make([]value.Map, len(structs))
	for i, s := range structs {
		m, err := value.Decode(s)
		if err != nil {
			return nil, invalid(err)
		}
		out[i] = m
	}
	return out, nil
}

// failure makes one line of a plane's error.
func failure(doing, urn string, err error) error {
	return status.Error(codes.Unknown, fmt.Sprintf("%s %s: %s", doing, typeOf(urn), oneLine(err)))
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
