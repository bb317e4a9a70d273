CREATE OR REPLACE VIEW {{.View}} AS
SELECT
  customer_id,
  age,
  "location",
  days_since_last_login,
  predicted_engagement_score,
  churn_risk_score,
  notification_click_rate
FROM {{.Table}}
WHERE predicted_engagement_score < {{.LowPrediction}} OR churn_risk_score > {{.HighRisk}}
ORDER BY churn_risk_score DESC, customer_id
