package engine

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"github.com/parquet-go/parquet-go"
)

// node is a scan of the plan that ran.
type node struct {
	columns []string // that it read, in lower case
	filters []string // that were pushed down to it
	files   []string // that it read, where the plan names them
	count   int      // of files that it was given, or 0
	pruning string   // the filter that left files out
}

// collect finds the scans of a plan.
func collect(i duckdb.ProfilingInfo, out []node) []node {
	out = appendScan(out, parseExtra(i.Metrics["EXTRA_INFO"]))
	for _, c := range i.Children {
		out = collect(c, out)
	}
	return out
}

// appendScan reads a step of a plan, where it is a scan.
func appendScan(out []node, info map[string]string) []node {
	if f := info["Function"]; f == "READ_PARQUET" || f == "READ_CSV" {
		n := node{columns: lines(info["Projections"]), filters: lines(info["Filters"]), pruning: info["File Filters"]}
		for _, f := range n.filters {
			n.columns = append(n.columns, filterColumn(f))
		}
		if names := info["Filename(s)"]; names != "" {
			n.files = strings.Split(names, ", ")
		}
		if _, total, ok := strings.Cut(info["Scanning Files"], "/"); ok {
			n.count, _ = strconv.Atoi(total)
		}
		out = append(out, n)
	}
	return out
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.ToLower(s), "\n")
}

// filterColumn is the column that a pushed filter begins with: age>=3 AND age<=4.
func filterColumn(f string) string {
	f = strings.TrimPrefix(strings.TrimPrefix(f, "optional: "), "(")
	if i := strings.IndexAny(f, "=<>! "); i > 0 {
		return strings.Trim(f[:i], `"`)
	}
	return f
}

// parseExtra reads DuckDB's text of a map: {Key=value, 'Key(s)'='quoted, value'}.
func parseExtra(s string) map[string]string {
	m := map[string]string{}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "{"), "}")
	for s != "" {
		var key, value string
		key, s = extraItem(s, '=')
		value, s = extraItem(s, ',')
		m[key] = value
		s = strings.TrimPrefix(s, " ")
	}
	return m
}

// extraItem reads up to end, or a quoted text up to its quote.
func extraItem(s string, end byte) (item, rest string) {
	if !strings.HasPrefix(s, "'") {
		if i := strings.IndexByte(s, end); i >= 0 {
			return s[:i], s[i+1:]
		}
		return s, ""
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '\'':
			return b.String(), strings.TrimPrefix(s[i+1:], string(end))
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// scanned adds up what the query that just ran has read.
func (s *session) scanned() (int64, error) {
	root, err := duckdb.GetProfilingInfo(s.in.session)
	if err != nil {
		return 0, nil // DuckDB keeps none for a query that it answered from the files' footers alone
	}
	return s.bytesOf(collect(root, nil))
}

// bytesOf adds up scans: of Parquet the compressed chunks of the columns that they need, in row
// groups that the filters cannot rule out; of text whole files.
func (s *session) bytesOf(nodes []node) (int64, error) {
	var total int64
	for _, n := range nodes {
		sc := s.scanOf(n)
		if sc == nil {
			continue
		}
		files, err := s.filesOf(sc, n)
		if err != nil {
			return 0, err
		}
		for _, f := range files {
			total += f.scanned(n)
		}
	}
	return total, nil
}

// scanOf finds the table that a node scans: by a file that it names, else by its columns and number of files.
func (s *session) scanOf(n node) *scan {
	for _, sc := range s.scans {
		for _, f := range sc.files {
			if len(n.files) > 0 && f.local == n.files[0] {
				return sc
			}
		}
	}
	if len(n.files) > 0 {
		return nil
	}
	for _, sc := range s.scans {
		if len(sc.files) > 0 && (n.count == 0 || n.count == len(sc.files)) && sc.has(n.columns) {
			return sc
		}
	}
	return nil
}

func (s *scan) has(columns []string) bool {
	known := map[string]bool{}
	for _, c := range s.table.Storage.Columns {
		known[strings.ToLower(c.Name)] = true
	}
	for _, c := range columns {
		if !known[c] {
			return false
		}
	}
	return true
}

// filesOf are the files that a scan read: those that it names, or those that its filter on partitions leaves.
func (s *session) filesOf(sc *scan, n node) ([]file, error) {
	if len(n.files) > 0 {
		named := map[string]bool{}
		for _, f := range n.files {
			named[f] = true
		}
		var out []file
		for _, f := range sc.files {
			if named[f.local] {
				out = append(out, f)
			}
		}
		return out, nil
	}
	if n.pruning == "" {
		return sc.files, nil
	}
	return s.prune(sc, n.pruning)
}

// prune asks DuckDB itself which partitions a filter leaves: "(a = 'x')(b > 3)".
func (s *session) prune(sc *scan, filter string) ([]file, error) {
	rows := make([]string, len(sc.files))
	for i, f := range sc.files {
		row := strconv.Itoa(i)
		for k, v := range f.values {
			ty, err := duckType(sc.table.PartitionKeys[k])
			if err != nil {
				return nil, err
			}
			if v == defaultPartition {
				row += ", NULL"
			} else {
				row += ", CAST(" + literal(v) + " AS " + ty + ")"
			}
		}
		rows[i] = "(" + row + ")"
	}
	names := []string{"_file"}
	for _, k := range sc.table.PartitionKeys {
		names = append(names, ident(k.Name))
	}
	q := "SELECT _file FROM (VALUES " + strings.Join(rows, ", ") + ") AS t(" + strings.Join(names, ", ") + ") WHERE " + strings.Join(conjuncts(filter), " AND ")
	found, err := s.in.query(s.ctx, q)
	if err != nil {
		var e *duckdb.Error
		if errors.As(err, &e) {
			return sc.files, nil // a filter that does not read back: count every file
		}
		return nil, err
	}
	defer found.Close()
	var out []file
	dest := make([]driver.Value, 1)
	for {
		if err := found.Next(dest); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("find partitions: %w", err)
		}
		if i, ok := dest[0].(int32); ok {
			out = append(out, sc.files[i])
		}
	}
}

// conjuncts cuts "(a)(b)" into "(a)" and "(b)".
func conjuncts(s string) []string {
	var out []string
	depth, start := 0, 0
	quoted := false
	for i, c := range []byte(s) {
		switch {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				out = append(out, s[start:i+1])
				start = i + 1
			}
		}
	}
	return out
}

