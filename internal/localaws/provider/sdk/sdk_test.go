package sdk

import (
	"slices"
	"strings"
	"testing"

	"engage/internal/localaws/provider/kind"
)

var source = Source{"aws:test/thing:Thing": {
	Inputs: map[string]Property{
		"name": {Type: "string", Required: true}, "policy": {Type: "string"}, "size": {Type: "number", Replace: true},
		"rules": {Type: "list", Of: &Property{Type: "object", Fields: map[string]Property{"id": {Type: "string", Required: true}}}},
	},
	Outputs: []string{"arn"},
}}

func TestOverlay(t *testing.T) {
	k := source.Kind("aws:test/thing:Thing", Overlay{
		Name: map[string]kind.Naming{"name": {Max: 10}}, Document: []string{"policy"}, InPlace: []string{"size"}, Set: []string{"rules"},
		Default: map[string]any{"rules.id": "x"}, Enum: map[string]string{"policy": "{} []"}, Secret: []string{"policy"}, DropFirst: true,
		Computed: []string{"policy"}, Replace: []string{"rules.id"}, Unused: []string{"size"},
	})
	name, policy, id := k.Inputs["name"], k.Inputs["policy"], k.Inputs["rules"].Of.Fields["id"]
	if name.Required || name.Name == nil || name.Name.Max != 10 {
		t.Errorf("name: %+v", name)
	}
	if policy.Type != kind.Document || !policy.Secret || !policy.Computed || !slices.Equal(policy.Enum, []string{"{}", "[]"}) {
		t.Errorf("policy: %+v", policy)
	}
	if k.Inputs["size"].Replace || !k.Inputs["size"].Unused || k.Inputs["rules"].Type != kind.Set {
		t.Errorf("%+v", k.Inputs)
	}
	if id.Required || id.Default != "x" || !id.Replace {
		t.Errorf("rules.id: %+v", id)
	}
	if !k.DeleteFirst || !slices.Equal(k.Output, []string{"arn"}) {
		t.Errorf("%+v", k)
	}
	if plain := source.Kind("aws:test/thing:Thing", Overlay{}); !plain.Inputs["name"].Required || plain.Inputs["rules"].Of.Fields["id"].Replace {
		t.Error("one overlay changed another's kind")
	}
}

// A mistake in a table does not wait for a user to find it.
func TestMistakes(t *testing.T) {
	for name, make := range map[string]func(){
		"a type that is not there":       func() { source.Kind("aws:test/other:Other", Overlay{}) },
		"a property that is not there":   func() { source.Kind("aws:test/thing:Thing", Overlay{Replace: []string{"naam"}}) },
		"one inside that is not there":   func() { source.Kind("aws:test/thing:Thing", Overlay{Required: []string{"rules.naam"}}) },
		"one inside what has no members": func() { source.Kind("aws:test/thing:Thing", Overlay{Required: []string{"name.first"}}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if said, _ := recover().(string); !strings.HasPrefix(said, "sdk: ") {
					t.Errorf("got %q", said)
				}
			}()
			make()
		})
	}
}

// Every type that the SDK describes makes a kind whose properties have a type.
func TestTypes(t *testing.T) {
	types := Source(Types())
	for token, r := range types {
		k := types.Kind(token, Overlay{})
		if len(k.Inputs) != len(r.Inputs) {
			t.Errorf("%s: %d inputs of %d", token, len(k.Inputs), len(r.Inputs))
		}
		each(r.Inputs, "", func(path string, p Property) {
			if _, known := kinds[p.Type]; !known {
				t.Errorf("%s: %s is a %q", token, path, p.Type)
			}
			if p.Type != "object" && p.Fields != nil {
				t.Errorf("%s: %s is a %s with members", token, path, p.Type)
			}
		})
	}
}

func each(fields map[string]Property, path string, f func(path string, p Property)) {
	for name, p := range fields {
		f(path+name, p)
		each(p.Fields, path+name+".", f)
		if p.Of != nil {
			f(path+name+"[]", *p.Of)
			each(p.Of.Fields, path+name+"[].", f)
		}
	}
}
