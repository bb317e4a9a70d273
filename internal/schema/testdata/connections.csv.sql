CREATE EXTERNAL TABLE IF NOT EXISTS `engagement_raw`.`connections` (
  `source_customer_id` STRING COMMENT 'The end of the edge with the smaller id.',
  `target_customer_id` STRING COMMENT 'The end of the edge with the larger id.'
)
COMMENT 'The social graph: one row for each connected pair of customers, the smaller id first.'
ROW FORMAT DELIMITED FIELDS TERMINATED BY ','
STORED AS TEXTFILE
LOCATION 's3://engagement-data/raw/connections/'
TBLPROPERTIES ('classification'='csv', 'skip.header.line.count'='1', 'serialization.null.format'='')