// scanned is what a scan read of one file.
func (f file) scanned(n node) int64 {
	if f.footer == nil {
		return f.Size
	}
	columns := map[string]bool{}
	for _, c := range n.columns {
		columns[c] = true
	}
	var total int64
	for _, g := range f.footer.groups {
		if g.ruledOut(n.filters) {
			continue
		}
		for c := range columns {
			total += g.columns[c].bytes
		}
	}
	return total
}

// ruledOut reports whether some filter holds for no row of the group, by its least and greatest values.
func (g rowGroup) ruledOut(filters []string) bool {
	for _, f := range filters {
		if strings.HasPrefix(f, "optional: ") || strings.Contains(f, " or ") {
			continue
		}
		for _, part := range strings.Split(f, " and ") {
			c, op, value, ok := cutFilter(part)
			if k := g.columns[c]; ok && k.bounded && k.excludes(op, value) {
				return true
			}
		}
	}
	return false
}

// cutFilter cuts "age>=3" into its parts.
func cutFilter(f string) (column, op, value string, ok bool) {
	i := strings.IndexAny(f, "=<>!")
	if i <= 0 {
		return "", "", "", false
	}
	j := i + 1
	if j < len(f) && (f[j] == '=' || f[j] == '>') {
		j++
	}
	return strings.Trim(strings.TrimSpace(f[:i]), `"`), f[i:j], strings.TrimSpace(f[j:]), true
}

// excludes reports whether no value between the bounds satisfies the comparison. It speaks for numbers only.
func (k chunk) excludes(op, value string) bool {
	lo, lok := number(k.min)
	hi, hok := number(k.max)
	v, err := strconv.ParseFloat(value, 64)
	if !lok || !hok || err != nil {
		return false
	}
	switch op {
	case "=":
		return v < lo || v > hi
	case ">":
		return hi <= v
	case ">=":
		return hi < v
	case "<":
		return lo >= v
	case "<=":
		return lo > v
	}
	return false
}

func number(v parquet.Value) (float64, bool) {
	switch v.Kind() {
	case parquet.Int32:
		return float64(v.Int32()), true
	case parquet.Int64:
		return float64(v.Int64()), true
	case parquet.Float:
		return float64(v.Float()), true
	case parquet.Double:
		return v.Double(), true
	}
	return 0, false
}
