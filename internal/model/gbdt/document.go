package gbdt

// maxNesting is how deep a document may nest; XGBoost's own needs eight levels.
const maxNesting = 64

// document walks a tree of values once, from the beginning to the end. There is
// one for each encoding. Each method reads one whole value, whatever its size;
// a value of another kind is a FormatError.
type document interface {
	// object calls member for each key; member must read the value.
	object(member func(key string) error) error
	// array calls element for each element; element must read it.
	array(element func() error) error
	text() (string, error)
	// floats and ints append an array of numbers or truth values.
	floats(to []float32) ([]float32, error)
	ints(to []int32) ([]int32, error)
	skip() error
	// end fails if anything follows.
	end() error
	offset() int
}

// open chooses the encoding: both begin with a brace, after which UBJSON has a
// marker of a key's length and JSON a quotation mark.
func open(data []byte) document {
	if len(data) > 1 && data[0] == '{' {
		switch data[1] {
		case 'i', 'U', 'I', 'l', 'L', '$', '#', 'N':
			return &ubjson{data: data}
		}
	}
	return &textJSON{data: data}
}
