package schema

import "strings"

// glueCommentLimit is the largest comment of a Glue column, in bytes.
// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html#aws-glue-api-catalog-tables-Column
const glueCommentLimit = 255

// GlueColumn is a column as the Glue Data Catalog holds it.
type GlueColumn struct{ Name, Type, Comment string }

// GlueColumns lists the table's columns as the Glue Data Catalog wants them.
// Comments are within Glue's limit of 255 bytes in every table that passes
// Validate.
func GlueColumns(t *Table) []GlueColumn {
	columns := make([]GlueColumn, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = GlueColumn{Name: string(c.Name), Type: c.Type.String(), Comment: comment(c)}
	}
	return columns
}

// comment is the catalog's comment of a column: the description, and the unit where there is one.
func comment(c Column) string {
	if c.Unit == "" {
		return c.Description
	}
	return strings.TrimSuffix(c.Description, ".") + ". Unit: " + c.Unit + "."
}

// GlueStorage is how the Glue Data Catalog says that a table is stored: the
// fields of a StorageDescriptor that do not depend on the place, and the
// parameters of the table itself.
type GlueStorage struct {
	InputFormat, OutputFormat string
	SerDe                     string            // serialization library
	SerDeParameters           map[string]string // parameters of SerdeInfo
	Parameters                map[string]string // parameters of the table
}

// GlueStorageOf is the storage of a table in the format. Compression is that of
// Parquet files, empty for the default; CSV files have none. A value that is
// not known is an error.
func GlueStorageOf(f Format, compression string) (GlueStorage, error) {
	compression, err := checkFormat(f, compression)
	if err != nil {
		return GlueStorage{}, err
	}
	if f == Parquet {
		return parquetStorage(compression), nil
	}
	return csvStorage(), nil
}

func csvStorage() GlueStorage {
	return GlueStorage{
		InputFormat:     "org.apache.hadoop.mapred.TextInputFormat",
		OutputFormat:    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
		SerDe:           "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
		SerDeParameters: map[string]string{"field.delim": ",", "serialization.format": ","},
		Parameters: map[string]string{
			"EXTERNAL":                  "TRUE",
			"areColumnsQuoted":          "false",
			"classification":            "csv",
			"delimiter":                 ",",
			"serialization.null.format": "",
			"skip.header.line.count":    "1",
			"typeOfData":                "file",
		},
	}
}

func parquetStorage(compression string) GlueStorage {
	return GlueStorage{
		InputFormat:     "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
		OutputFormat:    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
		SerDe:           "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
		SerDeParameters: map[string]string{"serialization.format": "1"},
		Parameters: map[string]string{
			"EXTERNAL":            "TRUE",
			"classification":      "parquet",
			"parquet.compression": compression,
			"typeOfData":          "file",
		},
	}
}
