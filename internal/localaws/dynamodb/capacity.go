package dynamodb

import (
	"context"

	"engage/internal/localaws/dynamodb/attr"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// What one unit carries:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
const (
	readUnit  = 4 << 10
	writeUnit = 1 << 10
)

// units rounds bytes up to units; the smallest amount is one.
func units(bytes, unit int) float64 { return float64(max(1, (bytes+unit-1)/unit)) }

// reads returns the units of a read of so many bytes.
func reads(bytes int, consistent bool) float64 {
	if consistent {
		return units(bytes, readUnit)
	}
	return units(bytes, readUnit) / 2
}

// cost is what a request consumes of a table and of its indexes.
type cost struct {
	table         float64
	local, global map[string]float64
	writes        bool // of write units, else of read units
	transaction   bool // told by kind of unit too
}

func (c *cost) add(o cost) {
	c.table += o.table
	c.writes, c.transaction = o.writes, o.transaction
	for name, n := range o.local {
		c.index(name, n, false)
	}
	for name, n := range o.global {
		c.index(name, n, true)
	}
}

func (c *cost) index(name string, n float64, global bool) {
	to := &c.local
	if global {
		to = &c.global
	}
	if *to == nil {
		*to = map[string]float64{}
	}
	(*to)[name] += n
}

// times returns the cost n times.
func (c cost) times(n float64) cost {
	out := cost{table: c.table * n, writes: c.writes, transaction: c.transaction}
	for name, u := range c.local {
		out.index(name, u*n, false)
	}
	for name, u := range c.global {
		out.index(name, u*n, true)
	}
	return out
}

func (c cost) total() float64 {
	n := c.table
	for _, u := range c.local {
		n += u
	}
	for _, u := range c.global {
		n += u
	}
	return n
}

type capacity struct {
	CapacityUnits      float64
	ReadCapacityUnits  float64 `json:",omitempty"`
	WriteCapacityUnits float64 `json:",omitempty"`
}

type consumed struct {
	TableName              string
	CapacityUnits          float64
	ReadCapacityUnits      float64             `json:",omitempty"`
	WriteCapacityUnits     float64             `json:",omitempty"`
	Table                  *capacity           `json:",omitempty"`
	LocalSecondaryIndexes  map[string]capacity `json:",omitempty"`
	GlobalSecondaryIndexes map[string]capacity `json:",omitempty"`
}

// returnCapacity is the member of requests that asks for what they consume.
type returnCapacity struct {
	ReturnConsumedCapacity string `enum:"INDEXES,TOTAL,NONE"`
}

// show writes the cost as the request asked for it: nil for not at all.
func (r returnCapacity) show(t *table, c cost) *consumed {
	if r.ReturnConsumedCapacity != "INDEXES" && r.ReturnConsumedCapacity != "TOTAL" {
		return nil
	}
	sum := c.capacity(c.total())
	out := &consumed{TableName: t.Name, CapacityUnits: sum.CapacityUnits, ReadCapacityUnits: sum.ReadCapacityUnits, WriteCapacityUnits: sum.WriteCapacityUnits}
	if r.ReturnConsumedCapacity == "INDEXES" {
		own := c.capacity(c.table)
		out.Table, out.LocalSecondaryIndexes, out.GlobalSecondaryIndexes = &own, c.capacities(c.local), c.capacities(c.global)
	}
	return out
}

func (c cost) capacity(n float64) capacity {
	out := capacity{CapacityUnits: n}
	switch {
	case c.transaction && c.writes:
		out.WriteCapacityUnits = n
	case c.transaction:
		out.ReadCapacityUnits = n
	}
	return out
}

func (c cost) capacities(all map[string]float64) map[string]capacity {
	out := map[string]capacity{}
	for name, n := range all {
		out[name] = c.capacity(n)
	}
	return out
}

// count books what a request consumed of a table.
func (s *Service) count(ctx context.Context, call *wire.Call, t *table, c cost) {
	usage := "ReadRequestUnits"
	if c.writes {
		usage = "WriteRequestUnits"
	}
	if n := c.total(); n > 0 {
		s.cfg.Meter.Add(ctx, wire.Quantity{Service: "dynamodb", Usage: usage, Resource: t.Name, RunID: call.Caller.RunID, Amount: n})
	}
}

// returnMetrics is the member of requests that asks for the size of item collections.
type returnMetrics struct {
	ReturnItemCollectionMetrics string `enum:"SIZE,NONE"`
}

type collectionMetrics struct {
	ItemCollectionKey   attr.Item
	SizeEstimateRangeGB []float64
}

// collection returns the size of the item collection of a changed item: only
// tables with local indexes have collections. The estimate is a whole GB wide.
func (r returnMetrics) collection(tx state.Tx, t *table, key attr.Item) *collectionMetrics {
	if r.ReturnItemCollectionMetrics != "SIZE" || len(t.Local) == 0 {
		return nil
	}
	hash := key[t.Keys.hash()]
	bytes := partitionBytes(tx, t.ID, hash)
	for _, x := range t.Local {
		bytes += partitionBytes(tx, x.ID, hash)
	}
	low := float64(bytes >> 30)
	return &collectionMetrics{attr.Item{t.Keys.hash(): hash}, []float64{low, low + 1}}
}

func partitionBytes(tx state.Tx, id string, hash attr.Value) int {
	n := 0
	for raw := range items.Scan(tx, state.Prefix(id)+string(partition(hash)), "") {
		n += len(raw.ValueBytes())
	}
	return n
}
