package states

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/wire"
)

// parse compiles a definition, refusing integrations that nothing runs.
func (s *Service) parse(definition string) (*asl.Machine, error) {
	m, problems, err := s.compile(definition)
	if err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		texts := make([]string, len(problems))
		for i, p := range problems {
			texts[i] = p.Code + ": " + p.Message
			if at := location(p); at != "" {
				texts[i] += " at " + at
			}
		}
		return nil, wire.Errorf("InvalidDefinition", "Invalid State Machine Definition: '%s'", strings.Join(texts, ", "))
	}
	return m, nil
}

// compile tells what is wrong with a definition, the text of which is looked at first.
func (s *Service) compile(definition string) (*asl.Machine, []asl.Problem, error) {
	if f := invalidJSON(definition); f != nil && strings.TrimSpace(definition) != "" {
		return nil, []asl.Problem{{Code: asl.CodeInvalidJSON, Message: f.message + "\n at " + f.source(), Location: f.source()}}, nil
	}
	if !strings.HasPrefix(strings.TrimLeft(definition, " \t\r\n"), "{") {
		return nil, []asl.Problem{{Code: asl.CodeSchema, Message: "Definition must be a valid JSON object", Location: nowhere}}, nil
	}
	m, err := asl.Parse([]byte(definition), asl.Options{CheckResource: s.check})
	var invalid *asl.InvalidError
	switch {
	case errors.As(err, &invalid):
		return nil, invalid.Problems, nil
	case err != nil:
		return nil, nil, err
	}
	return m, s.refusedFields(m, ""), nil
}

// nowhere is the location of a problem that AWS tells without one.
const nowhere = "-"

// location is a problem's place as AWS tells it: that of the whole definition is /.
func location(p asl.Problem) string {
	switch p.Location {
	case "":
		return "/"
	case nowhere:
		return ""
	}
	return p.Location
}

// refusedFields names the fields that nothing here acts on, in branches and processors too.
func (s *Service) refusedFields(m *asl.Machine, at string) (found []asl.Problem) {
	for _, name := range m.Order {
		st, here := m.States[name], at+"/States/"+name
		if st.Task != nil && st.Task.Credentials != nil && s.cfg.TaskRole == nil {
			found = append(found, asl.Problem{Code: asl.CodeNotImplemented, Message: noCredentials, Location: here + "/Credentials"})
		}
		for i, b := range st.Branches {
			found = append(found, s.refusedFields(b, fmt.Sprintf("%s/Branches[%d]", here, i))...)
		}
		if st.Map != nil {
			found = append(found, s.refusedFields(st.Map.Processor, here+"/ItemProcessor")...)
		}
	}
	return found
}

type validateInput struct {
	Definition *string `json:"definition" required:"true"`
	Type       string  `json:"type" enum:"STANDARD,EXPRESS"`
	Severity   string  `json:"severity" enum:"ERROR,WARNING"`
	Max        int     `json:"maxResults" min:"0" max:"100"`
}

type diagnostic struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Location string `json:"location,omitempty"`
}

type validateOutput struct {
	Result      string       `json:"result"`
	Diagnostics []diagnostic `json:"diagnostics"`
	Truncated   bool         `json:"truncated"`
}

func (s *Service) validate(_ context.Context, _ *wire.Call, in *validateInput) (*validateOutput, error) {
	out := &validateOutput{Result: "OK", Diagnostics: []diagnostic{}}
	if in.Type == "EXPRESS" {
		return nil, wire.NotImplemented("a state machine of type EXPRESS")
	}
	_, problems, err := s.compile(*in.Definition)
	for _, p := range problems {
		out.Result = "FAIL"
		if out.Truncated = len(out.Diagnostics) == pageSize(in.Max); out.Truncated {
			break
		}
		out.Diagnostics = append(out.Diagnostics, diagnostic{"ERROR", p.Code, p.Message, location(p)})
	}
	return out, err
}
