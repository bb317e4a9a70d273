SELECT c."location", c."account_type", count(*) AS n
FROM {{.Customers}} c
JOIN {{.Predictions}} p ON c."customer_id" = p."customer_id"
GROUP BY c."location", c."account_type"
ORDER BY c."location", c."account_type"
