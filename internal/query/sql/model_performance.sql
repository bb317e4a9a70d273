CREATE OR REPLACE VIEW {{.View}} AS
-- Errors are there for test rows alone, so every figure but the totals is of those.
SELECT
  model_version,
  count(*) AS total_predictions,
  count(prediction_error) AS evaluated_predictions,
  avg(prediction_error) AS avg_error,
  stddev(prediction_error) AS stddev_error,
  approx_percentile(prediction_error, 0.5e0) AS median_error,
  approx_percentile(prediction_error, 0.95e0) AS p95_error,
  count_if(prediction_quality = 'accurate') AS accurate_count,
  count_if(prediction_quality = 'acceptable') AS acceptable_count,
  count_if(prediction_quality = 'poor') AS poor_count,
  count_if(prediction_quality = 'in_training') AS in_training_count
FROM {{.Table}}
GROUP BY model_version
