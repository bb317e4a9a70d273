package sql

// Statement is one statement.
type Statement interface {
	// Kind is DDL, DML or UTILITY, as GetQueryExecution's StatementType.
	Kind() string
}

// QualifiedName is a table's name; Catalog and Database may be empty.
type QualifiedName struct {
	Catalog, Database, Table string
	Pos                      Pos
}

// Column is a column of a table definition. Type is Hive's spelling.
type Column struct {
	Name, Type, Comment string
	Pos                 Pos
}

// Property is a key with its value, in the order written.
type Property struct{ Key, Value string }

// Partition is a partition's specification.
type Partition struct {
	Values   []Property
	Location string
}

type (
	// Select is a query that is run for its rows.
	QueryStatement struct {
		Query *Query
		Text  string
	}
	// Explain shows a plan.
	Explain struct {
		Analyze   bool
		Statement Statement
	}
	// CreateExternal is CREATE EXTERNAL TABLE.
	CreateExternal struct {
		Name        QualifiedName
		IfNotExists bool
		Columns     []Column
		Comment     string
		Partitioned []Column
		Format      Format
		Location    string
		Properties  []Property
	}
	// CreateAs is CREATE TABLE ... AS.
	CreateAs struct {
		Name        QualifiedName
		IfNotExists bool
		With        []TableProperty
		Query       *Query
		WithData    bool
	}
	// Insert is INSERT INTO.
	Insert struct {
		Name    QualifiedName
		Columns []Name
		Query   *Query
	}
	// CreateView is CREATE [OR REPLACE] VIEW. Text is the query as written.
	CreateView struct {
		Name    QualifiedName
		Replace bool
		Query   *Query
		Text    string
	}
	// Drop removes what What says: TABLE, VIEW or DATABASE (whose name is in Name.Table).
	Drop struct {
		What     string
		Name     QualifiedName
		IfExists bool
		Cascade  bool
	}
	// CreateDatabase is CREATE DATABASE or SCHEMA.
	CreateDatabase struct {
		Name        string
		IfNotExists bool
		Comment     string
		Location    string
		Properties  []Property
	}
	// Show lists what What says: DATABASES, TABLES, VIEWS, PARTITIONS, COLUMNS, CREATE TABLE, CREATE VIEW, TBLPROPERTIES.
	Show struct {
		What    string
		Name    QualifiedName // of the table; for lists of tables, only Database
		Pattern string        // Hive's: * and |
		Key     string        // of SHOW TBLPROPERTIES
	}
	// Describe is DESCRIBE [EXTENDED|FORMATTED] table [PARTITION (...)] [column].
	Describe struct {
		Mode      string
		Name      QualifiedName
		Partition []Property
		Column    string
	}
	// Repair is MSCK REPAIR TABLE.
	Repair struct{ Name QualifiedName }
	// AddPartitions is ALTER TABLE ADD PARTITION.
	AddPartitions struct {
		Name        QualifiedName
		IfNotExists bool
		Partitions  []Partition
	}
	// DropPartitions is ALTER TABLE DROP PARTITION.
	DropPartitions struct {
		Name       QualifiedName
		IfExists   bool
		Partitions []Partition
	}
	// SetProperties is ALTER TABLE SET TBLPROPERTIES.
	SetProperties struct {
		Name       QualifiedName
		Properties []Property
	}
	// AddColumns is ALTER TABLE ADD COLUMNS.
	AddColumns struct {
		Name    QualifiedName
		Columns []Column
	}
	// Prepare names a statement; Text is that statement as written.
	Prepare struct {
		Name      string
		Text      string
		Statement Statement
	}
	// Execute runs a named statement. Args are literals as written.
	Execute struct {
		Name string
		Args []Expr
	}
	// Deallocate forgets a named statement.
	Deallocate struct{ Name string }
)

// TableProperty is an element of CREATE TABLE ... WITH (...): List is set for ARRAY[...].
type TableProperty struct {
	Key   string
	Value string
	List  []string
	Pos   Pos
}

// Format says how a table's files are read.
type Format struct {
	StoredAs              string // TEXTFILE, PARQUET ...; empty means TEXTFILE
	Input, Output         string // STORED AS INPUTFORMAT ... OUTPUTFORMAT
	SerDe                 string
	SerDeProperties       []Property
	Delimited             bool
	Fields, Escape, Lines string // ROW FORMAT DELIMITED's; empty where not written
	Collection, MapKeys   string
	NullAs                string
	HasNull               bool
}

func (*QueryStatement) Kind() string { return "DML" }
func (*Insert) Kind() string         { return "DML" }
func (*CreateAs) Kind() string       { return "DDL" }
func (*CreateExternal) Kind() string { return "DDL" }
func (*CreateView) Kind() string     { return "DDL" }
func (*Drop) Kind() string           { return "DDL" }
func (*CreateDatabase) Kind() string { return "DDL" }
func (*Repair) Kind() string         { return "DDL" }
func (*AddPartitions) Kind() string  { return "DDL" }
func (*DropPartitions) Kind() string { return "DDL" }
func (*SetProperties) Kind() string  { return "DDL" }
func (*AddColumns) Kind() string     { return "DDL" }
func (*Show) Kind() string           { return "UTILITY" }
func (*Describe) Kind() string       { return "UTILITY" }
func (*Explain) Kind() string        { return "UTILITY" }
func (*Prepare) Kind() string        { return "DDL" }
func (*Deallocate) Kind() string     { return "DDL" }
func (*Execute) Kind() string        { return "DML" }
