package xray

import (
	"bytes"
	"encoding/json"
	"time"

	"engage/internal/localaws/xray/trace"
)

// segment is what the service reads of a document; what is kept is the document itself.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
type segment struct {
	ID          string    `json:"id"`
	TraceID     string    `json:"trace_id"`
	ParentID    string    `json:"parent_id"`
	Type        string    `json:"type"`
	Name        string    `json:"name"`
	Start       *float64  `json:"start_time"`
	End         *float64  `json:"end_time"`
	InProgress  bool      `json:"in_progress"`
	Origin      string    `json:"origin"`
	ResourceARN string    `json:"resource_arn"`
	Namespace   string    `json:"namespace"`
	User        string    `json:"user"`
	Fault       bool      `json:"fault"`
	Error       bool      `json:"error"`
	Throttle    bool      `json:"throttle"`
	Annotations values    `json:"annotations"`
	HTTP        exchange  `json:"http"`
	AWS         resource  `json:"aws"`
	Subsegments []segment `json:"subsegments"`
}

type values map[string]any

type exchange struct {
	Request struct {
		URL       string `json:"url"`
		Method    string `json:"method"`
		UserAgent string `json:"user_agent"`
		ClientIP  string `json:"client_ip"`
	} `json:"request"`
	Response struct {
		Status int `json:"status"`
	} `json:"response"`
}

type resource struct {
	Account string `json:"account_id"`
}

// independent tells whether the document is a subsegment that was sent by itself.
func (g *segment) independent() bool { return g.Type == "subsegment" }

// start and end are seconds since 1970; a segment in progress has ended nowhere.
func (g *segment) start() float64 { return *g.Start }
func (g *segment) end() float64 {
	if g.End == nil {
		return *g.Start
	}
	return *g.End
}

// document is one segment as it came, read.
type document struct {
	segment
	text []byte
}

// fault is why a segment is not processed: AWS's code.
type fault string

// What AWS calls what is wrong. InvalidTraceId is documented; the others are formed as it is.
const (
	notJSON       fault = "ParseError"
	tooLong       fault = "DocumentTooLarge"
	badID         fault = "InvalidId"
	badName       fault = "InvalidName"
	badTrace      fault = "InvalidTraceId"
	badParent     fault = "InvalidParentId"
	badTime       fault = "InvalidTimestamp"
	badSubsegment fault = "InvalidSubsegment"
)

// read reads a document: one segment, or an array of subsegments. The first fault of it refuses it as a whole.
func read(text string, now time.Time) ([]document, *unprocessed) {
	if len(text) > trace.MaxDocument {
		return nil, refused("", tooLong)
	}
	raw := []json.RawMessage{json.RawMessage(text)}
	if bytes.HasPrefix(bytes.TrimSpace(raw[0]), []byte("[")) {
		raw = nil
		if json.Unmarshal([]byte(text), &raw) != nil {
			return nil, refused("", notJSON)
		}
	}
	documents := make([]document, len(raw))
	for i, one := range raw {
		d := &documents[i]
		d.text = one
		if json.Unmarshal(one, &d.segment) != nil {
			return nil, refused("", notJSON)
		}
		if f := d.check(now); f != "" {
			return nil, refused(d.ID, f)
		}
	}
	return documents, nil
}

func refused(id string, f fault) *unprocessed {
	return &unprocessed{ID: id, Code: string(f), Message: "Invalid segment. ErrorCode: " + string(f)}
}

// check tells what is wrong with a segment that came by itself.
func (g *segment) check(now time.Time) fault {
	switch {
	case !trace.ValidTraceID(g.TraceID):
		return badTrace
	case g.ParentID != "" && !trace.ValidID(g.ParentID):
		return badParent
	case g.independent() && g.ParentID == "":
		return badParent
	case g.Type != "" && !g.independent():
		return badSubsegment
	}
	f := g.checkOne()
	if f == "" && now.Sub(moment(g.start())) > retention {
		return badTrace // too far in the past
	}
	return f
}

// checkOne tells what is wrong with a segment or with what is in it.
func (g *segment) checkOne() fault {
	switch {
	case !trace.ValidID(g.ID):
		return badID
	case !trace.ValidName(g.Name):
		return badName
	case g.Start == nil || *g.Start <= 0 || *g.Start > maxSeconds:
		return badTime
	case g.End == nil && !g.InProgress || g.End != nil && (*g.End < *g.Start || *g.End > maxSeconds):
		return badTime
	}
	for i := range g.Subsegments {
		if f := g.Subsegments[i].checkOne(); f != "" {
			return f
		}
	}
	return ""
}

// maxSeconds is a time that is certainly no number of seconds: the year 5138.
const maxSeconds = 1e11

func moment(seconds float64) time.Time { return time.UnixMicro(int64(seconds * 1e6)).UTC() }

// each calls f with a segment and everything in it.
func (g *segment) each(f func(*segment)) {
	f(g)
	for i := range g.Subsegments {
		g.Subsegments[i].each(f)
	}
}
