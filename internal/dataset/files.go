// Package dataset is the directory that a population is kept in: its files,
// the manifest that describes them, how they are replaced as a whole, checked
// and summarised.
package dataset

import (
	"path/filepath"
	"slices"

	"engage/internal/schema"
)

// The files of a data set. Each table is there in each of the set's formats;
// the truth only as Parquet.
const (
	CustomersCSV       = "customers.csv"
	CustomersParquet   = "customers.parquet"
	PersonalCSV        = "personal.csv"
	PersonalParquet    = "personal.parquet"
	ConnectionsCSV     = "connections.csv"
	ConnectionsParquet = "connections.parquet"
	TruthParquet       = "truth.parquet"
	ManifestFile       = "dataset.json"
)

// The formats that tables are written in.
const (
	CSV     = "csv"
	Parquet = "parquet"
)

// DataFiles lists every file that a data set may hold, but for the manifest,
// in the order in which reports name them.
var DataFiles = []string{
	CustomersCSV, CustomersParquet, PersonalCSV, PersonalParquet,
	ConnectionsCSV, ConnectionsParquet, TruthParquet,
}

// isDataFile reports whether name is one of DataFiles, and so no path elsewhere.
func isDataFile(name string) bool { return slices.Contains(DataFiles, name) }

// isPrivate reports whether only the owner may read a file: it holds restricted
// columns, or the truth, which only evaluation may read.
func isPrivate(name string) bool {
	t := describedTable(tableOf(name))
	return t == nil || slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return c.Classification == schema.Restricted })
}

// tableOf is the table's name of one of DataFiles.
func tableOf(name string) string { return name[:len(name)-len(filepath.Ext(name))] }

// formatOf is the format of one of DataFiles.
func formatOf(name string) string { return filepath.Ext(name)[1:] }

// describedTable is the table of that name, or nil for one that the schema
// does not describe.
func describedTable(name string) *schema.Table {
	i := slices.IndexFunc(schema.Tables, func(t *schema.Table) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return schema.Tables[i]
}
