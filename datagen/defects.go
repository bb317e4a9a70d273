package datagen

import (
	"engage/datagen/philox"
	"engage/internal/frame"
	"engage/internal/schema"
)

// Defect is a kind of data-quality fault that is planted on request, so that a
// validation can be judged by what it finds. Each customer has at most one. The
// truth and the ceilings are those of the sound data.
type Defect string

// The kinds of fault, in the order in which they are given to customers.
const (
	MissingRequired Defect = "missing_required" // no value where one is required
	OutOfRange      Defect = "out_of_range"     // a value below its range
	UnknownCategory Defect = "unknown_category" // a value that is not in the list
	DuplicateID     Defect = "duplicate_id"     // the id of another customer; the own one is lost
	MalformedID     Defect = "malformed_id"     // an id of another form; the own one is lost
	Inconsistent    Defect = "inconsistent"     // premium features used on a free plan
	OrphanPerson    Defect = "orphan_person"    // personal data of nobody; the customer's own is lost
	OrphanEdge      Defect = "orphan_edge"      // a connection to nobody, added
)

// Defects lists the kinds of fault.
var Defects = []Defect{
	MissingRequired, OutOfRange, UnknownCategory, DuplicateID, MalformedID, Inconsistent, OrphanPerson, OrphanEdge,
}

// rowsPerDefect is the number of customers for one fault of each kind.
const rowsPerDefect = 2000

// nobody returns a row beyond all customers, another one for each customer with
// a fault: there are at most MaxRows / rowsPerDefect of a kind.
func (d *damage) nobody(row int) int { return MaxRows + d.order.from(row)%d.each }

// damage says which customers have which fault.
type damage struct {
	order permutation // its first entries are the customers with a fault, kind by kind
	each  int         // number of faults of a kind; 0: none are planted
}

func newDamage(config Config) damage {
	source := philox.New(config.Seed, forDefects, 0)
	return damage{newPermutation(config.Rows, &source), min(max(1, config.Rows/rowsPerDefect), config.Rows/len(Defects))}
}

// of returns the fault of a customer, or "".
func (d *damage) of(row int) Defect {
	if d.each == 0 {
		return ""
	}
	if place := d.order.from(row) / d.each; place < len(Defects) {
		return Defects[place]
	}
	return ""
}

// Planted returns how many faults of each kind the population has, or nil.
func (p *Population) Planted() map[Defect]int {
	if p.damage.each == 0 {
		return nil
	}
	counts := make(map[Defect]int, len(Defects))
	for _, kind := range Defects {
		counts[kind] = p.damage.each
	}
	return counts
}

// damageCustomers plants the faults of the customers in b, whose first row is lo.
func (p *Population) damageCustomers(b *frame.Batch, lo int) {
	if p.damage.each == 0 {
		return
	}
	ids := b.Column(schema.CustomerID).Strings
	for i := range b.Rows {
		switch p.damage.of(lo + i) {
		case MissingRequired:
			logins := b.Column(schema.AvgDailyLogins)
			logins.Floats[i] = 0
			logins.SetNull(i, b.Rows)
		case OutOfRange:
			b.Column(schema.AvgSessionDurationMin).Floats[i] = -1
		case UnknownCategory:
			b.Column(schema.DeviceType).Strings[i] = "unknown"
		case DuplicateID:
			sound := p.soundAfter(lo + i)
			ids[i] = customerIDs(1, rowsFrom(sound))[0]
		case MalformedID:
			ids[i] = "C" + ids[i][len(idPrefix):]
		case Inconsistent:
			b.Column(schema.AccountType).Strings[i] = schema.AccountTypes[0]
			b.Column(schema.PremiumFeatureUsageRate).Floats[i] = 0.5
		}
	}
}

// soundAfter returns the next customer after row, around the end, without a fault.
func (p *Population) soundAfter(row int) int {
	for next := (row + 1) % p.rows; next != row; next = (next + 1) % p.rows {
		if p.damage.of(next) == "" {
			return next
		}
	}
	return row
}

// damagePersons plants the faults of the personal data in b, whose first row is lo.
func (p *Population) damagePersons(b *frame.Batch, lo int) {
	if p.damage.each == 0 {
		return
	}
	ids := b.Column(schema.CustomerID).Strings
	for i := range ids {
		if p.damage.of(lo+i) == OrphanPerson {
			ids[i] = customerIDs(1, rowsFrom(p.damage.nobody(lo+i)))[0]
		}
	}
}

// orphanEdge reports whether a connection to nobody is added to a customer.
func (p *Population) orphanEdge(row int) bool { return p.damage.of(row) == OrphanEdge }
