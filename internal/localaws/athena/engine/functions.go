package engine

import (
	"slices"
	"strings"
	"sync"

	"engage/internal/localaws/athena/sql"
)

// function says how one of Trino's functions is written for DuckDB. A function that is not in
// the table does not exist for a query, whatever DuckDB itself offers: that is also what keeps
// DuckDB's own readers of files and settings out of reach.
type function struct {
	min, max int // number of arguments; max < 0 is any number
	// out is DuckDB's form: $1 .. $9 are arguments, $* all of them. A name without parentheses
	// stands for name($*). The suffix of an aggregate or window function (FILTER, OVER) follows
	// the form or replaces each $S in it.
	out string
	agg bool // takes DISTINCT, ORDER BY, FILTER and OVER
	win bool // needs OVER
	// write does what a form cannot.
	write func(*translator, *sql.Call)
}

// functions is Trino's functions by name. It is made on first use because its writers refer to it.
var functions func() map[string]function

func init() { functions = sync.OnceValue(buildFunctions) }

func buildFunctions() map[string]function {
	m := map[string]function{}
	addPlain(m)
	addForms(m)
	addAggregates(m)
	addWindows(m)
	addSpecial(m)
	return m
}

// addPlain adds scalar functions that have one number of arguments and DuckDB's name, or another name, for the same meaning.
func addPlain(m map[string]function) {
	for arity, words := range map[int]string{
		0: "pi uuid random",
		1: `abs ceil ceiling floor sqrt cbrt exp ln log2 log10 sign degrees radians sin cos tan asin acos atan sinh cosh tanh
			lower upper length:trino_length reverse:trino_reverse chr codepoint:unicode year month day hour minute second quarter week
			day_of_week:isodow dow:isodow day_of_month:day day_of_year:dayofyear doy:dayofyear week_of_year:week last_day_of_month:last_day
			millisecond:millisecond to_unixtime:epoch from_unixtime:to_timestamp is_nan:isnan is_finite:isfinite is_infinite:isinf
			to_utf8:encode from_utf8:decode to_hex:hex from_hex:unhex to_base64 from_base64 url_encode url_decode
			array_max:list_max array_min:list_min array_distinct:list_distinct flatten map_keys map_values map_entries
			map_from_entries json_array_length`,
		2: `power pow log atan2 nullif strpos starts_with split:string_split levenshtein_distance:levenshtein hamming_distance:hamming
			regexp_like:regexp_matches regexp_extract_all regexp_split:regexp_split_to_array contains:list_contains
			arrays_overlap:list_has_any array_intersect:list_intersect json_extract_scalar:trino_json_scalar json_size:trino_json_size bitwise_xor:xor`,
		3: "translate split_part:trino_split_part lpad rpad slice:trino_slice",
		4: "width_bucket:trino_bucket",
	} {
		for _, w := range strings.Fields(words) {
			name, out, ok := strings.Cut(w, ":")
			if !ok {
				out = name
			}
			m[name] = function{min: arity, max: arity, out: out}
		}
	}
}

