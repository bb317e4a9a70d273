// Package glue keeps a Data Catalog: databases, tables with their versions, and partitions.
//
// API: https://docs.aws.amazon.com/glue/latest/webapi/WebAPI_Welcome.html
package glue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Config says what the service works with.
type Config struct {
	Store *state.Store // there is no default; the service does not close it
	// Clock is for timestamps. The default is time.Now.
	Clock func() time.Time
	// Authorizer checks what other services do for a caller through Catalog.
	// The default allows everything; give the server's.
	Authorizer wire.Authorizer
}

// Service is Glue.
type Service struct {
	cfg  Config
	wire *wire.Service
}

// New returns the service.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil {
		return nil, errors.New("glue: no store is set")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Authorizer == nil {
		cfg.Authorizer = allowAll{}
	}
	s := &Service{cfg: cfg}
	s.wire = &wire.Service{Name: "glue", Targets: []string{"AWSGlue"}, Protocol: wire.JSON11, ValidationCode: "InvalidInputException", Operations: s.operations()}
	return s, nil
}

// API returns the operations, for the server.
func (s *Service) API() *wire.Service { return s.wire }

type allowAll struct{}

func (allowAll) Authorize(context.Context, *wire.Call, []wire.Access) error { return nil }

// database is what is kept of a database.
type database struct {
	catalog.Database
	Made time.Time
	Tags map[string]string `json:",omitempty"`
}

// table is what is kept of a table; Version counts its changes.
type table struct {
	catalog.Table
	Made, Changed time.Time
	Version       int
	Tags          map[string]string `json:",omitempty"`
}

// partition is what is kept of a partition.
type partition struct {
	catalog.Partition
	Made time.Time
}

// Keys begin with account and region.
var (
	databases  = state.NewCollection[database]("glue/databases")   // name
	tables     = state.NewCollection[table]("glue/tables")         // database, name
	versions   = state.NewCollection[table]("glue/table-versions") // database, name, number
	partitions = state.NewCollection[partition]("glue/partitions") // database, table, value ...
)

// scope is the account and region whose catalog a call is about.
type scope struct{ account, region string }

func scopeOf(c wire.Caller) scope { return scope{c.Account, c.Region} }

func (s scope) key(parts ...string) string {
	return state.Key(append([]string{s.account, s.region}, parts...)...)
}

func (s scope) prefix(parts ...string) string {
	return state.Prefix(append([]string{s.account, s.region}, parts...)...)
}

func (s scope) arn(resource string) string {
	return "arn:aws:glue:" + s.region + ":" + s.account + ":" + resource
}

// access names what an action touches: the catalog, the database and the table, as Glue's policies must.
func (s scope) access(action, db, table string) []wire.Access {
	resources := []string{"catalog"}
	if db != "" {
		resources = append(resources, "database/"+db)
	}
	if table != "" {
		resources = append(resources, "table/"+db+"/"+table)
	}
	out := make([]wire.Access, len(resources))
	for i, r := range resources {
		out[i] = wire.Access{Action: "glue:" + action, Resource: s.arn(r)}
	}
	return out
}

func notFound(format string, args ...any) error {
	return wire.Errorf("EntityNotFoundException", format, args...).Because(catalog.ErrNotFound)
}

func exists(format string, args ...any) error {
	return wire.Errorf("AlreadyExistsException", format, args...).Because(catalog.ErrExists)
}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidInputException", format, args...)
}

// cleanName lowers a name as Glue does, and refuses one that no key can have.
func cleanName(what, name string) (string, error) {
	if name == "" || len(name) > 255 || strings.ContainsAny(name, "\x00\n\r") {
		return "", invalid("%s name %q is not valid: it has 1 to 255 characters", what, name)
	}
	return strings.ToLower(name), nil
}

// ownCatalog refuses the catalog of another account.
func ownCatalog(call *wire.Call, id string) error {
	if id != "" && id != call.Caller.Account {
		return wire.AccessDenied("Cross account access to catalog %s is not supported", id)
	}
	return nil
}

func getDatabase(tx state.Tx, sc scope, name string) (database, error) {
	d, err := databases.Get(tx, sc.key(name))
	if errors.Is(err, state.ErrNotFound) {
		return d, notFound("Database %s not found.", name)
	}
	return d, err
}

func getTable(tx state.Tx, sc scope, db, name string) (table, error) {
	if _, err := getDatabase(tx, sc, db); err != nil {
		return table{}, err
	}
	t, err := tables.Get(tx, sc.key(db, name))
	if errors.Is(err, state.ErrNotFound) {
		return t, notFound("Table %s not found.", name)
	}
	return t, err
}

// page cuts a list as Glue pages: the token is the key of the last entry that was given.
func page[T any](c state.Collection[T], tx state.Tx, prefix, token string, max int) ([]state.Entry[T], string, error) {
	after := ""
	if token != "" {
		k, err := decodeToken(token)
		if err != nil || !strings.HasPrefix(k, prefix) {
			return nil, "", invalid("NextToken is not valid")
		}
		after = k
	}
	entries, err := c.List(tx, prefix, after, max+1)
	if err != nil || len(entries) <= max {
		return entries, "", err
	}
	entries = entries[:max]
	return entries, encodeToken(entries[max-1].Key), nil
}

// limit is a page's size: what was asked for, at most 100 as in the API (1000 for partitions).
func limit(asked *int, most int) int {
	if asked == nil || *asked > most {
		return most
	}
	return *asked
}

func wrap(step string, err error) error {
	var e *wire.Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return fmt.Errorf("%s: %w", step, err)
}
