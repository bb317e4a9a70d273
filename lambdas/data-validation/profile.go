package datavalidation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/schema"
	"engage/internal/store"
)

// Profile is how the values of a data set are distributed.
type Profile struct {
	RunID    string                        `json:"run_id"`
	Dataset  string                        `json:"dataset"`
	DataHash string                        `json:"data_hash"`
	Rows     int64                         `json:"rows"`
	Columns  map[schema.Name]*Distribution `json:"columns"`
}

// Distribution counts rows in bins: those without a value; of a number, those up
// to each edge and those above the last; of a category, those of each value.
type Distribution struct {
	Missing int64            `json:"missing"`
	Edges   []float64        `json:"edges,omitempty"` // strictly rising
	Counts  []int64          `json:"counts,omitempty"`
	Values  map[string]int64 `json:"values,omitempty"`
}

// profiled lists the columns that are profiled: all but ids.
func profiled() []schema.Column {
	return slices.DeleteFunc(slices.Clone(schema.Customers.Columns), func(c schema.Column) bool {
		return !c.Numeric() && values(c) == nil
	})
}

// values are the values of a column that has few.
func values(c schema.Column) []string {
	if c.Type == schema.Boolean {
		return []string{"true", "false"}
	}
	return c.Enum
}

// measure checks the customers, profiles them and compares the profile with the
// reference, in two rounds: the second needs the first's deciles.
func (h Handler) measure(ctx context.Context, report *Report, reference *Profile) (*Profile, error) {
	customers, list := query.TableOf(resource.CustomersTable), checks()
	first := []query.Measure{{Name: "rows", Value: query.CountRows()}}
	for _, c := range list {
		first = append(first, c.measure)
	}
	for _, c := range profiled() {
		first = append(first, rough(c)...)
	}
	row, err := query.Measures(ctx, h.SQL, "check customers", customers, first)
	if err != nil {
		return nil, err
	}
	found, err := findings(list, row)
	if err != nil {
		return nil, err
	}
	p, err := roughProfile(row)
	if err != nil {
		return nil, err
	}
	var fine []query.Measure
	for _, c := range profiled() {
		fine = append(fine, edgeCounts(c, p.edges(c.Name), reference.edges(c.Name))...)
	}
	bins, err := query.Measures(ctx, h.SQL, "profile customers", customers, fine)
	if err != nil {
		return nil, err
	}
	if err := p.count(bins); err != nil {
		return nil, err
	}
	report.add(found...)
	report.Rows = p.Rows
	return p, compare(p, reference, bins, report)
}

// rough are the measures of a column's distribution that need no edges.
func rough(c schema.Column) []query.Measure {
	out := []query.Measure{{Name: "missing " + string(c.Name), Value: query.CountNull(c)}}
	if c.Numeric() {
		return append(out, query.Measure{Name: "deciles " + string(c.Name), Value: query.Deciles(c)})
	}
	for _, v := range values(c) {
		out = append(out, query.Measure{Name: valueName(c.Name, v), Value: query.CountText(c, v)})
	}
	return out
}

func valueName(c schema.Name, v string) string { return fmt.Sprintf("value %s %s", c, v) }

// roughProfile reads what rough measured. Deciles that are the same are one edge.
func roughProfile(row query.Row) (*Profile, error) {
	p := &Profile{Columns: map[schema.Name]*Distribution{}}
	var err error
	if p.Rows, err = row.Int("rows"); err != nil {
		return nil, err
	}
	for _, c := range profiled() {
		d := &Distribution{}
		p.Columns[c.Name] = d
		if d.Missing, err = row.Int("missing " + string(c.Name)); err != nil {
			return nil, err
		}
		if c.Numeric() {
			if d.Edges, err = row.Floats("deciles " + string(c.Name)); err != nil {
				return nil, err
			}
			slices.Sort(d.Edges)
			d.Edges = slices.Compact(d.Edges)
			continue
		}
		d.Values = map[string]int64{}
		for _, v := range values(c) {
			if d.Values[v], err = row.Int(valueName(c.Name, v)); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// edges are those of a column, none where there is no profile.
func (p *Profile) edges(c schema.Name) []float64 {
	if p == nil || p.Columns[c] == nil {
		return nil
	}
	return p.Columns[c].Edges
}

// edgeCounts are the measures that count values up to each edge.
func edgeCounts(c schema.Column, lists ...[]float64) []query.Measure {
	edges := slices.Concat(lists...)
	slices.Sort(edges)
	var out []query.Measure
	for _, e := range slices.Compact(edges) {
		out = append(out, query.Measure{Name: edgeName(c.Name, e), Value: query.CountAtMost(c, e)})
	}
	return out
}

func edgeName(c schema.Name, edge float64) string { return fmt.Sprintf("upto %s %v", c, edge) }

// count fills in the counts of the profile's own bins.
func (p *Profile) count(bins query.Row) (err error) {
	for _, c := range profiled() {
		if d := p.Columns[c.Name]; c.Numeric() {
			if d.Counts, err = binned(c.Name, d.Edges, p.Rows-d.Missing, bins); err != nil {
				return err
			}
		}
	}
	return nil
}

// binned turns counts up to edges into counts between them; present is the number of values.
func binned(c schema.Name, edges []float64, present int64, bins query.Row) ([]int64, error) {
	counts, below := make([]int64, 0, len(edges)+1), int64(0)
	for _, e := range edges {
		n, err := bins.Int(edgeName(c, e))
		if err != nil {
			return nil, err
		}
		counts, below = append(counts, n-below), n
	}
	return append(counts, present-below), nil
}

// accepted returns the profile of the data that was accepted last, or nil.
func (h Handler) accepted(ctx context.Context, report *Report) (*Profile, error) {
	text, err := h.Parameters.Get(ctx, resource.AcceptedData)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	var ref Reference
	if json.Unmarshal([]byte(text), &ref) != nil || ref.Profile == "" {
		report.add(Finding{Severity: SeverityInfo, Rule: "drift", Message: "no data was accepted before: there is nothing to compare with"})
		return nil, nil
	}
	body, err := store.ReadAll(ctx, h.Store, resource.Runs.Bucket, ref.Profile)
	var p Profile
	if err == nil {
		err = json.Unmarshal(body, &p)
	}
	switch {
	case errors.Is(err, store.ErrDenied):
		return nil, err
	case err != nil:
		report.add(Finding{Severity: SeverityWarning, Rule: "drift", Message: fmt.Sprintf("the profile of the data accepted by run %s cannot be read: there is nothing to compare with", ref.RunID)})
		return nil, nil
	}
	report.Reference = &ref
	return &p, nil
}

// accept notes that later data is compared with this.
func (h Handler) accept(ctx context.Context, id resource.RunID, report *Report) error {
	note, err := json.Marshal(Reference{RunID: string(id), Dataset: report.Dataset, DataHash: report.DataHash, Profile: id.ProfileKey()})
	if err != nil {
		return fmt.Errorf("note the accepted data: %w", err)
	}
	return h.Parameters.Set(ctx, resource.AcceptedData, string(note))
}
