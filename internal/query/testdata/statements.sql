-- create training_data
CREATE TABLE "engagement_raw"."training_data"
WITH (
  format = 'PARQUET',
  write_compression = 'SNAPPY',
  external_location = 's3://b/training/'
) AS
SELECT
  "customer_id",
  "age",
  "gender",
  "location",
  "account_type",
  "avg_daily_logins",
  "avg_session_duration_min",
  "num_messages_sent_per_day",
  "num_events_joined_month",
  "num_new_connections_month",
  "influencer_follow_score",
  "days_since_last_login",
  "churn_risk_score",
  "avg_reactions_per_post",
  "avg_comments_per_post",
  "content_posts_per_week",
  "avg_scroll_depth_pct",
  "notification_click_rate",
  "device_type",
  "time_of_day_active",
  "friend_group_participation_score",
  "premium_feature_usage_rate",
  "avg_ads_engagement_rate",
  "social_influence_score",
  "match_success_rate",
  "profile_views_received_week",
  "gig_applications_sent_month",
  "gig_listings_active",
  "transaction_revenue_month",
  "content_virality_score",
  "swipe_like_ratio",
  "avg_job_completion_rating",
  "total_connections",
  "engagement_score",
  "churn_30_day",
  "lifetime_value_usd",
  "avg_sentiment_score",
  "content_category_primary",
  "network_centrality",
  "time_since_first_transaction_days",
  "response_time_avg_hours",
  "peak_activity_hour",
  "content_diversity_score",
  "referral_count",
  "session_consistency_score",
  "premium_features_used_count",
  "last_7_day_engagement_trend",
  "social_influence_tier",
  "trust_score",
  "next_action"
FROM "engagement_raw"."customers"
WHERE substr(to_hex(sha256(to_utf8(coalesce("customer_id", '')))), 1, 8) < 'CCCCCCCC'

-- create test_data
CREATE TABLE "engagement_raw"."test_data"
WITH (
  format = 'PARQUET',
  write_compression = 'SNAPPY',
  external_location = 's3://b/test/'
) AS
SELECT
  "customer_id",
  "age",
  "gender",
  "location",
  "account_type",
  "avg_daily_logins",
  "avg_session_duration_min",
  "num_messages_sent_per_day",
  "num_events_joined_month",
  "num_new_connections_month",
  "influencer_follow_score",
  "days_since_last_login",
  "churn_risk_score",
  "avg_reactions_per_post",
  "avg_comments_per_post",
  "content_posts_per_week",
  "avg_scroll_depth_pct",
  "notification_click_rate",
  "device_type",
  "time_of_day_active",
  "friend_group_participation_score",
  "premium_feature_usage_rate",
  "avg_ads_engagement_rate",
  "social_influence_score",
  "match_success_rate",
  "profile_views_received_week",
  "gig_applications_sent_month",
  "gig_listings_active",
  "transaction_revenue_month",
  "content_virality_score",
  "swipe_like_ratio",
  "avg_job_completion_rating",
  "total_connections",
  "engagement_score",
  "churn_30_day",
  "lifetime_value_usd",
  "avg_sentiment_score",
  "content_category_primary",
  "network_centrality",
  "time_since_first_transaction_days",
  "response_time_avg_hours",
  "peak_activity_hour",
  "content_diversity_score",
  "referral_count",
  "session_consistency_score",
  "premium_features_used_count",
  "last_7_day_engagement_trend",
  "social_influence_tier",
  "trust_score",
  "next_action"
FROM "engagement_raw"."customers"
WHERE substr(to_hex(sha256(to_utf8(coalesce("customer_id", '')))), 1, 8) >= 'CCCCCCCC'

