// Package datagen makes populations of customers whose truth is known: a
// structural model with latent traits, a social graph, and targets that are a
// documented function of what can be observed plus noise of known size. It is
// pure: no files, no clock, no global randomness. The same seed and number of
// rows give the same population on the same architecture, whatever the number
// of workers.
package datagen

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"engage/datagen/philox"
	"engage/internal/graph"
)

// Population is a population of customers. Its methods may be called from many
// goroutines at once.
type Population struct {
	rows, workers int
	seed          uint64
	communities   communities
	order         permutation // customer -> node; nodes of a community are neighbours, customers are not
	graph         *graph.CSR
	centrality    []float32 // of each node, the largest 1
	damage        damage
	progress      func(stage Stage, done, total int)
}

// New makes the communities, the social graph and its centrality. It takes most
// of the memory that a population needs, about 100 bytes a customer.
func New(ctx context.Context, config Config) (*Population, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	source := philox.New(config.Seed, forOrder, 0)
	p := &Population{
		rows:        config.Rows,
		workers:     max(config.Workers, 1),
		seed:        config.Seed,
		communities: plantCommunities(config.Rows, config.Seed),
		order:       newPermutation(config.Rows, &source),
	}
	if p.progress = config.Progress; p.progress == nil {
		p.progress = func(Stage, int, int) {}
	}
	if config.Defects {
		p.damage = newDamage(config)
	}
	if err := p.connect(ctx); err != nil {
		return nil, fmt.Errorf("connect customers: %w", err)
	}
	return p, nil
}

// Rows returns the number of customers.
func (p *Population) Rows() int { return p.rows }

// eachCommunity calls f on every community, on several goroutines.
func (p *Population) eachCommunity(ctx context.Context, f func(c *community)) error {
	var group errgroup.Group
	var next atomic.Int64
	for range p.workers {
		group.Go(func() error {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(p.communities) {
					return nil
				}
				f(&p.communities[i])
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}
