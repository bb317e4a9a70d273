-- @drop
DROP TABLE IF EXISTS engagement_raw.customers;
DROP TABLE IF EXISTS engagement_predictions.predictions;
DROP TABLE IF EXISTS engagement_qa.human_review;
DROP TABLE IF EXISTS engagement_analytics.final_results;

-- @raw
CREATE EXTERNAL TABLE engagement_raw.customers (
    customer_id STRING,
    age INT,
    gender STRING,
    location STRING,
    account_type STRING,
    avg_daily_logins DOUBLE,
    avg_session_duration_min DOUBLE,
    num_messages_sent_per_day DOUBLE,
    num_events_joined_month INT,
    num_new_connections_month INT,
    influencer_follow_score DOUBLE,
    days_since_last_login INT,
    churn_risk_score DOUBLE,
    avg_reactions_per_post DOUBLE,
    avg_comments_per_post DOUBLE,
    content_posts_per_week INT,
    avg_scroll_depth_pct DOUBLE,
    notification_click_rate DOUBLE,
    device_type STRING,
    time_of_day_active STRING,
    friend_group_participation_score DOUBLE,
    premium_feature_usage_rate DOUBLE,
    avg_ads_engagement_rate DOUBLE,
    social_influence_score DOUBLE,
    match_success_rate DOUBLE,
    profile_views_received_week INT,
    gig_applications_sent_month INT,
    gig_listings_active INT,
    transaction_revenue_month DOUBLE,
    content_virality_score DOUBLE,
    swipe_like_ratio DOUBLE,
    avg_job_completion_rating DOUBLE,
    total_connections INT,
    engagement_score DOUBLE
)
ROW FORMAT DELIMITED
FIELDS TERMINATED BY ','
STORED AS TEXTFILE
LOCATION 's3://engagement-data/raw/'
TBLPROPERTIES ('skip.header.line.count'='1');

-- @training
CREATE TABLE engagement_raw.training_data
WITH (
    format = 'PARQUET',
    parquet_compression = 'SNAPPY',
    external_location = 's3://engagement-data/processed/training/'
) AS
SELECT * 
FROM engagement_raw.customers
WHERE CAST(SUBSTR(customer_id, 6) AS INT) % 10 < 8;  -- 80% split

-- @test
CREATE TABLE engagement_raw.test_data
WITH (
    format = 'PARQUET',
    parquet_compression = 'SNAPPY',
    external_location = 's3://engagement-data/processed/test/'
) AS
SELECT * 
FROM engagement_raw.customers
WHERE CAST(SUBSTR(customer_id, 6) AS INT) % 10 >= 8;  -- 20% split

-- @inference
CREATE TABLE engagement_raw.inference_input
WITH (
    format = 'PARQUET',
    parquet_compression = 'SNAPPY',
    external_location = 's3://engagement-data/processed/inference/'
) AS
SELECT 
    customer_id,
    age, gender, location, account_type,
    avg_daily_logins, avg_session_duration_min,
    num_messages_sent_per_day, num_events_joined_month,
    num_new_connections_month, influencer_follow_score,
    days_since_last_login, churn_risk_score,
    avg_reactions_per_post, avg_comments_per_post,
    content_posts_per_week, avg_scroll_depth_pct,
    notification_click_rate, device_type, time_of_day_active,
    friend_group_participation_score, premium_feature_usage_rate,
    avg_ads_engagement_rate, social_influence_score,
    match_success_rate, profile_views_received_week,
    gig_applications_sent_month, gig_listings_active,
    transaction_revenue_month, content_virality_score,
    swipe_like_ratio, avg_job_completion_rating, total_connections
FROM engagement_raw.customers;

-- @qa
CREATE TABLE engagement_qa.human_review
WITH (
    format = 'PARQUET',
    external_location = 's3://engagement-qa/review_queue/'
) AS
SELECT 
    c.customer_id,
    c.age,
    c.gender,
    c.location,
    c.account_type,
    c.avg_daily_logins,
    c.engagement_score AS actual_engagement,
    p.predicted_engagement_score,
    ABS(c.engagement_score - p.predicted_engagement_score) AS prediction_error,
    CASE 
        WHEN p.predicted_engagement_score >= 0.8 THEN 'high_pred'
        WHEN p.predicted_engagement_score <= 0.2 THEN 'low_pred'
        WHEN ABS(c.engagement_score - p.predicted_engagement_score) > 0.3 THEN 'large_error'
        ELSE 'baseline'
    END AS qa_reason,
    NULL AS reviewer_notes,
    NULL AS review_status
FROM engagement_raw.customers c
JOIN engagement_predictions.predictions p
    ON c.customer_id = p.customer_id
WHERE 
    p.predicted_engagement_score >= 0.8
    OR p.predicted_engagement_score <= 0.2
    OR ABS(c.engagement_score - p.predicted_engagement_score) > 0.3
    OR RAND() < 0.001  -- 0.1% random sample
LIMIT 400;