-- create inference_input
CREATE TABLE "engagement_raw"."inference_input"
WITH (
  format = 'PARQUET',
  write_compression = 'SNAPPY',
  external_location = 's3://b/inference/'
) AS
SELECT
  "customer_id",
  "age",
  "gender",
  "location",
  "account_type",
  "avg_daily_logins",
  "avg_session_duration_min",
  "num_messages_sent_per_day",
  "num_events_joined_month",
  "num_new_connections_month",
  "influencer_follow_score",
  "days_since_last_login",
  "churn_risk_score",
  "avg_reactions_per_post",
  "avg_comments_per_post",
  "content_posts_per_week",
  "avg_scroll_depth_pct",
  "notification_click_rate",
  "device_type",
  "time_of_day_active",
  "friend_group_participation_score",
  "premium_feature_usage_rate",
  "avg_ads_engagement_rate",
  "social_influence_score",
  "match_success_rate",
  "profile_views_received_week",
  "gig_applications_sent_month",
  "gig_listings_active",
  "transaction_revenue_month",
  "content_virality_score",
  "swipe_like_ratio",
  "avg_job_completion_rating",
  "total_connections",
  "avg_sentiment_score",
  "content_category_primary",
  "network_centrality",
  "time_since_first_transaction_days",
  "response_time_avg_hours",
  "peak_activity_hour",
  "content_diversity_score",
  "referral_count",
  "session_consistency_score",
  "premium_features_used_count",
  "last_7_day_engagement_trend",
  "social_influence_tier",
  "trust_score"
FROM "engagement_raw"."customers"

-- count rows
SELECT 'training_data' AS t, count(*) AS n FROM "engagement_raw"."training_data"
UNION ALL
SELECT 'test_data' AS t, count(*) AS n FROM "engagement_raw"."test_data"

-- references
-- What the connections say of customers that are there, and the customers of their connections.
WITH known AS (
  SELECT DISTINCT customer_id FROM "engagement_raw"."customers"
), ends AS (
  SELECT source_customer_id AS customer_id FROM "engagement_raw"."connections"
  UNION ALL
  SELECT target_customer_id AS customer_id FROM "engagement_raw"."connections"
), degrees AS (
  SELECT customer_id, count(*) AS degree FROM ends GROUP BY customer_id
), pairs AS (
  SELECT DISTINCT source_customer_id, target_customer_id FROM "engagement_raw"."connections"
)
SELECT
  (SELECT count(*) FROM "engagement_raw"."connections") AS edges,
  (SELECT count(*) FROM pairs) AS pairs,
  (SELECT count(*) FROM "engagement_raw"."connections" WHERE NOT coalesce(source_customer_id < target_customer_id, false)) AS misordered,
  (SELECT coalesce(sum(d.degree), 0) FROM degrees d LEFT JOIN known k ON d.customer_id = k.customer_id WHERE k.customer_id IS NULL) AS orphans,
  (SELECT count(*) FROM "engagement_raw"."customers" c LEFT JOIN degrees d ON c.customer_id = d.customer_id
    WHERE c.total_connections <> coalesce(d.degree, 0)) AS wrong_degrees

