SELECT
  count(*) AS total,
  count(DISTINCT "location") AS locations,
  count(DISTINCT "account_type") AS account_types,
  count(prediction_error) AS evaluated,
  avg(prediction_error) AS mean_error,
  approx_percentile(prediction_error, 0.5e0) AS median_error,
  count_if(prediction_quality = 'accurate') AS accurate,
  count_if(prediction_quality = 'acceptable') AS acceptable,
  count_if(prediction_quality = 'poor') AS poor
FROM {{.Table}}
