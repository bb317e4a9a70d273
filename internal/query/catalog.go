package query

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"engage/internal/store"
	"engage/internal/store/awserr"
)

// GlueAPI is what a Catalog calls.
type GlueAPI interface {
	GetTable(context.Context, *glue.GetTableInput, ...func(*glue.Options)) (*glue.GetTableOutput, error)
	DeleteTable(context.Context, *glue.DeleteTableInput, ...func(*glue.Options)) (*glue.DeleteTableOutput, error)
	BatchDeletePartition(context.Context, *glue.BatchDeletePartitionInput, ...func(*glue.Options)) (*glue.BatchDeletePartitionOutput, error)
	BatchDeleteTableVersion(context.Context, *glue.BatchDeleteTableVersionInput, ...func(*glue.Options)) (*glue.BatchDeleteTableVersionOutput, error)
	glue.GetPartitionsAPIClient
	glue.GetTableVersionsAPIClient
}

// Catalog is the account's Glue catalog.
type Catalog struct{ Glue GlueAPI }

// Column is a column as the catalog has it; partition keys are the last.
type Column struct{ Name, Type string }

// Columns returns the columns of a table. Errors: store.ErrNotFound, store.ErrDenied.
func (c Catalog) Columns(ctx context.Context, r Relation) ([]Column, error) {
	t, err := c.table(ctx, r)
	if err != nil {
		return nil, err
	}
	var out []Column
	for _, col := range t.PartitionKeys {
		out = append(out, Column{aws.ToString(col.Name), strings.ToLower(aws.ToString(col.Type))})
	}
	if t.StorageDescriptor == nil {
		return out, nil
	}
	columns := make([]Column, 0, len(t.StorageDescriptor.Columns)+len(out))
	for _, col := range t.StorageDescriptor.Columns {
		columns = append(columns, Column{aws.ToString(col.Name), strings.ToLower(aws.ToString(col.Type))})
	}
	return append(columns, out...), nil
}

func (c Catalog) table(ctx context.Context, r Relation) (*types.Table, error) {
	out, err := c.Glue.GetTable(ctx, &glue.GetTableInput{DatabaseName: (*string)(&r.Database), Name: (*string)(&r.Name)})
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", r, awserr.Of(err))
	}
	return out.Table, nil
}

// Drop deletes a table or view with its partitions and versions, and reports
// whether there was one. Glue itself deletes partitions and versions only some
// time after their table.
// https://docs.aws.amazon.com/glue/latest/webapi/API_DeleteTable.html
func (c Catalog) Drop(ctx context.Context, r Relation) (bool, error) {
	t, err := c.table(ctx, r)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err == nil && len(t.PartitionKeys) > 0 {
		err = c.dropPartitions(ctx, r)
	}
	if err == nil {
		err = c.dropVersions(ctx, r)
	}
	if err == nil {
		_, err = c.Glue.DeleteTable(ctx, &glue.DeleteTableInput{DatabaseName: (*string)(&r.Database), Name: (*string)(&r.Name)})
		err = awserr.Of(err)
	}
	if errors.Is(err, store.ErrNotFound) { // another was faster
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("drop %s: %w", r, err)
	}
	return true, nil
}

// Glue's limits of one call.
const (
	partitionBatch = 25
	versionBatch   = 100
)

func (c Catalog) dropPartitions(ctx context.Context, r Relation) error {
	var all []types.PartitionValueList
	pages := glue.NewGetPartitionsPaginator(c.Glue, &glue.GetPartitionsInput{DatabaseName: (*string)(&r.Database), TableName: (*string)(&r.Name), ExcludeColumnSchema: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return awserr.Of(err)
		}
		for _, p := range page.Partitions {
			all = append(all, types.PartitionValueList{Values: p.Values})
		}
	}
	for len(all) > 0 {
		n := min(partitionBatch, len(all))
		out, err := c.Glue.BatchDeletePartition(ctx, &glue.BatchDeletePartitionInput{DatabaseName: (*string)(&r.Database), TableName: (*string)(&r.Name), PartitionsToDelete: all[:n]})
		if err != nil {
			return awserr.Of(err)
		}
		for _, e := range out.Errors {
			if err := detail("partition "+strings.Join(e.PartitionValues, "/"), e.ErrorDetail); err != nil {
				return err
			}
		}
		all = all[n:]
	}
	return nil
}

// dropVersions deletes the versions of a table but the current, which goes with it.
func (c Catalog) dropVersions(ctx context.Context, r Relation) error {
	var old []string
	pages := glue.NewGetTableVersionsPaginator(c.Glue, &glue.GetTableVersionsInput{DatabaseName: (*string)(&r.Database), TableName: (*string)(&r.Name)})
	for current := true; pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return awserr.Of(err)
		}
		for _, v := range page.TableVersions { // the newest first
			if !current {
				old = append(old, aws.ToString(v.VersionId))
			}
			current = false
		}
	}
	for len(old) > 0 {
		n := min(versionBatch, len(old))
		out, err := c.Glue.BatchDeleteTableVersion(ctx, &glue.BatchDeleteTableVersionInput{DatabaseName: (*string)(&r.Database), TableName: (*string)(&r.Name), VersionIds: old[:n]})
		if err != nil {
			return awserr.Of(err)
		}
		for _, e := range out.Errors {
			if err := detail("version "+aws.ToString(e.VersionId), e.ErrorDetail); err != nil {
				return err
			}
		}
		old = old[n:]
	}
	return nil
}

// detail is the error of one entry of a batch; one that is gone is none.
func detail(what string, d *types.ErrorDetail) error {
	if d == nil {
		return nil
	}
	class, known := awserr.Class(aws.ToString(d.ErrorCode))
	switch {
	case errors.Is(class, store.ErrNotFound):
		return nil
	case known:
		return fmt.Errorf("%s: %w: %s", what, class, aws.ToString(d.ErrorMessage))
	}
	return fmt.Errorf("%s: %s: %s", what, aws.ToString(d.ErrorCode), aws.ToString(d.ErrorMessage))
}
