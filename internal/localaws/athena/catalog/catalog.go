// Package catalog is what Athena needs of Glue's Data Catalog and of the objects beneath it:
// the model of databases, tables and partitions, and two interfaces that the Glue and S3
// services implement. https://docs.aws.amazon.com/glue/latest/webapi/API_Table.html
package catalog

import (
	"context"
	"errors"
	"io"
	"time"
)

// The failures that callers of a Catalog tell apart, by errors.Is.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("already exists")
)

// Column is a column or partition key. Type is Hive's spelling, such as "array<int>".
type Column struct {
	Name       string            `json:"Name"`
	Type       string            `json:"Type,omitempty"`
	Comment    string            `json:"Comment,omitempty"`
	Parameters map[string]string `json:"Parameters,omitempty"`
}

// SerDe says which library reads and writes a table's rows.
type SerDe struct {
	Name       string            `json:"Name,omitempty"`
	Library    string            `json:"SerializationLibrary,omitempty"`
	Parameters map[string]string `json:"Parameters,omitempty"`
}

// Storage says where a table's or partition's files are and how they are read.
type Storage struct {
	Columns         []Column          `json:"Columns,omitempty"`
	Location        string            `json:"Location,omitempty"`
	InputFormat     string            `json:"InputFormat,omitempty"`
	OutputFormat    string            `json:"OutputFormat,omitempty"`
	Compressed      bool              `json:"Compressed"`
	NumberOfBuckets int               `json:"NumberOfBuckets"`
	SerDe           SerDe             `json:"SerdeInfo"`
	BucketColumns   []string          `json:"BucketColumns,omitempty"`
	SortColumns     []Order           `json:"SortColumns,omitempty"`
	SkewedInfo      *Skew             `json:"SkewedInfo,omitempty"`
	Parameters      map[string]string `json:"Parameters,omitempty"`
	StoredAsSubDirs bool              `json:"StoredAsSubDirectories"`
}

// Order is a column that a table's files are sorted by: SortOrder is 1 for ascending, 0 for descending.
type Order struct {
	Column    string `json:"Column"`
	SortOrder int    `json:"SortOrder"`
}

// Skew names the values that a table's columns have most often.
type Skew struct {
	Names     []string          `json:"SkewedColumnNames,omitempty"`
	Values    []string          `json:"SkewedColumnValues,omitempty"`
	Locations map[string]string `json:"SkewedColumnValueLocationMaps,omitempty"`
}

// Types of tables that Athena makes.
const (
	External = "EXTERNAL_TABLE"
	View     = "VIRTUAL_VIEW"
)

// Table is a table or a view.
type Table struct {
	Database         string            `json:"DatabaseName,omitempty"`
	Name             string            `json:"Name"`
	Description      string            `json:"Description,omitempty"`
	Owner            string            `json:"Owner,omitempty"`
	Created          time.Time         `json:"-"`
	Updated          time.Time         `json:"-"`
	Retention        int               `json:"Retention"`
	Storage          Storage           `json:"StorageDescriptor"`
	PartitionKeys    []Column          `json:"PartitionKeys,omitempty"`
	ViewOriginalText string            `json:"ViewOriginalText,omitempty"`
	ViewExpandedText string            `json:"ViewExpandedText,omitempty"`
	Type             string            `json:"TableType,omitempty"`
	Parameters       map[string]string `json:"Parameters,omitempty"`
}

// Partition is one partition: Values in the order of the table's partition keys.
type Partition struct {
	Values     []string          `json:"Values"`
	Storage    Storage           `json:"StorageDescriptor"`
	Parameters map[string]string `json:"Parameters,omitempty"`
	Created    time.Time         `json:"-"`
}

// Database is a database.
type Database struct {
	Name        string            `json:"Name"`
	Description string            `json:"Description,omitempty"`
	LocationURI string            `json:"LocationUri,omitempty"`
	Parameters  map[string]string `json:"Parameters,omitempty"`
	Created     time.Time         `json:"-"`
}

// Catalog keeps databases, tables and partitions. Names are lower case. The account and region,
// and the caller's permissions, are the implementation's concern and travel in the context.
// A missing thing is an error that wraps ErrNotFound, a thing that is there already one that wraps ErrExists;
// any other error fails the query with its text.
type Catalog interface {
	Database(ctx context.Context, name string) (Database, error)
	Databases(ctx context.Context) ([]Database, error)
	CreateDatabase(ctx context.Context, d Database) error
	DropDatabase(ctx context.Context, name string) error

	Table(ctx context.Context, database, name string) (Table, error)
	Tables(ctx context.Context, database string) ([]Table, error)
	CreateTable(ctx context.Context, t Table) error
	UpdateTable(ctx context.Context, t Table) error
	DropTable(ctx context.Context, database, name string) error

	Partitions(ctx context.Context, database, table string) ([]Partition, error)
	AddPartitions(ctx context.Context, database, table string, p []Partition) error
	DropPartition(ctx context.Context, database, table string, values []string) error
}

// Object is one object beneath a location, with the local file that holds its bytes.
type Object struct {
	URI  string // s3://bucket/key
	Path string // absolute path of a plain file
	Size int64
}

// Objects reads and writes the objects of a store as local files.
type Objects interface {
	// List returns the objects whose keys begin with the location's, in order of key.
	List(ctx context.Context, location string) ([]Object, error)
	// Put stores what r holds under a URI, as a whole or not at all.
	Put(ctx context.Context, uri string, r io.Reader) error
	// Remove takes back an object that Put stored.
	Remove(ctx context.Context, uri string) error
	// Open reads an object. A missing one is an error that wraps ErrNotFound.
	Open(ctx context.Context, uri string) (io.ReadSeekCloser, error)
}
