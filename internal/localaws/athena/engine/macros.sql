-- What Trino means by an operator or function where DuckDB means something else. The translator
-- emits these names; overloads are chosen by the types of the arguments.
--
-- An argument whose type DuckDB does not know when it chooses (an aggregate, a window function, a
-- subquery, a column of an outer query) must not choose silently: each macro has at least two typed
-- overloads for one argument, so that such a call is ambiguous and fails. The translator writes
-- DuckDB's own form for those that it can see.
--
-- A failing CAST stands for an error because error() is volatile, which TRY does not take.
CREATE MACRO trino_divisor(a, b) AS CASE WHEN b = 0 AND typeof(a) NOT IN ('DOUBLE', 'FLOAT') AND typeof(b) NOT IN ('DOUBLE', 'FLOAT')
  THEN CAST('Division by zero' AS INTEGER) ELSE b END;
CREATE MACRO trino_shift(d DATE, i) AS CAST(d + i AS DATE), (d TIMESTAMP, i) AS d + i, (d TIMESTAMPTZ, i) AS d + i, (d INTERVAL, i) AS d + i;
CREATE MACRO trino_unshift(d DATE, i) AS CAST(d - i AS DATE), (d TIMESTAMP, i) AS d - i, (d TIMESTAMPTZ, i) AS d - i, (d INTERVAL, i) AS d - i;
CREATE MACRO trino_trunc(u, d DATE) AS CAST(date_trunc(u, d) AS DATE), (u, d TIMESTAMP) AS date_trunc(u, d), (u, d TIMESTAMPTZ) AS date_trunc(u, d);
CREATE MACRO trino_strftime(t TIMESTAMP, f) AS strftime(t, f), (t TIMESTAMPTZ, f) AS strftime(CAST(t AS TIMESTAMP), f);
CREATE MACRO trino_sum(x BIGINT) AS CAST(sum(x) AS BIGINT), (x HUGEINT) AS sum(x), (x) AS sum(x);
CREATE MACRO trino_sum_distinct(x BIGINT) AS CAST(sum(DISTINCT x) AS BIGINT), (x HUGEINT) AS sum(DISTINCT x), (x) AS sum(DISTINCT x);
CREATE MACRO trino_to_tinyint(x VARCHAR) AS CASE WHEN contains(x, '.') THEN CAST(x || ' is no integer' AS TINYINT) ELSE CAST(x AS TINYINT) END,
  (x BIGINT) AS CAST(x AS TINYINT), (x DOUBLE) AS CAST(round(x) AS TINYINT), (x) AS CAST(x AS TINYINT);
CREATE MACRO trino_to_smallint(x VARCHAR) AS CASE WHEN contains(x, '.') THEN CAST(x || ' is no integer' AS SMALLINT) ELSE CAST(x AS SMALLINT) END,
  (x BIGINT) AS CAST(x AS SMALLINT), (x DOUBLE) AS CAST(round(x) AS SMALLINT), (x) AS CAST(x AS SMALLINT);
CREATE MACRO trino_to_integer(x VARCHAR) AS CASE WHEN contains(x, '.') THEN CAST(x || ' is no integer' AS INTEGER) ELSE CAST(x AS INTEGER) END,
  (x BIGINT) AS CAST(x AS INTEGER), (x DOUBLE) AS CAST(round(x) AS INTEGER), (x) AS CAST(x AS INTEGER);
CREATE MACRO trino_to_bigint(x VARCHAR) AS CASE WHEN contains(x, '.') THEN CAST(x || ' is no integer' AS BIGINT) ELSE CAST(x AS BIGINT) END,
  (x BIGINT) AS x, (x HUGEINT) AS CAST(x AS BIGINT), (x DOUBLE) AS CAST(round(x) AS BIGINT), (x) AS CAST(x AS BIGINT);
CREATE MACRO trino_try_tinyint(x VARCHAR) AS CASE WHEN contains(x, '.') THEN NULL ELSE TRY_CAST(x AS TINYINT) END,
  (x BIGINT) AS TRY_CAST(x AS TINYINT), (x DOUBLE) AS TRY_CAST(round(x) AS TINYINT), (x) AS TRY_CAST(x AS TINYINT);