// addForms adds scalar functions whose form differs.
func addForms(m map[string]function) {
	for name, f := range map[string]function{
		"round":                  {min: 1, max: 2, out: "round"},
		"substr":                 {min: 2, max: 3, out: "substr"},
		"replace":                {min: 2, max: 3, write: (*translator).replace},
		"trim":                   {min: 1, max: 2, out: "trim"},
		"ltrim":                  {min: 1, max: 2, out: "ltrim"},
		"rtrim":                  {min: 1, max: 2, out: "rtrim"},
		"truncate":               {min: 1, max: 1, out: "trunc"},
		"mod":                    {min: 2, max: 2, write: (*translator).mod},
		"e":                      {out: "exp(1e0)"},
		"infinity":               {out: "CAST('Infinity' AS DOUBLE)"},
		"nan":                    {out: "CAST('NaN' AS DOUBLE)"},
		"rand":                   {max: 2, write: (*translator).random},
		"random":                 {max: 2, write: (*translator).random},
		"coalesce":               {min: 2, max: -1, write: (*translator).coalesce},
		"typeof":                 {min: 1, max: 1, write: (*translator).typeof},
		"to_iso8601":             {min: 1, max: 1, out: "trino_iso8601"},
		"at_timezone":            {min: 2, max: 2, write: (*translator).atTimezone},
		"json_array_get":         {min: 2, max: 2, out: "json_extract(CAST($1 AS JSON), CAST($2 AS BIGINT))"},
		"url_extract_protocol":   {min: 1, max: 1, out: "nullif(regexp_extract($1, '^([a-zA-Z][a-zA-Z0-9+.-]*):', 1), '')"},
		"url_extract_host":       {min: 1, max: 1, out: "nullif(regexp_extract($1, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^:/?#]*)', 1), '')"},
		"url_extract_path":       {min: 1, max: 1, out: "regexp_extract($1, '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*([^?#]*)', 1)"},
		"url_extract_query":      {min: 1, max: 1, out: "regexp_extract($1, '^[^?#]*[?]([^#]*)', 1)"},
		"concat_ws":              {min: 2, max: -1, out: "concat_ws"},
		"regexp_extract":         {min: 2, max: 3, out: "trino_regexp_extract"},
		"regexp_count":           {min: 2, max: 2, out: "len(regexp_extract_all($1, $2))"},
		"md5":                    {min: 1, max: 1, out: "unhex(md5($1))"},
		"sha256":                 {min: 1, max: 1, out: "unhex(sha256($1))"},
		"json_parse":             {min: 1, max: 1, out: "CAST($1 AS JSON)"},
		"json_format":            {min: 1, max: 1, out: "CAST($1 AS VARCHAR)"},
		"json_extract":           {min: 2, max: 2, out: "json_extract(CAST($1 AS JSON), $2)"},
		"from_iso8601_date":      {min: 1, max: 1, out: "CAST($1 AS DATE)"},
		"from_iso8601_timestamp": {min: 1, max: 1, out: "CAST($1 AS TIMESTAMPTZ)"},
		"date":                   {min: 1, max: 1, out: "CAST($1 AS DATE)"},
		"bitwise_and":            {min: 2, max: 2, out: "($1 & $2)"},
		"bitwise_or":             {min: 2, max: 2, out: "($1 | $2)"},
		"bitwise_not":            {min: 1, max: 1, out: "(~ $1)"},
		"element_at":             {min: 2, max: 2, out: "($1)[$2]"},
		"array_position":         {min: 2, max: 2, out: "coalesce(list_position($1, $2), 0)"},
		"array_remove":           {min: 2, max: 2, out: "list_filter($1, lambda trino_x: trino_x <> $2)"},
		"array_sort":             {min: 1, max: 1, out: "list_sort($1, 'ASC', 'NULLS LAST')"},
		"array_join":             {min: 2, max: 3, write: (*translator).arrayJoin},
		"array_union":            {min: 2, max: 2, out: "list_distinct(list_concat($1, $2))"},
		"array_except":           {min: 2, max: 2, out: "list_distinct(list_filter($1, lambda trino_x: NOT list_contains($2, trino_x)))"},
		"sequence":               {min: 2, max: 3, write: (*translator).sequence},
		"zip":                    {min: 2, max: 5, out: "list_zip"},
		"map":                    {max: 2, out: "map"},
		"map_concat":             {min: 2, max: -1, out: "map_concat"},
		"transform":              {min: 2, max: 2, out: "list_transform"},
		"filter":                 {min: 2, max: 2, out: "list_filter"},
		"any_match":              {min: 2, max: 2, out: "(len(list_filter($1, $2)) > 0)"},
		"all_match":              {min: 2, max: 2, out: "(len(list_filter($1, $2)) = len($1))"},
		"none_match":             {min: 2, max: 2, out: "(len(list_filter($1, $2)) = 0)"},
		"try":                    {min: 1, max: 1, out: "TRY($1)"},
		"current_timestamp":      {out: "$now"},
		"now":                    {out: "$now"},
		"localtimestamp":         {out: "CAST($now AS TIMESTAMP)"},
		"current_date":           {out: "CAST($now AS DATE)"},
		"current_schema":         {out: "$schema"},
		"current_catalog":        {out: "'awsdatacatalog'"},
	} {
		m[name] = f
	}
}

