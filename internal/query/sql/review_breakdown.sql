SELECT qa_reason, count(*) AS n
FROM {{.Table}}
GROUP BY qa_reason
ORDER BY qa_reason
