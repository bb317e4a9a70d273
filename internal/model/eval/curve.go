package eval

import (
	"context"
	"fmt"
)

// Point is a learning curve's: what a model trained on so many rows reaches.
type Point struct {
	Rows  int     `json:"rows"`
	Train float64 `json:"train"` // the metric on the rows that it was trained on
	Test  float64 `json:"test"`
}

// Curve trains on growing shares of rows, the first ones each time, and asks fit
// for the metric on them and on the test rows. It ends with the context. It
// panics unless the shares are within (0, 1]; a share of less than one row is
// an error.
func Curve(ctx context.Context, rows int, shares []float64, fit func(ctx context.Context, rows int) (train, test float64, err error)) ([]Point, error) {
	var points []Point
	for _, share := range shares {
		if !(share > 0 && share <= 1) {
			panic(fmt.Sprintf("eval: share %g of a learning curve", share))
		}
		n := int(share * float64(rows))
		if n < 1 {
			return nil, wrong("a share of %g of %d rows is none", share, rows)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		train, test, err := fit(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("learn from %d rows: %w", n, err)
		}
		points = append(points, Point{n, train, test})
	}
	return points, nil
}