// addAggregates adds aggregate functions; all but the composed ones are window functions too.
func addAggregates(m map[string]function) {
	for name, f := range map[string]function{
		"count": {max: 1, out: "count"}, "avg": {min: 1, max: 1, out: "avg"}, "sum": {min: 1, max: 1, write: (*translator).sum},
		"min": {min: 1, max: 2, out: "min"}, "max": {min: 1, max: 2, out: "max"},
		"count_if": {min: 1, max: 1, out: "CAST(count_if($1)$S AS BIGINT)"},
		"bool_and": {min: 1, max: 1, out: "bool_and"}, "every": {min: 1, max: 1, out: "bool_and"}, "bool_or": {min: 1, max: 1, out: "bool_or"},
		"stddev": {min: 1, max: 1, out: "stddev_samp"}, "stddev_samp": {min: 1, max: 1, out: "stddev_samp"}, "stddev_pop": {min: 1, max: 1, out: "stddev_pop"},
		"variance": {min: 1, max: 1, out: "var_samp"}, "var_samp": {min: 1, max: 1, out: "var_samp"}, "var_pop": {min: 1, max: 1, out: "var_pop"},
		"corr": {min: 2, max: 2, out: "corr"}, "covar_pop": {min: 2, max: 2, out: "covar_pop"}, "covar_samp": {min: 2, max: 2, out: "covar_samp"},
		"regr_slope": {min: 2, max: 2, out: "regr_slope"}, "regr_intercept": {min: 2, max: 2, out: "regr_intercept"},
		"skewness": {min: 1, max: 1, out: "skewness"}, "kurtosis": {min: 1, max: 1, out: "kurtosis"}, "geometric_mean": {min: 1, max: 1, out: "geomean"},
		"max_by": {min: 2, max: 3, out: "arg_max"}, "min_by": {min: 2, max: 3, out: "arg_min"},
		"arbitrary": {min: 1, max: 1, out: "any_value"}, "any_value": {min: 1, max: 1, out: "any_value"},
		"array_agg": {min: 1, max: 1, out: "array_agg"}, "listagg": {min: 1, max: 2, out: "listagg"},
		"approx_distinct":   {min: 1, max: 2, out: "approx_count_distinct($1)$S"},
		"approx_percentile": {min: 2, max: 2, write: (*translator).approxPercentile},
		"percentile_approx": {min: 2, max: 2, write: (*translator).percentileApprox},
		"map_agg":           {min: 2, max: 2, out: "map(list($1)$S, list($2)$S)"},
		"histogram":         {min: 1, max: 1, out: "histogram"},
		"bitwise_and_agg":   {min: 1, max: 1, out: "bit_and"}, "bitwise_or_agg": {min: 1, max: 1, out: "bit_or"},
		"grouping": {min: 1, max: -1, out: "grouping"},
	} {
		f.agg = true
		m[name] = f
	}
}

func addWindows(m map[string]function) {
	for name, arity := range map[string][2]int{"row_number": {0, 0}, "rank": {0, 0}, "dense_rank": {0, 0}, "percent_rank": {0, 0},
		"cume_dist": {0, 0}, "ntile": {1, 1}, "lag": {1, 3}, "lead": {1, 3}, "first_value": {1, 1}, "last_value": {1, 1}, "nth_value": {2, 2}} {
		m[name] = function{min: arity[0], max: arity[1], out: name, agg: true, win: true}
	}
}

// addSpecial adds functions that look at their arguments before they are written.
func addSpecial(m map[string]function) {
	for name, f := range map[string]function{
		"if":             {min: 2, max: 3, write: (*translator).ifCall},
		"concat":         {min: 2, max: -1, write: (*translator).concat},
		"greatest":       {min: 1, max: -1, write: (*translator).extreme},
		"least":          {min: 1, max: -1, write: (*translator).extreme},
		"cardinality":    {min: 1, max: 1, write: (*translator).cardinality},
		"regexp_replace": {min: 2, max: 3, write: (*translator).regexpReplace},
		"date_format":    {min: 2, max: 2, write: (*translator).dateFormat},
		"date_parse":     {min: 2, max: 2, write: (*translator).dateFormat},
		"date_trunc":     {min: 2, max: 2, write: (*translator).dateUnit},
		"date_diff":      {min: 3, max: 3, write: (*translator).dateUnit},
		"date_add":       {min: 3, max: 3, write: (*translator).dateAdd},
		"reduce":         {min: 4, max: 4, write: (*translator).reduce},
	} {
		m[name] = f
	}
}

// dateUnits are the units of Trino's date functions.
var dateUnits = []string{"millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"}

func isUnit(s string) bool { return slices.Contains(dateUnits, strings.ToLower(s)) }

// mysqlFormat is what DuckDB writes for each letter of MySQL's date formats, which Trino takes
// (https://trino.io/docs/current/functions/datetime.html#mysql-date-functions).
var mysqlFormat = map[byte]string{'a': "%a", 'b': "%b", 'c': "%-m", 'd': "%d", 'e': "%-d", 'f': "%f", 'H': "%H", 'h': "%I", 'I': "%I",
	'i': "%M", 'j': "%j", 'k': "%-H", 'l': "%-I", 'M': "%B", 'm': "%m", 'p': "%p", 'r': "%I:%M:%S %p", 'S': "%S", 's': "%S",
	'T': "%H:%M:%S", 'v': "%V", 'W': "%A", 'x': "%G", 'Y': "%Y", 'y': "%y", '%': "%%"}

// strftime turns a MySQL date format into DuckDB's, or names the letter that it cannot turn.
func strftime(format string) (out string, bad string) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		f, ok := mysqlFormat[format[i]]
		if !ok {
			return "", "%" + format[i:i+1]
		}
		b.WriteString(f)
	}
	return b.String(), ""
}
