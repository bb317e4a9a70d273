package athena

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/wire"
)

// dataCatalog is the one data catalog that every account has: Glue's.
const dataCatalog = "AwsDataCatalog"

// cut takes one page of a list: the token is the name that was given last.
func cut[T any](all []T, name func(T) string, token string, asked *int, most int) (page []T, next string, err error) {
	if asked != nil {
		most = *asked
	}
	if token != "" {
		i := 0
		for i < len(all) && name(all[i]) != token {
			i++
		}
		if i == len(all) {
			return nil, "", invalid("NextToken is not valid")
		}
		all = all[i+1:]
	}
	if len(all) <= most {
		return all, "", nil
	}
	return all[:most], name(all[most-1]), nil
}

func touchCatalog[I any](action string) func(*wire.Call, *I) []wire.Access {
	return func(call *wire.Call, _ *I) []wire.Access {
		return []wire.Access{{Action: "athena:" + action, Resource: call.ARN("athena", "datacatalog/"+dataCatalog)}}
	}
}

func checkCatalog(name string) error {
	if !strings.EqualFold(name, dataCatalog) {
		return invalid("Data catalog %s was not found; there is %s", name, dataCatalog)
	}
	return nil
}

// metadataError words what Glue refused as Athena does.
func metadataError(err error) error {
	if errors.Is(err, catalog.ErrNotFound) {
		e := wire.AsError(err)
		return wire.Errorf("MetadataException", "%s: %s", e.Code, e.Message)
	}
	return err
}

type databaseOutput struct {
	Name        string
	Description string            `json:",omitempty"`
	Parameters  map[string]string `json:",omitempty"`
}

type listDatabasesInput struct {
	CatalogName string `required:"true"`
	MaxResults  *int   `min:"1" max:"50"`
	NextToken   string
	WorkGroup   string
}

type listDatabasesOutput struct {
	DatabaseList []databaseOutput
	NextToken    string `json:",omitempty"`
}

func (s *Service) listDatabases(ctx context.Context, call *wire.Call, in *listDatabasesInput) (*listDatabasesOutput, error) {
	if err := checkCatalog(in.CatalogName); err != nil {
		return nil, err
	}
	all, err := s.cfg.Glue.Catalog(call.Caller).Databases(ctx)
	if err != nil {
		return nil, err
	}
	out := &listDatabasesOutput{DatabaseList: []databaseOutput{}}
	page, next, err := cut(all, func(d catalog.Database) string { return d.Name }, in.NextToken, in.MaxResults, 50)
	for _, d := range page {
		out.DatabaseList = append(out.DatabaseList, databaseOutput{d.Name, d.Description, d.Parameters})
	}
	out.NextToken = next
	return out, err
}

type getDatabaseInput struct {
	CatalogName  string `required:"true"`
	DatabaseName string `required:"true"`
	WorkGroup    string
}

type getDatabaseOutput struct{ Database databaseOutput }

func (s *Service) getDatabase(ctx context.Context, call *wire.Call, in *getDatabaseInput) (*getDatabaseOutput, error) {
	if err := checkCatalog(in.CatalogName); err != nil {
		return nil, err
	}
	d, err := s.cfg.Glue.Catalog(call.Caller).Database(ctx, strings.ToLower(in.DatabaseName))
	return &getDatabaseOutput{databaseOutput{d.Name, d.Description, d.Parameters}}, metadataError(err)
}

type columnOutput struct {
	Name    string
	Type    string `json:",omitempty"`
	Comment string `json:",omitempty"`
}

type tableMetadata struct {
	Name           string
	CreateTime     wire.Time
	LastAccessTime wire.Time
	TableType      string `json:",omitempty"`
	Columns        []columnOutput
	PartitionKeys  []columnOutput
	Parameters     map[string]string
}

// describeTable gives a table's properties and, among them, how and where it is kept.
func describeTable(t catalog.Table) tableMetadata {
	p := map[string]string{}
	for k, v := range t.Parameters {
		p[k] = v
	}
	st := t.Storage
	for k, v := range st.SerDe.Parameters {
		p["serde.param."+k] = v
	}
	for k, v := range map[string]string{"inputformat": st.InputFormat, "outputformat": st.OutputFormat, "location": st.Location, "serde.serialization.lib": st.SerDe.Library} {
		if v != "" {
			p[k] = v
		}
	}
	return tableMetadata{t.Name, wire.TimeOf(t.Created), wire.TimeOf(t.Updated), t.Type, columnsOf(st.Columns), columnsOf(t.PartitionKeys), p}
}

