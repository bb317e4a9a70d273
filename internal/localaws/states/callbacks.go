package states

import (
	"context"
	"encoding/base64"
	"errors"

	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/asl/value"
	"engage/internal/localaws/wire"
)

type successInput struct {
	Token  string `json:"taskToken" required:"true" max:"2048"`
	Output string `json:"output" required:"true"`
}

type failureInput struct {
	Token string `json:"taskToken" required:"true" max:"2048"`
	Error string `json:"error" max:"256"`
	Cause string `json:"cause" max:"32768"`
}

type heartbeatInput struct {
	Token string `json:"taskToken" required:"true" max:"2048"`
}

func (s *Service) sendSuccess(_ context.Context, _ *wire.Call, in *successInput) (*wire.Empty, error) {
	output, err := value.Decode([]byte(in.Output))
	if err != nil || len(in.Output) > interp.MaxPayload {
		return nil, wire.Errorf("InvalidOutput", "Invalid Output: the output must be JSON of at most %d bytes", interp.MaxPayload)
	}
	return &wire.Empty{}, tokenError(in.Token, s.callbacks.Succeed(in.Token, output))
}

func (s *Service) sendFailure(_ context.Context, _ *wire.Call, in *failureInput) (*wire.Empty, error) {
	return &wire.Empty{}, tokenError(in.Token, s.callbacks.Fail(in.Token, in.Error, in.Cause))
}

func (s *Service) sendHeartbeat(_ context.Context, _ *wire.Call, in *heartbeatInput) (*wire.Empty, error) {
	return &wire.Empty{}, tokenError(in.Token, s.callbacks.Heartbeat(in.Token))
}

// tokenError tells a token that was once valid from one that never was.
func tokenError(token string, err error) error {
	if !errors.Is(err, interp.ErrNoToken) {
		return err
	}
	if raw, bad := base64.StdEncoding.DecodeString(token); bad != nil || len(raw) != interp.TokenBytes {
		return wire.Errorf("InvalidToken", "Invalid Token: 'Invalid token'")
	}
	return wire.Errorf("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
}
