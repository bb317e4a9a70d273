"""Writes the files of internal/parquetfile/testdata with other people's writers: pyarrow and DuckDB.

    pip install pyarrow==26.0.1 duckdb==2.0.0 && python test/oracles/parquet_writers.py
"""

import datetime as dt
import os

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../internal/parquetfile/testdata")
at = dt.datetime(2026, 11, 23, tzinfo=dt.timezone.utc)
table = pa.table({
    "id": pa.array(["a", "b", None], pa.string()),
    "kind": pa.array(["red", "blue", "green"], pa.string()),
    "count": pa.array([1, None, -3], pa.int32()),
    "big": pa.array([1 << 40, 2, 3], pa.int64()),
    "weight": pa.array([0.5, None, -1.25], pa.float64()),
    "ok": pa.array([True, False, None], pa.bool_()),
    "at": pa.array([at, at, None], pa.timestamp("ms", tz="UTC")),
})
pq.write_table(table, f"{here}/pyarrow.parquet", compression="snappy")
pq.write_table(table, f"{here}/pyarrow-v1-gzip.parquet", compression="gzip", data_page_version="1.0",
               version="2.6", use_dictionary=False)

required = pa.schema([pa.field(f.name, f.type, nullable=False) for f in table.schema])
pq.write_table(table.slice(0, 1).cast(required), f"{here}/pyarrow-required.parquet")

# Narrower types, which widen without loss: int16, float32, int32 for 64 bits.
narrow = table.set_column(2, "count", pa.array([1, None, -3], pa.int16()))
narrow = narrow.set_column(3, "big", pa.array([7, 2, 3], pa.int32()))
narrow = narrow.set_column(4, "weight", pa.array([0.5, None, -1.25], pa.float32()))
pq.write_table(narrow, f"{here}/pyarrow-narrow.parquet")

# What pandas makes of 32-bit integers: 64 bits, or doubles where one is missing; and a double that is none.
pq.write_table(table.set_column(2, "count", pa.array([1, None, -3], pa.int64())), f"{here}/pyarrow-int64.parquet")
pq.write_table(table.set_column(2, "count", pa.array([1, None, -3], pa.float64())), f"{here}/pyarrow-double.parquet")
pq.write_table(table.set_column(2, "count", pa.array([1, None, -3.5], pa.float64())), f"{here}/pyarrow-fraction.parquet")

duckdb.sql(f"""COPY (SELECT * FROM (VALUES
    ('a', 'red', 1::INT, (1::BIGINT << 40), 0.5::DOUBLE, true, epoch_ms(1795392000000)::TIMESTAMP_MS),
    ('b', 'blue', NULL, 2, NULL, false, epoch_ms(1795392000000)::TIMESTAMP_MS),
    (NULL, 'green', -3, 3, -1.25, NULL, NULL))
    t(id, kind, count, big, weight, ok, "at")) TO '{here}/duckdb.parquet' (FORMAT parquet, COMPRESSION zstd)""")
