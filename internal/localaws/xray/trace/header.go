// Package trace is what a service of the endpoint needs to be traced: the
// header that carries a trace from one call to the next, the decision whether a
// request is traced, segments, and their way to X-Ray.
//
// Concepts: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html
package trace

import (
	"strings"
)

// Decision says whether a request is traced.
type Decision byte

// The decisions. Open is also what a caller that asks for one sends.
const (
	Open    Decision = '?'
	Sampled Decision = '1'
	Dropped Decision = '0'
)

// Header is an X-Amzn-Trace-Id.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
type Header struct {
	Root     string // the trace
	Parent   string // the segment that made the call; "" for none
	Decision Decision
	Rest     []string // what else there is, such as Lineage, as it was sent
}

// ParseHeader reads a header. What is not valid is as if it were not there; ok
// tells whether there is a trace.
func ParseHeader(text string) (h Header, ok bool) {
	h.Decision = Open
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case name == "Root" && ValidTraceID(value):
			h.Root = value
		case name == "Parent" && ValidID(value):
			h.Parent = value
		case name == "Sampled" && (value == "0" || value == "1"):
			h.Decision = Decision(value[0])
		case name != "" && name != "Root" && name != "Parent" && name != "Sampled":
			h.Rest = append(h.Rest, strings.TrimSpace(part))
		}
	}
	return h, h.Root != ""
}

// String writes the header.
func (h Header) String() string {
	parts := []string{"Root=" + h.Root}
	if h.Parent != "" {
		parts = append(parts, "Parent="+h.Parent)
	}
	if h.Decision != Open {
		parts = append(parts, "Sampled="+string(rune(h.Decision)))
	}
	return strings.Join(append(parts, h.Rest...), ";")
}

// Under returns the header for calls that a segment makes.
func (h Header) Under(segment string) Header {
	h.Parent = segment
	return h
}

// ValidTraceID tells whether an id has X-Ray's form: 1-, eight hexadecimal
// digits, -, and 24 of them.
func ValidTraceID(id string) bool {
	return len(id) == 35 && id[:2] == "1-" && id[10] == '-' && isHex(id[2:10]) && isHex(id[11:])
}

// ValidID tells whether a segment's id has X-Ray's form: 16 hexadecimal digits.
func ValidID(id string) bool { return len(id) == 16 && isHex(id) }

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF") == "" }