-- @final
CREATE TABLE engagement_analytics.final_results
WITH (
    format = 'PARQUET',
    partitioned_by = ARRAY['location', 'account_type'],
    external_location = 's3://engagement-results/final/'
) AS
SELECT 
    -- Original customer data (all 33 columns)
    c.customer_id,
    c.age,
    c.gender,
    c.location,
    c.account_type,
    c.avg_daily_logins,
    c.avg_session_duration_min,
    c.num_messages_sent_per_day,
    c.num_events_joined_month,
    c.num_new_connections_month,
    c.influencer_follow_score,
    c.days_since_last_login,
    c.churn_risk_score,
    c.avg_reactions_per_post,
    c.avg_comments_per_post,
    c.content_posts_per_week,
    c.avg_scroll_depth_pct,
    c.notification_click_rate,
    c.device_type,
    c.time_of_day_active,
    c.friend_group_participation_score,
    c.premium_feature_usage_rate,
    c.avg_ads_engagement_rate,
    c.social_influence_score,
    c.match_success_rate,
    c.profile_views_received_week,
    c.gig_applications_sent_month,
    c.gig_listings_active,
    c.transaction_revenue_month,
    c.content_virality_score,
    c.swipe_like_ratio,
    c.avg_job_completion_rating,
    c.total_connections,
    c.engagement_score AS actual_engagement_score,
    
    -- Prediction data
    p.predicted_engagement_score,
    p.prediction_timestamp,
    p.model_version,
    
    -- Derived metrics
    ABS(c.engagement_score - p.predicted_engagement_score) AS prediction_error,
    CASE 
        WHEN ABS(c.engagement_score - p.predicted_engagement_score) <= 0.1 THEN 'accurate'
        WHEN ABS(c.engagement_score - p.predicted_engagement_score) <= 0.2 THEN 'acceptable'
        ELSE 'poor'
    END AS prediction_quality,
    
    -- Engagement category
    CASE 
        WHEN p.predicted_engagement_score >= 0.7 THEN 'high'
        WHEN p.predicted_engagement_score >= 0.4 THEN 'medium'
        ELSE 'low'
    END AS predicted_engagement_category,
    
    -- Model metadata
    'xgboost' AS model_type,
    0.823 AS model_r2_score,
    0.087 AS model_rmse,
    
    -- Pipeline metadata
    CURRENT_TIMESTAMP AS results_created_at,
    'weekly_batch_2025_10_21' AS pipeline_run_id
    
FROM engagement_raw.customers c
JOIN engagement_predictions.predictions p
    ON c.customer_id = p.customer_id;

-- @high_value
CREATE VIEW engagement_analytics.high_value_customers AS
SELECT 
    customer_id,
    age,
    location,
    account_type,
    predicted_engagement_score,
    actual_engagement_score,
    social_influence_score,
    transaction_revenue_month
FROM engagement_analytics.final_results
WHERE predicted_engagement_score >= 0.7
    AND account_type = 'premium'
ORDER BY predicted_engagement_score DESC;

-- @at_risk
CREATE VIEW engagement_analytics.at_risk_customers AS
SELECT 
    customer_id,
    age,
    location,
    days_since_last_login,
    predicted_engagement_score,
    churn_risk_score,
    notification_click_rate
FROM engagement_analytics.final_results
WHERE predicted_engagement_score < 0.3
    OR churn_risk_score > 0.5
ORDER BY churn_risk_score DESC;

-- @performance
CREATE VIEW engagement_analytics.model_performance AS
SELECT 
    model_version,
    COUNT(*) AS total_predictions,
    AVG(prediction_error) AS avg_error,
    STDDEV(prediction_error) AS stddev_error,
    PERCENTILE_APPROX(prediction_error, 0.5) AS median_error,
    PERCENTILE_APPROX(prediction_error, 0.95) AS p95_error,
    SUM(CASE WHEN prediction_quality = 'accurate' THEN 1 ELSE 0 END) AS accurate_count,
    SUM(CASE WHEN prediction_quality = 'acceptable' THEN 1 ELSE 0 END) AS acceptable_count,
    SUM(CASE WHEN prediction_quality = 'poor' THEN 1 ELSE 0 END) AS poor_count
FROM engagement_analytics.final_results
GROUP BY model_version;

-- @fairness
-- Gender fairness
SELECT 
  gender,
  COUNT(*) as total,
  AVG(predicted_engagement_score) as avg_score,
  STDDEV(predicted_engagement_score) as std_score,
  MIN(predicted_engagement_score) as min_score,
  MAX(predicted_engagement_score) as max_score
FROM engagement_analytics.final_results
GROUP BY gender;

-- Age group fairness
SELECT 
  CASE 
    WHEN age < 25 THEN '18-24'
    WHEN age < 35 THEN '25-34'
    WHEN age < 45 THEN '35-44'
    WHEN age < 55 THEN '45-54'
    ELSE '55+'
  END as age_group,
  AVG(predicted_engagement_score) as avg_score,
  COUNT(*) as count
FROM engagement_analytics.final_results
GROUP BY 1
HAVING COUNT(*) > 100;  -- Statistical significance

