"""Polars and DuckDB on the tables of the frame's benchmark: `LIBRARY QUESTION` in, milliseconds out."""
import sys
import time

import duckdb
import polars as pl

rows, dims = sys.argv[1:]
con = duckdb.connect()


def duckdb_filter():
    return con.execute(
        f"SELECT k, count(*) n, avg(y) mean, sum(z) total FROM '{rows}' WHERE x > 0.5 GROUP BY k ORDER BY k"
    ).fetchall()


def duckdb_join():
    return con.execute(
        f"SELECT g, count(*) n, sum(x * weight) total FROM '{rows}' JOIN '{dims}' USING (fk) GROUP BY g ORDER BY g"
    ).fetchall()


def duckdb_feed():
    reader = con.execute(f"SELECT x, y, z FROM '{rows}'").to_arrow_reader(8192)
    for batch in reader:
        for column in batch.columns:
            column.buffers()


def polars_filter():
    return (
        pl.scan_parquet(rows)
        .filter(pl.col("x") > 0.5)
        .group_by("k")
        .agg(n=pl.len(), mean=pl.col("y").mean(), total=pl.col("z").sum())
        .sort("k")
        .collect(engine="streaming")
    )


def polars_join():
    return (
        pl.scan_parquet(rows)
        .join(pl.scan_parquet(dims), on="fk")
        .group_by("g")
        .agg(n=pl.len(), total=(pl.col("x") * pl.col("weight")).sum())
        .sort("g")
        .collect(engine="streaming")
    )


print(f"READY duckdb {duckdb.__version__}, polars {pl.__version__}", flush=True)
for line in sys.stdin:
    work = globals()["_".join(line.split())]
    start = time.perf_counter()
    work()
    print((time.perf_counter() - start) * 1000, flush=True)
