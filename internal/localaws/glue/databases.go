package glue

import (
	"context"
	"strings"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type databaseInput struct {
	Name        string `required:"true"`
	Description string
	LocationURI string `json:"LocationUri"`
	Parameters  map[string]string
}

func (d databaseInput) database() catalog.Database {
	return catalog.Database{Name: strings.ToLower(d.Name), Description: d.Description, LocationURI: d.LocationURI, Parameters: d.Parameters}
}

type databaseOutput struct {
	catalog.Database
	CreateTime wire.Time
	CatalogID  string `json:"CatalogId"`
}

func describeDatabase(d database, account string) databaseOutput {
	return databaseOutput{d.Database, wire.TimeOf(d.Made), account}
}

type createDatabaseInput struct {
	CatalogID     string        `json:"CatalogId"`
	DatabaseInput databaseInput `required:"true"`
	Tags          map[string]string
}

func (s *Service) createDatabaseOp(_ context.Context, call *wire.Call, in *createDatabaseInput) (*wire.Empty, error) {
	if err := ownCatalog(call, in.CatalogID); err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.createDatabase(scopeOf(call.Caller), in.DatabaseInput.database(), in.Tags)
}

type databaseName struct {
	CatalogID string `json:"CatalogId"`
	Name      string `required:"true"`
}

type getDatabaseOutput struct{ Database databaseOutput }

func (s *Service) getDatabaseOp(_ context.Context, call *wire.Call, in *databaseName) (*getDatabaseOutput, error) {
	if err := ownCatalog(call, in.CatalogID); err != nil {
		return nil, err
	}
	out := &getDatabaseOutput{}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		d, err := getDatabase(tx, scopeOf(call.Caller), strings.ToLower(in.Name))
		out.Database = describeDatabase(d, call.Caller.Account)
		return err
	})
}

type getDatabasesInput struct {
	CatalogID         string `json:"CatalogId"`
	MaxResults        *int   `min:"1" max:"100"`
	NextToken         string
	ResourceShareType string `enum:"ALL"`
}

type getDatabasesOutput struct {
	DatabaseList []databaseOutput
	NextToken    string `json:",omitempty"`
}

func (s *Service) getDatabasesOp(_ context.Context, call *wire.Call, in *getDatabasesInput) (*getDatabasesOutput, error) {
	if err := ownCatalog(call, in.CatalogID); err != nil {
		return nil, err
	}
	out := &getDatabasesOutput{DatabaseList: []databaseOutput{}}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		es, next, err := page(databases, tx, scopeOf(call.Caller).prefix(), in.NextToken, limit(in.MaxResults, 100))
		for _, e := range es {
			out.DatabaseList = append(out.DatabaseList, describeDatabase(e.Value, call.Caller.Account))
		}
		out.NextToken = next
		return err
	})
}

type updateDatabaseInput struct {
	CatalogID     string        `json:"CatalogId"`
	Name          string        `required:"true"`
	DatabaseInput databaseInput `required:"true"`
}

func (s *Service) updateDatabaseOp(_ context.Context, call *wire.Call, in *updateDatabaseInput) (*wire.Empty, error) {
	if err := ownCatalog(call, in.CatalogID); err != nil {
		return nil, err
	}
	name := strings.ToLower(in.Name)
	if strings.ToLower(in.DatabaseInput.Name) != name {
		return nil, invalid("Database %s cannot be renamed to %s", in.Name, in.DatabaseInput.Name)
	}
	sc := scopeOf(call.Caller)
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		d, err := getDatabase(tx, sc, name)
		if err != nil {
			return err
		}
		d.Database = in.DatabaseInput.database()
		return databases.Put(tx, sc.key(name), d)
	})
}

func (s *Service) deleteDatabaseOp(_ context.Context, call *wire.Call, in *databaseName) (*wire.Empty, error) {
	if err := ownCatalog(call, in.CatalogID); err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.deleteDatabase(scopeOf(call.Caller), strings.ToLower(in.Name))
}