-- review
-- Which predictions people review. A customer is listed once, under the first
-- reason that holds, in this order:
--   high_pred    the highest predictions
--   low_pred     the lowest predictions
--   large_error  of the rest, errors above the bound, the largest first, up to the cap
--   baseline     of the rest, customers of the two middle quartiles, in the order of a seeded hash
-- Errors are those of test rows: on rows that it trained on, a model's error says nothing.
-- Ties go to the smaller id, so the same data gives the same list.
CREATE TABLE "engagement_qa"."human_review"
WITH (
  format = 'PARQUET',
  write_compression = 'SNAPPY',
  external_location = 's3://b/review/'
) AS
WITH scored AS (
  SELECT
    "c"."customer_id",
    "c"."age",
    "c"."gender",
    "c"."location",
    "c"."account_type",
    "c"."avg_daily_logins",
    c."engagement_score" AS actual_engagement,
    p."predicted_engagement_score",
    CASE WHEN t."customer_id" IS NULL THEN 'training' ELSE 'test' END AS data_split,
    CASE WHEN t."customer_id" IS NOT NULL THEN abs(c."engagement_score" - p."predicted_engagement_score") END AS prediction_error
  FROM "engagement_raw"."customers" c
  JOIN "engagement_predictions"."predictions" p ON c."customer_id" = p."customer_id"
  LEFT JOIN "engagement_raw"."test_data" t ON c."customer_id" = t."customer_id"
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
      WHEN from_top <= 100 THEN 'high_pred'
      WHEN from_bottom <= 100 THEN 'low_pred'
    END AS extreme,
    coalesce(prediction_error > 3e-01, false) AS off
  FROM ranked
), wrong AS (
  SELECT
    extremes.*,
    row_number() OVER (PARTITION BY extreme IS NULL AND off ORDER BY prediction_error DESC, customer_id) AS error_rank
  FROM extremes
), reasoned AS (
  SELECT
    wrong.*,
    CASE WHEN extreme IS NOT NULL THEN extreme WHEN off AND error_rank <= 100 THEN 'large_error' END AS reason,
    from_bottom * 4 > total AND from_bottom * 4 <= total * 3 AS middle
  FROM wrong
), drawn AS (
  SELECT
    reasoned.*,
    row_number() OVER (
      PARTITION BY reason IS NULL AND middle
      ORDER BY to_hex(sha256(to_utf8(concat(customer_id, ':', '7')))), customer_id
    ) AS draw
  FROM reasoned
), chosen AS (
  SELECT
    drawn.*,
    CASE WHEN reason IS NOT NULL THEN reason WHEN middle AND draw <= 100 THEN 'baseline' END AS qa_reason
  FROM drawn
)
SELECT
  "customer_id",
  "age",
  "gender",
  "location",
  "account_type",
  "avg_daily_logins",
  actual_engagement,
  predicted_engagement_score,
  prediction_error,
  data_split,
  qa_reason,
  CAST(NULL AS VARCHAR) AS reviewer_notes,
  CAST(NULL AS VARCHAR) AS review_status
FROM chosen
WHERE qa_reason IS NOT NULL

-- review_breakdown
SELECT qa_reason, count(*) AS n
FROM "engagement_qa"."human_review"
GROUP BY qa_reason
ORDER BY qa_reason

-- partitions
SELECT c."location", c."account_type", count(*) AS n
FROM "engagement_raw"."customers" c
JOIN "engagement_predictions"."predictions" p ON c."customer_id" = p."customer_id"
GROUP BY c."location", c."account_type"
ORDER BY c."location", c."account_type"

-- results_summary
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
FROM "engagement_analytics"."final_results"

-- create customers_masked
CREATE OR REPLACE VIEW "engagement_raw"."customers_masked" AS
SELECT
  "customer_id",
  "age" / 10 * 10 AS "age",
  CASE WHEN "gender" IS NOT NULL THEN CAST('***' AS VARCHAR) END AS "gender",
  CASE WHEN "location" IS NOT NULL THEN CAST('***' AS VARCHAR) END AS "location",
  "account_type",
  "avg_daily_logins",
  "avg_session_duration_min",
  "num_messages_sent_per_day",
  "num_events_joined_month",
  "num_new_connections_month",
  "influencer_follow_score",
  "days_since_last_login",
  "churn_risk_score",
  "avg_reactions_per_post",
  "avg_comments_per_post",
  "content_posts_per_week",
  "avg_scroll_depth_pct",
  "notification_click_rate",
  "device_type",
  "time_of_day_active",
  "friend_group_participation_score",
  "premium_feature_usage_rate",
  "avg_ads_engagement_rate",
  "social_influence_score",
  "match_success_rate",
  "profile_views_received_week",
  "gig_applications_sent_month",
  "gig_listings_active",
  floor("transaction_revenue_month" / 5e+03) * 5e+03 AS "transaction_revenue_month",
  "content_virality_score",
  "swipe_like_ratio",
  "avg_job_completion_rating",
  "total_connections",
  "engagement_score",
  "churn_30_day",
  floor("lifetime_value_usd" / 1e+03) * 1e+03 AS "lifetime_value_usd",
  floor("avg_sentiment_score" / 2e-01) * 2e-01 AS "avg_sentiment_score",
  "content_category_primary",
  "network_centrality",
  "time_since_first_transaction_days",
  "response_time_avg_hours",
  "peak_activity_hour",
  "content_diversity_score",
  "referral_count",
  "session_consistency_score",
  "premium_features_used_count",
  "last_7_day_engagement_trend",
  "social_influence_tier",
  "trust_score",
  "next_action"
