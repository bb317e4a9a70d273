package query

import (
	"crypto/sha256"
	"fmt"

	"engage/internal/resource"
	"engage/internal/schema"
)

// Split tells how customers are divided: by the first 32 bits of the SHA-256 of
// the id, so that an id is on one side for ever, on every engine and in Go.
// Below 0xCCCCCCCC, four fifths of the range, a customer is trained on; the
// others are tested on.
const Split = "sha256(customer_id), first 8 hex digits: below CCCCCCCC training, else test"

const splitBound Text = "CCCCCCCC"

// splitKey is the key of a customer, upper-case hexadecimal of a fixed length, so
// that its order as text is its order as a number. A missing id has one too.
const splitKey Fragment = `substr(to_hex(sha256(to_utf8(coalesce("customer_id", '')))), 1, 8)`

// InTraining reports whether the customer is one that models train on.
func InTraining(id string) bool {
	sum := sha256.Sum256([]byte(id))
	return Text(fmt.Sprintf("%X", sum[:4])) < splitBound
}

// RawTable returns the statement that makes the table over files of a described
// table as they arrived.
func RawTable(t resource.Table, of *schema.Table, f schema.Format, location string) (Statement, error) {
	ddl, err := schema.AthenaDDL(of, schema.DDLOptions{Database: string(t.Database()), Table: t.Name(), Location: location, Format: f})
	return Statement{Name: "create " + t.Name(), SQL: ddl}, err
}

type createAs struct {
	Table    Relation
	Location Text
	Columns  Columns
	From     Relation
	Filtered bool
	Where    Fragment
}

// TrainingTable returns the statement that makes the table of customers that models train on.
func TrainingTable(location string) Statement {
	return partOf(resource.TrainingTable, location, frag("%s < %s", splitKey, splitBound))
}

// TestTable returns the statement that makes the table of customers that models are tested on.
func TestTable(location string) Statement {
	return partOf(resource.TestTable, location, frag("%s >= %s", splitKey, splitBound))
}

func partOf(t resource.Table, location string, where Fragment) Statement {
	s := render("create_as", createAs{
		Table: TableOf(t), Location: Text(location), From: TableOf(resource.CustomersTable), Columns: open(), Filtered: true, Where: where,
	})
	s.Name = "create " + t.Name()
	return s
}

// InferenceTable returns the statement that makes the table of what is known of
// every customer, without what models predict.
func InferenceTable(location string) Statement {
	var columns Columns
	for _, name := range open() {
		if c, _ := schema.Customers.Column(name); c.Role != schema.Target {
			columns = append(columns, name)
		}
	}
	s := render("create_as", createAs{
		Table: TableOf(resource.InferenceTable), Location: Text(location), From: TableOf(resource.CustomersTable), Columns: columns,
	})
	s.Name = "create " + resource.InferenceTable.Name()
	return s
}

// open lists the customers' columns that may leave the raw table.
func open() Columns {
	var columns Columns
	for _, c := range schema.Customers.Columns {
		if c.Classification != schema.Restricted {
			columns = append(columns, c.Name)
		}
	}
	return columns
}

// Counts returns the statement that counts the rows of tables: a row each, with
// columns t, the table's name, and n.
func Counts(tables ...resource.Table) Statement {
	var sql Fragment
	for i, t := range tables {
		if i > 0 {
			sql += "\nUNION ALL\n"
		}
		sql += frag("SELECT %s AS t, count(*) AS n FROM %s", Text(t.Name()), TableOf(t))
	}
	return Statement{Name: "count rows", SQL: sql.String()}
}
