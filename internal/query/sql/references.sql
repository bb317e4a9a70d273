-- What the connections say of customers that are there, and the customers of their connections.
WITH known AS (
  SELECT DISTINCT customer_id FROM {{.Customers}}
), ends AS (
  SELECT source_customer_id AS customer_id FROM {{.Connections}}
  UNION ALL
  SELECT target_customer_id AS customer_id FROM {{.Connections}}
), degrees AS (
  SELECT customer_id, count(*) AS degree FROM ends GROUP BY customer_id
), pairs AS (
  SELECT DISTINCT source_customer_id, target_customer_id FROM {{.Connections}}
)
SELECT
  (SELECT count(*) FROM {{.Connections}}) AS edges,
  (SELECT count(*) FROM pairs) AS pairs,
  (SELECT count(*) FROM {{.Connections}} WHERE NOT coalesce(source_customer_id < target_customer_id, false)) AS misordered,
  (SELECT coalesce(sum(d.degree), 0) FROM degrees d LEFT JOIN known k ON d.customer_id = k.customer_id WHERE k.customer_id IS NULL) AS orphans,
  (SELECT count(*) FROM {{.Customers}} c LEFT JOIN degrees d ON c.customer_id = d.customer_id
    WHERE c.total_connections <> coalesce(d.degree, 0)) AS wrong_degrees
