package s3

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/wire"
)

// lifecycle is a bucket's lifecycle configuration.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
type lifecycle struct {
	XMLName xml.Name        `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LifecycleConfiguration"`
	Rules   []lifecycleRule `xml:"Rule"`
}

type lifecycleRule struct {
	ID                    string
	Prefix                *string          `xml:",omitempty"`
	Filter                *lifecycleFilter `xml:",omitempty"`
	Status                string
	Expiration            *expiration                        `xml:",omitempty"`
	Transitions           []transition                       `xml:"Transition"`
	NoncurrentExpiration  *noncurrentVersionExpiration       `xml:"NoncurrentVersionExpiration,omitempty"`
	NoncurrentTransitions []transition                       `xml:"NoncurrentVersionTransition"`
	Abort                 *struct{ DaysAfterInitiation int } `xml:"AbortIncompleteMultipartUpload,omitempty"`
}

type lifecycleFilter struct {
	filterFields
	Tag *Tag `xml:",omitempty"`
	And *struct {
		filterFields
		Tags []Tag `xml:"Tag"`
	} `xml:",omitempty"`
}

type filterFields struct {
	Prefix                *string `xml:",omitempty"`
	ObjectSizeGreaterThan *int64  `xml:",omitempty"`
	ObjectSizeLessThan    *int64  `xml:",omitempty"`
}

type expiration struct {
	Days                      *int   `xml:",omitempty"`
	Date                      string `xml:",omitempty"`
	ExpiredObjectDeleteMarker *bool  `xml:",omitempty"`
}

type noncurrentVersionExpiration struct {
	NoncurrentDays          int  `xml:",omitempty"`
	NewerNoncurrentVersions *int `xml:",omitempty"`
}

type transition struct {
	Days                    *int   `xml:",omitempty"`
	Date                    string `xml:",omitempty"`
	NoncurrentDays          *int   `xml:",omitempty"`
	NewerNoncurrentVersions *int   `xml:",omitempty"`
	StorageClass            string
}

// parseLifecycle reads a configuration and refuses what S3 refuses. Rules
// without an ID get one, as there.
func parseLifecycle(doc []byte) (l lifecycle, err error) {
	if xml.Unmarshal(doc, &l) != nil || len(l.Rules) == 0 || len(l.Rules) > 1000 {
		return l, malformedXML()
	}
	seen := map[string]bool{}
	for i := range l.Rules {
		rule := &l.Rules[i]
		if rule.ID == "" {
			rule.ID = newID()
		}
		if len(rule.ID) > 255 {
			return l, wire.Errorf("InvalidArgument", "ID length should not exceed allowed limit of 255")
		}
		if seen[rule.ID] {
			return l, wire.Errorf("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
		}
		seen[rule.ID] = true
		if err := rule.check(); err != nil {
			return l, err
		}
	}
	return l, nil
}

func (rule *lifecycleRule) check() error {
	if rule.Status != "Enabled" && rule.Status != "Disabled" || (rule.Filter == nil) == (rule.Prefix == nil) {
		return malformedXML()
	}
	if f := rule.Filter; f != nil && f.count() > 1 {
		return malformedXML()
	}
	if rule.Expiration == nil && rule.NoncurrentExpiration == nil && rule.Abort == nil && len(rule.Transitions)+len(rule.NoncurrentTransitions) == 0 {
		return wire.Errorf("InvalidRequest", "At least one action needs to be specified in a rule")
	}
	if err := rule.checkExpiration(); err != nil {
		return err
	}
	if a := rule.Abort; a != nil {
		if a.DaysAfterInitiation <= 0 {
			return wire.Errorf("InvalidArgument", "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer")
		}
		if rule.needsObject() {
			return wire.Errorf("InvalidRequest", "AbortIncompleteMultipartUpload cannot be specified with Tags or object sizes.")
		}
	}
	for _, t := range slices.Concat(rule.Transitions, rule.NoncurrentTransitions) {
		if !slices.Contains(storageClasses, t.StorageClass) || t.StorageClass == "STANDARD" || t.StorageClass == "REDUCED_REDUNDANCY" {
			return malformedXML()
		}
		if err := checkDays(t.Days, "Transition", 0); err != nil {
			return err
		}
		if err := checkDate(t.Date); err != nil {
			return err
		}
	}
	return nil
}

func (rule *lifecycleRule) checkExpiration() error {
	if n := rule.NoncurrentExpiration; n != nil && n.NoncurrentDays <= 0 {
		return wire.Errorf("InvalidArgument", "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer")
	}
	e := rule.Expiration
	if e == nil {
		return nil
	}
	set := 0
	for _, given := range []bool{e.Days != nil, e.Date != "", e.ExpiredObjectDeleteMarker != nil} {
		if given {
			set++
		}
	}
	if set != 1 {
		return malformedXML()
	}
	if err := checkDays(e.Days, "Expiration", 1); err != nil {
		return err
	}
	if e.ExpiredObjectDeleteMarker != nil && rule.needsObject() {
		return wire.Errorf("InvalidRequest", "ExpiredObjectDeleteMarker cannot be specified with Tags.")
	}
	return checkDate(e.Date)
}

func checkDays(days *int, action string, least int) error {
	if days != nil && *days < least {
		kind := "positive"
		if least == 0 {
			kind = "nonnegative"
		}
		return wire.Errorf("InvalidArgument", "'Days' for %s action must be a %s integer", action, kind)
	}
	return nil
}

func checkDate(text string) error {
	if text == "" {
		return nil
	}
	t, err := parseDate(text)
	if err != nil {
		return malformedXML()
	}
	if !t.Equal(t.Truncate(24 * time.Hour)) {
		return wire.Errorf("InvalidArgument", "'Date' must be at midnight GMT")
	}
	return nil
}

func parseDate(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = time.Parse(time.DateOnly, text)
	}
	return t.UTC(), err
}