FROM "engagement_raw"."customers"

-- create final_results
CREATE TABLE "engagement_analytics"."final_results"
WITH (
  format = 'PARQUET',
  write_compression = 'SNAPPY',
  partitioned_by = ARRAY['location', 'account_type'],
  external_location = 's3://engagement-results/final/'
) AS
-- Errors and quality are those of test rows; on rows that the model trained on
-- they would flatter it, so there the error is NULL and the quality 'in_training'.
SELECT
  "c"."customer_id",
    "c"."age",
    "c"."gender",
    "c"."avg_daily_logins",
    "c"."avg_session_duration_min",
    "c"."num_messages_sent_per_day",
    "c"."num_events_joined_month",
    "c"."num_new_connections_month",
    "c"."influencer_follow_score",
    "c"."days_since_last_login",
    "c"."churn_risk_score",
    "c"."avg_reactions_per_post",
    "c"."avg_comments_per_post",
    "c"."content_posts_per_week",
    "c"."avg_scroll_depth_pct",
    "c"."notification_click_rate",
    "c"."device_type",
    "c"."time_of_day_active",
    "c"."friend_group_participation_score",
    "c"."premium_feature_usage_rate",
    "c"."avg_ads_engagement_rate",
    "c"."social_influence_score",
    "c"."match_success_rate",
    "c"."profile_views_received_week",
    "c"."gig_applications_sent_month",
    "c"."gig_listings_active",
    "c"."transaction_revenue_month",
    "c"."content_virality_score",
    "c"."swipe_like_ratio",
    "c"."avg_job_completion_rating",
    "c"."total_connections",
    "c"."churn_30_day",
    "c"."lifetime_value_usd",
    "c"."avg_sentiment_score",
    "c"."content_category_primary",
    "c"."network_centrality",
    "c"."time_since_first_transaction_days",
    "c"."response_time_avg_hours",
    "c"."peak_activity_hour",
    "c"."content_diversity_score",
    "c"."referral_count",
    "c"."session_consistency_score",
    "c"."premium_features_used_count",
    "c"."last_7_day_engagement_trend",
    "c"."social_influence_tier",
    "c"."trust_score",
    "c"."next_action",
  c."engagement_score" AS actual_engagement_score,
  "p"."predicted_engagement_score",
    "p"."prediction_timestamp",
    "p"."model_version",
    "p"."top_feature_1",
  CASE WHEN t."customer_id" IS NULL THEN 'training' ELSE 'test' END AS data_split,
  CASE WHEN t."customer_id" IS NOT NULL THEN abs(c."engagement_score" - p."predicted_engagement_score") END AS prediction_error,
  CASE
    WHEN t."customer_id" IS NULL THEN 'in_training'
    WHEN abs(c."engagement_score" - p."predicted_engagement_score") <= 1e-01 THEN 'accurate'
    WHEN abs(c."engagement_score" - p."predicted_engagement_score") <= 2e-01 THEN 'acceptable'
    ELSE 'poor'
  END AS prediction_quality,
  CASE
    WHEN p."predicted_engagement_score" >= 7e-01 THEN 'high'
    WHEN p."predicted_engagement_score" >= 4e-01 THEN 'medium'
    ELSE 'low'
  END AS predicted_engagement_category,
  'xgboost' AS model_type,
  5e-01 AS model_r2_score,
  1.25e-01 AS model_rmse,
  TIMESTAMP '2026-11-23 12:00:00.000' AS results_created_at,
  'run-1' AS pipeline_run_id,
  c."location",
  c."account_type"
