package kind

import "engage/internal/localaws/provider/value"

// taggable tells whether resources of the kind have tags that a provider's
// default tags are added to.
func (k Kind) taggable() bool {
	_, in := k.Inputs["tags"]
	for _, name := range k.Output {
		if name == "tagsAll" {
			return in
		}
	}
	return false
}

// WithDefaults returns what a plane is to make: the inputs with the provider's
// default tags. The inputs' own tags win.
func (k Kind) WithDefaults(inputs value.Map, defaults map[string]string) value.Map {
	if !k.taggable() {
		return inputs
	}
	return value.Merge(inputs, value.Map{"tags": k.allTags(inputs, defaults)})
}

func (k Kind) allTags(inputs value.Map, defaults map[string]string) value.Map {
	return value.Merge(value.FromStringMap(defaults), value.Object(inputs, "tags"))
}

// Outputs returns a resource's properties of its inputs and what a plane gave.
func (k Kind) Outputs(inputs, out value.Map, defaults map[string]string) value.Map {
	all := value.Merge(inputs, out)
	if k.taggable() {
		all["tagsAll"] = k.allTags(inputs, defaults)
		if own, given := inputs["tags"]; given {
			all["tags"] = own
		} else {
			delete(all, "tags")
		}
	}
	return all
}

// ownTags takes the provider's default tags out of those that a plane tells,
// unless the program gave them itself.
func (k Kind) ownTags(inputs, now value.Map, defaults map[string]string) value.Map {
	told, ok := now["tags"].(value.Map)
	if !ok || !k.taggable() {
		return now
	}
	given, own := value.Object(inputs, "tags"), value.Map{}
	for name, v := range told {
		if _, byProgram := given[name]; byProgram || defaults[name] != v {
			own[name] = v
		}
	}
	return value.Merge(now, value.Map{"tags": own})
}

// TagsChanged tells whether the provider's default tags make a difference to a
// resource whose own properties did not change.
func (k Kind) TagsChanged(state, inputs value.Map, defaults map[string]string) bool {
	return k.taggable() && value.Known(inputs["tags"]) && !value.Equal(orEmpty(state["tagsAll"]), k.allTags(inputs, defaults))
}

func orEmpty(v any) any {
	if v == nil {
		return value.Map{}
	}
	return v
}
