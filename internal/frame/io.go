package frame

// Block is an encoded run of rows, ready to be appended to the Encoder that made it.
type Block interface {
	// Rows is the number of rows in the block.
	Rows() int
}

// Encoder writes batches of one table. It splits writing in two, so that the
// costly half can use every core while the bytes of the file stay the same
// whatever the number of workers.
type Encoder interface {
	// Encode turns a batch into bytes in memory. Any goroutine may call it, at any time.
	// The batch may be reused once it returns. Errors: a value that the format cannot hold.
	Encode(*Batch) (Block, error)
	// Append writes a block. Calls must come one after the other, in row order;
	// a block is spent by it. Errors: those of the underlying writer.
	Append(Block) error
	// Close writes what the format puts at the end. It does not close the underlying writer.
	Close() error
}

// Reader yields the rows of one table in order.
type Reader interface {
	// Next returns the next batch, never an empty one, and io.EOF after the last.
	// The batch belongs to the caller until the following call.
	Next() (*Batch, error)
	Close() error
}
