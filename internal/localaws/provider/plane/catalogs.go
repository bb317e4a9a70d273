package plane

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// catalogs returns the kinds of Glue.
func catalogs(cfg Config, t sdk.Source) []kind.Kind {
	p := catalogPlane{Config: cfg, api: glue.NewFromConfig(cfg.AWS)}
	database := t.Kind("aws:glue/catalogDatabase:CatalogDatabase", sdk.Overlay{
		Replace: []string{"name", "catalogId"}, Name: map[string]kind.Naming{"name": {Max: 255, Lower: true}},
		Computed: []string{"catalogId", "locationUri"}, Unused: []string{"createTableDefaultPermissions", "federatedDatabase", "targetDatabase"},
	})
	database.Plane = ops{p.create, p.read(database), p.update, p.delete}
	encryption := t.Kind("aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings", sdk.Overlay{
		Replace: []string{"catalogId"}, Computed: []string{"catalogId"},
	})
	encryption.Plane = ops{p.encrypt, p.readEncryption(encryption), p.updateEncryption, p.dropEncryption}
	return []kind.Kind{database, encryption}
}

type catalogPlane struct {
	Config
	api *glue.Client
}

func (p catalogPlane) databaseARN(name string) string { return p.arn("glue", "database/"+name) }

// A database's identifier is "catalog:name".
func (p catalogPlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	input := &types.DatabaseInput{}
	if err := fill(in, input); err != nil {
		return "", nil, err
	}
	if _, err := p.api.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: input, Tags: value.StringMap(in, "tags")}); err != nil {
		return "", nil, err
	}
	return p.Account + ":" + value.String(in, "name"), p.databaseOutputs(in), nil
}

func (p catalogPlane) databaseOutputs(in value.Map) value.Map {
	return value.Map{"arn": p.databaseARN(value.String(in, "name")), "catalogId": p.Account, "locationUri": value.String(in, "locationUri")}
}

func (p catalogPlane) read(k kind.Kind) func(context.Context, string, value.Map) (value.Map, error) {
	return func(ctx context.Context, id string, _ value.Map) (value.Map, error) {
		name := id[len(p.Account)+1:]
		res, err := p.api.GetDatabase(ctx, &glue.GetDatabaseInput{Name: &name})
		if err != nil {
			return nil, err
		}
		tags, err := p.api.GetTags(ctx, &glue.GetTagsInput{ResourceArn: aws.String(p.databaseARN(name))})
		if err != nil {
			return nil, err
		}
		out, err := tell(k.Inputs, res.Database)
		return value.Merge(out, value.Map{
			"arn": p.databaseARN(name), "catalogId": p.Account, "name": name, "tags": value.FromStringMap(tags.Tags),
		}), err
	}
}

func (p catalogPlane) update(ctx context.Context, _ string, old, in value.Map) (value.Map, error) {
	input := &types.DatabaseInput{}
	if err := fill(in, input); err != nil {
		return nil, err
	}
	if _, err := p.api.UpdateDatabase(ctx, &glue.UpdateDatabaseInput{Name: input.Name, DatabaseInput: input}); err != nil {
		return nil, err
	}
	arn := p.databaseARN(*input.Name)
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		if _, err := p.api.UntagResource(ctx, &glue.UntagResourceInput{ResourceArn: &arn, TagsToRemove: drop}); err != nil {
			return nil, err
		}
	}
	if len(set) > 0 {
		if _, err := p.api.TagResource(ctx, &glue.TagResourceInput{ResourceArn: &arn, TagsToAdd: set}); err != nil {
			return nil, err
		}
	}
	return p.databaseOutputs(in), nil
}

func (p catalogPlane) delete(ctx context.Context, _ string, state value.Map) error {
	_, err := p.api.DeleteDatabase(ctx, &glue.DeleteDatabaseInput{Name: text(state, "name")})
	return err
}

const encryptionProperty = "dataCatalogEncryptionSettings"

// The settings belong to the catalog, whose identifier is the account.
func (p catalogPlane) encrypt(ctx context.Context, in value.Map) (string, value.Map, error) {
	out, err := p.updateEncryption(ctx, p.Account, nil, in)
	if err != nil {
		return "", nil, err
	}
	return p.Account, out, nil
}

func (p catalogPlane) updateEncryption(ctx context.Context, _ string, _, in value.Map) (value.Map, error) {
	settings := &types.DataCatalogEncryptionSettings{}
	if err := fill(value.Object(in, encryptionProperty), settings); err != nil {
		return nil, err
	}
	_, err := p.api.PutDataCatalogEncryptionSettings(ctx, &glue.PutDataCatalogEncryptionSettingsInput{DataCatalogEncryptionSettings: settings})
	return value.Map{"catalogId": p.Account}, err
}

func (p catalogPlane) readEncryption(k kind.Kind) func(context.Context, string, value.Map) (value.Map, error) {
	return func(ctx context.Context, _ string, _ value.Map) (value.Map, error) {
		res, err := p.api.GetDataCatalogEncryptionSettings(ctx, &glue.GetDataCatalogEncryptionSettingsInput{})
		if err != nil {
			return nil, err
		}
		out, err := tell(k.Inputs, map[string]any{encryptionProperty: res.DataCatalogEncryptionSettings})
		return value.Merge(out, value.Map{"catalogId": p.Account}), err
	}
}

func (p catalogPlane) dropEncryption(ctx context.Context, _ string, _ value.Map) error {
	_, err := p.api.PutDataCatalogEncryptionSettings(ctx, &glue.PutDataCatalogEncryptionSettingsInput{
		DataCatalogEncryptionSettings: &types.DataCatalogEncryptionSettings{
			EncryptionAtRest:             &types.EncryptionAtRest{CatalogEncryptionMode: types.CatalogEncryptionModeDisabled},
			ConnectionPasswordEncryption: &types.ConnectionPasswordEncryption{ReturnConnectionPasswordEncrypted: false},
		},
	})
	return err
}
