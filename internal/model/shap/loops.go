package shap

// The loops in which a batch spends its time. They have no branch that depends
// on data: what a row answers is as good as random.

// less is 1 if x is less than threshold, else 0.
func less(x, threshold float32) uint16 {
	var b uint16
	if x < threshold {
		b = 1
	}
	return b
}

// splitNew gives both sides of a condition on a feature that is new on the path.
func splitNew(x []float32, threshold float32, mask []uint16, bit int, left, right []uint16) {
	mask, left, right = mask[:len(x)], left[:len(x)], right[:len(x)]
	bit &= 15
	for r, v := range x {
		s := less(v, threshold)
		left[r] = mask[r] | s<<bit
		right[r] = mask[r] | (s^1)<<bit
	}
}

// splitAgain gives both sides of a condition on a feature that has a bit: it stays
// set where the row meets this condition too.
func splitAgain(x []float32, threshold float32, mask []uint16, bit int, left, right []uint16) {
	mask, left, right = mask[:len(x)], left[:len(x)], right[:len(x)]
	bit &= 15
	for r, v := range x {
		s := less(v, threshold)
		left[r] = mask[r] &^ ((s ^ 1) << bit)
		right[r] = mask[r] &^ (s << bit)
	}
}

// appendOne sets a bit of the index where a row goes left.
func appendOne(x []float32, threshold float32, mask []uint16, bit int, index []uint16) {
	mask, index = mask[:len(x)], index[:len(x)]
	bit &= 15
	for r, v := range x {
		index[r] = mask[r] | less(v, threshold)<<bit
	}
}

// appendThree is appendOne for three conditions and consecutive bits.
func appendThree(x [3][]float32, threshold [3]float32, mask []uint16, bit int, index []uint16) {
	x0, t0, t1, t2 := x[0], threshold[0], threshold[1], threshold[2]
	x1, x2 := x[1][:len(x0)], x[2][:len(x0)]
	mask, index = mask[:len(x0)], index[:len(x0)]
	bit &= 15
	for r, v := range x0 {
		s := less(v, t0) | less(x1[r], t1)<<1 | less(x2[r], t2)<<2
		index[r] = mask[r] | s<<bit
	}
}

// add adds the value of each row's index. REQUIRES: the number of values is a
// power of two and more than every index.
func add(sums []float32, index []uint16, values []float32) {
	sums = sums[:len(index)]
	last := len(values) - 1
	for r, i := range index {
		sums[r] += values[int(i)&last]
	}
}

// addTwo is add for two features.
func addTwo(sums, others []float32, index []uint16, values, more []float32) {
	sums, others, more = sums[:len(index)], others[:len(index)], more[:len(values)]
	last := len(values) - 1
	for r, i := range index {
		at := int(i) & last
		sums[r] += values[at]
		others[r] += more[at]
	}
}
