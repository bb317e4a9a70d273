CREATE TABLE {{.Table}}
WITH (
  format = 'PARQUET',
  write_compression = 'SNAPPY',
  external_location = {{.Location}}
) AS
SELECT
  {{.Columns}}
FROM {{.From}}
{{- if .Filtered}}
WHERE {{.Where}}
{{- end}}
