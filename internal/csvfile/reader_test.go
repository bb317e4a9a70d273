package csvfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"engage/internal/csvfile"
	"engage/internal/frame"
	"engage/internal/schema"
)

// readAll reads every row of text and every problem in it.
func readAll(text string, table *schema.Table, batchRows int) (batches []*frame.Batch, problems []csvfile.Problem, err error) {
	r, err := csvfile.NewReader(strings.NewReader(text), table, csvfile.ReadOptions{
		BatchRows: batchRows, Problem: func(p csvfile.Problem) { problems = append(problems, p) }})
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	for {
		b, err := r.Next()
		if err == io.EOF {
			return batches, problems, nil
		}
		if err != nil {
			return batches, problems, err
		}
		batches = append(batches, b)
	}
}

func TestReaderGivesBackWhatWasWritten(t *testing.T) {
	batches, problems, err := readAll(sampleText, things, 10)
	if err != nil || len(problems) > 0 || len(batches) != 1 {
		t.Fatal(batches, problems, err)
	}
	want := sampleThings()
	copy(want.Column("weight").Floats, []float64{0, 2.001}) // what three decimals keep
	got := batches[0]
	for i, c := range things.Columns {
		for row := range want.Rows {
			if got.Columns[i].Present(row) != want.Columns[i].Present(row) {
				t.Errorf("%s, row %d: presence differs", c.Name, row)
			}
		}
		if !reflect.DeepEqual(got.Columns[i].Strings, want.Columns[i].Strings) || !reflect.DeepEqual(got.Columns[i].Ints, want.Columns[i].Ints) ||
			!reflect.DeepEqual(got.Columns[i].Floats, want.Columns[i].Floats) || !reflect.DeepEqual(got.Columns[i].Bools, want.Columns[i].Bools) {
			t.Errorf("%s: got %+v, want %+v", c.Name, got.Columns[i], want.Columns[i])
		}
	}
}

func TestCustomersSurviveARoundTrip(t *testing.T) {
	want := wide(2500)
	batches, problems, err := readAll(string(write(t, &schema.Customers, want)), &schema.Customers, 1000)
	if err != nil || len(problems) > 0 || len(batches) != 3 {
		t.Fatal(len(batches), problems, err)
	}
	for i, c := range schema.Customers.Columns {
		half := 0.5 * math.Pow(10, -float64(c.Decimals)) * (1 + 1e-9)
		for row := range want.Rows {
			got, at := &batches[row/1000].Columns[i], row%1000
			if got.Present(at) != want.Columns[i].Present(row) {
				t.Fatalf("%s, row %d: presence differs", c.Name, row)
			}
			if got.Present(at) && c.Type == schema.Double && math.Abs(got.Floats[at]-want.Columns[i].Floats[row]) > half {
				t.Fatalf("%s, row %d: got %v, want %v", c.Name, row, got.Floats[at], want.Columns[i].Floats[row])
			}
			if got.Present(at) && c.Type == schema.String && got.Strings[at] != want.Columns[i].Strings[row] {
				t.Fatalf("%s, row %d: got %v", c.Name, row, got.Strings[at])
			}
		}
	}
}

