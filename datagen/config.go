package datagen

import (
	"errors"
	"fmt"
)

// Version names the statistical model. It changes whenever the same seed would
// give other values.
const Version = "1"

// The limits of a population. Ids have eight digits; those above MaxRows are
// nobody's.
const (
	MinRows = 1
	MaxRows = 99_000_000
)

// ErrRows says that the number of customers is out of range.
var ErrRows = errors.New("number of customers is out of range")

// Config says which population to make.
type Config struct {
	Rows    int    // number of customers, MinRows to MaxRows
	Seed    uint64 // the same seed and rows give the same population
	Workers int    // goroutines; at least 1. The population does not depend on it
	Defects bool   // plant faults for a validation to find

	// Progress, if set, hears how much of a stage of New is done; total 0 is
	// unknown. It is called from one goroutine at a time.
	Progress func(stage Stage, done, total int)
}

// Stage is a part of the work of New.
type Stage string

// The stages.
const (
	Connecting Stage = "connect customers"
	Ranking    Stage = "rank customers by centrality"
)

// Validate reports what is wrong with the configuration.
func (c Config) Validate() error {
	if c.Rows < MinRows || c.Rows > MaxRows {
		return fmt.Errorf("%d customers: %w: want %d to %d", c.Rows, ErrRows, MinRows, MaxRows)
	}
	return nil
}

// purpose keeps the random numbers of one part of the model apart from those of
// all others, so that a change in one leaves the rest as it was.
type purpose = uint32

const (
	forCommunities purpose = iota + 1
	forCommunityTraits
	forOrder
	forTraits
	forEdges
	forFeatures
	forTargets
	forPersons
	forDefects
)
