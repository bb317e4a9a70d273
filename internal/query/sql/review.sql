-- Which predictions people review. A customer is listed once, under the first
-- reason that holds, in this order:
--   high_pred    the highest predictions
--   low_pred     the lowest predictions
--   large_error  of the rest, errors above the bound, the largest first, up to the cap
--   baseline     of the rest, customers of the two middle quartiles, in the order of a seeded hash
-- Errors are those of test rows: on rows that it trained on, a model's error says nothing.
-- Ties go to the smaller id, so the same data gives the same list.
CREATE TABLE {{.Table}}
WITH (
  format = 'PARQUET',
  write_compression = 'SNAPPY',
  external_location = {{.Location}}
) AS
WITH scored AS (
  SELECT
    {{.Shown}},
    c."engagement_score" AS actual_engagement,
    p."predicted_engagement_score",
    CASE WHEN t."customer_id" IS NULL THEN 'training' ELSE 'test' END AS data_split,
    CASE WHEN t."customer_id" IS NOT NULL THEN abs(c."engagement_score" - p."predicted_engagement_score") END AS prediction_error
  FROM {{.Customers}} c
  JOIN {{.Predictions}} p ON c."customer_id" = p."customer_id"
  LEFT JOIN {{.Test}} t ON c."customer_id" = t."customer_id"
), ranked AS (
  SELECT
    scored.*,
    row_number() OVER (ORDER BY predicted_engagement_score DESC, customer_id) AS from_top,
    row_number() OVER (ORDER BY predicted_engagement_score, customer_id) AS from_bottom,
    count(*) OVER () AS total
  FROM scored
), extremes AS (
  SELECT
    ranked.*,
    CASE
      WHEN from_top <= {{.Each}} THEN 'high_pred'
      WHEN from_bottom <= {{.Each}} THEN 'low_pred'
    END AS extreme,
    coalesce(prediction_error > {{.LargeError}}, false) AS off
  FROM ranked
), wrong AS (
  SELECT
    extremes.*,
    row_number() OVER (PARTITION BY extreme IS NULL AND off ORDER BY prediction_error DESC, customer_id) AS error_rank
  FROM extremes
), reasoned AS (
  SELECT
    wrong.*,
    CASE WHEN extreme IS NOT NULL THEN extreme WHEN off AND error_rank <= {{.ErrorCap}} THEN 'large_error' END AS reason,
    from_bottom * 4 > total AND from_bottom * 4 <= total * 3 AS middle
  FROM wrong
), drawn AS (
  SELECT
    reasoned.*,
    row_number() OVER (
      PARTITION BY reason IS NULL AND middle
      ORDER BY to_hex(sha256(to_utf8(concat(customer_id, ':', {{.Seed}})))), customer_id
    ) AS draw
  FROM reasoned
), chosen AS (
  SELECT
    drawn.*,
    CASE WHEN reason IS NOT NULL THEN reason WHEN middle AND draw <= {{.Each}} THEN 'baseline' END AS qa_reason
  FROM drawn
)
SELECT
  {{.Columns}},
  actual_engagement,
  predicted_engagement_score,
  prediction_error,
  data_split,
  qa_reason,
  CAST(NULL AS VARCHAR) AS reviewer_notes,
  CAST(NULL AS VARCHAR) AS review_status
FROM chosen
WHERE qa_reason IS NOT NULL
