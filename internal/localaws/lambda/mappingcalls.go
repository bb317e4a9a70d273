package lambda

import (
	"context"
	"errors"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

func (s *Service) mappingOperations() []wire.Operation {
	const all = "/2015-03-31/event-source-mappings"
	const one = all + "/{UUID}"
	return []wire.Operation{
		wire.REST("CreateEventSourceMapping", "POST", all, s.createMapping, func(call *wire.Call, in *createMappingInput) []wire.Access {
			return onMapping("CreateEventSourceMapping", "*", functionARN(call.Caller, in.FunctionName))
		}),
		wire.REST("ListEventSourceMappings", "GET", all, s.listMappings, nil),
		wire.REST("GetEventSourceMapping", "GET", one, s.getMapping, s.mappingTouches("GetEventSourceMapping")),
		wire.REST("UpdateEventSourceMapping", "PUT", one, s.updateMapping, func(call *wire.Call, in *updateMappingInput) []wire.Access {
			return s.mappingTouches("UpdateEventSourceMapping")(call, &mappingInput{in.UUID})
		}),
		wire.REST("DeleteEventSourceMapping", "DELETE", one, s.deleteMapping, s.mappingTouches("DeleteEventSourceMapping")),
	}
}

func functionARN(c wire.Caller, name string) string {
	r, err := parseRef(c, name, "")
	if err != nil {
		return name
	}
	return r.arn()
}

func onMapping(action, resource, function string) []wire.Access {
	return []wire.Access{{Action: "lambda:" + action, Resource: resource, Conditions: map[string][]string{"lambda:FunctionArn": {function}}}}
}

type mappingInput struct {
	UUID string `uri:"UUID" json:"-"`
}

func (s *Service) mappingTouches(action string) wire.Touches[mappingInput] {
	return func(call *wire.Call, in *mappingInput) []wire.Access {
		m, err := s.mapping(call.Caller, in.UUID)
		if err != nil { // the handler's to refuse
			m = mapping{ID: in.UUID, Account: call.Caller.Account, Region: call.Caller.Region}
		}
		return onMapping(action, m.arn(), m.Function)
	}
}

func noMapping() error { return notFound("The resource you requested does not exist.") }

func (s *Service) mapping(c wire.Caller, id string) (m mapping, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		m, err = mappings.Get(tx, state.Key(c.Account, c.Region, id))
		return err
	})
	if errors.Is(err, state.ErrNotFound) {
		return m, noMapping()
	}
	return m, err
}

func (s *Service) getMapping(_ context.Context, call *wire.Call, in *mappingInput) (*MappingConfiguration, error) {
	m, err := s.mapping(call.Caller, in.UUID)
	if err != nil {
		return nil, err
	}
	return m.describe(200, m.settled()), nil
}

type updateMappingInput struct {
	UUID                           string `uri:"UUID" json:"-"`
	FunctionName                   string
	BatchSize                      *int     `min:"1" max:"10000"`
	MaximumBatchingWindowInSeconds *int     `min:"0" max:"300"`
	FunctionResponseTypes          []string `max:"1"`
	Enabled                        *bool
	FilterCriteria                 *FilterCriteria
	ScalingConfig                  *ScalingConfig
}

func (s *Service) updateMapping(ctx context.Context, call *wire.Call, in *updateMappingInput) (*MappingConfiguration, error) {
	m, err := s.mapping(call.Caller, in.UUID)
	if err != nil {
		return nil, err
	}
	m, err = s.settle(ctx, call.Caller, m, mappingSettings{in.FunctionName, in.BatchSize, in.MaximumBatchingWindowInSeconds, in.Enabled,
		in.FunctionResponseTypes, in.FilterCriteria, in.ScalingConfig})
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		if !mappings.Has(tx, m.key()) {
			return noMapping()
		}
		return mappings.Put(tx, m.key(), m)
	})
	if err != nil {
		return nil, err
	}
	s.pollers.set(s, m)
	return m.describe(202, "Updating"), nil
}

func (s *Service) deleteMapping(_ context.Context, call *wire.Call, in *mappingInput) (*MappingConfiguration, error) {
	m, err := s.mapping(call.Caller, in.UUID)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(func(tx state.Tx) error { return mappings.Delete(tx, m.key()) })
	if errors.Is(err, state.ErrNotFound) {
		return nil, noMapping()
	}
	if err != nil {
		return nil, err
	}
	s.pollers.end(m.key())
	return m.describe(202, "Deleting"), nil
}

type listMappingsInput struct {
	EventSourceArn string `query:"EventSourceArn" json:"-"`
	FunctionName   string `query:"FunctionName" json:"-"`
	Marker         string `query:"Marker" json:"-"`
	MaxItems       *int   `query:"MaxItems" json:"-" min:"1" max:"10000"`
}

// MappingsOutput is the output of ListEventSourceMappings.
type MappingsOutput struct {
	EventSourceMappings []*MappingConfiguration
	NextMarker          *string
}

func (s *Service) listMappings(_ context.Context, call *wire.Call, in *listMappingsInput) (*MappingsOutput, error) {
	function := ""
	if in.FunctionName != "" {
		r, err := parseRef(call.Caller, in.FunctionName, "")
		if err != nil {
			return nil, err
		}
		function = r.arn()
	}
	var all []*MappingConfiguration
	err := s.cfg.Store.View(func(tx state.Tx) error {
		found, err := mappings.List(tx, state.Prefix(call.Caller.Account, call.Caller.Region), "", 0)
		for _, e := range found {
			m := e.Value
			if (in.EventSourceArn == "" || in.EventSourceArn == m.Source) && (function == "" || function == m.Function) {
				all = append(all, m.describe(200, m.settled()))
			}
		}
		return err
	})
	out := &MappingsOutput{}
	out.EventSourceMappings, out.NextMarker = pageAfter(all, in.Marker, in.MaxItems, func(d *MappingConfiguration) string { return d.UUID })
	return out, err
}
