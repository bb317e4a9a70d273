{{if .Insert -}}
INSERT INTO {{.Table}}
{{- else -}}
CREATE TABLE {{.Table}}
WITH (
  format = 'PARQUET',
  write_compression = 'SNAPPY',
  partitioned_by = ARRAY['location', 'account_type'],
  external_location = {{.Location}}
) AS
{{- end}}
-- Errors and quality are those of test rows; on rows that the model trained on
-- they would flatter it, so there the error is NULL and the quality 'in_training'.
SELECT
  {{.CustomerColumns}},
  c."engagement_score" AS actual_engagement_score,
  {{.PredictionColumns}},
  CASE WHEN t."customer_id" IS NULL THEN 'training' ELSE 'test' END AS data_split,
  CASE WHEN t."customer_id" IS NOT NULL THEN abs(c."engagement_score" - p."predicted_engagement_score") END AS prediction_error,
  CASE
    WHEN t."customer_id" IS NULL THEN 'in_training'
    WHEN abs(c."engagement_score" - p."predicted_engagement_score") <= {{.Accurate}} THEN 'accurate'
    WHEN abs(c."engagement_score" - p."predicted_engagement_score") <= {{.Acceptable}} THEN 'acceptable'
    ELSE 'poor'
  END AS prediction_quality,
  CASE
    WHEN p."predicted_engagement_score" >= {{.High}} THEN 'high'
    WHEN p."predicted_engagement_score" >= {{.Medium}} THEN 'medium'
    ELSE 'low'
  END AS predicted_engagement_category,
  {{.ModelType}} AS model_type,
  {{.R2}} AS model_r2_score,
  {{.RMSE}} AS model_rmse,
  {{.Created}} AS results_created_at,
  {{.Run}} AS pipeline_run_id,
  c."location",
  c."account_type"
FROM {{.Customers}} c
JOIN {{.Predictions}} p ON c."customer_id" = p."customer_id"
LEFT JOIN {{.Test}} t ON c."customer_id" = t."customer_id"
{{- if .Filtered}}
WHERE {{.Where}}
{{- end}}
