package engine

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/athena/sql"
)

func unescapePath(s string) string {
	if v, err := url.PathUnescape(s); err == nil {
		return v
	}
	return s
}

// partitionName is key=value/key=value.
func partitionName(t catalog.Table, vs []string) string {
	parts := make([]string, len(vs))
	for i, v := range vs {
		parts[i] = t.PartitionKeys[i].Name + "=" + escapePath(v)
	}
	return strings.Join(parts, "/")
}

// show runs SHOW.
func (r *run) show(st *sql.Show) error {
	r.res.Substatement = "SHOW_" + strings.ReplaceAll(st.What, " ", "_")
	switch st.What {
	case "DATABASES":
		return r.showDatabases(st)
	case "TABLES", "VIEWS":
		return r.showTables(st)
	case "PARTITIONS":
		return r.showPartitions(st)
	}
	t, err := r.described(st.Name)
	if err != nil {
		return err
	}
	switch st.What {
	case "COLUMNS":
		var rows [][]string
		for _, c := range append(slices.Clone(t.Storage.Columns), t.PartitionKeys...) {
			rows = append(rows, []string{pad(c.Name)})
		}
		return r.writeText([]Column{textColumn("field")}, rows)
	case "TBLPROPERTIES":
		return r.showProperties(t, st.Key)
	case "CREATE VIEW":
		return r.showView(t)
	default:
		return r.showTable(t)
	}
}

// pad fills a name with blanks to 20 characters, as Hive prints it.
func pad(s string) string { return fmt.Sprintf("%-20s", s) }

func (r *run) described(n sql.QualifiedName) (catalog.Table, error) {
	db := r.database(n)
	t, err := r.cfg.Catalog.Table(r.ctx, db, n.Table)
	if notFound(err) {
		return t, semantic("[Error 10001]: Table not found %s.%s", db, n.Table)
	}
	return t, err
}

// matches reports whether a name fits Hive's pattern: * stands for anything, | for or.
func matches(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	for _, p := range strings.Split(strings.ToLower(pattern), "|") {
		if wildcard(strings.ReplaceAll(p, "%", "*"), name) {
			return true
		}
	}
	return false
}

func wildcard(p, s string) bool {
	head, rest, star := strings.Cut(p, "*")
	if !strings.HasPrefix(s, head) {
		return false
	}
	if s = s[len(head):]; !star {
		return s == ""
	}
	for i := 0; i <= len(s); i++ {
		if wildcard(rest, s[i:]) {
			return true
		}
	}
	return false
}

func (r *run) showDatabases(st *sql.Show) error {
	ds, err := r.cfg.Catalog.Databases(r.ctx)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, d := range ds {
		if matches(st.Pattern, d.Name) {
			rows = append(rows, []string{d.Name})
		}
	}
	return r.writeText([]Column{textColumn("database_name")}, rows)
}

func (r *run) showTables(st *sql.Show) error {
	db := r.database(st.Name)
	ts, err := r.cfg.Catalog.Tables(r.ctx, db)
	if notFound(err) {
		return semantic("[Error 10072]: Database does not exist: %s", db)
	}
	if err != nil {
		return err
	}
	var rows [][]string
	for _, t := range ts {
		if matches(st.Pattern, t.Name) && (st.What == "TABLES" || t.Type == catalog.View) {
			rows = append(rows, []string{t.Name})
		}
	}
	column := map[string]string{"TABLES": "tab_name", "VIEWS": "views"}[st.What]
	return r.writeText([]Column{textColumn(column)}, rows)
}

