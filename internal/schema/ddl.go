package schema

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// DDLOptions says where a table lives. All but PartitionedBy and Compression must be set.
type DDLOptions struct {
	// Database is the Glue database, in lower case.
	Database string

	// Table is the table's name in the database. The default is the name of
	// the described table; another name makes a table of the same columns.
	Table string

	// Location is the S3 prefix of the files, s3://bucket/prefix/. The slash
	// at its end keeps Athena from reading prefixes that begin the same way.
	Location string

	// Format is that of the files. The default is CSV.
	Format Format

	// Compression is the codec of Parquet files, one of Compressions. The
	// default is DefaultCompression. It must be empty for CSV.
	Compression string

	// PartitionedBy lists columns whose values stand in the keys of the
	// objects (name=value/) and not in the files. The default is none.
	PartitionedBy []PartitionColumn
}

// PartitionColumn is a column that partitions a table: a String, Int or BigInt.
type PartitionColumn struct {
	Name    Name
	Type    Type
	Comment string // empty: none
}

var (
	identifierPattern = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)
	locationPattern   = regexp.MustCompile(`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/([^/'\\\s]+/)*$`)
)

// AthenaDDL is the CREATE EXTERNAL TABLE statement of the table, without a
// semicolon, for Athena and every reader of Hive DDL. Identifiers stand in
// backticks, so none can meet a reserved word. Options that contradict each
// other or the table are an error that lists them all.
//
// CSV tables use ROW FORMAT DELIMITED (LazySimpleSerDe), which does not
// understand quoted fields: files must keep the rules of CSVHeader.
//
// Reference: https://docs.aws.amazon.com/athena/latest/ug/create-table.html
func AthenaDDL(t *Table, o DDLOptions) (string, error) {
	if o.Table == "" {
		o.Table = t.Name
	}
	compression, err := o.check(t)
	if err != nil {
		return "", fmt.Errorf("athena ddl of %s: %w", t.Name, err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE EXTERNAL TABLE IF NOT EXISTS `%s`.`%s` (\n%s\n)\n", o.Database, o.Table, ddlColumns(GlueColumns(t)))
	fmt.Fprintf(&b, "COMMENT %s\n", ddlString(t.Description))
	if len(o.PartitionedBy) > 0 {
		fmt.Fprintf(&b, "PARTITIONED BY (\n%s\n)\n", ddlColumns(partitionColumns(o.PartitionedBy)))
	}
	b.WriteString(ddlStorage(o.Format))
	fmt.Fprintf(&b, "LOCATION %s\n", ddlString(o.Location))
	fmt.Fprintf(&b, "TBLPROPERTIES (%s)", ddlProperties(o.Format, compression))
	return b.String(), nil
}

func ddlStorage(f Format) string {
	if f == Parquet {
		return "STORED AS PARQUET\n"
	}
	return "ROW FORMAT DELIMITED FIELDS TERMINATED BY ','\nSTORED AS TEXTFILE\n"
}

func ddlProperties(f Format, compression string) string {
	if f == Parquet {
		return "'classification'='parquet', 'parquet.compression'=" + ddlString(compression)
	}
	return "'classification'='csv', 'skip.header.line.count'='1', 'serialization.null.format'=''"
}

func ddlColumns(columns []GlueColumn) string {
	lines := make([]string, len(columns))
	for i, c := range columns {
		lines[i] = fmt.Sprintf("  `%s` %s", c.Name, strings.ToUpper(c.Type))
		if c.Comment != "" {
			lines[i] += " COMMENT " + ddlString(c.Comment)
		}
	}
	return strings.Join(lines, ",\n")
}

func partitionColumns(partitions []PartitionColumn) []GlueColumn {
	columns := make([]GlueColumn, len(partitions))
	for i, p := range partitions {
		columns[i] = GlueColumn{Name: string(p.Name), Type: p.Type.String(), Comment: p.Comment}
	}
	return columns
}

// ddlString is s as a string literal of Hive DDL, which escapes with a
// backslash: two quotes in a row would end one literal and begin the next.
func ddlString(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`).Replace(s) + "'"
}

// check lists everything wrong with the options, and resolves the compression.
func (o DDLOptions) check(t *Table) (compression string, err error) {
	var errs []error
	if !identifierPattern.MatchString(o.Database) {
		errs = append(errs, fmt.Errorf("database %q: use lower-case letters, digits and underscores", o.Database))
	}
	if !identifierPattern.MatchString(o.Table) {
		errs = append(errs, fmt.Errorf("table %q: use lower-case letters, digits and underscores", o.Table))
	}
	if !locationPattern.MatchString(o.Location) {
		errs = append(errs, fmt.Errorf("location %q: use s3://bucket/prefix/ with a slash at its end", o.Location))
	}
	compression, err = checkFormat(o.Format, o.Compression)
	errs = append(errs, err, o.checkPartitions(t))
	return compression, errors.Join(errs...)
}

func (o DDLOptions) checkPartitions(t *Table) error {
	var errs []error
	names := t.Names()
	for _, p := range o.PartitionedBy {
		switch {
		case !identifierPattern.MatchString(string(p.Name)):
			errs = append(errs, fmt.Errorf("partition column %q: use lower-case letters, digits and underscores", p.Name))
		case slices.Contains(names, p.Name):
			errs = append(errs, fmt.Errorf("partition column %s: the table or another partition has a column of that name", p.Name))
		case p.Type != String && p.Type != Int && p.Type != BigInt:
			errs = append(errs, fmt.Errorf("partition column %s: type %s cannot stand in an object key, use string, int or bigint", p.Name, p.Type))
		case len(p.Comment) > glueCommentLimit:
			errs = append(errs, fmt.Errorf("partition column %s: comment of %d bytes, the limit is %d", p.Name, len(p.Comment), glueCommentLimit))
		}
		names = append(names, p.Name)
	}
	return errors.Join(errs...)
}

// checkFormat resolves the compression of files in the format; CSV has none.
func checkFormat(f Format, compression string) (string, error) {
	switch {
	case !f.Known():
		return "", fmt.Errorf("format %s: use csv or parquet", f)
	case f == CSV && compression != "":
		return "", fmt.Errorf("compression %q: CSV files are not compressed, leave it empty", compression)
	case f == CSV:
		return "", nil
	case compression == "":
		return DefaultCompression, nil
	case !knownCompression(compression):
		return "", fmt.Errorf("compression %q: use one of %s", compression, strings.Join(Compressions, ", "))
	}
	return compression, nil
}
