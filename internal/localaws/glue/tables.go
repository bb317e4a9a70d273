package glue

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type tableInput struct {
	Name              string `required:"true"`
	Description       string
	Owner             string
	LastAccessTime    wire.Time
	LastAnalyzedTime  wire.Time
	Retention         int
	StorageDescriptor catalog.Storage
	PartitionKeys     []catalog.Column
	ViewOriginalText  string
	ViewExpandedText  string
	TableType         string
	Parameters        map[string]string
}

func (t tableInput) table(db string) catalog.Table {
	return catalog.Table{Database: strings.ToLower(db), Name: strings.ToLower(t.Name), Description: t.Description, Owner: t.Owner, Retention: t.Retention,
		Storage: t.StorageDescriptor, PartitionKeys: t.PartitionKeys, ViewOriginalText: t.ViewOriginalText, ViewExpandedText: t.ViewExpandedText,
		Type: t.TableType, Parameters: t.Parameters}
}

type tableOutput struct {
	catalog.Table
	CreateTime                    wire.Time
	UpdateTime                    wire.Time
	CatalogID                     string `json:"CatalogId"`
	VersionID                     string `json:"VersionId"`
	IsRegisteredWithLakeFormation bool
}

func versionID(t table) string { return strconv.Itoa(t.Version) }

func describeTable(t table, account string) tableOutput {
	return tableOutput{Table: t.Table, CreateTime: wire.TimeOf(t.Made), UpdateTime: wire.TimeOf(t.Changed), CatalogID: account, VersionID: versionID(t)}
}

type createTableInput struct {
	CatalogID    string     `json:"CatalogId"`
	DatabaseName string     `required:"true"`
	TableInput   tableInput `required:"true"`
}

func (s *Service) createTableOp(_ context.Context, call *wire.Call, in *createTableInput) (*wire.Empty, error) {
	if err := ownCatalog(call, in.CatalogID); err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.createTable(scopeOf(call.Caller), in.TableInput.table(in.DatabaseName))
}

type tableName struct {
	CatalogID    string `json:"CatalogId"`
	DatabaseName string `required:"true"`
	Name         string `required:"true"`
}

type getTableOutput struct{ Table tableOutput }

func (s *Service) getTableOp(_ context.Context, call *wire.Call, in *tableName) (*getTableOutput, error) {
	if err := ownCatalog(call, in.CatalogID); err != nil {
		return nil, err
	}
	out := &getTableOutput{}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		t, err := getTable(tx, scopeOf(call.Caller), strings.ToLower(in.DatabaseName), strings.ToLower(in.Name))
		out.Table = describeTable(t, call.Caller.Account)
		return err
	})
}

type getTablesInput struct {
	CatalogID    string `json:"CatalogId"`
	DatabaseName string `required:"true"`
	Expression   string
	MaxResults   *int `min:"1" max:"100"`
	NextToken    string
}

type getTablesOutput struct {
	TableList []tableOutput
	NextToken string `json:",omitempty"`
}

func (s *Service) getTablesOp(_ context.Context, call *wire.Call, in *getTablesInput) (*getTablesOutput, error) {
	if err := ownCatalog(call, in.CatalogID); err != nil {
		return nil, err
	}
	pattern, err := regexp.Compile("^(?:" + strings.ReplaceAll(in.Expression, "*", ".*") + ")$")
	if err != nil {
		return nil, invalid("Expression %q is no pattern", in.Expression)
	}
	out := &getTablesOutput{TableList: []tableOutput{}}
	sc, db := scopeOf(call.Caller), strings.ToLower(in.DatabaseName)
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		if _, err := getDatabase(tx, sc, db); err != nil {
			return err
		}
		es, next, err := page(tables, tx, sc.prefix(db), in.NextToken, limit(in.MaxResults, 100))
		for _, e := range es {
			if in.Expression == "" || pattern.MatchString(e.Value.Name) {
				out.TableList = append(out.TableList, describeTable(e.Value, call.Caller.Account))
			}
		}
		out.NextToken = next
		return err
	})
}

type updateTableInput struct {
	CatalogID    string     `json:"CatalogId"`
	DatabaseName string     `required:"true"`
	TableInput   tableInput `required:"true"`
	SkipArchive  *bool
	VersionID    string `json:"VersionId"`
}

func (s *Service) updateTableOp(_ context.Context, call *wire.Call, in *updateTableInput) (*wire.Empty, error) {
	if err := ownCatalog(call, in.CatalogID); err != nil {
		return nil, err
	}
	skip := in.SkipArchive != nil && *in.SkipArchive
	return &wire.Empty{}, s.updateTable(scopeOf(call.Caller), in.TableInput.table(in.DatabaseName), skip, in.VersionID)
}

func (s *Service) deleteTableOp(_ context.Context, call *wire.Call, in *tableName) (*wire.Empty, error) {
	if err := ownCatalog(call, in.CatalogID); err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.deleteTable(scopeOf(call.Caller), strings.ToLower(in.DatabaseName), strings.ToLower(in.Name))
}