func (r *run) showPartitions(st *sql.Show) error {
	t, err := r.partitionedTable(st.Name)
	if err != nil {
		return err
	}
	ps, err := r.cfg.Catalog.Partitions(r.ctx, t.Database, t.Name)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, p := range ps {
		rows = append(rows, []string{partitionName(t, p.Values)})
	}
	return r.writeText([]Column{textColumn("partition")}, rows)
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (r *run) showProperties(t catalog.Table, key string) error {
	var rows [][]string
	for _, k := range sortedKeys(t.Parameters) {
		if key == "" || key == k {
			rows = append(rows, []string{k, t.Parameters[k]})
		}
	}
	if key != "" && rows == nil {
		rows = [][]string{{fmt.Sprintf("Table %s.%s does not have property: %s", t.Database, t.Name, key)}}
	}
	return r.writeText([]Column{textColumn("prpt_name"), textColumn("prpt_value")}, rows)
}

func (r *run) showView(t catalog.Table) error {
	if t.Type != catalog.View {
		return sql.Errorf(sql.NotSupported, sql.Pos{}, "Relation '%s.%s.%s' is a table, not a view", awsDataCatalog, t.Database, t.Name)
	}
	v, err := decodeView(t)
	if err != nil {
		return sql.Errorf(sql.ViewInvalid, sql.Pos{}, "view %s.%s: %v", t.Database, t.Name, err)
	}
	rows := [][]string{{fmt.Sprintf("CREATE VIEW %s.%s AS ", t.Database, t.Name)}}
	for _, l := range strings.Split(v.OriginalSQL, "\n") {
		rows = append(rows, []string{l})
	}
	return r.writeText([]Column{textColumn("Create View")}, rows)
}

// showTable writes the statement that would make the table again.
func (r *run) showTable(t catalog.Table) error {
	if t.Type == catalog.View {
		return sql.Errorf(sql.NotSupported, sql.Pos{}, "Relation '%s.%s.%s' is a view, not a table", awsDataCatalog, t.Database, t.Name)
	}
	out := []string{fmt.Sprintf("CREATE EXTERNAL TABLE `%s.%s`(", t.Database, t.Name)}
	out = append(out, definitions(t.Storage.Columns)...)
	if len(t.PartitionKeys) > 0 {
		out = append(append(out, "PARTITIONED BY ( "), definitions(t.PartitionKeys)...)
	}
	out = append(out, "ROW FORMAT SERDE ", "  "+hiveString(t.Storage.SerDe.Library)+" ")
	if len(t.Storage.SerDe.Parameters) > 0 {
		out = append(append(out, "WITH SERDEPROPERTIES ( "), propertyLines(t.Storage.SerDe.Parameters)...)
	}
	out = append(out, "STORED AS INPUTFORMAT ", "  "+hiveString(t.Storage.InputFormat)+" ", "OUTPUTFORMAT ", "  "+hiveString(t.Storage.OutputFormat),
		"LOCATION", "  "+hiveString(t.Storage.Location))
	properties := map[string]string{}
	for k, v := range t.Parameters {
		if k != "EXTERNAL" {
			properties[k] = v
		}
	}
	if len(properties) > 0 {
		out = append(append(out, "TBLPROPERTIES ("), propertyLines(properties)...)
	}
	rows := make([][]string, len(out))
	for i, l := range out {
		rows[i] = []string{l}
	}
	return r.writeText([]Column{textColumn("createtab_stmt")}, rows)
}

// hiveString quotes a string so that Hive's lexer gives it back.
func hiveString(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, c := range s {
		switch {
		case c == '\'' || c == '\\':
			b.WriteString(`\` + string(c))
		case c < 0x20:
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String() + "'"
}

func definitions(cs []catalog.Column) []string {
	out := make([]string, len(cs))
	for i, c := range cs {
		out[i] = fmt.Sprintf("  `%s` %s", c.Name, c.Type)
		if c.Comment != "" {
			out[i] += " COMMENT " + hiveString(c.Comment)
		}
		out[i] += ", "
	}
	if n := len(out); n > 0 {
		out[n-1] = strings.TrimSuffix(out[n-1], ", ") + ")"
	}
	return out
}

func propertyLines(m map[string]string) []string {
	var out []string
	for _, k := range sortedKeys(m) {
		out = append(out, fmt.Sprintf("  %s=%s, ", hiveString(k), hiveString(m[k])))
	}
	out[len(out)-1] = strings.TrimSuffix(out[len(out)-1], ", ") + ")"
	return out
}

// describe runs DESCRIBE.
func (r *run) describe(st *sql.Describe) error {
	r.res.Substatement = "DESCRIBE_TABLE"
	if st.Mode != "" || st.Partition != nil {
		return sql.Errorf(sql.NotSupported, sql.Pos{}, "DESCRIBE EXTENDED, FORMATTED and PARTITION are not supported")
	}
	t, err := r.described(st.Name)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, c := range append(slices.Clone(t.Storage.Columns), t.PartitionKeys...) {
		if st.Column == "" || st.Column == c.Name {
			rows = append(rows, []string{pad(c.Name), pad(c.Type), pad(c.Comment)})
		}
	}
	if st.Column != "" && rows == nil {
		return semantic("[Error 10002]: Invalid column reference %s", st.Column)
	}
	if len(t.PartitionKeys) > 0 && st.Column == "" {
		blank := []string{pad(""), pad(""), pad("")}
		rows = append(rows, blank, []string{"# Partition Information", "", ""}, []string{pad("# col_name"), pad("data_type"), pad("comment")}, blank)
		for _, c := range t.PartitionKeys {
			rows = append(rows, []string{pad(c.Name), pad(c.Type), pad(c.Comment)})
		}
	}
	return r.writeText([]Column{textColumn("col_name"), textColumn("data_type"), textColumn("comment")}, rows)
}