FROM "engagement_raw"."customers" c
JOIN "engagement_predictions"."predictions" p ON c."customer_id" = p."customer_id"
LEFT JOIN "engagement_raw"."test_data" t ON c."customer_id" = t."customer_id"

-- create final_results
CREATE TABLE "engagement_analytics"."final_results"
WITH (
  format = 'PARQUET',
  write_compression = 'SNAPPY',
  partitioned_by = ARRAY['location', 'account_type'],
  external_location = 's3://engagement-results/final/'
) AS
-- Errors and quality are those of test rows; on rows that the model trained on
-- they would flatter it, so there the error is NULL and the quality 'in_training'.
SELECT
  "c"."customer_id",
    "c"."age",
    "c"."gender",
    "c"."avg_daily_logins",
    "c"."avg_session_duration_min",
    "c"."num_messages_sent_per_day",
    "c"."num_events_joined_month",
    "c"."num_new_connections_month",
    "c"."influencer_follow_score",
    "c"."days_since_last_login",
    "c"."churn_risk_score",
    "c"."avg_reactions_per_post",
    "c"."avg_comments_per_post",
    "c"."content_posts_per_week",
    "c"."avg_scroll_depth_pct",
    "c"."notification_click_rate",
    "c"."device_type",
    "c"."time_of_day_active",
    "c"."friend_group_participation_score",
    "c"."premium_feature_usage_rate",
    "c"."avg_ads_engagement_rate",
    "c"."social_influence_score",
    "c"."match_success_rate",
    "c"."profile_views_received_week",
    "c"."gig_applications_sent_month",
    "c"."gig_listings_active",
    "c"."transaction_revenue_month",
    "c"."content_virality_score",
    "c"."swipe_like_ratio",
    "c"."avg_job_completion_rating",
    "c"."total_connections",
    "c"."churn_30_day",
    "c"."lifetime_value_usd",
    "c"."avg_sentiment_score",
    "c"."content_category_primary",
    "c"."network_centrality",
    "c"."time_since_first_transaction_days",
    "c"."response_time_avg_hours",
    "c"."peak_activity_hour",
    "c"."content_diversity_score",
    "c"."referral_count",
    "c"."session_consistency_score",
    "c"."premium_features_used_count",
    "c"."last_7_day_engagement_trend",
    "c"."social_influence_tier",
    "c"."trust_score",
    "c"."next_action",
  c."engagement_score" AS actual_engagement_score,
  "p"."predicted_engagement_score",
    "p"."prediction_timestamp",
    "p"."model_version",
    "p"."top_feature_1",
  CASE WHEN t."customer_id" IS NULL THEN 'training' ELSE 'test' END AS data_split,
  CASE WHEN t."customer_id" IS NOT NULL THEN abs(c."engagement_score" - p."predicted_engagement_score") END AS prediction_error,
  CASE
    WHEN t."customer_id" IS NULL THEN 'in_training'
    WHEN abs(c."engagement_score" - p."predicted_engagement_score") <= 1e-01 THEN 'accurate'
    WHEN abs(c."engagement_score" - p."predicted_engagement_score") <= 2e-01 THEN 'acceptable'
    ELSE 'poor'
  END AS prediction_quality,
  CASE
    WHEN p."predicted_engagement_score" >= 7e-01 THEN 'high'
    WHEN p."predicted_engagement_score" >= 4e-01 THEN 'medium'
    ELSE 'low'
  END AS predicted_engagement_category,
  'xgboost' AS model_type,
  5e-01 AS model_r2_score,
  1.25e-01 AS model_rmse,
  TIMESTAMP '2026-11-23 12:00:00.000' AS results_created_at,
  'run-1' AS pipeline_run_id,
  c."location",
  c."account_type"
