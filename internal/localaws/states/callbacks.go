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
	if len(in.Output) > interp.MaxPayload {
		return nil, wire.ValidationException("1 validation error detected: Value at 'output' failed to satisfy constraint: Member must have length less than or equal to %d", interp.MaxPayload)
	}
	if fault := invalidJSON(in.Output); fault != nil {
		return nil, wire.Errorf("InvalidOutput", "Invalid Output: '%s'", fault.message)
	}
	output, err := value.Decode([]byte(in.Output))
	if err != nil {
		return nil, wire.Errorf("InvalidOutput", "Invalid Output: '%s'", err)
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
