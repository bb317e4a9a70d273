package xgb

// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"unsafe"
)

// A Booster is a model that is being trained, or has been.
type Booster struct {
	library *Library
	handle  *handle
	thread  *thread
}

// newBooster makes a booster that keeps the margins of some matrices.
func (l *Library) newBooster(matrices []*Matrix) (*Booster, error) {
	var c C.handle
	t := startThread()
	err := using(handles(matrices), func() (err error) {
		list := make([]C.handle, len(matrices))
		for i, m := range matrices {
			list[i] = m.handle.c
		}
		t.do(func() {
			err = l.call("make booster", func() C.int {
				return C.booster_create(l.api, unsafe.SliceData(list), C.ulong64(len(list)), &c)
			})
		})
		return err
	})
	if err != nil {
		t.stop()
		return nil, err
	}
	free := func(c C.handle) {
		t.do(func() { C.booster_free(l.api, c) })
		t.stop()
	}
	return &Booster{l, own(l, c, free), t}, nil
}

func handles(matrices []*Matrix) []*handle {
	list := make([]*handle, len(matrices))
	for i, m := range matrices {
		list[i] = m.handle
	}
	return list
}

// setFeatures keeps the names and kinds of the features with the model.
func (b *Booster) setFeatures(f Features) error {
	for field, list := range map[string][]string{"feature_name": f.Names, "feature_type": f.kinds()} {
		if len(list) == 0 {
			continue
		}
		err := b.call("set features", func(c C.handle) (answer C.int) {
			cStrings(list, func(array **C.char) {
				answer = cString(field, func(field *C.char) C.int {
					return C.booster_features(b.library.api, c, field, array, C.ulong64(len(list)))
				})
			})
			return answer
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Load makes a booster of a saved model, JSON or UBJSON.
func (l *Library) Load(model []byte) (*Booster, error) {
	if len(model) == 0 {
		return nil, &DataError{"model", "it is empty"}
	}
	b, err := l.newBooster(nil)
	if err != nil {
		return nil, err
	}
	if err := b.set([]param{{"verbosity", "0"}}); err != nil {
		b.Close()
		return nil, err
	}
	err = b.call("load model", func(c C.handle) C.int {
		return C.booster_load(l.api, c, unsafe.Pointer(&model[0]), C.ulong64(len(model)))
	})
	if err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// call calls the library with the booster and the matrices locked.
func (b *Booster) call(step string, f func(c C.handle) C.int, matrices ...*Matrix) error {
	return using(append(handles(matrices), b.handle), func() (err error) {
		b.thread.do(func() { err = b.library.call(step, func() C.int { return f(b.handle.c) }) })
		return err
	})
}

func (b *Booster) set(params []param) error {
	for _, p := range params {
		err := b.call("set "+p.name, func(c C.handle) C.int {
			return cString(p.name, func(name *C.char) C.int {
				return cString(p.value, func(value *C.char) C.int { return C.booster_param(b.library.api, c, name, value) })
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// SetThreads sets how many threads predictions use; 0 is all processors.
func (b *Booster) SetThreads(n int) error { return b.set([]param{{"nthread", fmt.Sprint(n)}}) }

// A Format is an encoding of models.
type Format string

// The encodings that package gbdt reads too.
const (
	JSON   Format = "json"
	UBJSON Format = "ubj"
)

// Save returns the model.
func (b *Booster) Save(f Format) (model []byte, err error) {
	config := fmt.Sprintf(`{"format":%q}`, f)
	err = b.call("save model", func(c C.handle) C.int {
		return cString(config, func(config *C.char) C.int {
			var n C.ulong64
			var out *C.char
			answer := C.booster_save(b.library.api, c, config, &n, &out)
			if answer == 0 {
				model = C.GoBytes(unsafe.Pointer(out), C.int(n))
			}
			return answer
		})
	})
	return model, err
}

// Rounds is the number of rounds that the model has.
func (b *Booster) Rounds() (int, error) {
	var n C.int
	err := b.call("count rounds", func(c C.handle) C.int { return C.booster_rounds(b.library.api, c, &n) })
	return int(n), err
}

// SetAttribute keeps a text with the model.
func (b *Booster) SetAttribute(key, value string) error {
	return b.call("set attribute", func(c C.handle) C.int {
		return cString(key, func(key *C.char) C.int {
			return cString(value, func(value *C.char) C.int { return C.booster_set(b.library.api, c, key, value) })
		})
	})
}

// Attribute returns a text that is kept with the model.
func (b *Booster) Attribute(key string) (value string, ok bool, err error) {
	err = b.call("get attribute", func(c C.handle) C.int {
		return cString(key, func(key *C.char) C.int {
			var out *C.char
			var found C.int
			answer := C.booster_get(b.library.api, c, key, &out, &found)
			if ok = answer == 0 && found != 0; ok {
				value = C.GoString(out)
			}
			return answer
		})
	})
	return value, ok, err
}

// Close frees the booster.
func (b *Booster) Close() { b.handle.release() }

// An Output is what a prediction answers.
type Output int

// The outputs of XGBoost, by its numbers.
const (
	Answers       Output = 0 // of the objective's link
	Margins       Output = 1
	Contributions Output = 2 // for each group every feature and the bias
	Interactions  Output = 4
	Leaves        Output = 6
)

// Prediction is an array of rows: Shape[0] rows of what Shape[1:] says.
type Prediction struct {
	Shape  []int
	Values []float32
}

// Predict scores a matrix with the rounds from begin up to, not including, end; 0
// and 0 are all.
func (b *Booster) Predict(m *Matrix, o Output, begin, end int) (*Prediction, error) {
	return b.predict(m, o, begin, end, false)
}

func (b *Booster) predict(m *Matrix, o Output, begin, end int, training bool) (p *Prediction, err error) {
	config := fmt.Sprintf(`{"type":%d,"training":%t,"iteration_begin":%d,"iteration_end":%d,"strict_shape":true}`, o, training, begin, end)
	err = b.call("predict", func(c C.handle) C.int {
		return cString(config, func(config *C.char) C.int {
			var shape *C.ulong64
			var dims C.ulong64
			var out *C.float
			answer := C.booster_predict(b.library.api, c, m.handle.c, config, &shape, &dims, &out)
			if answer == 0 {
				p = copyPrediction(unsafe.Slice(shape, dims), out)
			}
			return answer
		})
	}, m)
	return p, err
}

func copyPrediction(shape []C.ulong64, values *C.float) *Prediction {
	p, n := &Prediction{}, 1
	for _, s := range shape {
		p.Shape = append(p.Shape, int(s))
		n *= int(s)
	}
	p.Values = slices.Clone(unsafe.Slice((*float32)(values), n))
	return p
}

// update adds one round by the objective.
func (b *Booster) update(round int, m *Matrix) error {
	return b.call(fmt.Sprintf("round %d", round), func(c C.handle) C.int {
		return C.booster_update(b.library.api, c, C.int(round), m.handle.c)
	}, m)
}

// boost adds one round by derivatives.
func (b *Booster) boost(round int, m *Matrix, gradient, hessian []float32) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&gradient[0])
	pin.Pin(&hessian[0])
	groups := len(gradient) / m.rows
	return b.call(fmt.Sprintf("round %d", round), func(c C.handle) C.int {
		return cString(floats(gradient, false, m.rows, groups), func(g *C.char) C.int {
			return cString(floats(hessian, false, m.rows, groups), func(h *C.char) C.int {
				return C.booster_boost(b.library.api, c, C.int(round), m.handle.c,
					(*C.float)(&gradient[0]), (*C.float)(&hessian[0]), C.ulong64(len(gradient)), g, h)
			})
		})
	}, m)
}

// evaluate returns XGBoost's line of the metrics of a round.
func (b *Booster) evaluate(round int, names []string, matrices []*Matrix) (line string, err error) {
	list := make([]C.handle, len(matrices))
	err = b.call("evaluate", func(c C.handle) (answer C.int) {
		for i, m := range matrices {
			list[i] = m.handle.c
		}
		cStrings(names, func(names **C.char) {
			var out *C.char
			answer = C.booster_eval(b.library.api, c, C.int(round), unsafe.SliceData(list), names, C.ulong64(len(list)), &out)
			if answer == 0 {
				line = strings.Clone(C.GoString(out))
			}
		})
		return answer
	}, matrices...)
	return line, err
}