FROM "engagement_raw"."customers" c
JOIN "engagement_predictions"."predictions" p ON c."customer_id" = p."customer_id"
LEFT JOIN "engagement_raw"."test_data" t ON c."customer_id" = t."customer_id"
WHERE (c."location" = 'L0' AND c."account_type" = 'free') OR (c."location" = 'L1' AND c."account_type" = 'free') OR (c."location" = 'L2' AND c."account_type" = 'free') OR (c."location" = 'L3' AND c."account_type" = 'free') OR (c."location" = 'L4' AND c."account_type" = 'free') OR (c."location" = 'L5' AND c."account_type" = 'free') OR (c."location" = 'L6' AND c."account_type" = 'free') OR (c."location" = 'L7' AND c."account_type" = 'free') OR (c."location" = 'L8' AND c."account_type" = 'free') OR (c."location" = 'L9' AND c."account_type" = 'free') OR (c."location" = 'L10' AND c."account_type" = 'free') OR (c."location" = 'L11' AND c."account_type" = 'free') OR (c."location" = 'L12' AND c."account_type" = 'free') OR (c."location" = 'L13' AND c."account_type" = 'free') OR (c."location" = 'L14' AND c."account_type" = 'free') OR (c."location" = 'L15' AND c."account_type" = 'free') OR (c."location" = 'L16' AND c."account_type" = 'free') OR (c."location" = 'L17' AND c."account_type" = 'free') OR (c."location" = 'L18' AND c."account_type" = 'free') OR (c."location" = 'L19' AND c."account_type" = 'free') OR (c."location" = 'L20' AND c."account_type" = 'free') OR (c."location" = 'L21' AND c."account_type" = 'free') OR (c."location" = 'L22' AND c."account_type" = 'free') OR (c."location" = 'L23' AND c."account_type" = 'free') OR (c."location" = 'L24' AND c."account_type" = 'free') OR (c."location" = 'L25' AND c."account_type" = 'free') OR (c."location" = 'L26' AND c."account_type" = 'free') OR (c."location" = 'L27' AND c."account_type" = 'free') OR (c."location" = 'L28' AND c."account_type" = 'free') OR (c."location" = 'L29' AND c."account_type" = 'free') OR (c."location" = 'L30' AND c."account_type" = 'free') OR (c."location" = 'L31' AND c."account_type" = 'free') OR (c."location" = 'L32' AND c."account_type" = 'free') OR (c."location" = 'L33' AND c."account_type" = 'free') OR (c."location" = 'L34' AND c."account_type" = 'free') OR (c."location" = 'L35' AND c."account_type" = 'free') OR (c."location" = 'L36' AND c."account_type" = 'free') OR (c."location" = 'L37' AND c."account_type" = 'free') OR (c."location" = 'L38' AND c."account_type" = 'free') OR (c."location" = 'L39' AND c."account_type" = 'free') OR (c."location" = 'L40' AND c."account_type" = 'free') OR (c."location" = 'L41' AND c."account_type" = 'free') OR (c."location" = 'L42' AND c."account_type" = 'free') OR (c."location" = 'L43' AND c."account_type" = 'free') OR (c."location" = 'L44' AND c."account_type" = 'free') OR (c."location" = 'L45' AND c."account_type" = 'free') OR (c."location" = 'L46' AND c."account_type" = 'free') OR (c."location" = 'L47' AND c."account_type" = 'free') OR (c."location" = 'L48' AND c."account_type" = 'free') OR (c."location" = 'L49' AND c."account_type" = 'free') OR (c."location" = 'L50' AND c."account_type" = 'free') OR (c."location" = 'L51' AND c."account_type" = 'free') OR (c."location" = 'L52' AND c."account_type" = 'free') OR (c."location" = 'L53' AND c."account_type" = 'free') OR (c."location" = 'L54' AND c."account_type" = 'free') OR (c."location" = 'L55' AND c."account_type" = 'free') OR (c."location" = 'L56' AND c."account_type" = 'free') OR (c."location" = 'L57' AND c."account_type" = 'free') OR (c."location" = 'L58' AND c."account_type" = 'free') OR (c."location" = 'L59' AND c."account_type" = 'free') OR (c."location" = 'L60' AND c."account_type" = 'free') OR (c."location" = 'L61' AND c."account_type" = 'free') OR (c."location" = 'L62' AND c."account_type" = 'free') OR (c."location" = 'L63' AND c."account_type" = 'free') OR (c."location" = 'L64' AND c."account_type" = 'free') OR (c."location" = 'L65' AND c."account_type" = 'free') OR (c."location" = 'L66' AND c."account_type" = 'free') OR (c."location" = 'L67' AND c."account_type" = 'free') OR (c."location" = 'L68' AND c."account_type" = 'free') OR (c."location" = 'L69' AND c."account_type" = 'free') OR (c."location" = 'L70' AND c."account_type" = 'free') OR (c."location" = 'L71' AND c."account_type" = 'free') OR (c."location" = 'L72' AND c."account_type" = 'free') OR (c."location" = 'L73' AND c."account_type" = 'free') OR (c."location" = 'L74' AND c."account_type" = 'free') OR (c."location" = 'L75' AND c."account_type" = 'free') OR (c."location" = 'L76' AND c."account_type" = 'free') OR (c."location" = 'L77' AND c."account_type" = 'free') OR (c."location" = 'L78' AND c."account_type" = 'free') OR (c."location" = 'L79' AND c."account_type" = 'free') OR (c."location" = 'L80' AND c."account_type" = 'free') OR (c."location" = 'L81' AND c."account_type" = 'free') OR (c."location" = 'L82' AND c."account_type" = 'free') OR (c."location" = 'L83' AND c."account_type" = 'free') OR (c."location" = 'L84' AND c."account_type" = 'free') OR (c."location" = 'L85' AND c."account_type" = 'free') OR (c."location" = 'L86' AND c."account_type" = 'free') OR (c."location" = 'L87' AND c."account_type" = 'free') OR (c."location" = 'L88' AND c."account_type" = 'free') OR (c."location" = 'L89' AND c."account_type" = 'free') OR (c."location" = 'L90' AND c."account_type" = 'free') OR (c."location" = 'L91' AND c."account_type" = 'free') OR (c."location" = 'L92' AND c."account_type" = 'free') OR (c."location" = 'L93' AND c."account_type" = 'free') OR (c."location" = 'L94' AND c."account_type" = 'free') OR (c."location" = 'L95' AND c."account_type" = 'free') OR (c."location" = 'L96' AND c."account_type" = 'free') OR (c."location" = 'L97' AND c."account_type" = 'free') OR (c."location" = 'L98' AND c."account_type" = 'free') OR (c."location" = 'L99' AND c."account_type" = 'free')