// count is how many conditions a filter has beside each other; more than one
// have to be in an And.
func (f *lifecycleFilter) count() (n int) {
	for _, given := range []bool{f.Prefix != nil, f.Tag != nil, f.And != nil, f.ObjectSizeGreaterThan != nil, f.ObjectSizeLessThan != nil} {
		if given {
			n++
		}
	}
	return n
}

// conditions returns the filter as one.
func (rule *lifecycleRule) conditions() (filterFields, []Tag) {
	f := rule.Filter
	switch {
	case f == nil:
		return filterFields{Prefix: rule.Prefix}, nil
	case f.And != nil:
		return f.And.filterFields, f.And.Tags
	case f.Tag != nil:
		return f.filterFields, []Tag{*f.Tag}
	}
	return f.filterFields, nil
}

// needsObject reports whether the rule looks at more than keys.
func (rule *lifecycleRule) needsObject() bool {
	f, tags := rule.conditions()
	return len(tags) > 0 || f.ObjectSizeGreaterThan != nil || f.ObjectSizeLessThan != nil
}

// prefix is that of the keys that the rule is for.
func (rule *lifecycleRule) prefix() string {
	if f, _ := rule.conditions(); f.Prefix != nil {
		return *f.Prefix
	}
	return ""
}

// matches reports whether the rule is for an object.
func (rule *lifecycleRule) matches(key string, o Object) bool {
	f, tags := rule.conditions()
	if !strings.HasPrefix(key, rule.prefix()) || f.ObjectSizeGreaterThan != nil && o.Size <= *f.ObjectSizeGreaterThan ||
		f.ObjectSizeLessThan != nil && o.Size >= *f.ObjectSizeLessThan {
		return false
	}
	return !slices.ContainsFunc(tags, func(t Tag) bool { return !slices.Contains(o.Tags, t) })
}

// due returns when an action on something of a time is due: days later, at the
// next midnight of UTC.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html#intro-lifecycle-rules-number-of-days
func due(from time.Time, days int) time.Time {
	t := from.UTC().AddDate(0, 0, days)
	if midnight := t.Truncate(24 * time.Hour); !midnight.Equal(t) {
		return midnight.AddDate(0, 0, 1)
	}
	return t
}

// at returns when an action with days or a date is due, false when it has neither.
func at(from time.Time, days *int, date string) (time.Time, bool) {
	if days != nil {
		return due(from, *days), true
	}
	t, err := parseDate(date)
	return t, err == nil
}

func (rule *lifecycleRule) enabled() bool { return rule.Status == "Enabled" }

// expires returns when the current version of an object expires, by which rule.
func (l lifecycle) expires(key string, o Object) (when time.Time, rule string) {
	for i := range l.Rules {
		r := &l.Rules[i]
		if !r.enabled() || r.Expiration == nil || !r.matches(key, o) {
			continue
		}
		if t, ok := at(o.modified(), r.Expiration.Days, r.Expiration.Date); ok && (rule == "" || t.Before(when)) {
			when, rule = t, r.ID
		}
	}
	return when, rule
}

// expirationHeader tells the caller when the object will expire.
func (r *request) expirationHeader(bk Bucket, o Object) {
	l, ok := bk.lifecycle()
	if !ok {
		return
	}
	if when, rule := l.expires(r.key, o); rule != "" {
		r.setHeader("X-Amz-Expiration", fmt.Sprintf(`expiry-date="%s", rule-id="%s"`, when.Format("Mon, 02 Jan 2006 15:04:05 GMT"), rule))
	}
}

// lifecycle returns the bucket's rules, false when it has none.
func (bk Bucket) lifecycle() (l lifecycle, ok bool) {
	doc := bk.Settings["lifecycle"]
	return l, doc != "" && xml.Unmarshal([]byte(doc), &l) == nil
}
