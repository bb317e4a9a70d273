package provider

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/value"
)

func (s *server) Check(ctx context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	k, err := find(ctx, req.GetUrn())
	if err != nil {
		return nil, err
	}
	maps, err := decodeAll(req.GetOlds(), req.GetNews())
	if err != nil {
		return nil, err
	}
	inputs, failures := k.Check(maps[0], maps[1], req.GetName(), req.GetRandomSeed())
	res := &pulumirpc.CheckResponse{}
	for _, f := range failures {
		res.Failures = append(res.Failures, &pulumirpc.CheckFailure{Property: f.Path, Reason: f.Reason})
	}
	res.Inputs, err = value.Encode(inputs)
	return res, err
}

func (s *server) Diff(ctx context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	k, err := find(ctx, req.GetUrn())
	if err != nil {
		return nil, err
	}
	maps, err := decodeAll(req.GetOldInputs(), req.GetNews(), req.GetOlds())
	if err != nil {
		return nil, err
	}
	changes := k.Diff(maps[0], maps[1], req.GetIgnoreChanges())
	if k.TagsChanged(maps[2], maps[1], defaultTags(ctx)) {
		changes = append(changes, kind.Change{Path: "tagsAll", Op: kind.Alter})
	}
	res := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, HasDetailedDiff: true, DetailedDiff: map[string]*pulumirpc.PropertyDiff{}}
	for _, c := range changes {
		res.Changes = pulumirpc.DiffResponse_DIFF_SOME
		res.Diffs = append(res.Diffs, c.Top())
		if c.Replace {
			res.Replaces = append(res.Replaces, c.Top())
		}
		res.DetailedDiff[c.Path] = &pulumirpc.PropertyDiff{Kind: diffKind(c), InputDiff: true}
	}
	res.DeleteBeforeReplace = k.DeleteFirst && len(res.Replaces) > 0
	return res, nil
}

// diffKind names a change: each way has a second name for one that replaces.
func diffKind(c kind.Change) pulumirpc.PropertyDiff_Kind {
	d := map[kind.Op]pulumirpc.PropertyDiff_Kind{
		kind.Add: pulumirpc.PropertyDiff_ADD, kind.Remove: pulumirpc.PropertyDiff_DELETE, kind.Alter: pulumirpc.PropertyDiff_UPDATE,
	}[c.Op]
	if c.Replace {
		d++
	}
	return d
}

func (s *server) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	k, err := find(ctx, req.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := value.Decode(req.GetProperties())
	if err != nil {
		return nil, invalid(err)
	}
	if req.GetPreview() {
		props, err := value.Encode(k.Outputs(inputs, k.Preview(inputs), defaultTags(ctx)))
		return &pulumirpc.CreateResponse{Properties: props}, err
	}
	id, out, err := k.Plane.Create(ctx, k.WithDefaults(inputs, defaultTags(ctx)))
	if err != nil && id == "" {
		return nil, failure("create", req.GetUrn(), err)
	}
	props, encodeErr := value.Encode(k.Outputs(inputs, out, defaultTags(ctx)))
	if err != nil {
		return nil, halfMade(id, req.GetUrn(), props, err)
	}
	return &pulumirpc.CreateResponse{Id: id, Properties: props}, encodeErr
}

func (s *server) Read(ctx context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	k, err := find(ctx, req.GetUrn())
	if err != nil {
		return nil, err
	}
	maps, err := decodeAll(req.GetProperties(), req.GetInputs())
	if err != nil {
		return nil, err
	}
	state, inputs := maps[0], maps[1]
	now, err := k.Plane.Read(ctx, req.GetId(), state)
	if errors.Is(err, kind.ErrNotFound) {
		return &pulumirpc.ReadResponse{}, nil
	}
	if err != nil {
		return nil, failure("read", req.GetUrn(), err)
	}
	inputs = k.Refresh(inputs, now, defaultTags(ctx), len(state) == 0)
	res := &pulumirpc.ReadResponse{Id: req.GetId()}
	if res.Inputs, err = value.Encode(inputs); err != nil {
		return nil, err
	}
	res.Properties, err = value.Encode(k.Outputs(inputs, k.Computed(value.Merge(state, now)), defaultTags(ctx)))
	return res, err
}

func (s *server) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	k, err := find(ctx, req.GetUrn())
	if err != nil {
		return nil, err
	}
	maps, err := decodeAll(req.GetOlds(), req.GetNews(), req.GetOldInputs())
	if err != nil {
		return nil, err
	}
	olds, news := maps[0], maps[1]
	if req.GetPreview() {
		props, err := value.Encode(k.Outputs(news, k.Computed(olds), defaultTags(ctx)))
		return &pulumirpc.UpdateResponse{Properties: props}, err
	}
	out, err := k.Plane.Update(ctx, req.GetId(), olds, k.WithDefaults(news, defaultTags(ctx)))
	if err != nil {
		return nil, failure("update", req.GetUrn(), err)
	}
	props, err := value.Encode(k.Outputs(news, value.Merge(k.Computed(olds), out), defaultTags(ctx)))
	return &pulumirpc.UpdateResponse{Properties: props}, err
}

func (s *server) Delete(ctx context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	k, err := find(ctx, req.GetUrn())
	if err != nil {
		return nil, err
	}
	state, err := value.Decode(req.GetProperties())
	if err != nil {
		return nil, invalid(err)
	}
	if err := k.Plane.Delete(ctx, req.GetId(), state); err != nil && !errors.Is(err, kind.ErrNotFound) {
		return nil, failure("delete", req.GetUrn(), err)
	}
	return &emptypb.Empty{}, nil
}

// halfMade says that a resource exists but is not whole: the engine keeps it in
// its state, and the next run puts it right.
func halfMade(id, urn string, props *structpb.Struct, err error) error {
	st := status.New(codes.Unknown, "create "+typeOf(urn)+": "+oneLine(err))
	detailed, detailErr := st.WithDetails(&pulumirpc.ErrorResourceInitFailed{Id: id, Properties: props, Reasons: []string{oneLine(err)}})
	if detailErr != nil {
		return errors.Join(err, detailErr)
	}
	return detailed.Err()
}
