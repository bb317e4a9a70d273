package wire

import "context"

// Quantity is an amount of something that AWS bills.
type Quantity struct {
	Service  string  `json:"service"`            // "lambda"
	Usage    string  `json:"usage"`              // with its unit: "GB-Seconds", "Requests-Tier1", "BytesScanned"
	Resource string  `json:"resource,omitempty"` // function, task, query, bucket
	RunID    string  `json:"runId,omitempty"`
	Amount   float64 `json:"amount"`
}

// Meter counts what is used.
type Meter interface {
	Add(ctx context.Context, q Quantity)
}

// NoMeter counts nothing.
type NoMeter struct{}

// Add forgets the quantity.
func (NoMeter) Add(context.Context, Quantity) {}
