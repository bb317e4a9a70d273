package s3

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"engage/internal/localaws/wire"
)

// formPolicy is what a signed form may upload.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
type formPolicy struct {
	Expiration string            `json:"expiration"`
	Conditions []json.RawMessage `json:"conditions"`
}

// formCondition is one condition: ["starts-with", "$key", "user/"].
type formCondition struct {
	operator, field, value string
	least, most            int64 // of content-length-range
	text                   string
}

// checkForm refuses a form that its policy does not allow. It returns how
// short and how long the file may be: start and length.
func (r *request) checkForm(fields map[string]string) (limits span, err error) {
	limits = span{length: maxPut}
	if fields["policy"] == "" {
		return limits, nil
	}
	raw, err := base64.StdEncoding.DecodeString(fields["policy"])
	var p formPolicy
	if err != nil || json.Unmarshal(raw, &p) != nil || p.Expiration == "" || p.Conditions == nil {
		return limits, wire.Errorf("InvalidPolicyDocument", "Invalid Policy: Invalid JSON.")
	}
	end, err := time.Parse(time.RFC3339, p.Expiration)
	if err != nil {
		return limits, wire.Errorf("InvalidPolicyDocument", "Invalid Policy: Invalid 'expiration' value: '%s'", p.Expiration)
	}
	if !r.cfg.Clock().Before(end) {
		return limits, wire.AccessDenied("Invalid according to Policy: Policy expired.")
	}
	covered := map[string]bool{}
	for _, one := range p.Conditions {
		c, err := parseFormCondition(one)
		if err != nil {
			return limits, err
		}
		if c.operator == "content-length-range" {
			limits.start, limits.length = c.least, min(c.most, maxPut)
			continue
		}
		covered[c.field] = true
		if !c.holds(r.bucket, fields) {
			return limits, wire.AccessDenied("Invalid according to Policy: Policy Condition failed: %s", c.text)
		}
	}
	for name := range fields {
		if !covered[name] && !uncovered(name) {
			return limits, wire.AccessDenied("Invalid according to Policy: Extra input fields: %s", name)
		}
	}
	return limits, nil
}

// uncovered are the fields that a policy need not speak of.
func uncovered(name string) bool {
	switch name {
	case "policy", "x-amz-signature", "signature", "awsaccesskeyid", "file":
		return true
	}
	return strings.HasPrefix(name, "x-ignore-")
}

func parseFormCondition(raw json.RawMessage) (c formCondition, err error) {
	bad := wire.Errorf("InvalidPolicyDocument", "Invalid Policy: Invalid Simple-Condition: %s", raw)
	var simple map[string]string
	if json.Unmarshal(raw, &simple) == nil && len(simple) == 1 {
		for name, value := range simple {
			c = formCondition{operator: "eq", field: strings.ToLower(name), value: value}
		}
		c.text = fmt.Sprintf(`["eq", "$%s", "%s"]`, c.field, c.value)
		return c, nil
	}
	var list []any
	if json.Unmarshal(raw, &list) != nil || len(list) != 3 {
		return c, bad
	}
	c.operator, _ = list[0].(string)
	c.operator = strings.ToLower(c.operator)
	if c.operator == "content-length-range" {
		least, ok := list[1].(float64)
		most, also := list[2].(float64)
		if !ok || !also {
			return c, bad
		}
		c.least, c.most = int64(least), int64(most)
		return c, nil
	}
	field, ok := list[1].(string)
	value, also := list[2].(string)
	if !ok || !also || !strings.HasPrefix(field, "$") || c.operator != "eq" && c.operator != "starts-with" {
		return c, bad
	}
	c.field, c.value = strings.ToLower(field[1:]), value
	c.text = fmt.Sprintf(`["%s", "$%s", "%s"]`, c.operator, c.field, c.value)
	return c, nil
}

func (c formCondition) holds(bucketName string, fields map[string]string) bool {
	have := fields[c.field]
	if c.field == "bucket" {
		have = bucketName
	}
	if c.operator == "eq" {
		return have == c.value
	}
	return strings.HasPrefix(have, c.value)
}

// tagsHeader writes tags as x-amz-tagging has them.
func tagsHeader(tags []Tag) string {
	values := url.Values{}
	for _, t := range tags {
		values.Add(t.Key, t.Value)
	}
	return values.Encode()
}
