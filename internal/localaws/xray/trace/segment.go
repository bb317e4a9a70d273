package trace

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"
)

// Segment is a segment or a subsegment as it is sent.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
type Segment struct {
	ID          string         `json:"id"`
	TraceID     string         `json:"trace_id,omitempty"`  // of what is sent by itself
	ParentID    string         `json:"parent_id,omitempty"` // of what is sent by itself
	Type        string         `json:"type,omitempty"`      // "subsegment" for one that is sent by itself
	Name        string         `json:"name"`
	Start       Time           `json:"start_time"`
	End         Time           `json:"end_time,omitzero"`
	InProgress  bool           `json:"in_progress,omitempty"`
	Origin      string         `json:"origin,omitempty"`
	ResourceARN string         `json:"resource_arn,omitempty"`
	Namespace   string         `json:"namespace,omitempty"` // "aws" for a call of a service
	HTTP        *HTTP          `json:"http,omitempty"`
	Fault       bool           `json:"fault,omitempty"`
	Error       bool           `json:"error,omitempty"`
	Cause       *Cause         `json:"cause,omitempty"`
	AWS         map[string]any `json:"aws,omitempty"`
	Subsegments []*Segment     `json:"subsegments,omitempty"`
}

// HTTP is what a service answered.
type HTTP struct {
	Response struct {
		Status int `json:"status"`
	} `json:"response"`
}

// Answered is an HTTP answer with a status.
func Answered(status int) *HTTP {
	h := &HTTP{}
	h.Response.Status = status
	return h
}

// Cause is why a segment failed.
type Cause struct {
	Exceptions []Exception `json:"exceptions"`
}

// Exception is one failure.
type Exception struct {
	ID      string `json:"id"`
	Type    string `json:"type,omitempty"`
	Message string `json:"message,omitempty"`
}

// maxMessage bounds an exception's text, in bytes, so that it leaves room in
// its document.
const maxMessage = 1 << 10

// Because is a cause of one exception.
func Because(id, kind, message string) *Cause {
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "")
	}
	return &Cause{[]Exception{{id, kind, message}}}
}

// Time is a time in seconds since 1970.
type Time struct{ time.Time }

// MarshalJSON writes seconds to the microsecond.
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(float64(t.UnixMicro()) / 1e6) }

// Name returns a name without the characters that a segment's may not have.
func Name(name string) string {
	name = strings.Map(func(r rune) rune {
		if !validRune(r) {
			return -1
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > MaxName {
		name = string(runes[:MaxName])
	}
	if name == "" {
		return "-"
	}
	return name
}

// MaxName is how many characters a segment's name has at most.
const MaxName = 200

// ValidName tells whether a segment may have the name.
func ValidName(name string) bool {
	runes := []rune(name)
	return len(runes) > 0 && len(runes) <= MaxName && strings.IndexFunc(name, func(r rune) bool { return !validRune(r) }) < 0
}

func validRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSpace(r) || strings.ContainsRune(`_.:/%&#=+\-@`, r)
}

// MaxDocument is how long a document may be, in bytes.
// https://docs.aws.amazon.com/general/latest/gr/xray.html
const MaxDocument = 64 << 10

// Documents writes a segment. What is too long for one document becomes
// several: subsegments then travel by themselves.
func (s *Segment) Documents() []string {
	text, err := json.Marshal(s)
	if err != nil {
		panic("trace: a segment cannot be written: " + err.Error())
	}
	if len(text) <= MaxDocument || len(s.Subsegments) == 0 {
		return []string{string(text)}
	}
	alone := *s
	alone.Subsegments = nil
	documents := alone.Documents()
	for _, sub := range s.Subsegments {
		by := *sub
		by.TraceID, by.ParentID, by.Type = s.TraceID, s.ID, "subsegment"
		documents = append(documents, by.Documents()...)
	}
	return documents
}
