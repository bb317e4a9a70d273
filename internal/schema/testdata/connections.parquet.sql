CREATE EXTERNAL TABLE IF NOT EXISTS `engagement_raw`.`connections` (
  `source_customer_id` STRING COMMENT 'The end of the edge with the smaller id.',
  `target_customer_id` STRING COMMENT 'The end of the edge with the larger id.'
)
COMMENT 'The social graph: one row for each connected pair of customers, the smaller id first.'
STORED AS PARQUET
LOCATION 's3://engagement-data/raw/connections/'
TBLPROPERTIES ('classification'='parquet', 'parquet.compression'='SNAPPY')
