// Package generate writes a population to a data set directory: rows are made
// and encoded on every core, and put into the files in order.
package generate

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"engage/datagen"
	"engage/internal/dataset"
	"engage/internal/frame"
	"engage/internal/schema"
)

// Formats lists the file formats that a data set can be written in.
var Formats = []string{dataset.CSV, dataset.Parquet}

// chunkRows is the number of customers that are made at a time, and so the size
// of a Parquet row group. It is part of the bytes of a data set.
const chunkRows = 25_000

// Options says what to write, and where.
type Options struct {
	Rows    int      // customers
	Seed    uint64   // the same seed, rows and formats give the same bytes
	Dir     string   // made if it is not there
	Force   bool     // replace the data set that Dir holds
	Formats []string // of Formats; the default is all. The truth is always Parquet
	Defects bool     // plant faults for a validation to find
	Workers int      // the default is one a core

	// Progress, if set, hears how much of each stage is done; total 0 is
	// unknown. It is called from one goroutine at a time.
	Progress func(stage datagen.Stage, done, total int)
}

// Writing is the stage after those of datagen.
const Writing datagen.Stage = "write customers"

// ErrUsage marks an option that cannot be used.
var ErrUsage = errors.New("bad option")

func (o *Options) complete() error {
	if o.Formats == nil {
		o.Formats = Formats
	}
	if len(o.Formats) == 0 {
		return fmt.Errorf("%w: no format; choose from %s", ErrUsage, strings.Join(Formats, ", "))
	}
	if o.Workers < 0 {
		return fmt.Errorf("%w: %d workers; want at least 1, or 0 for one a core", ErrUsage, o.Workers)
	}
	var unknown []string
	for _, f := range o.Formats {
		if !slices.Contains(Formats, f) {
			unknown = append(unknown, fmt.Sprintf("%q", f))
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("%w: unknown format %s; choose from %s", ErrUsage, strings.Join(unknown, ", "), strings.Join(Formats, ", "))
	}
	if o.Dir == "" {
		return fmt.Errorf("%w: no directory to write to", ErrUsage)
	}
	o.Formats = slices.DeleteFunc(slices.Clone(Formats), func(f string) bool { return !slices.Contains(o.Formats, f) })
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Progress == nil {
		o.Progress = func(datagen.Stage, int, int) {}
	}
	return nil
}

// Run makes the population and writes it. When it fails or ctx ends, nothing of
// it is left in the directory. Errors: ErrUsage, datagen.ErrRows, those of
// dataset.Create, the disk's and the context's.
func Run(ctx context.Context, o Options) (manifest dataset.Manifest, err error) {
	if err := o.complete(); err != nil {
		return manifest, err
	}
	config := datagen.Config{Rows: o.Rows, Seed: o.Seed, Workers: o.Workers, Defects: o.Defects, Progress: o.Progress}
	if err := config.Validate(); err != nil {
		return manifest, err
	}
	staging, err := dataset.Create(o.Dir, o.Force)
	if err != nil {
		return manifest, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, staging.Abort())
		}
	}()
	population, err := datagen.New(ctx, config)
	if err != nil {
		return manifest, fmt.Errorf("make the population: %w", err)
	}
	manifest, err = write(ctx, population, staging, o)
	if err != nil {
		return manifest, fmt.Errorf("write the data set: %w", err)
	}
	if err := staging.Commit(manifest); err != nil {
		return manifest, fmt.Errorf("finish the data set: %w", err)
	}
	written, err := dataset.Open(o.Dir)
	if err != nil {
		return manifest, fmt.Errorf("read the data set back: %w", err)
	}
	return written.Manifest, nil
}

// write streams the population into the staged files and describes it.
func write(ctx context.Context, p *datagen.Population, staging *dataset.Staging, o Options) (dataset.Manifest, error) {
	files, err := openFiles(staging, o.Formats)
	if err != nil {
		return dataset.Manifest{}, err
	}
	summary := newSummary()
	chunks := (o.Rows + chunkRows - 1) / chunkRows
	err = frame.Pump(ctx, o.Workers, chunks,
		func(_ context.Context, i int) (*part, error) {
			return files.encode(p, i*chunkRows, min((i+1)*chunkRows, o.Rows))
		},
		func(i int, p *part) error {
			summary.add(p)
			if err := files.append(p); err != nil {
				return err
			}
			o.Progress(Writing, min((i+1)*chunkRows, o.Rows), o.Rows)
			return nil
		})
	if err != nil {
		return dataset.Manifest{}, err
	}
	if err := files.close(); err != nil {
		return dataset.Manifest{}, err
	}
	if err := ctx.Err(); err != nil { // an interrupt while the last rows were written
		return dataset.Manifest{}, err
	}
	return describe(p, summary, o), nil
}

// describe makes the manifest.
func describe(p *datagen.Population, s *summary, o Options) dataset.Manifest {
	m := dataset.Manifest{
		Generator: "engage datagen " + datagen.Version,
		Seed:      o.Seed,
		Rows:      int64(o.Rows),
		Edges:     s.edges,
		Formats:   o.Formats,
		Schema:    map[string]string{},
		Ceilings:  map[string][]dataset.Ceiling{},
		Missing:   s.missingShares(o.Rows),
		Graph:     dataset.Graph(p.Graph()),
	}
	m.Parameters = datagen.Parameters()
	for _, t := range append(slices.Clone(schema.Tables), &datagen.Truth) {
		m.Schema[t.Name] = schema.Fingerprint(t)
	}
	for _, c := range s.tally.Ceilings() {
		m.Ceilings[string(c.Target)] = append(m.Ceilings[string(c.Target)], dataset.Ceiling{
			Metric: c.Metric, Value: c.Value, StandardError: c.StandardError, HigherIsBetter: c.HigherIsBetter,
		})
	}
	if planted := p.Planted(); planted != nil {
		m.Defects = map[string]int64{}
		for kind, n := range planted {
			m.Defects[string(kind)] = int64(n)
		}
	}
	return m
}
