package csvfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"engage/internal/csvfile"
	"engage/internal/frame"
	"engage/internal/schema"
)

// things is a table with a column of every type.
var things = &schema.Table{Name: "things", Columns: []schema.Column{
	{Name: "id", Type: schema.String},
	{Name: "kind", Type: schema.String, Enum: []string{"red", "blue"}, Nullable: true},
	{Name: "count", Type: schema.Int},
	{Name: "big", Type: schema.BigInt},
	{Name: "weight", Type: schema.Double, Decimals: 3, Nullable: true},
	{Name: "ok", Type: schema.Boolean},
	{Name: "at", Type: schema.Timestamp},
}}

func sampleThings() *frame.Batch {
	b := frame.New(things, 2)
	copy(b.Column("id").Strings, []string{"a", "b c"})
	copy(b.Column("kind").Strings, []string{"red", ""})
	b.Column("kind").SetNull(1, 2)
	copy(b.Column("count").Ints, []int64{-7, 2147483647})
	copy(b.Column("big").Ints, []int64{1 << 62, -1})
	copy(b.Column("weight").Floats, []float64{-0.0004, 2.0005})
	copy(b.Column("ok").Bools, []bool{true, false})
	copy(b.Column("at").Ints, []int64{0, 1795399200123})
	return b
}

const sampleText = `id,kind,count,big,weight,ok,at
a,red,-7,4611686018427387904,0.000,true,1970-01-01 00:00:00.000
b c,,2147483647,-1,2.001,false,2026-11-23 02:00:00.123
`

func write(t testing.TB, table *schema.Table, batches ...*frame.Batch) []byte {
	t.Helper()
	var out bytes.Buffer
	w := csvfile.NewWriter(&out, table)
	for _, b := range batches {
		block, err := w.Encode(b)
		if err != nil {
			t.Fatal(err)
		}
		if block.Rows() != b.Rows {
			t.Fatalf("the block has %d rows, the batch %d", block.Rows(), b.Rows)
		}
		if err := w.Append(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestWriterWritesEveryType(t *testing.T) {
	if got := string(write(t, things, sampleThings())); got != sampleText {
		t.Errorf("got\n%s\nwant\n%s", got, sampleText)
	}
}

func TestWriterWritesTheHeaderOfAnEmptyTable(t *testing.T) {
	if got, want := string(write(t, things)), csvfile.Header(things)+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWriterRefusesWhatNeedsQuotes(t *testing.T) {
	for _, bad := range []string{"", "a,b", `say "x"`, "a\nb", "a\rb"} {
		b := sampleThings()
		b.Column("id").Strings[1] = bad
		_, err := csvfile.NewWriter(io.Discard, things).Encode(b)
		var value *csvfile.ValueError
		if !errors.As(err, &value) || value.Column != "id" || value.Row != 2 {
			t.Errorf("%q: got %v", bad, err)
		}
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
	for _, room := range []int{0, 40} {
		w := csvfile.NewWriter(&full{left: room}, things)
		block, err := w.Encode(sampleThings())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Append(block); !errors.Is(err, errFull) {
			t.Errorf("with room for %d bytes: got %v", room, err)
		}
	}
}

func TestWriterRefusesABatchOfAnotherTable(t *testing.T) {
	if _, err := csvfile.NewWriter(io.Discard, things).Encode(frame.New(&schema.Connections, 1)); err == nil {
		t.Error("a batch of another table was written")
	}
}

// wide fills a batch of the customers table with plausible values.
func wide(n int) *frame.Batch {
	rng := rand.New(rand.NewPCG(7, 8))
	b := frame.New(&schema.Customers, n)
	for i, c := range schema.Customers.Columns {
		col := &b.Columns[i]
		for row := range n {
			switch {
			case c.Name == schema.CustomerID:
				col.Strings[row] = fmt.Sprintf("CUST_%08d", row+1)
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

func BenchmarkEncode(b *testing.B) {
	const rows = 32768
	batch := wide(rows)
	w := csvfile.NewWriter(io.Discard, &schema.Customers)
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
