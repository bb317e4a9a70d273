package query

import (
	"strconv"

	"engage/internal/resource"
	"engage/internal/schema"
)

// How many predictions people review, and which errors are large: see sql/review.sql.
const (
	ReviewEach       = 100 // of the highest, the lowest and the middle predictions each
	ReviewErrorCap   = 100 // of the large errors
	ReviewLargeError = 0.3
)

// reviewed are the columns of customers that a reviewer sees.
var reviewed = Columns{schema.CustomerID, schema.Age, schema.Gender, schema.Location, schema.AccountType, schema.AvgDailyLogins}

type review struct {
	Table, Customers, Predictions, Test Relation
	Location, Seed                      Text
	Shown                               Fragment
	Columns                             Columns
	Each, ErrorCap                      Int
	LargeError                          Double
}

// Review returns the statement that makes the table of predictions to review. The
// seed decides which of the middle ones are drawn.
func Review(location string, seed uint64) Statement {
	return render("review", review{
		Table: TableOf(resource.ReviewTable), Customers: TableOf(resource.CustomersTable), Predictions: TableOf(resource.PredictionsTable), Test: TableOf(resource.TestTable),
		Location: Text(location), Seed: Text(strconv.FormatUint(seed, 10)), Shown: qualified("c", reviewed), Columns: reviewed,
		Each: ReviewEach, ErrorCap: ReviewErrorCap, LargeError: ReviewLargeError,
	})
}

// ReviewBreakdown returns the statement that counts the predictions to review by
// reason: columns qa_reason and n.
func ReviewBreakdown() Statement {
	return render("review_breakdown", struct{ Table Relation }{TableOf(resource.ReviewTable)})
}

// qualified lists columns of a relation's alias.
func qualified(alias Ident, columns Columns) Fragment {
	var out Fragment
	for i, c := range columns {
		if i > 0 {
			out += ",\n    "
		}
		out += frag("%s.%s", alias, Ident(c))
	}
	return out
}
