package states

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/value"
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
			texts[i] = p.Code + ": " + p.Message + " at " + cmp.Or(location(p), asl.Nowhere)
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
		return nil, []asl.Problem{{Code: asl.CodeSchema, Message: "Definition must be a valid JSON object", Location: asl.Nowhere}}, nil
	}
	m, err := asl.Parse([]byte(definition), asl.Options{CheckResource: s.check})
	var invalid *asl.InvalidError
	switch {
	case errors.As(err, &invalid):
		return nil, asTold(invalid.Problems), nil
	case err != nil:
		return nil, nil, err
	}
	return m, s.credentialProblems([]byte(definition)), nil
}

const required = "These fields are required: ["

// asTold arranges problems as AWS does: transitions are looked at only where the schema holds, and the fields that
// one place misses are told together, in the order of a Java HashSet.
func asTold(problems []asl.Problem) (out []asl.Problem) {
	schema := slices.ContainsFunc(problems, func(p asl.Problem) bool { return p.Code == asl.CodeSchema })
	for _, p := range problems {
		if strings.HasPrefix(p.Message, notRecognized) {
			p.Code = asl.CodeSchema
		}
		if schema && (p.Code == asl.CodeMissingTarget || p.Code == asl.CodeMissingEnd) {
			continue
		}
		missing, isMissing := strings.CutPrefix(p.Message, required)
		same := slices.IndexFunc(out, func(o asl.Problem) bool {
			return isMissing && o.Location == p.Location && strings.HasPrefix(o.Message, required)
		})
		if same < 0 {
			out = append(out, p)
			continue
		}
		fields := strings.Split(strings.TrimSuffix(strings.TrimPrefix(out[same].Message, required), "]"), ", ")
		fields = append(fields, strings.TrimSuffix(missing, "]"))
		slices.SortStableFunc(fields, func(a, b string) int { return cmp.Compare(bucket(a), bucket(b)) })
		out[same].Message = required + strings.Join(fields, ", ") + "]"
	}
	return out
}

// bucket is where a HashSet of up to twelve texts keeps one.
// https://docs.oracle.com/javase/8/docs/api/java/lang/String.html#hashCode--
func bucket(text string) uint32 {
	var h uint32
	for _, c := range utf16.Encode([]rune(text)) {
		h = 31*h + uint32(c)
	}
	return (h ^ h>>16) & 15
}

// location is a problem's place as AWS tells it: that of the whole definition is /.
func location(p asl.Problem) string {
	switch p.Location {
	case "":
		return "/"
	case asl.Nowhere:
		return ""
	}
	return p.Location
}

// credentialProblems finds tasks whose Credentials name no role, or that nothing here acts on.
func (s *Service) credentialProblems(definition []byte) (found []asl.Problem) {
	v, err := value.Decode(definition)
	if err != nil {
		return nil // the definition has been read before
	}
	tasks(v, "", func(task *value.Object, at string) {
		v, there := task.Get("Credentials")
		o, ok := v.(*value.Object)
		switch {
		case !there:
		case s.cfg.TaskRole == nil:
			found = append(found, asl.Problem{Code: asl.CodeNotImplemented, Message: noCredentials, Location: at + "/Credentials"})
		case !ok || o.Len() != 1 || field(o, "RoleArn") == nil && field(o, "RoleArn.$") == nil:
			found = append(found, asl.Problem{Code: asl.CodeSchema, Message: required + "RoleArn]", Location: at + "/Credentials"})
		}
	})
	return found
}

// tasks calls each with the tasks of a machine, those of branches and processors too.
func tasks(machine any, at string, each func(task *value.Object, at string)) {
	states, ok := field(machine, "States").(*value.Object)
	if !ok {
		return
	}
	for i := range states.Len() {
		name, v := states.At(i)
		st, ok := v.(*value.Object)
		if !ok {
			continue
		}
		here := at + "/States/" + name
		if text(st, "Type") == string(asl.Task) {
			each(st, here)
		}
		for _, processor := range []string{"ItemProcessor", "Iterator"} {
			tasks(field(st, processor), here+"/"+processor, each)
		}
		branches, _ := field(st, "Branches").([]any)
		for i, b := range branches {
			tasks(b, fmt.Sprintf("%s/Branches[%d]", here, i), each)
		}
	}
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
