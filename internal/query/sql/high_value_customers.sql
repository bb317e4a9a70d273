CREATE OR REPLACE VIEW {{.View}} AS
SELECT
  customer_id,
  age,
  "location",
  account_type,
  predicted_engagement_score,
  actual_engagement_score,
  social_influence_score,
  transaction_revenue_month
FROM {{.Table}}
WHERE predicted_engagement_score >= {{.High}} AND account_type = 'premium'
ORDER BY predicted_engagement_score DESC, customer_id
