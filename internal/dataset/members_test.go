package dataset_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"engage/internal/dataset"
	"engage/internal/parquetfile"
	"engage/internal/schema"
)

// swap puts one file of a world into another's data set.
func swap(t *testing.T, dir string, other world, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(other.store(t), name))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFormatsThatDisagreeAreFound(t *testing.T) {
	const n = 2500
	dir, other := newWorld(n).store(t), newWorld(n)
	other.customers.Column(schema.TrustScore).Floats[1700] += 0.5
	if other.customers.Column(schema.TrustScore).Floats[1700] > 1 {
		other.customers.Column(schema.TrustScore).Floats[1700]--
	}
	other.personal.Column(schema.FullName).Strings[n-1] = "Grace Hopper"
	swap(t, dir, other, dataset.CustomersParquet)
	swap(t, dir, other, dataset.PersonalParquet)
	r := validate(t, dir)
	if got := counts(r); got[dataset.RuleFormats] != 2 {
		t.Fatalf("got %v", got)
	}
	if v := sample(t, r, dataset.RuleFormats); v.File != dataset.CustomersCSV || v.Row != 1701 || v.Column != schema.TrustScore ||
		!strings.Contains(v.Message, "customers.csv and customers.parquet differ") {
		t.Errorf("got %+v", v)
	}
	for _, c := range r.Rules {
		if c.Rule == dataset.RuleFormats && (c.Samples[1].Row != n || c.Samples[1].Value != "***") {
			t.Errorf("got %+v", c.Samples[1])
		}
	}
}

// The second format's files are held against each other as the first's are.
func TestBothFormatsAreCheckedForReferences(t *testing.T) {
	dir, other := newWorld(20).store(t), newWorld(20)
	other.customers.Column(schema.TotalConnections).Ints[3]++
	swap(t, dir, other, dataset.CustomersParquet)
	if v := sample(t, validate(t, dir), dataset.RuleDegree); v.File != dataset.CustomersParquet || v.Row != 4 {
		t.Errorf("got %+v", v)
	}
}

func TestTheTruthIsChecked(t *testing.T) {
	for rule, spoil := range map[dataset.Rule]func(w world){
		dataset.RuleRange:     func(w world) { w.truth.Column("chance").Floats[3] = 1.5 },
		dataset.RuleFinite:    func(w world) { w.truth.Column("expected").Floats[3] = math.Inf(1) },
		dataset.RuleReference: func(w world) { w.truth.Column(schema.CustomerID).Strings[3] = id(999) },
		dataset.RuleUnique:    func(w world) { w.truth.Column(schema.CustomerID).Strings[3] = id(3) },
		dataset.RuleRequired:  func(w world) { w.truth.Column("effect").SetNull(3, 10) },
	} {
		w := newWorld(10)
		spoil(w)
		dir := w.store(t)
		r := validate(t, dir)
		if v := sample(t, r, rule); r.Violations != 1 || v.File != dataset.TruthParquet || v.Row != 4 {
			t.Errorf("%s: got %+v", rule, r.Rules)
		}
		if r, err := dataset.Validate(t.Context(), dir, dataset.ValidateOptions{}); err != nil || !r.OK() {
			t.Errorf("%s: without a description: %+v, %v", rule, r.Rules, err)
		}
	}
	short := newWorld(10)
	short.truth.Rows = 9
	if got := counts(validate(t, short.store(t))); got[dataset.RuleRowCount] != 1 {
		t.Errorf("a row less: got %v", got)
	}
}

// Parquet keeps what CSV rounds away.
func TestDecimalsAreCounted(t *testing.T) {
	w := newWorld(10)
	w.customers.Column(schema.TrustScore).Floats[3] = 0.123456
	r := validate(t, filepath.Join(w.store(t), dataset.CustomersParquet))
	if v := sample(t, r, dataset.RuleDecimals); r.Violations != 1 || v.Row != 4 || v.Column != schema.TrustScore || v.Value != "0.123456" {
		t.Errorf("got %+v", r.Rules)
	}
}

func TestTextThatIsNone(t *testing.T) {
	w := newWorld(10)
	w.personal.Column(schema.FullName).Strings[3] = "Ad\xe4"
	for _, name := range []string{dataset.PersonalCSV, dataset.PersonalParquet} {
		if v := sample(t, validate(t, filepath.Join(w.store(t), name)), dataset.RuleEncoding); v.Row != 4 || v.Value != "***" {
			t.Errorf("%s: got %+v", name, v)
		}
	}
	w = newWorld(10)
	w.customers.Column(schema.DeviceType).Strings[3] = "m\xff"
	if v := sample(t, validate(t, filepath.Join(w.store(t), dataset.CustomersParquet)), dataset.RuleEncoding); v.Value != `m\xff` {
		t.Errorf("got %+v", v)
	}
	w = newWorld(10)
	path := filepath.Join(w.storeIn(t, "parquet"), dataset.PersonalParquet)
	var out bytes.Buffer
	w.personal.Column(schema.FullName).Strings[3] = ""
	e := parquetfile.NewWriter(&out, &schema.Persons)
	block, err := e.Encode(w.personal)
	if err := errors.Join(err, e.Append(block), e.Close(), os.WriteFile(path, out.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	if r := validate(t, path); r.Violations != 1 || sample(t, r, dataset.RuleRequired).Row != 4 {
		t.Errorf("an empty text: got %+v", r.Rules)
	}
}

// A damaged file is a violation in a data set, whose other files are checked on.
func TestADamagedMemberIsAViolation(t *testing.T) {
	w := newWorld(50)
	w.personal.Column(schema.Phone).Strings[3] = "none"
	dir := w.store(t)
	path := filepath.Join(dir, dataset.CustomersParquet)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	r := validate(t, dir)
	if got, want := counts(r), (map[dataset.Rule]int64{dataset.RuleFile: 2, dataset.RulePattern: 2}); !reflect.DeepEqual(got, want) || len(r.Files) != 6 {
		t.Fatalf("got %v, files %+v", got, r.Files)
	}
	for _, c := range r.Rules {
		if c.Rule == dataset.RuleFile && !strings.Contains(c.Samples[0].Message+c.Samples[1].Message, "truncated") {
			t.Errorf("got %+v", c.Samples)
		}
	}
}
