package parquetfile_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"engage/internal/frame"
	"engage/internal/parquetfile"
	"engage/internal/schema"
)

// things is a table with a column of every type.
var things = &schema.Table{Name: "things", Columns: []schema.Column{
	{Name: "id", Type: schema.String, Nullable: true},
	{Name: "kind", Type: schema.String, Enum: []string{"red", "blue"}},
	{Name: "count", Type: schema.Int, Nullable: true},
	{Name: "big", Type: schema.BigInt},
	{Name: "weight", Type: schema.Double, Decimals: 3, Nullable: true},
	{Name: "ok", Type: schema.Boolean, Nullable: true},
	{Name: "at", Type: schema.Timestamp, Nullable: true},
}}

func open(t testing.TB, data []byte, table *schema.Table, o parquetfile.ReadOptions) *parquetfile.Reader {
	t.Helper()
	r, err := parquetfile.NewReader(bytes.NewReader(data), int64(len(data)), table, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// same compares two columns over n rows, bit by bit.
func same(a, b *frame.Column, i, j int) bool {
	if a.Present(i) != b.Present(j) {
		return false
	}
	if !a.Present(i) {
		return true
	}
	switch {
	case a.Strings != nil:
		return a.Strings[i] == b.Strings[j]
	case a.Ints != nil:
		return a.Ints[i] == b.Ints[j]
	case a.Floats != nil:
		return math.Float64bits(a.Floats[i]) == math.Float64bits(b.Floats[j])
	}
	return a.Bools[i] == b.Bools[j]
}

func TestReaderGivesBackWhatWasWritten(t *testing.T) {
	sizes := []int{2000, 1, 3000, 300}
	data := write(t, 2, sizes...)
	for _, batchRows := range []int{1, 7, 1000, 0} {
		r := open(t, data, &schema.Customers, parquetfile.ReadOptions{BatchRows: batchRows})
		if r.Rows() != 5301 {
			t.Fatalf("%d rows", r.Rows())
		}
		first := 0
		for _, size := range sizes {
			want := wide(first, size)
			for at := 0; at < size; {
				got, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				for c := range got.Columns {
					for row := range got.Rows {
						if !same(&want.Columns[c], &got.Columns[c], at+row, row) {
							t.Fatalf("row %d of column %s differs", first+at+row, schema.Customers.Columns[c].Name)
						}
					}
				}
				at += got.Rows
			}
			first += size
		}
		if _, err := r.Next(); err != io.EOF {
			t.Fatalf("after the last row: %v", err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReaderProjects(t *testing.T) {
	data := write(t, 1, 200)
	columns := []schema.Name{schema.TrustScore, schema.CustomerID, schema.Churn30Day}
	r := open(t, data, &schema.Customers, parquetfile.ReadOptions{Columns: columns})
	b, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	want := wide(0, 200)
	for _, name := range columns {
		for row := range b.Rows {
			if !same(want.Column(name), b.Column(name), row, row) {
				t.Fatalf("row %d of column %s differs", row, name)
			}
		}
	}
	_, err = parquetfile.NewReader(bytes.NewReader(data), int64(len(data)), &schema.Customers, parquetfile.ReadOptions{Columns: []schema.Name{"nope"}})
	var column *parquetfile.ColumnError
	if !errors.As(err, &column) || column.Column != "nope" {
		t.Errorf("an unknown column: %v", err)
	}
}

func TestReaderNamesTheColumnThatDiffers(t *testing.T) {
	data := write(t, 1, 10)
	change := func(f func(t *schema.Table)) *schema.Table {
		c := schema.Customers
		c.Columns = append([]schema.Column(nil), c.Columns...)
		f(&c)
		return &c
	}
	cases := map[string]*schema.Table{
		"age":         change(func(t *schema.Table) { t.Columns[1].Type = schema.String }),
		"years":       change(func(t *schema.Table) { t.Columns[1].Name = "years" }),
		"more":        change(func(t *schema.Table) { t.Columns = append(t.Columns, schema.Column{Name: "more"}) }),
		"next_action": change(func(t *schema.Table) { t.Columns = t.Columns[:49] }),
	}
	for want, table := range cases {
		_, err := parquetfile.NewReader(bytes.NewReader(data), int64(len(data)), table, parquetfile.ReadOptions{})
		var column *parquetfile.ColumnError
		if !errors.As(err, &column) || string(column.Column) != want || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestReaderReadsOtherWritersFiles(t *testing.T) {
	big := map[string]int64{"pyarrow-narrow.parquet": 7}
	for _, name := range []string{"pyarrow.parquet", "pyarrow-v1-gzip.parquet", "pyarrow-required.parquet", "pyarrow-narrow.parquet",
		"pyarrow-int64.parquet", "pyarrow-double.parquet", "duckdb.parquet"} {
		r, err := parquetfile.Open(filepath.Join("testdata", name), things, parquetfile.ReadOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b, err := r.Next()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantBig := int64(1 << 40)
		if v, ok := big[name]; ok {
			wantBig = v
		}
		got := fmt.Sprint(b.Column("id").Strings[0], b.Column("kind").Strings[0], b.Column("count").Ints[0], b.Column("big").Ints[0],
			b.Column("weight").Floats[0], b.Column("ok").Bools[0], b.Column("at").Ints[0])
		if want := fmt.Sprint("a", "red", 1, wantBig, 0.5, true, int64(1795392000000)); got != want {
			t.Errorf("%s: first row is %s, want %s", name, got, want)
		}
		if b.Rows == 3 && (b.Column("id").Present(2) || b.Column("count").Present(1) || b.Column("kind").Strings[2] != "green") {
			t.Errorf("%s: missing values or a foreign category were not kept", name)
		}
		r.Close()
	}
	r, err := parquetfile.Open("testdata/pyarrow-fraction.parquet", things, parquetfile.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, err = r.Next()
	var column *parquetfile.ColumnError
	if !errors.As(err, &column) || column.Column != "count" || !strings.Contains(err.Error(), "-3.5") {
		t.Errorf("a fraction among integers: %v", err)
	}
}

func TestReaderRefusesForeignAndTruncatedFiles(t *testing.T) {
	whole := write(t, 1, 300)
	flipped := bytes.Clone(whole)
	for at := 40; at < 60; at++ {
		flipped[at] ^= 0xff
	}
	cases := map[string]struct {
		fault parquetfile.Fault
		data  []byte
	}{
		"empty": {parquetfile.Foreign, nil}, "text": {parquetfile.Foreign, []byte("customer_id,age\nCUST_00000001,20\n")},
		"short": {parquetfile.Truncated, []byte("PAR1")}, "half": {parquetfile.Truncated, whole[:len(whole)/2]},
		"no last byte":  {parquetfile.Truncated, whole[:len(whole)-1]},
		"no first half": {parquetfile.Damaged, whole[len(whole)/2:]}, "changed bytes of a page": {parquetfile.Damaged, flipped},
		"codec": {parquetfile.Unsupported, recoded(t, whole)},
	}
	for name, c := range cases {
		err := readAll(c.data)
		var form *parquetfile.FormatError
		if !errors.As(err, &form) || form.Fault != c.fault || !strings.Contains(err.Error(), string(c.fault)) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v", name, err)
		}
		if name == "codec" && !strings.Contains(err.Error(), "LZO") {
			t.Errorf("the codec is not named: %v", err)
		}
	}
	if _, err := parquetfile.Open(filepath.Join(t.TempDir(), "none"), things, parquetfile.ReadOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// recoded is a file whose footer says that a column is compressed with LZO.
func recoded(t *testing.T, whole []byte) []byte {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	f.Metadata().RowGroups[0].Columns[2].MetaData.Codec = format.LZO
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), f.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	old := binary.LittleEndian.Uint32(whole[len(whole)-8:])
	data := append(bytes.Clone(whole[:len(whole)-8-int(old)]), footer...)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(footer)))
	return append(data, "PAR1"...)
}

// Values that are no integers are told one by one, and the rest is read.
func TestProblemsAreToldAndReadingGoesOn(t *testing.T) {
	loose := &schema.Table{Name: "things", Columns: []schema.Column{{Name: "count", Type: schema.Double}}}
	b := frame.New(loose, 5)
	b.Columns[0].Floats = []float64{1, 2.5, math.NaN(), 3e9, 4}
	var out bytes.Buffer
	w := parquetfile.NewWriter(&out, loose)
	for range 2 {
		block, err := w.Encode(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Append(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	strict := &schema.Table{Name: "things", Columns: []schema.Column{{Name: "count", Type: schema.Int}}}
	var got []string
	r := open(t, out.Bytes(), strict, parquetfile.ReadOptions{Problem: func(p parquetfile.Problem) {
		got = append(got, fmt.Sprintf("%d %s %s %s %s", p.Row, p.Column, p.Value, p.Rule, p.Detail))
	}})
	rows := 0
	for {
		b, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rows += b.Rows
		if c := b.Columns[0]; c.Present(1) || c.Present(2) || c.Present(3) || !c.Present(4) || c.Ints[4] != 4 || c.Ints[1] != 0 {
			t.Errorf("got %+v", c)
		}
	}
	want := []string{"2 count 2.5 type a whole number", "3 count NaN type a whole number", "4 count 3e+09 type a 32-bit integer",
		"7 count 2.5 type a whole number", "8 count NaN type a whole number", "9 count 3e+09 type a 32-bit integer"}
	if rows != 10 || !slices.Equal(got, want) {
		t.Errorf("%d rows, problems\n%s", rows, strings.Join(got, "\n"))
	}
}

// readAll reads every row of the customers in data.
func readAll(data []byte) error {
	r, err := parquetfile.NewReader(bytes.NewReader(data), int64(len(data)), &schema.Customers, parquetfile.ReadOptions{})
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		if _, err := r.Next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// FuzzReader changes bytes of a whole file: whatever they say, reading returns.
func FuzzReader(f *testing.F) {
	whole := write(f, 1, 40, 3)
	f.Add(uint32(5), uint8(1), uint32(len(whole)-20), uint8(255))
	f.Add(uint32(len(whole)-6), uint8(7), uint32(0), uint8(0))
	f.Fuzz(func(t *testing.T, at1 uint32, x1 uint8, at2 uint32, x2 uint8) {
		data := bytes.Clone(whole)
		data[int(at1)%len(data)] ^= x1
		data[int(at2)%len(data)] ^= x2
		err := readAll(data)
		var form *parquetfile.FormatError
		var column *parquetfile.ColumnError
		if err != nil && !errors.As(err, &form) && !errors.As(err, &column) {
			t.Fatalf("an error without a type: %v", err)
		}
	})
}

func TestChangedBytesAreSurvived(t *testing.T) {
	whole := write(t, 1, 30)
	const step = 31 // a prime, so that all kinds of bytes are met
	before := runtime.NumGoroutine()
	for at := 0; at < len(whole); at += step {
		data := bytes.Clone(whole)
		data[at] ^= 0xff
		var form *parquetfile.FormatError
		var column *parquetfile.ColumnError
		if err := readAll(data); err != nil && !errors.As(err, &form) && !errors.As(err, &column) {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
	if now := runtime.NumGoroutine(); now > before {
		t.Errorf("%d goroutines, %d before", now, before)
	}
}

func BenchmarkRead(b *testing.B) {
	data := write(b, 2, 32768, 32768)
	for b.Loop() {
		if err := readAll(data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(65536*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
