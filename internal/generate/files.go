package generate

import (
	"errors"
	"fmt"

	"engage/datagen"
	"engage/internal/csvfile"
	"engage/internal/dataset"
	"engage/internal/frame"
	"engage/internal/parquetfile"
	"engage/internal/schema"
)

// output is one file that is being written.
type output struct {
	table   *schema.Table
	encoder frame.Encoder
	file    *dataset.StagedFile
}

type outputs []output

// openFiles starts a file for every table in every format, and one for the truth.
func openFiles(staging *dataset.Staging, formats []string) (outputs, error) {
	var files outputs
	open := func(t *schema.Table, format string) error {
		file, err := staging.File(t.Name + "." + format)
		if err != nil {
			return err
		}
		var encoder frame.Encoder = parquetfile.NewWriter(file, t)
		if format == dataset.CSV {
			encoder = csvfile.NewWriter(file, t)
		}
		files = append(files, output{t, encoder, file})
		return nil
	}
	for _, format := range formats {
		for _, t := range schema.Tables {
			if err := open(t, format); err != nil {
				return nil, err
			}
		}
	}
	return files, open(&datagen.Truth, dataset.Parquet)
}

// part is a run of customers, encoded for every file.
type part struct {
	blocks  []frame.Block // one a file; nil where there are no rows
	tally   *datagen.Tally
	edges   int
	missing []int // of the customers, by column
}

// encode makes the customers of rows lo to hi-1 with all that belongs to them.
func (files outputs) encode(p *datagen.Population, lo, hi int) (*part, error) {
	customers, truth, tally := p.Customers(lo, hi)
	connections := p.Connections(lo, hi)
	batches := map[*schema.Table]*frame.Batch{
		&schema.Customers: customers, &schema.Persons: p.Persons(lo, hi), &schema.Connections: connections, &datagen.Truth: truth,
	}
	out := &part{tally: tally, edges: connections.Rows, missing: missing(customers)}
	for _, f := range files {
		var block frame.Block
		if b := batches[f.table]; b.Rows > 0 {
			var err error
			if block, err = f.encoder.Encode(b); err != nil {
				return nil, fmt.Errorf("encode %s: %w", f.table.Name, err)
			}
		}
		out.blocks = append(out.blocks, block)
	}
	return out, nil
}

// missing counts the missing values of each column.
func missing(b *frame.Batch) []int {
	counts := make([]int, len(b.Columns))
	for k := range b.Columns {
		for _, valid := range b.Columns[k].Valid {
			if !valid {
				counts[k]++
			}
		}
	}
	return counts
}

func (files outputs) append(p *part) error {
	for i, f := range files {
		if p.blocks[i] == nil {
			continue
		}
		if err := f.encoder.Append(p.blocks[i]); err != nil {
			return fmt.Errorf("append %s: %w", f.table.Name, err)
		}
	}
	return nil
}

func (files outputs) close() error {
	var errs []error
	for _, f := range files {
		errs = append(errs, f.encoder.Close(), f.file.Close())
	}
	return errors.Join(errs...)
}

// summary adds up what the parts say of themselves, in row order.
type summary struct {
	tally   datagen.Tally
	edges   int64
	missing []int
}

func newSummary() *summary { return &summary{missing: make([]int, len(schema.Customers.Columns))} }

func (s *summary) add(p *part) {
	s.tally.Merge(p.tally)
	s.edges += int64(p.edges)
	for k, n := range p.missing {
		s.missing[k] += n
	}
}

// missingShares returns the share of missing values of each column that may lack them.
func (s *summary) missingShares(rows int) map[string]float64 {
	shares := map[string]float64{}
	for k, c := range schema.Customers.Columns {
		if c.Nullable || s.missing[k] > 0 {
			shares[string(c.Name)] = float64(s.missing[k]) / float64(rows)
		}
	}
	return shares
}