-- add to final_results
INSERT INTO "engagement_analytics"."final_results"
-- Errors and quality are those of test rows; on rows that the model trained on
-- they would flatter it, so there the error is NULL and the quality 'in_training'.
SELECT
  "c"."customer_id",
    "c"."age",
    "c"."gender",
    "c"."avg_daily_logins",
    "c"."avg_session_duration_min",
    "c"."num_messages_sent_per_day",
    "c"."num_events_joined_month",
    "c"."num_new_connections_month",
    "c"."influencer_follow_score",
    "c"."days_since_last_login",
    "c"."churn_risk_score",
    "c"."avg_reactions_per_post",
    "c"."avg_comments_per_post",
    "c"."content_posts_per_week",
    "c"."avg_scroll_depth_pct",
    "c"."notification_click_rate",
    "c"."device_type",
    "c"."time_of_day_active",
    "c"."friend_group_participation_score",
    "c"."premium_feature_usage_rate",
    "c"."avg_ads_engagement_rate",
    "c"."social_influence_score",
    "c"."match_success_rate",
    "c"."profile_views_received_week",
    "c"."gig_applications_sent_month",
    "c"."gig_listings_active",
    "c"."transaction_revenue_month",
    "c"."content_virality_score",
    "c"."swipe_like_ratio",
    "c"."avg_job_completion_rating",
    "c"."total_connections",
    "c"."churn_30_day",
    "c"."lifetime_value_usd",
    "c"."avg_sentiment_score",
    "c"."content_category_primary",
    "c"."network_centrality",
    "c"."time_since_first_transaction_days",
    "c"."response_time_avg_hours",
    "c"."peak_activity_hour",
    "c"."content_diversity_score",
    "c"."referral_count",
    "c"."session_consistency_score",
    "c"."premium_features_used_count",
    "c"."last_7_day_engagement_trend",
    "c"."social_influence_tier",
    "c"."trust_score",
    "c"."next_action",
  c."engagement_score" AS actual_engagement_score,
  "p"."predicted_engagement_score",
    "p"."prediction_timestamp",
    "p"."model_version",
    "p"."top_feature_1",
  CASE WHEN t."customer_id" IS NULL THEN 'training' ELSE 'test' END AS data_split,
  CASE WHEN t."customer_id" IS NOT NULL THEN abs(c."engagement_score" - p."predicted_engagement_score") END AS prediction_error,
  CASE
    WHEN t."customer_id" IS NULL THEN 'in_training'
    WHEN abs(c."engagement_score" - p."predicted_engagement_score") <= 1e-01 THEN 'accurate'
    WHEN abs(c."engagement_score" - p."predicted_engagement_score") <= 2e-01 THEN 'acceptable'
    ELSE 'poor'
  END AS prediction_quality,
  CASE
    WHEN p."predicted_engagement_score" >= 7e-01 THEN 'high'
    WHEN p."predicted_engagement_score" >= 4e-01 THEN 'medium'
    ELSE 'low'
  END AS predicted_engagement_category,
  'xgboost' AS model_type,
  5e-01 AS model_r2_score,
  1.25e-01 AS model_rmse,
  TIMESTAMP '2026-11-23 12:00:00.000' AS results_created_at,
  'run-1' AS pipeline_run_id,
  c."location",
  c."account_type"
