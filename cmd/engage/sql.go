package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/spf13/cobra"

	"engage/internal/query"
	"engage/internal/resource"
)

// What Athena charges for what a query reads, in us-east-1, November 2026: a
// query is billed for 10 MB at least.
// https://aws.amazon.com/athena/pricing/
const (
	scannedUSDPerTB = 5.0
	scannedLeast    = 10e6
)

// sqlLimit bounds a statement, in bytes: Athena's own bound.
// https://docs.aws.amazon.com/athena/latest/ug/service-limits.html
const sqlLimit = 262144

func newSQL(s streams) *cobra.Command {
	var format, database string
	c := &cobra.Command{
		Use:   "sql STATEMENT",
		Short: "Run a statement on the stack's tables, and print its rows",
		Long: `Run a statement in the stack's Athena workgroup and print its rows. What was read and
what AWS charges for it is told on standard error. "-" reads the statement from
standard input.`,
		Example: `  engage sql "SELECT location, count(*) FROM engagement_analytics.final_results GROUP BY 1"
  engage sql --format csv "SELECT * FROM engagement_qa.human_review" > review.csv
  engage sql --format json - < report.sql`,
		Args: takes(1, 1, "one statement"),
		RunE: func(c *cobra.Command, args []string) error {
			print, ok := printers[format]
			if !ok {
				return fmt.Errorf("--format %q: want table, csv or json", format)
			}
			statement, err := statementOf(s, args[0])
			if err != nil {
				return err
			}
			return runSQL(c.Context(), s, statement, database, print)
		},
	}
	c.Flags().StringVar(&format, "format", "table", "how to print rows: table, csv or json")
	c.Flags().StringVar(&database, "database", string(resource.AnalyticsDatabase), "database of tables that the statement names without one")
	return c
}

// statementOf returns the statement that an argument gives or names.
func statementOf(s streams, arg string) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	in := s.In
	if in == nil {
		in = os.Stdin
	}
	text, err := io.ReadAll(io.LimitReader(in, sqlLimit+1))
	if err != nil {
		return "", fmt.Errorf("read the statement: %w", err)
	}
	if len(text) > sqlLimit {
		return "", fmt.Errorf("the statement is longer than Athena takes, %d bytes", sqlLimit)
	}
	return string(text), nil
}

// printer writes rows: the first one holds the columns' names.
type printer func(s streams, rows [][]string) error

var printers = map[string]printer{"table": printTable, "csv": printCSV, "json": printRows}

func runSQL(ctx context.Context, s streams, statement, database string, print printer) error {
	p, err := find(ctx)
	if err != nil {
		return err
	}
	client := athena.NewFromConfig(p.aws)
	runner := query.Runner{Athena: inDatabase{client, database}, Workgroup: string(resource.AnalyticsWorkgroup)}
	done, err := runner.Exec(ctx, query.Statement{Name: "from the command line", SQL: statement})
	if err != nil {
		return err
	}
	rows, err := rowsOf(ctx, client, done.ID)
	if err != nil {
		return err
	}
	if err := print(s, rows); err != nil {
		return err
	}
	s.say("read %s bytes in %s; AWS charges %.6f USD", grouped(done.Scanned), done.Took, scannedUSD(done.Scanned))
	return nil
}

// scannedUSD is what a query that reads so many bytes costs.
func scannedUSD(bytes int64) float64 {
	if bytes == 0 { // statements that read no data are free
		return 0
	}
	return max(float64(bytes), scannedLeast) / 1e12 * scannedUSDPerTB
}

// inDatabase runs statements in a database.
type inDatabase struct {
	*athena.Client
	database string
}

func (d inDatabase) StartQueryExecution(ctx context.Context, in *athena.StartQueryExecutionInput, o ...func(*athena.Options)) (*athena.StartQueryExecutionOutput, error) {
	in.QueryExecutionContext = &types.QueryExecutionContext{Database: &d.database}
	return d.Client.StartQueryExecution(ctx, in, o...)
}

func rowsOf(ctx context.Context, client *athena.Client, id string) ([][]string, error) {
	var rows [][]string
	pages := athena.NewGetQueryResultsPaginator(client, &athena.GetQueryResultsInput{QueryExecutionId: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read rows: %w", err)
		}
		for _, r := range page.ResultSet.Rows {
			row := make([]string, len(r.Data))
			for i, d := range r.Data {
				row[i] = aws.ToString(d.VarCharValue)
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func printTable(s streams, rows [][]string) error {
	out := newTable(s)
	for i, r := range rows {
		if i == 0 {
			for j := range r {
				r[j] = strings.ToUpper(r[j])
			}
		}
		out.row(r...)
	}
	return out.flush()
}

func printCSV(s streams, rows [][]string) error {
	return csv.NewWriter(s.Out).WriteAll(rows)
}

func printRows(s streams, rows [][]string) error {
	list := []map[string]string{}
	for i, r := range rows {
		if i == 0 {
			continue
		}
		row := map[string]string{}
		for j, v := range r {
			row[rows[0][j]] = v
		}
		list = append(list, row)
	}
	return s.json(list)
}
