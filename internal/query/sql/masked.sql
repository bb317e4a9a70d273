CREATE OR REPLACE VIEW {{.View}} AS
SELECT
  {{.Columns}}
FROM {{.Table}}
