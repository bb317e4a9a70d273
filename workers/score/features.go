package score

import (
	"context"
	"errors"
	"fmt"
	"math"

	"engage/internal/feature"
	"engage/internal/frame"
	"engage/internal/parquetfile"
	"engage/internal/schema"
	"engage/workers/registry"
	"engage/workers/sink"
	"engage/workers/source"
)

// Features writes the numbers that the model sees: a row for each customer and a
// column for each feature, both in their order, and nothing else. A missing
// value is null. It returns the number of rows. Errors: as Run's.
func Features(ctx context.Context, d Deps) (rows int64, err error) {
	model, err := registry.Load(ctx, d.Shelf)
	if err != nil {
		return 0, err
	}
	encoder, err := model.Encoder()
	if err != nil {
		return 0, err
	}
	out, err := d.Output.Create(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	if rows, err = writeFeatures(ctx, d, encoder, model.Set, out); err != nil {
		return 0, fmt.Errorf("write features: %w", err)
	}
	return rows, out.Commit()
}

func writeFeatures(ctx context.Context, d Deps, encoder *feature.Encoder, set feature.Set, out sink.Sink) (rows int64, err error) {
	table := featureTable(set)
	file := parquetfile.NewWriter(out, table)
	pending := newRun(threadRows, encoder.Width())
	flush := func() error {
		if pending.rows() == 0 {
			return nil
		}
		err := appendTo(file, featureBatch(table, pending))
		rows += int64(pending.rows())
		pending = newRun(threadRows, encoder.Width())
		if d.Progress != nil {
			d.Progress("write features", int(rows), int(d.Input.Rows))
		}
		return err
	}
	columns := append([]schema.Name{schema.CustomerID}, encoder.Columns()...)
	err = d.Input.Read(ctx, columns, func(b source.Run) error {
		features := make([]float32, b.Rows*encoder.Width())
		if err := encoder.Encode(b.Values(encoder.Columns()), b.Rows, features); err != nil {
			return err
		}
		for from := 0; from < b.Rows; {
			from += pending.take(b.Column(schema.CustomerID).Strings[from:], features[from*encoder.Width():])
			if pending.full() {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err == nil {
		err = file.Close()
	}
	return rows, err
}

// featureTable has a column for each feature.
func featureTable(s feature.Set) *schema.Table {
	t := &schema.Table{Name: "features", Description: "What the model sees of each customer."}
	for _, name := range s.Names() {
		t.Columns = append(t.Columns, schema.Column{Name: schema.Name(name), Type: schema.Double})
	}
	return t
}

func featureBatch(t *schema.Table, r *run) *frame.Batch {
	b := frame.New(t, r.rows())
	for i := range r.rows() {
		for k, v := range r.features[i*r.width : (i+1)*r.width] {
			if math.IsNaN(float64(v)) {
				b.Columns[k].SetNull(i, r.rows())
				continue
			}
			b.Columns[k].Floats[i] = float64(v)
		}
	}
	return b
}
