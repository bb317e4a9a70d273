package score

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"engage/internal/resource"
	"engage/internal/schema"
	"engage/internal/store/awserr"
)

// Catalog is what Register calls of the Glue Data Catalog.
type Catalog interface {
	CreateTable(context.Context, *glue.CreateTableInput, ...func(*glue.Options)) (*glue.CreateTableOutput, error)
	UpdateTable(context.Context, *glue.UpdateTableInput, ...func(*glue.Options)) (*glue.UpdateTableOutput, error)
}

// Register makes the catalog know the predictions under a location, an S3 URI
// that ends in a slash, or brings what it knows up to date.
func Register(ctx context.Context, c Catalog, location string) error {
	name := resource.PredictionsTable
	input, err := tableInput(name, location)
	if err != nil {
		return err
	}
	database := aws.String(string(name.Database()))
	_, err = c.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: database, TableInput: input})
	var exists *types.AlreadyExistsException
	if errors.As(err, &exists) {
		_, err = c.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: database, TableInput: input})
	}
	if err != nil {
		return fmt.Errorf("register table %s: %w", name, awserr.Of(err))
	}
	return nil
}

func tableInput(name resource.Table, location string) (*types.TableInput, error) {
	storage, err := schema.GlueStorageOf(schema.Parquet, "")
	if err != nil {
		return nil, err
	}
	var columns []types.Column
	for _, c := range schema.GlueColumns(schema.Predictions) {
		columns = append(columns, types.Column{Name: &c.Name, Type: &c.Type, Comment: &c.Comment})
	}
	return &types.TableInput{
		Name: aws.String(name.Name()), Description: &schema.Predictions.Description, TableType: aws.String("EXTERNAL_TABLE"), Parameters: storage.Parameters,
		StorageDescriptor: &types.StorageDescriptor{
			Columns: columns, Location: &location, InputFormat: &storage.InputFormat, OutputFormat: &storage.OutputFormat,
			SerdeInfo: &types.SerDeInfo{SerializationLibrary: &storage.SerDe, Parameters: storage.SerDeParameters},
		},
	}, nil
}
