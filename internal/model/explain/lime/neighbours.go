package lime

import (
	"math"
	"math/rand/v2"
	"slices"

	"engage/internal/model/gbdt"
)

// column is what the background has of a feature.
type column struct {
	values      []float32 // those that are there, ascending
	missing     int
	mean, scale float64 // the scale is 1 where nothing varies
}

func newColumn(background gbdt.Matrix, feature int) column {
	c := column{scale: 1}
	for i := range background.Rows {
		v := background.Row(i)[feature]
		if v != v {
			c.missing++
			continue
		}
		c.values = append(c.values, v)
		c.mean += float64(v)
	}
	if len(c.values) == 0 {
		return c
	}
	slices.Sort(c.values)
	c.mean /= float64(len(c.values))
	squares := 0.0
	for _, v := range c.values {
		squares += (float64(v) - c.mean) * (float64(v) - c.mean)
	}
	if sd := math.Sqrt(squares / float64(len(c.values))); sd > 0 {
		c.scale = sd
	}
	return c
}

// at is the value at a share, from 0 to less than 1, of the ordered values; those
// that are missing come last, if they are asked for.
func (c *column) at(share float64, missing bool) float32 {
	n := len(c.values)
	if missing {
		n += c.missing
	}
	if i := int(share * float64(n)); i < len(c.values) {
		return c.values[i]
	}
	return float32(math.NaN())
}

// neighbourhood is a row, first, and its neighbours.
type neighbourhood struct {
	rows    gbdt.Matrix
	coded   []float64 // the same as the regression sees them
	z       []float64 // of the row
	numeric []bool
	weights []float64 // 1 on average
}

// neighbours makes the neighbourhood of a row. The draws of each feature are spread
// evenly over its background and dealt out at random (M. McKay et al.,
// Technometrics 21, 1979), which makes explanations differ less from seed to seed.
func (e *Explainer) neighbours(row []float32, random *rand.Rand) neighbourhood {
	rows, cols := e.options.Samples, len(row)
	n := neighbourhood{
		rows:  gbdt.Matrix{Data: make([]float32, rows*cols), Rows: rows, Cols: cols},
		coded: make([]float64, rows*cols), z: make([]float64, cols), numeric: make([]bool, cols), weights: make([]float64, rows),
	}
	for k, v := range row {
		c := &e.columns[k]
		n.numeric[k] = !e.categories[k] && v == v && len(c.values) > 0
		n.z[k] = n.code(c, k, v, v)
		dealt := random.Perm(rows)
		for i := range rows {
			drawn := v
			if share := (float64(dealt[i]) + random.Float64()) / float64(rows); i > 0 && random.Float64() < e.options.Redraw {
				drawn = n.draw(c, k, v, share)
			}
			n.rows.Row(i)[k] = drawn
			z := n.code(c, k, v, drawn)
			n.coded[i*cols+k] = z
			n.weights[i] += (z - n.z[k]) * (z - n.z[k])
		}
	}
	n.weigh(e.options.Width)
	return n
}

// draw keeps the row's value where the background knows no other.
func (n *neighbourhood) draw(c *column, k int, own float32, share float64) float32 {
	if len(c.values) == 0 {
		return own
	}
	return c.at(share, !n.numeric[k])
}

// code is a drawn value as the regression sees it.
func (n *neighbourhood) code(c *column, k int, own, drawn float32) float64 {
	switch {
	case n.numeric[k]:
		return (float64(drawn) - c.mean) / c.scale
	case own == drawn || own != own && drawn != drawn:
		return 1
	}
	return 0
}

// weigh makes weights of squared distances.
func (n *neighbourhood) weigh(width float64) {
	sum := 0.0
	for i, d := range n.weights {
		n.weights[i] = math.Exp(-d / (width * width))
		sum += n.weights[i]
	}
	for i := range n.weights {
		n.weights[i] *= float64(len(n.weights)) / sum
	}
}

func (n *neighbourhood) effective() float64 {
	sum, squares := 0.0, 0.0
	for _, w := range n.weights {
		sum, squares = sum+w, squares+w*w
	}
	return sum * sum / squares
}
