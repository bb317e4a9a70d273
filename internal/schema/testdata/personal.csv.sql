CREATE EXTERNAL TABLE IF NOT EXISTS `engagement_raw`.`personal` (
  `customer_id` STRING COMMENT 'Pseudonymous identifier: CUST_ and eight digits.',
  `full_name` STRING COMMENT 'First and last name.',
  `email` STRING COMMENT 'Email address.',
  `phone` STRING COMMENT 'Telephone number.'
)
COMMENT 'Personal data of customers, apart from everything else: never read by a model, a log or an analytics table.'
ROW FORMAT DELIMITED FIELDS TERMINATED BY ','
STORED AS TEXTFILE
LOCATION 's3://engagement-data/raw/personal/'
TBLPROPERTIES ('classification'='csv', 'skip.header.line.count'='1', 'serialization.null.format'='')