func TestReaderCollectsEveryProblem(t *testing.T) {
	text := csvfile.Header(things) + "\r\n" +
		"\"a, \"\"quoted\"\"\",red,1,2,3.5,true,2026-11-23 02:00:00.000\r\n" +
		"b,green,x,9999999999999999999,0x1p3,yes,yesterday\r\n" +
		"c,red\r\n" +
		"d\",red,1,2,3,true,2026-11-23 02:00:00.000\r\n" +
		"e,blue,3000000000,2,NaN,false,\r\n"
	batches, problems, err := readAll(text, things, 2)
	if err != nil || len(batches) != 3 {
		t.Fatal(len(batches), err)
	}
	if got := batches[0].Column("id").Strings[0]; got != `a, "quoted"` {
		t.Errorf("a quoted field is %q", got)
	}
	if got := batches[2].Column("weight"); !got.Present(0) || !math.IsNaN(got.Floats[0]) {
		t.Errorf("NaN is %+v", got)
	}
	var got []string
	for _, p := range problems {
		got = append(got, strings.Join([]string{string(rune('0' + p.Row)), string(p.Column), p.Value, p.Rule}, "|"))
	}
	want := []string{"2|count|x|type", "2|big|9999999999999999999|type", "2|weight|0x1p3|type", "2|ok|yes|type", "2|at|yesterday|type",
		"3|||record", "4|||record", "5|count|3000000000|type"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWithoutAProblemFunctionTheFirstOneEnds(t *testing.T) {
	for _, row := range []string{"a,b\n", "a,red,x,2,3,true,\n", "a\"\n"} {
		r, err := csvfile.NewReader(strings.NewReader(csvfile.Header(things)+"\n"+row), things, csvfile.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Next()
		var form *csvfile.FormatError
		if !errors.As(err, &form) || form.Row != 1 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v", row, err)
		}
	}
}

func TestHeaderThatDiffers(t *testing.T) {
	header := csvfile.Header(things)
	cases := map[string]csvfile.HeaderError{
		strings.Replace(header, "big", "large", 1): {Position: 4, Want: "big", Got: "large"},
		header + ",more":                  {Position: 8, Got: "more"},
		strings.TrimSuffix(header, ",at"): {Position: 7, Want: "at"},
	}
	for text, want := range cases {
		_, err := csvfile.NewReader(strings.NewReader(text+"\n"), things, csvfile.ReadOptions{})
		want.Table = "things"
		var got *csvfile.HeaderError
		if !errors.As(err, &got) || *got != want {
			t.Errorf("%s: got %v", text, err)
		}
	}
	if _, err := csvfile.NewReader(strings.NewReader("\ufeff"+header+"\n"), things, csvfile.ReadOptions{}); err != nil {
		t.Errorf("a byte order mark: %v", err)
	}
}

func TestForeignFilesAreRefused(t *testing.T) {
	var form *csvfile.FormatError
	for name, text := range map[string]string{
		"empty": "", "open quote": "\"" + strings.Repeat("x", 3*csvfile.MaxRecord), "one long line": strings.Repeat("x", 3*csvfile.MaxRecord),
	} {
		_, err := csvfile.Columns(strings.NewReader(text))
		if !errors.As(err, &form) || len(err.Error()) > 300 {
			t.Errorf("%s: got %.300v", name, err)
		}
	}
	long := csvfile.Header(things) + "\na," + strings.Repeat("y", 2*csvfile.MaxRecord)
	if _, _, err := readAll(long, things, 0); !errors.As(err, &form) || form.Row != 1 || form.Line != 2 {
		t.Errorf("a record without end: got %.300v", err)
	}
}

// An open quote swallows what follows: the report names the row where it
// opened and says that the rest was not read, however long it is.
func TestAnOpenQuoteIsReportedWhereItOpens(t *testing.T) {
	whole := "a,red,1,2,3,true,2026-11-23 02:00:00.000\n"
	for name, text := range map[string]string{
		"small": whole + "b,\"red\n" + whole + whole,
		"large": whole + "b,\"red\n" + strings.Repeat(whole, 2*csvfile.MaxRecord/len(whole)),
	} {
		for _, mark := range []string{"", "\ufeff"} {
			batches, problems, err := readAll(mark+csvfile.Header(things)+"\n"+text, things, 0)
			if err != nil || len(problems) != 1 || len(batches) != 1 || batches[0].Rows != 2 {
				t.Fatalf("%s: %d batches, problems %+v, error %v", name, len(batches), problems, err)
			}
			if p := problems[0]; p.Row != 2 || p.Line != 3 || p.Rule != csvfile.RuleRecord ||
				!strings.Contains(p.Detail, "opens in this row") || !strings.Contains(p.Detail, "was not read") {
				t.Errorf("%s: got %+v", name, p)
			}
		}
	}
}

// Blank lines in the middle are reported, and lines are counted over them and
// over line ends inside quotes.
func TestLinesAndBlankLines(t *testing.T) {
	rest := ",red,1,2,3,true,2026-11-23 02:00:00.000\n"
	text := csvfile.Header(things) + "\na" + rest + "\n\n\"b\nb\"" + rest + "c" + rest + "d,red\n\ne" + rest + "\n\n"
	var got []string
	var r *csvfile.Reader
	r, err := csvfile.NewReader(strings.NewReader(text), things, csvfile.ReadOptions{BatchRows: 3, Problem: func(p csvfile.Problem) {
		got = append(got, fmt.Sprint(p.Row, p.Line, p.Rule))
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]int64{{2, 5, 7, 0, 0}, {0, 0, 0, 8, 10}} {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		for i, line := range want {
			if at := r.Line(int64(i + 1)); at != line {
				t.Errorf("row %d is on line %d, want %d", i+1, at, line)
			}
		}
	}
	if want := []string{"2 3blank", "4 8record", "5 9blank"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	strict, err := csvfile.NewReader(strings.NewReader(text), things, csvfile.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var form *csvfile.FormatError
	if _, err := strict.Next(); !errors.As(err, &form) || form.Line != 3 {
		t.Errorf("without a problem function: %v", err)
	}
}

func TestErrorsOfTheFileAreKept(t *testing.T) {
	bad := errors.New("input/output error")
	text := csvfile.Header(things) + "\na,red,1,2,3,true,\n"
	r, err := csvfile.NewReader(io.MultiReader(strings.NewReader(text), iotest.ErrReader(bad)), things, csvfile.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); !errors.Is(err, bad) {
		t.Errorf("got %v", err)
	}
	if _, err := csvfile.Columns(iotest.ErrReader(bad)); !errors.Is(err, bad) {
		t.Errorf("in the header: got %v", err)
	}
}

// FuzzReader reads anything: it ends, and what is present was valid text.
func FuzzReader(f *testing.F) {
	f.Add([]byte(sampleText))
	f.Add([]byte(csvfile.Header(things) + "\n\"a\"\"\nb\",red,x,2,1e400,true,\n\",\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := csvfile.NewReader(bytes.NewReader(text), things, csvfile.ReadOptions{BatchRows: 3, Problem: func(p csvfile.Problem) {
			if p.Row < 1 || p.Rule == "" || p.Detail == "" {
				t.Fatalf("a problem says nothing: %+v", p)
			}
		}})
		if err != nil {
			return
		}
		for {
			b, err := r.Next()
			if err != nil {
				return
			}
			if b.Rows < 1 || b.Rows > 3 {
				t.Fatalf("a batch of %d rows", b.Rows)
			}
			for i := range b.Columns {
				c := &b.Columns[i]
				if n := len(c.Strings) + len(c.Ints) + len(c.Floats) + len(c.Bools); n != b.Rows {
					t.Fatalf("column %d holds %d values of %d", i, n, b.Rows)
				}
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	const rows = 32768
	text := write(b, &schema.Customers, wide(rows))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r, err := csvfile.NewReader(bytes.NewReader(text), &schema.Customers, csvfile.ReadOptions{})
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = r.Next()
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
