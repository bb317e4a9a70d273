package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"engage/internal/localaws/eventpattern"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

// step is one step of a path: the name of a member, or an index.
type step struct {
	name  string
	index int // when there is no name
}

var stepPattern = regexp.MustCompile(`^(?:\.([A-Za-z0-9_-]+)|\[([0-9]{1,6})\]|\['([^']+)'\])`)

// parsePath reads the JSONPath of an input: $, .name, ['name'] and [index].
func parsePath(text string) ([]step, error) {
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return nil, fmt.Errorf("the path %q does not begin with $", text)
	}
	var path []step
	for rest != "" {
		m := stepPattern.FindStringSubmatch(rest)
		if m == nil {
			return nil, wire.NotImplemented("the path %q beyond names and indexes", text)
		}
		n, _ := strconv.Atoi(m[2]) // empty for a name
		path = append(path, step{m[1] + m[3], n})
		rest = rest[len(m[0]):]
	}
	return path, nil
}

// follow returns the value at a path, false when there is none.
func follow(value any, path []step) (any, bool) {
	for _, s := range path {
		switch v := value.(type) {
		case map[string]any:
			member, ok := v[s.name]
			if !ok || s.name == "" {
				return nil, false
			}
			value = member
		case []any:
			if s.name != "" || s.index >= len(v) {
				return nil, false
			}
			value = v[s.index]
		default:
			return nil, false
		}
	}
	return value, true
}

// check refuses an input that could not be made later.
func (a aim) check() error {
	given := 0
	for _, set := range []bool{a.Input != "", a.InputPath != "", a.InputTransformer != nil} {
		if set {
			given++
		}
	}
	if given > 1 {
		return fmt.Errorf("only one of Input, InputPath or InputTransformer must be provided for target %s", a.ID)
	}
	if a.Input != "" && !json.Valid([]byte(a.Input)) {
		return fmt.Errorf("JSON syntax error in input for target %s", a.ID)
	}
	service, _ := target.Split(a.Arn)
	if (service == "ecs") != (a.EcsParameters != nil) {
		return fmt.Errorf("EcsParameters are for targets of ECS, and required there: target %s", a.ID)
	}
	if a.EcsParameters != nil {
		if err := a.EcsParameters.Refuse(); err != nil {
			return err
		}
	}
	paths := []string{}
	if a.InputPath != "" {
		paths = append(paths, a.InputPath)
	}
	if t := a.InputTransformer; t != nil {
		for _, path := range t.InputPathsMap {
			paths = append(paths, path)
		}
	}
	for _, path := range paths {
		if _, err := parsePath(path); err != nil {
			return err
		}
	}
	return nil
}

// render makes what the target gets of an event.
func (a aim) render(r rule, event []byte, now time.Time) (string, error) {
	if a.Input != "" {
		return a.Input, nil
	}
	if a.InputPath == "" && a.InputTransformer == nil {
		return string(event), nil
	}
	value, err := eventpattern.Decode(event)
	if err != nil {
		return "", err
	}
	if t := a.InputTransformer; t != nil {
		return t.render(r, value, event, now)
	}
	path, err := parsePath(a.InputPath)
	if err != nil {
		return "", err
	}
	found, _ := follow(value, path)
	return encode(found)
}

func encode(value any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return strings.TrimSuffix(b.String(), "\n"), err
}

var placeholder = regexp.MustCompile(`<[A-Za-z0-9_.-]+>`)

// render fills the template: within a text the value is inserted as text,
// elsewhere as JSON.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
func (t transformer) render(r rule, event any, raw []byte, now time.Time) (string, error) {
	values := map[string]any{"aws.events.rule-arn": r.arn(), "aws.events.rule-name": r.Name,
		"aws.events.event.ingestion-time": wire.TimeOf(now).ISO(), "aws.events.event": event, "aws.events.event.json": event}
	for name, text := range t.InputPathsMap {
		path, err := parsePath(text)
		if err != nil {
			return "", err
		}
		if value, ok := follow(event, path); ok {
			values[name] = value
		} else {
			values[name] = ""
		}
	}
	var out strings.Builder
	last, quoted := 0, false
	for _, at := range placeholder.FindAllStringIndex(t.InputTemplate, -1) {
		before := t.InputTemplate[last:at[0]]
		quoted = quotedAfter(before, quoted)
		out.WriteString(before)
		last = at[1]
		value, ok := values[t.InputTemplate[at[0]+1:at[1]-1]]
		if !ok {
			out.WriteString(t.InputTemplate[at[0]:at[1]])
			continue
		}
		text, err := insert(value, quoted)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
	}
	out.WriteString(t.InputTemplate[last:])
	return out.String(), nil
}

// quotedAfter reports whether the end of a piece of JSON is within a text.
func quotedAfter(piece string, quoted bool) bool {
	for i := 0; i < len(piece); i++ {
		switch piece[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		}
	}
	return quoted
}

func insert(value any, quoted bool) (string, error) {
	text, err := encode(value)
	if err != nil || !quoted {
		return text, err
	}
	if _, isText := value.(string); !isText {
		text, err = encode(text) // the JSON of a value, as a text
	}
	return strings.TrimSuffix(strings.TrimPrefix(text, `"`), `"`), err
}
