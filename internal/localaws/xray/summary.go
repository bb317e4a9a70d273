package xray

import (
	"engage/internal/localaws/wire"
	"engage/internal/localaws/xray/filter"
)

// summary is what a search tells of a trace.
type summary struct {
	ID           string `json:"Id"`
	StartTime    wire.Time
	Duration     float64
	ResponseTime float64
	HasFault     bool
	HasError     bool
	HasThrottle  bool
	IsPartial    bool
	Http         httpSummary
	Annotations  map[string][]annotation
	Users        []traceUser
	ServiceIds   []serviceID
	ResourceARNs []arnItem
	EntryPoint   *serviceID `json:",omitempty"`
	Revision     int
	MatchedAt    *wire.Time `json:"MatchedEventTime,omitempty"`
}

type httpSummary struct {
	HttpURL    string `json:",omitempty"`
	HttpStatus int    `json:",omitempty"`
	HttpMethod string `json:",omitempty"`
	UserAgent  string `json:",omitempty"`
	ClientIp   string `json:",omitempty"`
}

type annotation struct {
	AnnotationValue annotationValue
	ServiceIds      []serviceID
}

type annotationValue struct {
	NumberValue  *float64 `json:",omitempty"`
	BooleanValue *bool    `json:",omitempty"`
	StringValue  *string  `json:",omitempty"`
}

type traceUser struct {
	UserName   string
	ServiceIds []serviceID
}

type arnItem struct{ ARN string }

type serviceID struct {
	Name      string
	Names     []string
	AccountId string `json:",omitempty"`
	Type      string `json:",omitempty"`
}

// node is the service that a segment is of.
func (g *segment) node(account string) serviceID {
	if g.AWS.Account != "" {
		account = g.AWS.Account
	}
	return serviceID{Name: g.Name, Names: []string{g.Name}, AccountId: account, Type: g.Origin}
}

// remote tells whether a subsegment is a call of another service.
func (g *segment) remote() bool { return g.Namespace == "aws" || g.Namespace == "remote" }

func (id serviceID) same(other serviceID) bool {
	return id.Name == other.Name && id.AccountId == other.AccountId && id.Type == other.Type
}

// root is the segment that the trace began with: the first that has no parent in it.
func (w *whole) root() *segment {
	ids := map[string]bool{}
	for i := range w.documents {
		w.documents[i].each(func(g *segment) { ids[g.ID] = true })
	}
	for i := range w.documents {
		if g := &w.documents[i].segment; !g.independent() && !ids[g.ParentID] {
			return g
		}
	}
	return nil
}

// summarize makes a trace's summary.
func (w *whole) summarize(account string) *summary {
	start, end := w.span()
	out := &summary{ID: w.id, StartTime: wire.TimeOf(moment(start)), Duration: seconds(end - start), Revision: w.Revision,
		Annotations: map[string][]annotation{}, Users: []traceUser{}, ServiceIds: []serviceID{}, ResourceARNs: []arnItem{}}
	root := w.root()
	if root != nil {
		entry := root.node(account)
		out.EntryPoint, out.ResponseTime = &entry, seconds(root.end()-root.start())
		request, response := root.HTTP.Request, root.HTTP.Response
		out.Http = httpSummary{request.URL, response.Status, request.Method, request.UserAgent, request.ClientIP}
	}
	out.IsPartial = root == nil || w.Exceeded
	for i := range w.documents {
		out.add(&w.documents[i].segment, account)
	}
	return out
}

// add adds what a segment, and what is in it, tells.
func (s *summary) add(top *segment, account string) {
	node := top.node(account)
	if !top.independent() {
		s.serve(node)
		s.HasFault, s.HasError, s.HasThrottle = s.HasFault || top.Fault, s.HasError || top.Error, s.HasThrottle || top.Throttle
	}
	top.each(func(g *segment) {
		s.IsPartial = s.IsPartial || g.InProgress
		if g.remote() {
			called := g.node(account)
			called.Type = g.Namespace
			s.serve(called)
		}
		for key, v := range g.Annotations {
			if value, ok := valueOf(v); ok {
				s.Annotations[key] = append(s.Annotations[key], annotation{value, []serviceID{node}})
			}
		}
		if g.ResourceARN != "" {
			s.touch(g.ResourceARN)
		}
	})
	if top.User != "" {
		s.Users = append(s.Users, traceUser{top.User, []serviceID{node}})
	}
}

// serve adds a service once.
func (s *summary) serve(id serviceID) {
	for _, known := range s.ServiceIds {
		if known.same(id) {
			return
		}
	}
	s.ServiceIds = append(s.ServiceIds, id)
}

// touch adds a resource once.
func (s *summary) touch(arn string) {
	for _, known := range s.ResourceARNs {
		if known.ARN == arn {
			return
		}
	}
	s.ResourceARNs = append(s.ResourceARNs, arnItem{arn})
}

// valueOf returns the value of an annotation; other types are none, as on AWS.
func valueOf(v any) (annotationValue, bool) {
	switch v := v.(type) {
	case float64:
		return annotationValue{NumberValue: &v}, true
	case bool:
		return annotationValue{BooleanValue: &v}, true
	case string:
		return annotationValue{StringValue: &v}, true
	}
	return annotationValue{}, false
}

func (v annotationValue) plain() any {
	switch {
	case v.NumberValue != nil:
		return *v.NumberValue
	case v.BooleanValue != nil:
		return *v.BooleanValue
	}
	return *v.StringValue
}

// asked is the trace as a filter expression sees it.
func (s *summary) asked() *filter.Trace {
	t := &filter.Trace{
		Ok: !s.HasError && !s.HasFault && !s.HasThrottle, Error: s.HasError, Fault: s.HasFault, Throttle: s.HasThrottle, Partial: s.IsPartial,
		ResponseTime: s.ResponseTime, Duration: s.Duration, Status: float64(s.Http.HttpStatus), URL: s.Http.HttpURL, Method: s.Http.HttpMethod,
		ClientIP: s.Http.ClientIp, UserAgent: s.Http.UserAgent, Annotations: map[string][]any{},
	}
	for _, u := range s.Users {
		t.Users = append(t.Users, u.UserName)
	}
	for _, id := range s.ServiceIds {
		t.Services = append(t.Services, filter.Service{Name: id.Name, Type: id.Type, Account: id.AccountId})
	}
	for key, all := range s.Annotations {
		for _, a := range all {
			t.Annotations[key] = append(t.Annotations[key], a.AnnotationValue.plain())
		}
	}
	return t
}
