package dataset

import (
	"context"
	"fmt"

	"engage/internal/csvfile"
	"engage/internal/frame"
	"engage/internal/schema"
)

// Description is a data set's manifest and a summary of each column of its
// customers. Personal columns are never read.
type Description struct {
	Manifest Manifest  `json:"manifest"`
	Columns  []Summary `json:"columns"`
}

// Describe summarises the data set in dir by streaming its customers, from
// Parquet where it is there, else from CSV. Cells
// that cannot be read count as missing. Errors: those of Open and the
// codecs, and the end of ctx.
func Describe(ctx context.Context, dir string) (Description, error) {
	d, err := Open(dir)
	if err != nil {
		return Description{}, fmt.Errorf("describe: %w", err)
	}
	name := CustomersParquet
	if !d.Has(name) {
		name = CustomersCSV
	}
	r, err := openTable(d.Path(name), formatOf(name), &schema.Customers, func(csvfile.Problem) {})
	if err != nil {
		return Description{}, fmt.Errorf("describe: %w", err)
	}
	defer r.Close()
	columns, err := summarize(ctx, r, &schema.Customers)
	if err != nil {
		return Description{}, fmt.Errorf("describe %s: %w", d.Path(name), err)
	}
	return Description{Manifest: d.Manifest, Columns: columns}, nil
}

// summarize streams a table and summarises its columns, but for restricted ones.
func summarize(ctx context.Context, r frame.Reader, t *schema.Table) ([]Summary, error) {
	gather := make([]*summarizer, len(t.Columns))
	for i := range t.Columns {
		if t.Columns[i].Classification != schema.Restricted {
			gather[i] = newSummarizer(&t.Columns[i])
		}
	}
	_, err := drain(r, func(b *frame.Batch, _ int64) error {
		for i, s := range gather {
			if s != nil {
				s.batch(&b.Columns[i], b.Rows)
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	var out []Summary
	for _, s := range gather {
		if s != nil {
			out = append(out, s.summary())
		}
	}
	return out, nil
}
