package frame_test

import (
	"testing"

	"engage/internal/frame"
	"engage/internal/schema"
)

func TestNewGivesEachColumnTheSliceOfItsType(t *testing.T) {
	for _, table := range schema.Tables {
		b := frame.New(table, 3)
		for i, c := range table.Columns {
			col := b.Column(c.Name)
			if col != &b.Columns[i] {
				t.Fatalf("%s is found elsewhere", c.Name)
			}
			got := [4]int{len(col.Strings), len(col.Ints), len(col.Floats), len(col.Bools)}
			var want [4]int
			want[map[schema.Type]int{schema.String: 0, schema.Int: 1, schema.BigInt: 1, schema.Timestamp: 1, schema.Double: 2, schema.Boolean: 3}[c.Type]] = 3
			if got != want {
				t.Errorf("%s: lengths %v, want %v", c.Name, got, want)
			}
			col.SetNull(1, 3)
			if !col.Present(0) || col.Present(1) || !col.Present(2) {
				t.Errorf("%s: the wrong rows are missing", c.Name)
			}
		}
	}
}