CREATE MACRO trino_try_smallint(x VARCHAR) AS CASE WHEN contains(x, '.') THEN NULL ELSE TRY_CAST(x AS SMALLINT) END,
  (x BIGINT) AS TRY_CAST(x AS SMALLINT), (x DOUBLE) AS TRY_CAST(round(x) AS SMALLINT), (x) AS TRY_CAST(x AS SMALLINT);
CREATE MACRO trino_try_integer(x VARCHAR) AS CASE WHEN contains(x, '.') THEN NULL ELSE TRY_CAST(x AS INTEGER) END,
  (x BIGINT) AS TRY_CAST(x AS INTEGER), (x DOUBLE) AS TRY_CAST(round(x) AS INTEGER), (x) AS TRY_CAST(x AS INTEGER);
CREATE MACRO trino_try_bigint(x VARCHAR) AS CASE WHEN contains(x, '.') THEN NULL ELSE TRY_CAST(x AS BIGINT) END,
  (x BIGINT) AS x, (x DOUBLE) AS TRY_CAST(round(x) AS BIGINT), (x) AS TRY_CAST(x AS BIGINT);
CREATE MACRO trino_to_varchar(x BOOLEAN) AS CAST(x AS VARCHAR), (x BIGINT) AS CAST(x AS VARCHAR), (x DATE) AS CAST(x AS VARCHAR),
  (x TIMESTAMP) AS strftime(x, '%Y-%m-%d %H:%M:%S.%g'),
  (x TIMESTAMPTZ) AS strftime(CAST(x AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g UTC'), (x) AS CAST(x AS VARCHAR);
CREATE MACRO trino_split_part(s, d, n) AS CASE WHEN n <= len(string_split(s, d)) THEN split_part(s, d, n) END;
CREATE MACRO trino_regexp_extract(s, p) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p) END,
  (s, p, g) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END;
CREATE MACRO trino_reverse(x VARCHAR) AS reverse(x), (x BLOB) AS CAST(reverse(CAST(x AS VARCHAR)) AS BLOB), (x) AS list_reverse(x);
CREATE MACRO trino_length(x BLOB) AS octet_length(x), (x VARCHAR) AS length(x);
CREATE MACRO trino_bucket(x, lo, hi, n) AS CASE WHEN x < lo THEN 0 WHEN x >= hi THEN CAST(n AS BIGINT) + 1
  ELSE CAST(floor((CAST(x AS DOUBLE) - lo) * n / (hi - lo)) AS BIGINT) + 1 END;
CREATE MACRO trino_slice(a, s, n) AS CASE WHEN s > 0 THEN a[s:s + n - 1] WHEN s < 0 THEN a[len(a) + s + 1:len(a) + s + n] END;
CREATE MACRO trino_quotient(a, b) AS CASE WHEN b = 0 THEN CAST('Division by zero' AS INTEGER)
  ELSE (CASE WHEN (a < 0) <> (b < 0) THEN -1 ELSE 1 END) * ((2 * abs(a) + abs(b)) // (2 * abs(b))) END;
CREATE MACRO trino_json_scalar(j, p) AS CASE WHEN json_type(CAST(j AS JSON), p) IN ('OBJECT', 'ARRAY') THEN NULL ELSE json_extract_string(CAST(j AS JSON), p) END;
CREATE MACRO trino_json_size(j, p) AS CASE json_type(CAST(j AS JSON), p) WHEN 'ARRAY' THEN CAST(json_array_length(CAST(j AS JSON), p) AS BIGINT)
  WHEN 'OBJECT' THEN len(json_keys(CAST(j AS JSON), p)) WHEN NULL THEN NULL ELSE 0 END;
CREATE MACRO trino_iso8601(t DATE) AS strftime(t, '%Y-%m-%d'), (t TIMESTAMP) AS strftime(t, '%Y-%m-%dT%H:%M:%S.%g'),
  (t TIMESTAMPTZ) AS strftime(CAST(t AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%gZ');
