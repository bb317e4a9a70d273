// Package plane makes the resources that services here execute: it is a client
// of the endpoint's own wire, through the AWS SDK, so what a program declares is
// the same thing that any other caller sees, checks and changes.
package plane

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/value"
)

// Config says where the services are and whose resources are made.
type Config struct {
	AWS       aws.Config // its region, credentials and endpoint
	Partition string
	Account   string
}

// Kinds returns every kind whose service is executed.
func Kinds(cfg Config) []kind.Kind {
	return nil
}

// ops is a plane of four functions.
type ops struct {
	create func(ctx context.Context, inputs value.Map) (string, value.Map, error)
	read   func(ctx context.Context, id string, state value.Map) (value.Map, error)
	update func(ctx context.Context, id string, old, inputs value.Map) (value.Map, error)
	delete func(ctx context.Context, id string, state value.Map) error
}

func (o ops) Create(ctx context.Context, inputs value.Map) (string, value.Map, error) {
	return o.create(ctx, inputs)
}

func (o ops) Read(ctx context.Context, id string, state value.Map) (value.Map, error) {
	return o.read(ctx, id, state)
}

func (o ops) Update(ctx context.Context, id string, old, inputs value.Map) (value.Map, error) {
	return o.update(ctx, id, old, inputs)
}

func (o ops) Delete(ctx context.Context, id string, state value.Map) error {
	return o.delete(ctx, id, state)
}

// arn forms the ARN of something of a service.
func (c Config) arn(service, id string) string {
	return "arn:" + c.Partition + ":" + service + ":" + c.AWS.Region + ":" + c.Account + ":" + id
}

// The properties that most kinds share.
var (
	text      = kind.Property{}
	flag      = kind.Property{Type: kind.Bool}
	number    = kind.Property{Type: kind.Number}
	texts     = kind.Property{Type: kind.List}
	textSet   = kind.Property{Type: kind.Set}
	textMap   = kind.Property{Type: kind.Dict}
	document  = kind.Property{Type: kind.Document}
	tags      = kind.Property{Type: kind.Dict}
	tagsAll   = "tagsAll"
	fixed     = kind.Property{Replace: true}
	needed    = kind.Property{Required: true}
	neededFix = kind.Property{Required: true, Replace: true}
)

// objects is a list of objects, or one object in a list of one.
func objects(fields kind.Object) kind.Property {
	return kind.Property{Type: kind.List, Of: &kind.Property{Type: kind.Nested, Fields: fields}}
}

// object is one object.
func object(fields kind.Object) kind.Property {
	return kind.Property{Type: kind.Nested, Fields: fields}
}
