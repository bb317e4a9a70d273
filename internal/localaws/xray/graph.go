package xray

import (
	"context"

	"engage/internal/localaws/wire"
)

type graphOutput struct{ Services []*graphNode }

// graphNode is a service of the graph of some traces.
type graphNode struct {
	ReferenceId       int
	Name              string
	Names             []string
	Root              bool   `json:",omitempty"`
	AccountId         string `json:",omitempty"`
	Type              string `json:",omitempty"`
	State             string
	StartTime         wire.Time
	EndTime           wire.Time
	Edges             []*graphEdge
	SummaryStatistics statistics
}

type graphEdge struct {
	ReferenceId       int
	StartTime         wire.Time
	EndTime           wire.Time
	SummaryStatistics statistics
}

type statistics struct {
	OkCount           int
	ErrorStatistics   struct{ ThrottleCount, OtherCount, TotalCount int }
	FaultStatistics   struct{ OtherCount, TotalCount int }
	TotalCount        int
	TotalResponseTime float64
}

// add counts a segment.
func (s *statistics) add(g *segment) {
	s.TotalCount++
	s.TotalResponseTime += seconds(g.end() - g.start())
	switch {
	case g.Fault:
		s.FaultStatistics.OtherCount++
		s.FaultStatistics.TotalCount++
	case g.Throttle:
		s.ErrorStatistics.ThrottleCount++
		s.ErrorStatistics.TotalCount++
	case g.Error:
		s.ErrorStatistics.OtherCount++
		s.ErrorStatistics.TotalCount++
	default:
		s.OkCount++
	}
}

// stretch widens a time range to a segment's.
func stretch(start, end *wire.Time, g *segment) {
	if at := wire.TimeOf(moment(g.start())); start.IsZero() || at.Before(start.Time) {
		*start = at
	}
	if at := wire.TimeOf(moment(g.end())); at.After(end.Time) {
		*end = at
	}
}

// graph returns the services that traces passed through, and who called whom.
func (s *Service) graph(ctx context.Context, call *wire.Call, in *traceIDsInput) (*graphOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	found, _, err := s.known(call.Caller, in.TraceIds)
	if err != nil {
		return nil, err
	}
	out := &graphOutput{Services: []*graphNode{}}
	for _, w := range found {
		out.draw(w, call.Caller.Account)
	}
	s.count(ctx, call.Caller, "TracesRetrieved", len(found))
	return out, nil
}

// draw adds a trace. The services are those of its segments; a segment's parent
// is another segment, or a subsegment of one.
func (o *graphOutput) draw(w *whole, account string) {
	owner := map[string]*segment{} // of each segment and subsegment
	for i := range w.documents {
		top := &w.documents[i].segment
		top.each(func(g *segment) { owner[g.ID] = top })
	}
	holds := func(g *segment) *segment { // subsegments that came by themselves belong to where they hang
		for n := len(w.documents); g != nil && g.independent() && n > 0; n-- {
			g = owner[g.ParentID]
		}
		return g
	}
	for i := range w.documents {
		g := &w.documents[i].segment
		if g.independent() {
			continue
		}
		node := o.node(g, account)
		node.SummaryStatistics.add(g)
		stretch(&node.StartTime, &node.EndTime, g)
		caller := holds(owner[g.ParentID])
		if caller == nil {
			node.Root = true
			continue
		}
		edge := o.node(caller, account).edge(node.ReferenceId)
		edge.SummaryStatistics.add(g)
		stretch(&edge.StartTime, &edge.EndTime, g)
	}
}

// node returns the service of a segment.
func (o *graphOutput) node(g *segment, account string) *graphNode {
	id := g.node(account)
	for _, n := range o.Services {
		if (serviceID{Name: n.Name, AccountId: n.AccountId, Type: n.Type}).same(id) {
			return n
		}
	}
	n := &graphNode{ReferenceId: len(o.Services), Name: id.Name, Names: id.Names, AccountId: id.AccountId, Type: id.Type, State: "active", Edges: []*graphEdge{}}
	o.Services = append(o.Services, n)
	return n
}

// edge returns the edge to a service.
func (n *graphNode) edge(to int) *graphEdge {
	for _, e := range n.Edges {
		if e.ReferenceId == to {
			return e
		}
	}
	e := &graphEdge{ReferenceId: to}
	n.Edges = append(n.Edges, e)
	return e
}
