package parquetfile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/parquet-go/parquet-go"

	"engage/internal/frame"
	"engage/internal/parquetfile"
	"engage/internal/schema"
)

// wide fills a batch of the customers table with plausible values.
func wide(first, n int) *frame.Batch {
	rng := rand.New(rand.NewPCG(7, uint64(first)))
	b := frame.New(&schema.Customers, n)
	for i, c := range schema.Customers.Columns {
		col := &b.Columns[i]
		for row := range n {
			switch {
			case c.Name == schema.CustomerID:
				col.Strings[row] = fmt.Sprintf("CUST_%08d", first+row+1)
			case c.Type == schema.String:
				col.Strings[row] = c.Enum[rng.IntN(len(c.Enum))]
			case c.Type == schema.Double:
				col.Floats[row] = c.Range.Min + rng.Float64()*(c.Range.Max-c.Range.Min)
			case c.Type == schema.Int:
				col.Ints[row] = int64(c.Range.Min) + rng.Int64N(int64(c.Range.Max-c.Range.Min))
			}
			if c.Nullable && rng.IntN(4) == 0 {
				col.SetNull(row, n)
			}
		}
	}
	return b
}

// write encodes batches of the given sizes on several workers.
func write(t testing.TB, workers int, sizes ...int) []byte {
	t.Helper()
	var out bytes.Buffer
	w := parquetfile.NewWriter(&out, &schema.Customers)
	first := make([]int, len(sizes))
	for i := 1; i < len(sizes); i++ {
		first[i] = first[i-1] + sizes[i-1]
	}
	err := frame.Pump(t.Context(), workers, len(sizes),
		func(_ context.Context, i int) (frame.Block, error) { return w.Encode(wide(first[i], sizes[i])) },
		func(_ int, b frame.Block) error { return w.Append(b) })
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBytesDoNotDependOnTheNumberOfWorkers(t *testing.T) {
	sizes := []int{5000, 100, 1, 9000, 5000, 8192, 8193, 3, 700, 5000, 5000, 20}
	one := write(t, 1, sizes...)
	for range 3 {
		if !bytes.Equal(one, write(t, 8, sizes...)) {
			t.Fatal("1 and 8 workers wrote different bytes")
		}
	}
}

func TestFileKeepsTheOrderOfTheTableAndItsStatistics(t *testing.T) {
	data := write(t, 2, 1000, 500)
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if f.NumRows() != 1500 || len(f.RowGroups()) != 2 {
		t.Fatalf("%d rows in %d row groups", f.NumRows(), len(f.RowGroups()))
	}
	for i, path := range f.Schema().Columns() {
		if want := string(schema.Customers.Columns[i].Name); path[0] != want {
			t.Errorf("column %d is %s, want %s", i, path[0], want)
		}
	}
	for i, chunk := range f.Metadata().RowGroups[0].Columns {
		if s := chunk.MetaData.Statistics; len(s.MinValue) == 0 || len(s.MaxValue) == 0 {
			t.Errorf("%s has no statistics", schema.Customers.Columns[i].Name)
		}
	}
	if len(f.ColumnIndexes()) == 0 || len(f.OffsetIndexes()) == 0 {
		t.Error("the file has no page index")
	}
}

type full struct{ left int }

var errFull = errors.New("no space left on device")

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.left {
		return 0, errFull
	}
	f.left -= len(p)
	return len(p), nil
}

func TestWriterReportsAFullDisk(t *testing.T) {
	for _, room := range []int{0, 20_000, 70_000} {
		w := parquetfile.NewWriter(&full{left: room}, &schema.Customers)
		block, err := w.Encode(wide(0, 500))
		if err != nil {
			t.Fatal(err)
		}
		if err = w.Append(block); err == nil {
			err = w.Close()
		}
		if !errors.Is(err, errFull) {
			t.Errorf("with room for %d bytes: got %v", room, err)
		}
	}
}

func TestWriterRefusesAnIntegerThatDoesNotFit(t *testing.T) {
	b := wide(0, 10)
	b.Column(schema.Age).Ints[3] = 1 << 40
	if _, err := parquetfile.NewWriter(io.Discard, &schema.Customers).Encode(b); err == nil {
		t.Error("an integer of more than 32 bits was written")
	}
}

func BenchmarkEncode(b *testing.B) {
	const rows = 32768
	batch := wide(0, rows)
	w := parquetfile.NewWriter(io.Discard, &schema.Customers)
	for b.Loop() {
		block, err := w.Encode(batch)
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Append(block); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func TestFileHasTheDeclaredSchema(t *testing.T) {
	for _, table := range schema.Tables {
		var out bytes.Buffer
		if err := parquetfile.NewWriter(&out, table).Close(); err != nil {
			t.Fatal(err)
		}
		f, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := f.Schema().String(), schema.ParquetMessage(table); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}