func columnsOf(cs []catalog.Column) []columnOutput {
	out := make([]columnOutput, len(cs))
	for i, c := range cs {
		out[i] = columnOutput{c.Name, c.Type, c.Comment}
	}
	return out
}

type listTablesInput struct {
	CatalogName  string `required:"true"`
	DatabaseName string `required:"true"`
	Expression   string
	MaxResults   *int `min:"1" max:"50"`
	NextToken    string
	WorkGroup    string
}

type listTablesOutput struct {
	TableMetadataList []tableMetadata
	NextToken         string `json:",omitempty"`
}

func (s *Service) listTables(ctx context.Context, call *wire.Call, in *listTablesInput) (*listTablesOutput, error) {
	if err := checkCatalog(in.CatalogName); err != nil {
		return nil, err
	}
	pattern, err := regexp.Compile("^(?i:" + in.Expression + ")$")
	if err != nil {
		return nil, invalid("Expression %q is not a regular expression", in.Expression)
	}
	all, err := s.cfg.Glue.Catalog(call.Caller).Tables(ctx, strings.ToLower(in.DatabaseName))
	if err != nil {
		return nil, metadataError(err)
	}
	var fit []catalog.Table
	for _, t := range all {
		if in.Expression == "" || pattern.MatchString(t.Name) {
			fit = append(fit, t)
		}
	}
	out := &listTablesOutput{TableMetadataList: []tableMetadata{}}
	page, next, err := cut(fit, func(t catalog.Table) string { return t.Name }, in.NextToken, in.MaxResults, 50)
	for _, t := range page {
		out.TableMetadataList = append(out.TableMetadataList, describeTable(t))
	}
	out.NextToken = next
	return out, err
}

type getTableInput struct {
	CatalogName  string `required:"true"`
	DatabaseName string `required:"true"`
	TableName    string `required:"true"`
	WorkGroup    string
}

type getTableOutput struct{ TableMetadata tableMetadata }

func (s *Service) getTable(ctx context.Context, call *wire.Call, in *getTableInput) (*getTableOutput, error) {
	if err := checkCatalog(in.CatalogName); err != nil {
		return nil, err
	}
	t, err := s.cfg.Glue.Catalog(call.Caller).Table(ctx, strings.ToLower(in.DatabaseName), strings.ToLower(in.TableName))
	return &getTableOutput{describeTable(t)}, metadataError(err)
}

type catalogSummary struct{ CatalogName, Type, Status string }

type listCatalogsInput struct {
	MaxResults *int `min:"2" max:"50"`
	NextToken  string
	WorkGroup  string
}

type listCatalogsOutput struct{ DataCatalogsSummary []catalogSummary }

func (s *Service) listCatalogs(context.Context, *wire.Call, *listCatalogsInput) (*listCatalogsOutput, error) {
	return &listCatalogsOutput{[]catalogSummary{{dataCatalog, "GLUE", "CREATE_COMPLETE"}}}, nil
}

type getCatalogInput struct {
	Name      string `required:"true"`
	WorkGroup string
}

type catalogOutput struct {
	Name, Type, Status string
	Parameters         map[string]string
}

type getCatalogOutput struct{ DataCatalog catalogOutput }

func (s *Service) getCatalog(_ context.Context, call *wire.Call, in *getCatalogInput) (*getCatalogOutput, error) {
	out := &getCatalogOutput{catalogOutput{dataCatalog, "GLUE", "CREATE_COMPLETE", map[string]string{"catalog-id": call.Caller.Account}}}
	return out, checkCatalog(in.Name)
}

type listVersionsInput struct {
	MaxResults *int `min:"1" max:"10"`
	NextToken  string
}

type listVersionsOutput struct{ EngineVersions []engineVersion }

func (s *Service) listVersions(context.Context, *wire.Call, *listVersionsInput) (*listVersionsOutput, error) {
	return &listVersionsOutput{[]engineVersion{theEngine, {theEngine.EffectiveEngineVersion, theEngine.EffectiveEngineVersion}}}, nil
}
