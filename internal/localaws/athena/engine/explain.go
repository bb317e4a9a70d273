package engine

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"

	"engage/internal/localaws/athena/sql"
)

// explain gives DuckDB's plan, the one that runs.
func (r *run) explain(st *sql.Explain) error {
	q := st.Statement.(*sql.QueryStatement).Query
	return r.withSession(func(s *session) error {
		tr, err := s.translate(q)
		if err != nil {
			return err
		}
		verb := "EXPLAIN "
		if st.Analyze {
			verb = "EXPLAIN ANALYZE "
		}
		tr = tr.within(verb, "")
		rows, err := s.in.query(s.ctx, tr.text)
		if err != nil {
			return tr.explainError(err)
		}
		defer rows.Close()
		dest := make([]driver.Value, 2)
		var out [][]string
		for rows.Next(dest) == nil {
			text, _ := dest[1].(string)
			for _, l := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
				out = append(out, []string{l})
			}
		}
		return r.writeText([]Column{{Name: "Query Plan", Type: "varchar", Precision: 2147483647, CaseSensitive: true}}, out)
	})
}

// step is a step of a plan that has not run, as EXPLAIN (FORMAT json) writes it.
type step struct {
	Children []step         `json:"children"`
	Info     map[string]any `json:"extra_info"`
}

// checkLimit stops a query that would scan more than it may, before it does. What it scans is known
// from its plan: columns, filters and partitions.
func (s *session) checkLimit(tr translation) error {
	if s.req.ScanLimit == 0 {
		return nil
	}
	plan, err := s.plan(tr)
	if err != nil {
		return err
	}
	var nodes []node
	for _, p := range plan {
		nodes = p.collect(nodes)
	}
	if n, err := s.bytesOf(nodes); err != nil || n <= s.req.ScanLimit {
		return err
	}
	return ErrScanLimit
}

func (s *session) plan(tr translation) ([]step, error) {
	tr = tr.within("EXPLAIN (FORMAT json) ", "")
	rows, err := s.in.query(s.ctx, tr.text)
	if err != nil {
		return nil, tr.explainError(err)
	}
	defer rows.Close()
	dest := make([]driver.Value, 2)
	if err := rows.Next(dest); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	text, _ := dest[1].(string)
	var plan []step
	if err := json.Unmarshal([]byte(text), &plan); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	return plan, nil
}

func (p step) collect(out []node) []node {
	info := map[string]string{}
	for k, v := range p.Info {
		switch v := v.(type) {
		case string:
			info[k] = v
		case []any: // one line each
			parts := make([]string, len(v))
			for i, x := range v {
				parts[i] = fmt.Sprint(x)
			}
			info[k] = strings.Join(parts, "\n")
		}
	}
	out = appendScan(out, info)
	for _, c := range p.Children {
		out = c.collect(out)
	}
	return out
}