// errorDetail is what batch operations answer for an entry that failed.
type errorDetail struct{ ErrorCode, ErrorMessage string }

func detail(err error) errorDetail {
	e := wire.AsError(err)
	return errorDetail{e.Code, e.Message}
}

type batchDeleteTableInput struct {
	CatalogID      string   `json:"CatalogId"`
	DatabaseName   string   `required:"true"`
	TablesToDelete []string `required:"true" max:"100"`
}

type tableError struct {
	TableName   string
	ErrorDetail errorDetail
}

type batchDeleteTableOutput struct{ Errors []tableError }

func (s *Service) batchDeleteTable(_ context.Context, call *wire.Call, in *batchDeleteTableInput) (*batchDeleteTableOutput, error) {
	out := &batchDeleteTableOutput{Errors: []tableError{}}
	for _, name := range in.TablesToDelete {
		if err := s.deleteTable(scopeOf(call.Caller), strings.ToLower(in.DatabaseName), strings.ToLower(name)); err != nil {
			out.Errors = append(out.Errors, tableError{name, detail(err)})
		}
	}
	return out, nil
}

type versionsInput struct {
	CatalogID    string `json:"CatalogId"`
	DatabaseName string `required:"true"`
	TableName    string `required:"true"`
	VersionID    string `json:"VersionId"`
	MaxResults   *int   `min:"1" max:"100"`
	NextToken    string
}

type tableVersion struct {
	Table     tableOutput
	VersionID string `json:"VersionId"`
}

type versionsOutput struct {
	TableVersions []tableVersion
	NextToken     string `json:",omitempty"`
}

func (s *Service) getTableVersions(_ context.Context, call *wire.Call, in *versionsInput) (*versionsOutput, error) {
	out := &versionsOutput{TableVersions: []tableVersion{}}
	sc, db, name := scopeOf(call.Caller), strings.ToLower(in.DatabaseName), strings.ToLower(in.TableName)
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		if _, err := getTable(tx, sc, db, name); err != nil {
			return err
		}
		es, next, err := page(versions, tx, sc.prefix(db, name), in.NextToken, limit(in.MaxResults, 100))
		for _, e := range es {
			out.TableVersions = append(out.TableVersions, tableVersion{describeTable(e.Value, call.Caller.Account), versionID(e.Value)})
		}
		out.NextToken = next
		return err
	})
}

type versionOutput struct{ TableVersion tableVersion }

func (s *Service) getTableVersion(_ context.Context, call *wire.Call, in *versionsInput) (*versionOutput, error) {
	out := &versionOutput{}
	sc, db, name := scopeOf(call.Caller), strings.ToLower(in.DatabaseName), strings.ToLower(in.TableName)
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		t, err := getTable(tx, sc, db, name)
		if err != nil {
			return err
		}
		if in.VersionID != "" {
			if t, err = versions.Get(tx, versionKey(sc, db, name, in.VersionID)); err != nil {
				return notFound("Version %s not found.", in.VersionID)
			}
		}
		out.TableVersion = tableVersion{describeTable(t, call.Caller.Account), versionID(t)}
		return nil
	})
}

func versionKey(sc scope, db, name, id string) string {
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		return sc.key(db, name, "no version")
	}
	return sc.key(db, name, state.Ordinal(n))
}

func (s *Service) deleteVersion(sc scope, db, name, id string) error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		t, err := getTable(tx, sc, db, name)
		if err != nil {
			return err
		}
		if id == versionID(t) {
			return invalid("Cannot delete the current version %s of table %s", id, name)
		}
		if err := versions.Delete(tx, versionKey(sc, db, name, id)); err != nil {
			return notFound("Version %s not found.", id)
		}
		return nil
	})
}

func (s *Service) deleteTableVersion(_ context.Context, call *wire.Call, in *versionsInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.deleteVersion(scopeOf(call.Caller), strings.ToLower(in.DatabaseName), strings.ToLower(in.TableName), in.VersionID)
}

type batchDeleteVersionInput struct {
	CatalogID    string   `json:"CatalogId"`
	DatabaseName string   `required:"true"`
	TableName    string   `required:"true"`
	VersionIDs   []string `json:"VersionIds" required:"true" max:"100"`
}

type versionError struct {
	TableName   string
	VersionID   string `json:"VersionId"`
	ErrorDetail errorDetail
}

type batchDeleteVersionOutput struct{ Errors []versionError }

func (s *Service) batchDeleteVersion(_ context.Context, call *wire.Call, in *batchDeleteVersionInput) (*batchDeleteVersionOutput, error) {
	out := &batchDeleteVersionOutput{Errors: []versionError{}}
	for _, id := range in.VersionIDs {
		if err := s.deleteVersion(scopeOf(call.Caller), strings.ToLower(in.DatabaseName), strings.ToLower(in.TableName), id); err != nil {
			out.Errors = append(out.Errors, versionError{in.TableName, id, detail(err)})
		}
	}
	return out, nil
}
