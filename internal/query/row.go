package query

import (
	"fmt"
	"strconv"
	"strings"
)

// Row is a row of a result by column. NULL is not in it.
type Row map[string]string

// Int returns a whole number; NULL and what is none are errors.
func (r Row) Int(column string) (int64, error) {
	n, err := strconv.ParseInt(r[column], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("column %s of the result: want a whole number, got %q", column, r[column])
	}
	return n, nil
}

// Float returns a number, and whether there is one: NULL is none.
func (r Row) Float(column string) (float64, bool, error) {
	text, ok := r[column]
	if !ok {
		return 0, false, nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, false, fmt.Errorf("column %s of the result: want a number, got %q", column, text)
	}
	return x, true, nil
}

// Floats returns an array of numbers, none for NULL.
func (r Row) Floats(column string) ([]float64, error) {
	text := strings.TrimSuffix(strings.TrimPrefix(r[column], "["), "]")
	if text == "" {
		return nil, nil
	}
	var out []float64
	for part := range strings.SplitSeq(text, ",") {
		x, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil {
			return nil, fmt.Errorf("column %s of the result: want an array of numbers, got %q", column, r[column])
		}
		out = append(out, x)
	}
	return out, nil
}
