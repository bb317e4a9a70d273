package cloudtrail

import (
	"slices"
	"strconv"
	"strings"

	"engage/internal/localaws/wire"
)

// advanced is AWS's AdvancedEventSelector: all of its fields have to agree.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
type advanced struct {
	Name           string          `json:",omitempty" max:"1000"`
	FieldSelectors []fieldSelector `required:"true" min:"1"`
}

// fieldSelector compares one field of an event: one of the values that it
// names has to agree, and none of those that it excludes.
type fieldSelector struct {
	Field         string   `required:"true"`
	Equals        []string `json:",omitempty"`
	StartsWith    []string `json:",omitempty"`
	EndsWith      []string `json:",omitempty"`
	NotEquals     []string `json:",omitempty"`
	NotStartsWith []string `json:",omitempty"`
	NotEndsWith   []string `json:",omitempty"`
}

// fields are those that can be compared, with the values that an event has.
var fields = map[string]func(record) []string{
	"eventCategory": func(r record) []string { return []string{r.EventCategory} },
	"eventName":     func(r record) []string { return []string{r.EventName} },
	"eventSource":   func(r record) []string { return []string{r.EventSource} },
	"eventType":     func(r record) []string { return []string{r.EventType} },
	"readOnly":      func(r record) []string { return []string{strconv.FormatBool(r.ReadOnly)} },
	"resources.type": func(r record) []string {
		return []string{dataTypes[r.EventSource]}
	},
	"resources.ARN": func(r record) (arns []string) {
		for _, n := range r.Resources {
			arns = append(arns, n.ARN)
		}
		return arns
	},
	"userIdentity.arn":             func(r record) []string { return []string{r.UserIdentity.ARN} },
	"sessionCredentialFromConsole": func(record) []string { return []string{"false"} },
}

func (a advanced) check() error {
	category := ""
	for _, f := range a.FieldSelectors {
		if fields[f.Field] == nil {
			return wire.Errorf("InvalidEventSelectorsException", "The field %s is not one that can be selected by.", f.Field)
		}
		if len(slices.Concat(f.Equals, f.StartsWith, f.EndsWith, f.NotEquals, f.NotStartsWith, f.NotEndsWith)) == 0 {
			return wire.Errorf("InvalidEventSelectorsException", "The field %s needs a value to compare with.", f.Field)
		}
		if f.Field == "eventCategory" && len(f.Equals) == 1 {
			category = f.Equals[0]
		}
	}
	switch category {
	case "Management", "Data":
	case "":
		return wire.Errorf("InvalidEventSelectorsException", "An advanced event selector needs a field eventCategory that equals Management or Data.")
	default:
		return wire.NotImplemented("the event category %s", category)
	}
	if category == "Data" && !slices.ContainsFunc(a.FieldSelectors, func(f fieldSelector) bool { return f.Field == "resources.type" && len(f.Equals) > 0 }) {
		return wire.Errorf("InvalidEventSelectorsException", "A selector of data events needs a field resources.type that equals a type.")
	}
	return a.checkTypes()
}

// checkTypes refuses types of data that no event here is about.
func (a advanced) checkTypes() error {
	for _, f := range a.FieldSelectors {
		for _, kind := range f.Equals {
			if f.Field == "resources.type" && !isDataType(kind) {
				return wire.NotImplemented("the data resource type %s", kind)
			}
		}
	}
	return nil
}

func isDataType(kind string) bool {
	for _, known := range dataTypes {
		if known == kind {
			return true
		}
	}
	return false
}

func (a advanced) selects(r record) bool {
	return !slices.ContainsFunc(a.FieldSelectors, func(f fieldSelector) bool { return !f.agrees(fields[f.Field](r)) })
}

// agrees reports whether one of a field's values is wanted and none is excluded.
func (f fieldSelector) agrees(values []string) bool {
	any := func(wanted []string, same func(value, wanted string) bool) bool {
		return slices.ContainsFunc(values, func(v string) bool {
			return slices.ContainsFunc(wanted, func(w string) bool { return same(v, w) })
		})
	}
	equal := func(v, w string) bool { return v == w }
	if any(f.NotEquals, equal) || any(f.NotStartsWith, strings.HasPrefix) || any(f.NotEndsWith, strings.HasSuffix) {
		return false
	}
	none := len(f.Equals)+len(f.StartsWith)+len(f.EndsWith) == 0
	return none || any(f.Equals, equal) || any(f.StartsWith, strings.HasPrefix) || any(f.EndsWith, strings.HasSuffix)
}

// wantsData reports whether the trail logs events on data.
func (t trail) wantsData() bool {
	for _, a := range t.Advanced {
		for _, f := range a.FieldSelectors {
			if f.Field == "eventCategory" && slices.Contains(f.Equals, "Data") {
				return true
			}
		}
	}
	return slices.ContainsFunc(t.Selectors, func(s selector) bool { return len(s.DataResources) > 0 })
}
