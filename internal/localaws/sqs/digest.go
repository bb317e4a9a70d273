package sqs

import (
	"crypto/md5" //nolint:gosec // SDKs check these sums; they protect nothing
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// attribute is AWS's MessageAttributeValue.
type attribute struct {
	DataType    string  `required:"true"`
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

func digestText(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// digestAttributes is "" when there are none.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
func digestAttributes(attributes map[string]attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var b []byte
	add := func(s string) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		add(name)
		add(a.DataType)
		if a.StringValue != nil {
			b = append(b, 1)
			add(*a.StringValue)
		} else {
			b = append(b, 2)
			add(string(a.BinaryValue))
		}
	}
	return digestText(string(b))
}

func checkAttributes(attributes map[string]attribute) error {
	if len(attributes) > 10 {
		return errParameter("Number of message attributes [%d] exceeds the allowed maximum [10].", len(attributes))
	}
	for name, a := range attributes {
		if err := a.check(name); err != nil {
			return err
		}
	}
	return nil
}

func (a attribute) check(name string) error {
	kind, _, _ := strings.Cut(a.DataType, ".")
	switch kind {
	case "String", "Number":
		if a.StringValue == nil || *a.StringValue == "" {
			return errParameter("Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, kind)
		}
		if _, err := strconv.ParseFloat(*a.StringValue, 64); kind == "Number" && err != nil {
			return errParameter("Can't cast the value of message (user) attribute '%s' to a number.", name)
		}
	case "Binary":
		if len(a.BinaryValue) == 0 || a.StringValue != nil {
			return errParameter("Message (user) attribute '%s' must contain a non-empty value of type 'Binary'.", name)
		}
	default:
		return errParameter("The message (user) attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
	}
	return nil
}

func (p payload) size() int {
	n := len(p.Body)
	for name, a := range p.Attributes {
		n += len(name) + len(a.DataType) + len(a.BinaryValue)
		if a.StringValue != nil {
			n += len(*a.StringValue)
		}
	}
	return n
}
