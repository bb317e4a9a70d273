package wire

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
)

// Service is a set of operations that share a protocol and a name.
type Service struct {
	Name         string   // the permission prefix: "glue"
	SigningNames []string // names in credential scopes; the default is Name
	Targets      []string // JSON protocols: what X-Amz-Target has before the dot: "AWSGlue"
	Protocol     Protocol
	Namespace    string // XML namespace of answers
	// ValidationCode is the code of validation errors; the default depends on the protocol.
	ValidationCode string
	// DeniedCode is the code of denied calls; the default depends on the protocol.
	DeniedCode string
	Operations []Operation

	// Foreign are protocols beside AWS's own that the service speaks: the OCI
	// registry, the Lambda Runtime API. They are asked before AWS's routes.
	Foreign []Foreign

	// Find picks the operation of a REST request where method, path and query
	// literals do not suffice. The default is Match.
	Find func(*http.Request) (*Operation, map[string]string)

	// Claims tells the service's requests from those of others that sign
	// alike. nil claims all.
	Claims func(*http.Request) bool

	// WrapsErrors is for a RestXML service whose errors are not S3's: they are
	// in an ErrorResponse.
	WrapsErrors bool

	// CrossOrigin reports whether a page of another origin may send the
	// request, and then sets the headers that tell its browser so. nil lets none.
	CrossOrigin func(r *http.Request, answer http.Header) bool

	// Default is the operation table for REST requests that no other service
	// claims: S3 alone sets it.
	Default bool
}

// Foreign is a handler of requests that are not in an AWS protocol. The
// handler authenticates its own callers.
type Foreign struct {
	Name    string
	Matches func(*http.Request) bool // REQUIRES: does not read the body
	Handler http.Handler
}

// Signs reports whether the service has this name in credential scopes.
func (s *Service) Signs(name string) bool {
	if len(s.SigningNames) == 0 {
		return s.Name == name
	}
	return slices.Contains(s.SigningNames, name)
}

// Operation returns the operation of this name, nil when there is none.
func (s *Service) Operation(name string) *Operation {
	for i := range s.Operations {
		if s.Operations[i].Name == name {
			return &s.Operations[i]
		}
	}
	return nil
}

// Supported returns the names of the operations, sorted.
func (s *Service) Supported() []string {
	names := make([]string, len(s.Operations))
	for i, op := range s.Operations {
		names[i] = op.Name
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Handler answers an operation.
type Handler[I, O any] func(ctx context.Context, call *Call, in *I) (*O, error)

// Touches states what a call does, for the permission check. It must not
// change anything. A nil Touches is the action of the operation's name on "*".
type Touches[I any] func(call *Call, in *I) []Access

// Empty is the input or output of an operation that has none.
type Empty struct{}

// RawHandler answers an operation that writes its own HTTP answer. An error
// is rendered by the caller, unless the answer has already begun.
type RawHandler func(ctx context.Context, call *Call, w http.ResponseWriter) error

// Operation is one operation of a service. It is made by JSON, Form, REST or Raw.
type Operation struct {
	Name   string
	Method string // REST only
	URI    string // REST only: "/functions/{FunctionName}?literal", greedy "{Key+}"
	Stream bool   // the body is handed on unread

	// Unsigned is for what nobody signs, even where the URL has a signature: a
	// browser's preflight. The caller is not known.
	Unsigned bool

	template template
	input    func() any
	touches  func(*Call, any) []Access
	handle   func(context.Context, *Call, any) (any, error)
	raw      RawHandler
}

// JSON returns an operation of an awsJson service. The fields of I and O are
// AWS's members, by name or json tag; tags required, enum, min and max are
// checked before the handler runs, and a member that I does not have is
// refused by name.
func JSON[I, O any](name string, handle Handler[I, O], touches Touches[I]) Operation {
	return operation(name, handle, touches)
}

// Form returns an operation of a query (or EC2) service: see DecodeForm and EncodeXML.
func Form[I, O any](name string, handle Handler[I, O], touches Touches[I]) Operation {
	return operation(name, handle, touches)
}

// REST returns an operation of a REST service. Fields of I with a tag uri,
// query, header or payload come from there and not from the body; fields of O
// with a tag header, status or payload go there. Such fields carry json:"-".
func REST[I, O any](name, method, uri string, handle Handler[I, O], touches Touches[I]) Operation {
	op := operation(name, handle, touches)
	op.Method, op.URI, op.template = method, uri, parseTemplate(uri)
	checkBindings(reflect.TypeFor[I](), name)
	checkBindings(reflect.TypeFor[O](), name)
	op.Stream = streams(reflect.TypeFor[I]())
	return op
}

// Raw returns a REST operation that reads and writes HTTP itself.
func Raw(name, method, uri string, handle RawHandler, touches func(*Call) []Access) Operation {
	return Operation{
		Name: name, Method: method, URI: uri, Stream: true, template: parseTemplate(uri), raw: handle,
		touches: func(call *Call, _ any) []Access { return touches(call) },
	}
}

func operation[I, O any](name string, handle Handler[I, O], touches Touches[I]) Operation {
	op := Operation{
		Name:  name,
		input: func() any { return new(I) },
		handle: func(ctx context.Context, call *Call, in any) (any, error) {
			out, err := handle(ctx, call, in.(*I))
			if err != nil {
				return nil, err
			}
			return out, nil
		},
	}
	if touches != nil {
		op.touches = func(call *Call, in any) []Access { return touches(call, in.(*I)) }
	}
	return op
}

// IsRaw reports whether the operation reads and writes HTTP itself.
func (op *Operation) IsRaw() bool { return op.raw != nil }

// ServeRaw answers a raw operation.
func (op *Operation) ServeRaw(ctx context.Context, call *Call, w http.ResponseWriter) error {
	return op.raw(ctx, call, w)
}

// Accesses returns what the call touches. The input is nil for a raw operation.
func (op *Operation) Accesses(call *Call, in any) []Access {
	if op.touches == nil {
		return []Access{{Action: call.Service.Name + ":" + op.Name, Resource: "*"}}
	}
	return op.touches(call, in)
}

// Handle runs the handler. The input is what Decode or Adopt returned.
func (op *Operation) Handle(ctx context.Context, call *Call, in any) (any, error) {
	return op.handle(ctx, call, in)
}

// Decode returns the checked input of a call that came over HTTP.
func (op *Operation) Decode(call *Call) (any, error) {
	in := op.input()
	if err := decodeInput(call, in); err != nil {
		return nil, err
	}
	return in, Validate(in)
}

func decodeInput(call *Call, in any) error {
	switch call.Service.Protocol {
	case JSON10, JSON11:
		return decodeJSON(call.Body, in)
	case Query, EC2:
		return decodeFormRequest(call, in)
	case RestJSON:
		return decodeREST(call, in)
	}
	return fmt.Errorf("wire: %s: %v has raw operations only", call.Operation, call.Service.Protocol)
}

// Encode writes the answer of a call that came over HTTP.
func (op *Operation) Encode(w http.ResponseWriter, call *Call, out any) error {
	switch call.Service.Protocol {
	case JSON10, JSON11:
		return encodeJSON(w, call, out)
	case Query, EC2:
		return encodeQuery(w, call, out)
	case RestJSON:
		return encodeREST(w, call, out)
	}
	return fmt.Errorf("wire: %s: %v has raw operations only", call.Operation, call.Service.Protocol)
}