FROM "engagement_raw"."customers" c
JOIN "engagement_predictions"."predictions" p ON c."customer_id" = p."customer_id"
LEFT JOIN "engagement_raw"."test_data" t ON c."customer_id" = t."customer_id"
WHERE (c."location" IS NULL AND c."account_type" = 'free')

-- high_value_customers
CREATE OR REPLACE VIEW "engagement_analytics"."high_value_customers" AS
SELECT
  customer_id,
  age,
  "location",
  account_type,
  predicted_engagement_score,
  actual_engagement_score,
  social_influence_score,
  transaction_revenue_month
FROM "engagement_analytics"."final_results"
WHERE predicted_engagement_score >= 7e-01 AND account_type = 'premium'
ORDER BY predicted_engagement_score DESC, customer_id

-- at_risk_customers
CREATE OR REPLACE VIEW "engagement_analytics"."at_risk_customers" AS
SELECT
  customer_id,
  age,
  "location",
  days_since_last_login,
  predicted_engagement_score,
  churn_risk_score,
  notification_click_rate
FROM "engagement_analytics"."final_results"
WHERE predicted_engagement_score < 3e-01 OR churn_risk_score > 5e-01
ORDER BY churn_risk_score DESC, customer_id

-- model_performance
CREATE OR REPLACE VIEW "engagement_analytics"."model_performance" AS
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
FROM "engagement_analytics"."final_results"
GROUP BY model_version

